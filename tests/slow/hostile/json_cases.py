"""Hostile JSON. What is not JSON is refused, and what is can't pass for something else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.slow.hostile.case import Bait, Case, dead, json_job, kept, no_id, post

DEPTH = 64


def cases(bait: Bait) -> list[Case]:
    return [
        *_nesting(),
        *_literals(),
        *_numbers(),
        *_job_ids(),
        *_surrogates(),
        *_duplicate_names(),
        *_encodings(),
        *_strings(),
        *_syntax(),
        *_names(bait),
    ]


def _with(text: str) -> str:
    """A callback whose Message is this text of JSON, unquoted."""
    return json_job(Message="@").replace('"@"', text)


def _nesting() -> Iterator[Case]:
    shapes = {
        "lists": ("[", "]", ""),
        "objects": ('{"a":', "}", "1"),
        "lists and objects": ('[{"a":', "}]", "1"),
        "with neighbours": ('[1,"x",', "]", "2"),
        "names of a callback": ('{"JobsDetail":', "}", "1"),
    }
    for name, (opening, closing, core) in shapes.items():
        step = 2 if name == "lists and objects" else 1
        within = (DEPTH - 2) // step
        yield kept(
            f"nesting at the limit: {name}", _with(opening * within + core + closing * within)
        )
        body = _with(opening * (within + 1) + core + closing * (within + 1))
        yield dead(f"nesting over the limit: {name}", body, "too_deep")
        for depth in (5_000, 20_000):
            deep = opening * (depth // step) + core + closing * (depth // step)
            yield dead(f"nesting, {depth:,} deep, in a job: {name}", _with(deep), "too_deep")
            yield dead(f"nesting, {depth:,} deep: {name}", f"[{deep}]", "too_deep")
        yield dead(f"nesting, 70 deep and never closed: {name}", opening * 70, "json_invalid")
        yield dead(f"nesting that is never closed: {name}", opening * 20_000, "too_deep")
    yield dead("nesting, closed too often", json_job() + "}" * 5_000, "json_invalid")
    yield dead("nesting, crossed", '{"a": [}]', "json_invalid")
    yield dead("brackets alone, 250,000", "[" * 250_000, "too_many_nodes")
    yield kept("brackets in a text", json_job(Message="[" * 250_000))


BAD_LITERALS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "-NaN",
    "nan",
    "inf",
    "None",
    "True",
    "NULL",
    "undefined",
    "0x10",
    "0b1",
    "0o7",
    "01",
    "-01",
    "+1",
    "1.",
    ".5",
    "-.5",
    "1e",
    "1e+",
    "--1",
    "-",
    "1_000",
    "1,000",
    "1 2",
    "１",
    "١",
    "1n",
    "1f",
    "∞",
    "''",
    "'x'",
    "`x`",
    "“x”",
    '"',
    '"x',
    'x"',
    '"x" "y"',
    "x",
    "",
    "new Date()",
    "{{1}}",
)


def _literals() -> Iterator[Case]:
    """In a job, in a list, and as a name."""
    for literal in BAD_LITERALS:
        yield dead(f"literal {literal} as a value", _with(literal), "json_invalid")
    for literal in ("NaN", "Infinity", "-Infinity", "01", "1.", "0x10", "x", "'x'"):
        yield dead(f"literal {literal} in a list", _with(f"[1, {literal}]"), "json_invalid")
        body = json_job().replace('"State"', literal)
        yield dead(f"literal {literal} for a name", body, "json_invalid")
        body = json_job(JobId="@").replace('"@"', literal)
        yield dead(f"literal {literal} for the JobId", body, "json_invalid")


def _numbers() -> Iterator[Case]:
    """Numbers are read as the digits that were sent; none is computed with before it is bounded."""
    for sent in (
        "0",
        "-0",
        "0.10",
        "1E+2",
        "1e400",
        "-1e-400",
        "1e999999999",
        "123456789012345678901234567890",
        "0.30000000000000004",
        "9007199254740993",
        "9" * 400,
        "0." + "1" * 398,
        "-" + "9" * 399,
    ):
        name = f"{sent[:40]} of {len(sent)} characters"
        yield kept(f"number {name}", _with(sent), holds={"message": sent})
        yield kept(
            f"number {name} for the Code",
            json_job(Code="@").replace('"@"', sent),
            holds={"code": sent},
        )
    for sent in ("9" * 401, "0." + "1" * 401, "1e" + "9" * 401, "-" + "9" * 5_000, "9" * 1_000_000):
        name = f"{sent[:6]}… of {len(sent)} characters"
        yield dead(f"number {name}", _with(sent), "number_too_long")
        yield dead(f"number {name} in a list", _with(f"[{sent}]"), "number_too_long")
        yield dead(
            f"number {name} for the JobId",
            json_job(JobId="@").replace('"@"', sent),
            "number_too_long",
        )
    yield kept("a million digits in a text", json_job(Message="9" * 1_000_000))


def _job_ids() -> Iterator[Case]:
    def of(text: str) -> str:
        return json_job(JobId="@").replace('"@"', text)

    for text, read in {
        "7": "7",
        "-1.5e3": "-1.5e3",
        "true": "true",
        '["j1"]': "j1",
        '"null"': "null",
        '"NaN"': "NaN",
        '"[object Object]"': "[object Object]",
        '"\\u006a1"': "j1",
    }.items():
        yield kept(f"JobId {text}", of(text), holds={"job_id": read})
    for text in (
        "null",
        '""',
        '" "',
        '"\\t\\n"',
        "[]",
        "{}",
        '["a", "b"]',
        '[["j1"]]',
        '{"JobId": "j1"}',
        '{"#text": "j1"}',
        '{"toString": "j1"}',
        "[null]",
        '[""]',
    ):
        yield no_id(f"JobId {text}", of(text))
    yield no_id("JobId of another case", json_job(JobId=None, jobid="j1", JOBID="j1", jobId="j1"))
    yield no_id("JobId with a blank", json_job(JobId=None, **{"JobId ": "j1", " JobId": "j1"}))
    yield no_id("JobId with a look-alike", json_job(JobId=None, ЈobId="j1"))
    yield no_id("JobId with a NUL behind", json_job(JobId=None, **{"JobId\0": "j1"}))


def _surrogates() -> Iterator[Case]:
    """Half of a pair is no character: U+FFFD stands in."""
    for sent, read in {
        r"\ud800": "\ufffd",
        r"\udfff": "\ufffd",
        r"\uD83D\uDE00": "\U0001f600",
        r"\ude00\ud83d": "\ufffd\ufffd",
        r"\ud83d\ud83d\ude00": "\ufffd\U0001f600",
        r"\ud83dx\ude00": "\ufffdx\ufffd",
        r"\ud83d\\ude00": "\ufffd\\ude00",
        r"\\ud83d": "\\ud83d",
        r"\ud83d\u0000": "\ufffd\0",
        r"x\udbff": "x\ufffd",
    }.items():
        for place, body, path in (
            ("Message", _with(f'"{sent}"'), "message"),
            ("JobId", json_job(JobId="@").replace('"@"', f'"{sent}"'), "job_id"),
            ("Tag", json_job(Tag="@").replace('"@"', f'"{sent}"'), "tag"),
            (
                "UserData",
                json_job(Operation={"UserData": "@"}).replace('"@"', f'"{sent}"'),
                "user_data",
            ),
        ):
            yield kept(f"surrogates {sent} in {place}", body, holds={path: read})
        body = json_job(x="y").replace('"x"', f'"x{sent}"')
        yield kept(f"surrogates {sent} in a name", body, holds={("details", "x" + read): "y"})
    yield kept(
        "100,000 halves of pairs",
        _with('"' + r"\ud800" * 100_000 + '"'),
        holds={"message": "\ufffd" * 100_000},
    )
    for name, raw in {
        "half of a pair": b"\xed\xa0\x80",
        "pair": b"\xed\xa0\xbd\xed\xb8\x80",
    }.items():
        bad = json_job(Message="@").encode().replace(b"@", raw)
        yield dead(f"surrogates, raw, {name}", bad, "encoding")
    yield dead(
        "half of a pair in the event's own text",
        json_job(Message="@").replace("@", "\ud800"),
        "encoding",
    )
    yield kept(
        "two names that become one",
        json_job(x="@").replace('"x": "@"', r'"\ud800":"1","\udfff":"2"'),
    )


def _duplicate_names() -> Iterator[Case]:
    """The last one counts, as with most readers; what matters is that it does everywhere."""
    twice = {
        "JobId": ('"JobId": "j0"', {"job_id": "j1"}),
        "State": ('"State": "Failed"', {"outcome": "succeeded"}),
        "Tag": ('"Tag": "Translation"', {"tag": "Transcode"}),
        "escaped JobId": ('"\\u004aobId": "j0"', {"job_id": "j1"}),
        "JobId that is none": ('"JobId": {"a": []}', {"job_id": "j1"}),
    }
    for name, (first, holds) in twice.items():
        body = json_job().replace('"JobId"', f'{first}, "JobId"')
        yield kept(f"twice: {name}", body, holds=holds, key="jobs/dt=1970-01-01/j1.json")
    yield kept(
        "twice: JobsDetail",
        '{"JobsDetail": {"JobId": "j0"}, ' + json_job()[1:],
        key="jobs/dt=1970-01-01/j1.json",
    )
    yield kept(
        "one name 20,000 times",
        _with("{" + ",".join(['"a": 1'] * 20_000) + "}"),
        holds={"details.Message.a": "1"},
    )


def _encodings() -> Iterator[Case]:
    body = json_job(Message="译é")
    for name, reason in {
        "utf-16": "not_xml_or_json",
        "utf-32": "not_xml_or_json",
        "utf-16-le": "encoding",
        "utf-16-be": "not_xml_or_json",
        "utf-32-le": "json_invalid",
        "utf-32-be": "not_xml_or_json",
        "gbk": "encoding",
        "latin-1": "encoding",
        "utf-7": "not_xml_or_json",
        "cp037": "not_xml_or_json",
    }.items():
        text = body if name not in ("latin-1", "cp037", "utf-32-le") else json_job(Message="e")
        if name == "latin-1":
            text = '{"JobsDetail": "é"}'
        elif name == "utf-16-le":
            text = '{"JobsDetail": "é"}'  # of which E9 00 is no UTF-8
        elif name == "gbk":
            text = '{"JobsDetail": "译"}'
        elif name == "utf-7":
            text = "＋" + json_job()
        yield dead(f"JSON in {name}", text.encode(name), reason)
    yield dead("JSON in utf-16-le, ASCII alone", json_job().encode("utf-16-le"), "json_invalid")
    raw = json.dumps({"JobsDetail": {"JobId": "j1", "Message": "译é"}}, ensure_ascii=False).encode()
    yield kept("BOM", b"\xef\xbb\xbf" + raw, holds={"message": "译é"})
    yield dead("BOM twice", b"\xef\xbb\xbf" * 2 + raw, "not_xml_or_json")
    yield dead("BOM behind the bracket", raw[:1] + b"\xef\xbb\xbf" + raw[1:], "json_invalid")
    yield kept("BOM behind blanks", b"\r\n" + raw)
    for name, bad in {
        "overlong slash": b"\xc0\xaf",
        "overlong quote": b"\xc0\xa2",
        "overlong NUL": b"\xc0\x80",
        "above Unicode": b"\xf4\x90\x80\x80",
        "0xff": b"\xff",
        "cut off": b"\xe8\xaf",
        "lone continuation": b"\x80",
    }.items():
        for place, body_bytes in {
            "text": raw.replace(b"\xc3\xa9", bad),
            "name": raw.replace(b'"Message', b'"' + bad),
            "end": raw + bad,
        }.items():
            yield dead(f"{name} in {place}", body_bytes, "encoding")
    for name, first in {
        "form feed": b"\x0c",
        "vertical tab": b"\x0b",
        "NUL": b"\0",
        "no-break space": b"\xc2\xa0",
        "wide space": b"\xe3\x80\x80",
        "guard": b")]}',\n",
        "while": b"while(1);",
        "call": b"callback(",
        "comment": b"/* x */",
        "field": b"body=",
    }.items():
        yield dead(f"{name} first", first + raw, "not_xml_or_json")
        if name in ("form feed", "vertical tab", "NUL", "no-break space", "wide space", "comment"):
            yield dead(f"{name} behind", raw + first, "json_invalid")


def _strings() -> Iterator[Case]:
    for code in range(32):
        body = json_job(Message="@").encode().replace(b"@", bytes([code]))
        yield dead(f"control character {code:#04x}, raw", body, "json_invalid")
        escaped = _with(f'"a\\u{code:04x}b"')
        yield kept(
            f"control character {code:#04x}, escaped",
            escaped,
            holds={"message": f"a{chr(code)}b"},
        )
    for escape in (
        r"\x41",
        r"\u12",
        r"\u",
        r"\uZZZZ",
        r"\u+041",
        r"\u 041",
        r"\u{41}",
        r"\U00000041",
        r"\'",
        r"\a",
        r"\v",
        r"\0",
        r"\101",
        "\\\n",
        r"\N{DIGIT ONE}",
        "\\",
    ):
        yield dead(f"escape {escape!r}", _with(f'"{escape}"'), "json_invalid")
    for sent, read in {
        r"\/": "/",
        r"\b\f\n\r\t": "\b\f\n\r\t",
        r"\\": "\\",
        r"\"": '"',
        r"\u2028\u2029x": "\u2028\u2029x",
        r"\u202e\u0007": "\u202e\u0007",
        r"\u001b[2J\u001b]0;x\u0007": "\u001b[2J\u001b]0;x\u0007",
        r"\r\n{\"level\":\"INFO\"}": '\r\n{"level":"INFO"}',
        r"\uFFFF\uFFFE": "\uffff\ufffe",
        "\x7f": "\x7f",
        "\u0085\u2028x": "\u0085\u2028x",
    }.items():
        yield kept(f"escape {sent}", _with(f'"{sent}"'), holds={"message": read})
        if read.strip():
            yield kept(
                f"escape {sent} in the Tag",
                json_job(Tag="@").replace('"@"', f'"{sent}"'),
                holds={"tag": read},
            )


def _syntax() -> Iterator[Case]:
    job = json_job()
    for name, body in {
        "two behind each other": job + job,
        "two lines": f"{job}\n{job}",
        "text behind": job + " x",
        "comment within": job.replace(":", ": /* x */", 1),
        "comment behind": job + " // x",
        "hash comment": job[:-1] + "# x\n}",
        "single quotes": job.replace('"', "'"),
        "names without quotes": "{JobsDetail: {}}",
        "no colon": '{"JobsDetail" {}}',
        "equals sign": '{"JobsDetail" = {}}',
        "arrow": '{"JobsDetail" => {}}',
        "no comma": job.replace(",", ""),
        "two commas": job.replace(",", ",,"),
        "comma first": "{," + job[1:],
        "comma alone": "[,]",
        "commas alone": "[" + "," * 1_000 + "]",
        "value missing": '{"JobsDetail":}',
        "name missing": "{:1}",
        "number for a name": "{1: 2}",
        "null for a name": "{null: 2}",
        "list for a name": "{[]: 2}",
        "cut off in a text": job[:20],
        "cut off before the end": job[:-1],
        "one too many": job + "}",
        "list closed as an object": "[1}",
        "one bracket": "{",
        "one bracket of a list": "[",
        "tuple": "{(1, 2)}",
        "merge conflict": job[:14] + "\n<<<<<<< HEAD\n" + job[14:],
        "spread": "{...x}",
        "template": '{"JobsDetail": ${x}}',
        "trailing commas, and broken": job[:-1] + ",,}",
        "a thousand trailing commas in a row": "[1" + "," * 1_000 + "]",
    }.items():
        yield dead(f"syntax: {name}", body, "json_invalid")
    for name, body in {
        "a text": '"JobsDetail"',
        "null": "null",
        "true": "true",
        "a number": "7",
        "minus": "-1",
        "a form": "JobsDetail=%7B%7D&x=1",
        "YAML": "JobsDetail:\n  JobId: j1\n",
        "parts": "--x\r\nContent-Disposition: form-data\r\n\r\n{}\r\n--x--",
        "escaped as a text": json.dumps(job),
        "pickle": "cos\nsystem\n(S'id'\ntR.",
        "PHP's own": 'O:8:"stdClass":0:{}',
        "percent": "%7B%22JobsDetail%22%3A%7B%7D%7D",
    }.items():
        yield dead(f"syntax: {name}", body, "not_xml_or_json")
    for name, body in {
        "empty object": "{}",
        "empty list": "[]",
        "list of a callback": f"[{job}]",
        "list of nothing": "[null]",
        "callback as a text": json.dumps({"JobsDetail": 1, "body": job}).replace(
            '"JobsDetail": 1, ', ""
        ),
        "task of a timer": '{"Type": "Timer", "TriggerName": "x", "Message": "sweep"}',
        "messages of a queue": json.dumps({"Records": [{"CMQ": {"msgBody": job}}]}),
        "event within": json.dumps({"httpMethod": "POST", "path": "/", "body": job}),
    }.items():
        yield dead(f"no callback: {name}", body, "no_callback")
    for name, body in {
        "trailing commas": job.replace("}", ",}"),
        "blanks everywhere": job.replace(",", " \t\r\n, ").replace(":", " \n: ") + " \n\r\t",
        "trailing comma behind a text with a comma": json_job(Message=",}").replace("}}", ",}}"),
        "trailing comma behind an escaped quote": json_job(Message='\\",}').replace("}}", ",}}"),
    }.items():
        yield kept(f"syntax: {name}", body, holds={"job_id": "j1"})


def _names(bait: Bait) -> Iterator[Case]:
    """No name in a callback is anything but a name."""
    for name in (
        "__proto__",
        "constructor",
        "__class__",
        "__init__",
        "__dict__",
        "py/object",
        "$ref",
        "$type",
        "@type",
        "@odata.id",
        "#text",
        "@k",
        "",
        " ",
        "schema",
        "job_id",
        "source",
        "key",
        "outcome",
        "../../x",
        "a.b.c",
        "\0",
        "\n",
        "\r\nX: y",
        "\u202e",
        "{}",
        "%s",
        "${env}",
        "[redacted]",
        "n" * 1_024,
    ):
        shown = name if len(name) < 40 else f"{name[:3]}… of {len(name)}"
        value = bait.url if name.startswith(("$", "@", "py")) else "x"
        yield kept(
            f"name {shown!r} in a job",
            json_job(**{name: value}),
            holds={("details", name): value, "job_id": "j1", "outcome": "succeeded"},
        )
        body = json.dumps({name: value, **json.loads(json_job())})
        yield kept(f"name {shown!r} beside the job", body, key="jobs/dt=1970-01-01/j1.json")
        yield kept(
            f"name {shown!r} in the Input",
            json_job(Input={name: value, "Object": "a"}),
            holds={("details", "Input", name): value, "input.object": "a", "input.bucket": None},
        )
    for size in (1_025, 2_000_000):
        for ending in ("", "😀"):
            name = "n" * size + ending
            details: dict[str, dict[str, Any]] = {
                "a job": {name: "x"},
                "the Input": {"Input": {name: "x"}},
            }
            for where, detail in details.items():
                yield dead(f"name of {len(name)} in {where}", json_job(**detail), "name_too_long")
    for sent in ({"bucket": "evil-1250000000"}, {"bucketId": "evil-1250000000"}):
        yield kept(
            f"Input with {next(iter(sent))} for BucketId",
            json_job(Input={**sent, "Object": "a"}),
            holds={"input.bucket": None},
        )
    yield Case(
        "a job for each case of a name",
        post(
            json.dumps(
                {
                    "JobsDetail": [{"JobId": "j1", "State": "Success"}],
                    "jobsdetail": [{"JobId": "j2"}],
                    "JOBSDETAIL": 1,
                }
            )
        ),
        200,
        ("kept",),
        key="jobs/dt=1970-01-01/j1.json",
    )
