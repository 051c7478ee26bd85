"""Bodies as large as they may be, each to cost as much as it can at one place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from handler.callback.payload import Limits
from handler.callback.results.fields import MAX_ROWS
from tests.slow.hostile.case import Bait, Case, json_job, post, xml_job

LIMITS = Limits()
MAX_BODY_BYTES = 5 * 1024 * 1024
"""The default of the setting: what is longer than LIMITS.max_bytes is kept, and not read."""
BODY_ROOM = MAX_BODY_BYTES - 1_000
ROOM = LIMITS.max_bytes - 1_000
"""Bytes of a body that stay for its filling."""
NODES = LIMITS.max_nodes - 50


def cases(bait: Bait) -> list[Case]:
    return [*_kept(), *_dead(), *_rows(), *_not_read(), *_refused()]


def _job(filling: str, **detail: Any) -> str:
    return xml_job(filling, State="Failed", **detail)


def _json(**detail: Any) -> str:
    """Without blanks, and with each character as itself."""
    return json.dumps(
        json.loads(json_job(**{"State": "Failed", **detail})),
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _message(unit: str, size: int | None = None) -> str:
    """A job whose Message is a text of JSON, written out as often as there is room."""
    size = size or len(unit.encode())
    return json_job(State="Failed", Message="@").replace("@", unit * (ROOM // size))


def _names(count: int, length: int = 8) -> Iterator[str]:
    return (f"N{number:0{length - 1}d}" for number in range(count))


def _fitting(size: int) -> int:
    """How many nodes of that many bytes a body can hold."""
    return min(NODES, ROOM // size)


def _outputs(**more: Any) -> str:
    """A job with as many files as fit, and what is in front of each of them."""
    file = {"ObjectName": list(_names(19_000)), **more}
    return json_job(State="Success", Operation={"MediaResult": {"OutputFile": file}})


BODIES: Mapping[str, Callable[[], str | bytes]] = {
    "XML: many equal nodes": lambda: _job("<a/>" * (NODES)),
    "XML: many nodes with other names": lambda: _job(
        "".join(f"<{name}/>" for name in _names(_fitting(11)))
    ),
    "XML: many leaves with other names": lambda: _job(
        "".join(f"<{name}>x</{name}>" for name in _names(_fitting(22)))
    ),
    "XML: many leaves with long texts": lambda: _job("<a>12345678</a>" * _fitting(15)),
    "XML: many nodes of one child": lambda: _job("<a><b/></a>" * (_fitting(11) // 2)),
    "XML: many nodes with attributes": lambda: _job('<a b="" c="" d=""/>' * (_fitting(19) // 4)),
    "XML: tags as wide as may be": lambda: _job(
        ("<a " + " ".join(f'{name}=""' for name in _names(5_000)) + "/>") * (NODES // 5_001)
    ),
    "XML: chains of nodes": lambda: _job(("<a>" * 60 + "</a>" * 60) * (NODES // 60)),
    "XML: many nodes of the Input": lambda: _job(
        "<Input>" + "".join(f"<{name}>x</{name}>" for name in _names(_fitting(22))) + "</Input>"
    ),
    "XML: references": lambda: _job("<Message>" + "&amp;" * (ROOM // 5) + "</Message>"),
    "XML: character references": lambda: _job("<Message>" + "&#65;" * (ROOM // 5) + "</Message>"),
    "XML: wide character references": lambda: _job(
        "<Message>" + "&#x1F600;" * (ROOM // 9) + "</Message>"
    ),
    "XML: line breaks": lambda: _job("<Message>" + "\n" * ROOM + "</Message>"),
    "XML: carriage returns": lambda: _job("<Message>x" + "\r" * ROOM + "</Message>"),
    "XML: CDATA sections": lambda: _job("<Message>" + "<![CDATA[x]]>" * NODES + "</Message>"),
    "XML: a long CDATA section": lambda: _job(f"<Message><![CDATA[{']' * ROOM}]]></Message>"),
    "XML: comments": lambda: _job("<!---->" * NODES),
    "XML: a long comment": lambda: _job(f"<!--{'- ' * (ROOM // 2)}-->"),
    "XML: instructions": lambda: _job("<?x y?>" * NODES),
    "XML: blanks between": lambda: _job((" " * 20 + "<a/>") * _fitting(24)),
    "XML: a long text": lambda: _job(f"<Message>{'x' * ROOM}</Message>"),
    "XML: a long text in Chinese": lambda: _job(f"<Message>{'译' * (ROOM // 3)}</Message>"),
    "XML: a long text and one wide letter": lambda: _job(
        f"<Message>\U0001f600{'x' * ROOM}</Message>"
    ),
    "JSON: many names": lambda: _json(Operation=dict.fromkeys(_names(_fitting(12)), 1)),
    "JSON: many names of the Input": lambda: _json(Input=dict.fromkeys(_names(_fitting(12)), 1)),
    "JSON: names of many words in the Input": lambda: _json(
        Input={"Ab" * 9 + name: 1 for name in _names(_fitting(32))}
    ),
    "JSON: many names in letters that look like ASCII": lambda: _json(
        Operation={f"\xe9\u0430{name}": 1 for name in _names(_fitting(16))}
    ),
    "JSON: many names with a letter that could be eighteen": lambda: _json(
        Operation={f"\ufdfa{name}": 1 for name in _names(_fitting(15))}
    ),
    "JSON: long names of invisible characters": lambda: _json(
        Operation={"\u200b" * 330 + name: 1 for name in _names(_fitting(1_004))}
    ),
    "JSON: many numbers": lambda: _json(Operation=[1] * NODES),
    "JSON: long numbers": lambda: _json(Operation=[int("9" * 399)] * (ROOM // 400)),
    "JSON: fractions": lambda: _json(Operation=[0.12345] * _fitting(8)),
    "JSON: true and false": lambda: _json(Operation=[True, False] * (NODES // 2)),
    "JSON: many texts": lambda: _json(Operation=["12345678"] * _fitting(11)),
    "JSON: empty lists": lambda: _json(Operation=[[]] * (NODES // 2)),
    "JSON: empty objects": lambda: _json(Operation=[{}] * (NODES // 2)),
    "JSON: chains of lists": lambda: _json(
        Operation=[json.loads("[" * 58 + "]" * 58)] * (NODES // 60)
    ),
    "JSON: chains of objects": lambda: _json(
        Operation=[json.loads('{"a":' * 58 + "1" + "}" * 58)] * (NODES // 60)
    ),
    "JSON: trailing commas": lambda: _json(Operation=[[1]] * (NODES // 4)).replace("]", ",]"),
    "JSON: escaped line breaks": lambda: _message(r"\n"),
    "JSON: escaped letters": lambda: _message(r"\u0041"),
    "JSON: escaped control characters": lambda: _message(r"\u0001"),
    "JSON: escaped quotes": lambda: _message(r"\""),
    "JSON: escaped backslashes": lambda: _message(r"\\"),
    "JSON: escaped pairs": lambda: _message(r"\ud83d\ude00"),
    "JSON: halves of pairs": lambda: _message(r"\ud800"),
    "JSON: a long text": lambda: _message("x"),
    "JSON: a long text in Chinese": lambda: _message("译"),
    "JSON: a long text of emoji": lambda: _message("\U0001f600"),
    "JSON: a long text and one wide letter": lambda: _message("x").replace('"x', '"\U0001f600', 1),
    "JSON: a message with one wide letter, many names": lambda: _json(
        Message="\U0001f600" + "x" * (ROOM // 2), Operation=dict.fromkeys(_names(NODES // 3), 1)
    ),
    "XML: namespaces": lambda: _job(f'<a xmlns="{"n" * 60_000}">' + "<b/>" * (NODES - 10) + "</a>"),
    "XML: names with a prefix": lambda: _job(
        f'<a xmlns:p="{"n" * 60_000}">' + '<p:b p:c="1"/>' * (NODES // 2 - 10) + "</a>"
    ),
    "XML: references that XML forbids": lambda: _job(
        "<Message>" + "&#8;" * 9_000 + "x" * (ROOM - 40_000) + "</Message>"
    ),
    "JSON: blanks": lambda: json_job(State="Failed").replace(",", "," + " " * ROOM, 1),
    "JSON: a job with a long Tag": lambda: _json(Tag="x" * ROOM),
    "JSON: a job with a long Code": lambda: _json(Code="/" * ROOM),
    "JSON: a job with long UserData": lambda: _json(
        Operation={"UserData": "/ci-retry:" + "a" * ROOM}
    ),
    "JSON: a job with a long CreationTime": lambda: _json(CreationTime="2" * ROOM),
    "JSON: a job with a long JobLevel": lambda: _json(Operation={"JobLevel": "9" * ROOM}),
    "JSON: written objects": lambda: _json(
        Operation={"MediaResult": {"OutputFile": {"ObjectName": list(_names(MAX_ROWS))}}},
    ).replace("Failed", "Success"),
    "JSON: written objects with checksums": lambda: _json(
        Operation={
            "MediaResult": {
                "OutputFile": {
                    "Md5Info": [
                        {"ObjectName": name, "Md5": "0" * 8} for name in _names(_fitting(60) // 3)
                    ]
                }
            }
        },
    ).replace("Failed", "Success"),
    "JSON: headers": lambda: _json(
        Input={"CosHeaders": [{"Key": n, "Value": "x"} for n in _names(_fitting(32) // 3)]}
    ),
    "JSON: streams": lambda: _json(
        Operation={"MediaInfo": {"Stream": {"Video": [{"Index": "0"}] * 6_800}}}
    ),
    "JSON: parts of a video": lambda: _json(
        Tag="SplitVideoParts",
        Operation={"SplitVideoInfoResult": {"TimeInfo": [{"Index": "0"}] * MAX_ROWS}},
    ),
    "JSON: words of a transcript": lambda: _json(
        Tag="SpeechRecognition",
        Operation={
            "SpeechRecognitionResult": {
                "FlashResult": [{"sentence_list": [{"word_list": [{"word": "x"}] * (NODES // 2)}]}]
            }
        },
    ),
    "JSON: sentences of a transcript": lambda: _json(
        Tag="SpeechRecognition",
        Operation={
            "SpeechRecognitionResult": {
                "FlashResult": [{"sentence_list": [{"text": "x"}] * (NODES // 2)}]
            }
        },
    ).replace("Failed", "Success"),
    "JSON: sentences of a transcript in detail": lambda: _json(
        Tag="SpeechRecognition",
        Operation={
            "SpeechRecognitionResult": {"ResultDetail": [{"FinalSentence": "x"}] * MAX_ROWS}
        },
    ).replace("Failed", "Success"),
    "JSON: tasks of a run": lambda: json.dumps(
        {
            "WorkflowExecution": {
                "RunId": "i1",
                "State": "Success",
                "Tasks": [{"State": "Success"}] * 8_600,
            }
        }
    ),
    "JSON: objects of a run's task": lambda: json.dumps(
        {
            "WorkflowExecution": {
                "RunId": "i1",
                "State": "Success",
                "Tasks": [{"ResultInfo": {"ObjectInfo": [{"Code": "x"}] * MAX_ROWS}}],
            }
        }
    ),
    "JSON: scenes of a review": lambda: json.dumps(
        {
            "EventName": "ReviewVideo",
            "JobsDetail": {"JobId": "j1", "State": "Success"}
            | {f"{name}Info": {"HitFlag": "1"} for name in _names(MAX_ROWS)},
        }
    ),
    "JSON: scenes of the pictures of a review": lambda: json.dumps(
        {
            "EventName": "ReviewVideo",
            "JobsDetail": {
                "JobId": "j1",
                "State": "Success",
                "Snapshot": [{"PornInfo": {"HitFlag": "1"}}] * (MAX_ROWS // 2),
            },
        }
    ),
    "JSON: pictures of a review": lambda: json.dumps(
        {
            "EventName": "ReviewVideo",
            "JobsDetail": {
                "JobId": "j1",
                "State": "Success",
                "Snapshot": [{"Result": "1"}] * 14_000,
            },
        }
    ),
    "JSON: a prefix that no key can have": lambda: _outputs(ObjectPrefix="p" * 500_000),
    "JSON: a bucket that no bucket can have": lambda: _outputs(Bucket="b" * 500_000),
    "bytes in base64": lambda: _message("译").encode(),
}
"""Each a callback that is kept: a job, run or review, most of them failed."""


def _posted(make: Callable[..., str | bytes | list[int]], *values: Any) -> Callable[[], Any]:
    """What makes the event of a body that is large."""
    return lambda: post(make(*values))


def _kept() -> Iterator[Case]:
    for name, make in BODIES.items():
        yield Case(name, _posted(make), 200, ("kept",))
    yield Case(
        "a hundred large jobs",
        lambda: post(
            json.dumps(
                {
                    "JobsDetail": [
                        {
                            "JobId": f"j{n}",
                            "State": "Failed",
                            "x": dict.fromkeys(_names(NODES // 104), 1),
                        }
                        for n in range(100)
                    ]
                }
            )
        ),
        200,
        ("kept",) * 100,
    )


def _dead() -> Iterator[Case]:
    bodies: Mapping[str, tuple[Callable[[], str | bytes], str]] = {
        "one node too many in XML": (lambda: _job("<a/>" * (NODES + 100)), "too_many_nodes"),
        "one node too many in JSON": (lambda: json.dumps([1] * (NODES + 100)), "too_many_nodes"),
        "elements all over": (lambda: _job("<a/>" * (ROOM // 4)), "too_many_nodes"),
        "lists all over": (lambda: "[" + "[]," * (ROOM // 3) + "[]]", "too_many_nodes"),
        "brackets all over": (lambda: "[" * ROOM, "too_many_nodes"),
        "< all over": (lambda: "<" * ROOM, "too_many_nodes"),
        "tags that never end": (
            lambda: ("<a " + "b='c' " * 12_000) * (ROOM // 72_100),
            "tag_too_long",
        ),
        "letters": (lambda: "x" * ROOM, "not_xml_or_json"),
        "bytes": (lambda: bytes(range(256)) * (ROOM // 256), "not_xml_or_json"),
        "a text that never ends": (lambda: '{"a":"' + "x" * ROOM, "json_invalid"),
        "escapes that never end": (lambda: '{"a":"' + r"\n" * (ROOM // 2), "json_invalid"),
        "quotes all over": (lambda: '{"a":' + '"' * ROOM, "json_invalid"),
        "backslashes all over": (lambda: '{"a":"' + "\\" * ROOM, "json_invalid"),
        "one digit after another": (lambda: '{"a":' + "9" * ROOM + "}", "number_too_long"),
        "blanks behind a bracket": (lambda: "{" + " " * ROOM, "json_invalid"),
        "a comment that never ends": (lambda: "<a><!--" + "- " * (ROOM // 2), "xml_invalid"),
        "a CDATA section that never ends": (lambda: "<a><![CDATA[" + "]" * ROOM, "xml_invalid"),
        "an instruction that never ends": (lambda: "<a><?x " + "?" * ROOM, "xml_invalid"),
        "a text, and no end": (lambda: "<a>" + "&amp;" * (ROOM // 5), "xml_invalid"),
        "an entity of 2 MB": (
            lambda: f'<!DOCTYPE a [<!ENTITY x "{"x" * ROOM}">]><a>&x;</a>',
            "dtd_forbidden",
        ),
        "a declaration that never ends": (lambda: "<?xml " + "a" * ROOM, "xml_invalid"),
        "commas before every end": (lambda: "[" + "[1,]," * (NODES // 4) + "x]", "json_invalid"),
        "blanks before every comma": (
            lambda: '{"a":[1' + (" " * 1_000 + ",]") * 1 + "}" + " " * 1_000 + "x",
            "json_invalid",
        ),
        "a good callback, cut off": (lambda: _message("x")[:-3], "json_invalid"),
        "a rootless run": (
            lambda: "<EventName>x</EventName><Workflow>" + "<a/>" * NODES + "</Workflow><!",
            "xml_invalid",
        ),
    }
    for name, (make, reason) in bodies.items():
        yield Case(name, _posted(make), 202, "dead_letter", reason)
    for length in (10_240, 1_000_000, ROOM - 1):
        yield Case(
            f"a State of {length:,} characters is kept aside",
            _posted(lambda size: _json(State="/" * size), length),
            200,
            ("kept",),
        )
    for name, letter in {"slashes": "/", "letters": "x", "emoji": "\U0001f600"}.items():
        yield Case(
            f"a JobId of as many {name} as may be",
            _posted(
                lambda character: _json(JobId=character * (ROOM // len(character.encode()))), letter
            ),
            202,
            "dead_letter",
            "id_too_long",
        )
    file = {"ObjectName": list(_names(19_000)), "ObjectPrefix": "p" * 800}
    yield Case(
        "a long prefix of very many outputs",
        lambda: post(json_job(State="Success", Operation={"MediaResult": {"OutputFile": file}})),
        202,
        "dead_letter",
        "outputs_too_long",
    )
    yield Case(
        "a name of 2 MB with one emoji",
        lambda: post(_json(Operation={"\U0001f600" + "n" * ROOM: 1})),
        202,
        "dead_letter",
        "name_too_long",
    )


def _rows() -> Iterator[Case]:
    """A list of a result, at its bound in BODIES, with one row more than that here."""
    over = MAX_ROWS + 1
    file = {"OutputFile": {"ObjectName": list(_names(over))}}
    run = {"RunId": "i1", "State": "Success"}
    bodies = {
        "streams": json_job(
            Operation={"MediaInfo": {"Stream": {"Video": [{"Index": "0"}] * over}}}
        ),
        "parts of a video": json_job(
            Tag="SplitVideoParts",
            Operation={"SplitVideoInfoResult": {"TimeInfo": [{"Index": "0"}] * over}},
        ),
        "written objects": json_job(Operation={"MediaResult": file}),
        "written objects in XML": xml_job(
            "<Operation><MediaResult><OutputFile>"
            + "".join(f"<ObjectName>{name}</ObjectName>" for name in _names(over))
            + "</OutputFile></MediaResult></Operation>"
        ),
        "scenes of a review": json.dumps(
            {
                "EventName": "ReviewVideo",
                "JobsDetail": {"JobId": "j1", "State": "Success"}
                | {f"{name}Info": {"HitFlag": "1"} for name in _names(over)},
            }
        ),
        "scenes of the pictures of a review": json.dumps(
            {
                "EventName": "ReviewVideo",
                "JobsDetail": {
                    "JobId": "j1",
                    "State": "Success",
                    "Snapshot": [{"PornInfo": {"HitFlag": "1"}}] * (over // 2 + 1),
                },
            }
        ),
        "tasks of a run": json.dumps(
            {"WorkflowExecution": run | {"Tasks": [{"State": "Success"}] * over}}
        ),
        "objects of a run's task": json.dumps(
            {
                "WorkflowExecution": run
                | {"Tasks": [{"ResultInfo": {"ObjectInfo": [{"Code": "x"}] * over}}]}
            }
        ),
    }
    for name, body in bodies.items():
        yield Case(f"one row too many: {name}", post(body), 202, "dead_letter", "too_many_rows")


def _not_read() -> Iterator[Case]:
    """Longer than what is read, no longer than what is taken: kept as it came."""
    limit, over = MAX_BODY_BYTES, LIMITS.max_bytes + 1
    bodies: Mapping[str, Callable[[], Any]] = {
        "one byte too long": lambda: "x" * over,
        "one byte too long in base64": lambda: b"x" * over,
        "too long in Chinese": lambda: "译" * (over // 3 + 1),
        "too long, decoded": lambda: [1] * (over // 3 + 1),
        "a good callback in JSON": lambda: json_job().ljust(over),
        "a good callback in XML": lambda: xml_job().ljust(over),
        "the last that is taken": lambda: "x" * limit,
        "the last that is taken, in base64": lambda: b"\xff" * limit,
        "the last that is taken, in Chinese": lambda: "译" * (limit // 3),
        "the last that is taken, of emoji": lambda: "\U0001f600" * (limit // 4),
        "the last that is taken, of NULs": lambda: "\0" * limit,
        "nesting": lambda: "[" * limit,
        "elements": lambda: "<a/>" * (limit // 4),
        "digits": lambda: '{"a":' + "9" * BODY_ROOM + "}",
        "an entity": lambda: f'<!DOCTYPE a [<!ENTITY x "{"x" * BODY_ROOM}">]><a>&x;</a>',
        "UTF-16": lambda: json_job(Message="x" * (over // 2)).encode("utf-16"),
    }
    for name, make in bodies.items():
        yield Case(
            f"not read: {name}",
            _posted(make),
            202,
            "dead_letter",
            "too_long",
        )
    yield Case(
        "read: a good callback, and blanks to the limit",
        lambda: post(json_job().ljust(LIMITS.max_bytes)),
        200,
        ("kept",),
    )


def _refused() -> Iterator[Case]:
    over = MAX_BODY_BYTES + 1
    refused: Mapping[str, tuple[Callable[[], dict[str, Any]], int]] = {
        "over the limit": (lambda: post("x" * over), 413),
        "over the limit in base64": (lambda: post(b"x" * over), 413),
        "over the limit in Chinese": (lambda: post("译" * (over // 3 + 1)), 413),
        "over the limit, decoded": (lambda: post([1] * (over // 3 + 1)), 413),
        "blanks up to the limit": (lambda: post(" " * MAX_BODY_BYTES), 400),
        "a token of 5 MB": (lambda: post("{}", queryString={"token": "x" * BODY_ROOM}), 401),
        "a header of 5 MB": (
            lambda: post("{}", headers={"Authorization": "Bearer " + "x" * BODY_ROOM}),
            401,
        ),
        "a path of 5 MB": (lambda: post("{}", path="/" + "x" * BODY_ROOM), 404),
        "a path of 5 MB of slashes": (lambda: post("", path="/" * BODY_ROOM), 400),
        "a method of 5 MB": (lambda: post("{}", httpMethod="x" * BODY_ROOM), 405),
        "base64 of 5 MB that is none": (
            lambda: post("A" * (BODY_ROOM - 1) + "%", isBase64Encoded=True),
            400,
        ),
    }
    for name, (make, status) in refused.items():
        env = {"CALLBACK_TOKENS": "a-token"} if status == 401 else {}
        yield Case(name, make, status, "rejected", env=env)
    yield Case(
        "a bucket that is not allowed",
        lambda: post(_json(Input={"BucketId": "b-1250000000"}, Message="x" * ROOM)),
        403,
        ("rejected",),
        env={"ALLOWED_BUCKETS": "a-1250000000"},
    )
