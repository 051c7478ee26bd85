"""Hostile HTTP events: methods, paths, proofs of a token, bodies, headers, sizes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.slow.hostile.case import (
    GUARDED,
    TOKEN,
    Bait,
    Case,
    dead,
    json_job,
    kept,
    post,
    refused,
    xml_job,
)

JOB = json_job()
SMALL = {"MAX_BODY_BYTES": "2048"}


def cases(bait: Bait) -> list[Case]:
    return [
        *_methods(),
        *_paths(),
        *_proofs(),
        *_strangers(bait),
        *_bodies(),
        *_base64(),
        *_headers(bait),
        *_sizes(),
        *_decoded(),
        *_other_fields(bait),
        *_odd_buckets(),
    ]


def _methods() -> Iterator[Case]:
    for method in (
        *("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "PROPFIND"),
        *("", " ", "POST ", " POST", "POST\r\nX: y", "POST\0", "POST,GET", "P" * 10_000),
        *("РOST", "ＰＯＳＴ", "\u202ePOST", "poſt", "\ud800"),
    ):
        shown = ascii(method)[:20]
        yield refused(f"method {shown}", post(JOB, httpMethod=method), 405)
        hidden = post(JOB, httpMethod=method, path="/elsewhere")
        yield refused(f"method {shown} elsewhere", hidden, 404)
    yield Case("method post", post(JOB, httpMethod="post"), 200, ("kept",))
    for header in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        event = post(JOB, httpMethod="GET", headers={header: "POST"})
        yield refused(f"method in {header}", event, 405)


def _paths() -> Iterator[Case]:
    for path in (
        "/elsewhere",
        "/callback/x",
        "/Callback",
        "/CALLBACK",
        "/callback;x=1",
        "/callback?x=1",
        "/callback#x",
        "/callback.json",
        "/%63allback",
        "/callback%2f",
        "/callback%00",
        "/callback\0",
        "/callback\n",
        "/callback ",
        " /callback",
        "callback",
        "\\callback",
        "/./callback",
        "//callback",
        "/x/../callback",
        "/callback/../health",
        "/health/../callback",
        "/healthz",
        "/Health",
        "/ｃallback",
        "/са11back",
        "/../../../../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/.git/config",
        "/.env",
        "/wp-login.php",
        "http://127.0.0.1/callback",
        "*",
        "/" + "a" * 10_000,
        "/" + "../" * 10_000,
        "/\ud800",
        "/<script>",
        "/' OR 1=1 --",
    ):
        yield refused(f"path {ascii(path)[:40]}", post(JOB, path=path), 404)
        if path != "/elsewhere":
            event = post(JOB, path=path, httpMethod="GET")
            yield refused(f"GET of {ascii(path)[:40]}", event, 404)
    for path in ("/", "", "/callback", "/callback/", "//", "/callback//", "/" * 10_000):
        yield Case(f"path {path[:12]!r} of {len(path)}", post(JOB, path=path), 200, ("kept",))
    for odd in (None, 7, ["/elsewhere"], {"path": "/"}, True):
        yield Case(f"path that is no text: {odd!r}", post(JOB, path=odd), 200, ("kept",))
    for method in ("POST", "HEAD", "DELETE", "OPTIONS"):
        yield refused(f"{method} of /health", post(JOB, httpMethod=method, path="/health"), 405)
    yield Case("GET of /health with a body", post(JOB, httpMethod="GET", path="/health"), 200, "ok")
    guarded = post("x" * 9_000, httpMethod="GET", path="/health")
    yield Case("GET of /health without a token", guarded, 200, "ok", env={**GUARDED, **SMALL})


def _shown(**event: Any) -> dict[str, Any]:
    return post(JOB, **event)


def _proofs() -> Iterator[Case]:
    """Only a whole token opens, in the one parameter or the one header."""
    for name, event in {
        "in the query": _shown(queryString={"token": TOKEN}),
        "the other one": _shown(queryString={"token": "another-token"}),
        "in the other query": _shown(queryStringParameters={"token": TOKEN}),
        "in either, one wrong": _shown(
            queryString={"token": "wrong"}, queryStringParameters={"token": TOKEN}
        ),
        "as a Bearer": _shown(headers={"Authorization": f"Bearer {TOKEN}"}),
        "as a BEARER with blanks": _shown(headers={"AUTHORIZATION": f"BEARER   {TOKEN}  "}),
        "both": _shown(queryString={"token": TOKEN}, headers={"Authorization": f"Bearer {TOKEN}"}),
    }.items():
        yield Case(f"token {name}", event, 200, ("kept",), env=GUARDED)
    for token in (
        "",
        " ",
        "none",
        "None",
        "null",
        "undefined",
        "*",
        "%",
        "token",
        TOKEN[:-1],
        TOKEN[1:],
        TOKEN + "x",
        TOKEN + " ",
        " " + TOKEN,
        TOKEN + "\n",
        TOKEN + "\r\nX: y",
        TOKEN + "\0",
        TOKEN + "\0x",
        TOKEN + "\u200b",
        TOKEN + "\ud800",
        TOKEN.upper(),
        TOKEN.replace("e", "е"),
        TOKEN.replace("-", "‐"),
        "".join(chr(ord(letter) + 0xFEE0) for letter in TOKEN),
        TOKEN + "," + "another-token",
        f"{TOKEN},",
        TOKEN * 2,
        base64.b64encode(TOKEN.encode()).decode(),
        "".join(f"%{ord(letter):02x}" for letter in TOKEN),
        "' OR '1'='1",
        "{{token}}",
        "$CALLBACK_TOKENS",
        "../" + TOKEN,
        "a" * 1_000_000,
        "\ud800",
    ):
        shown = ascii(token.replace(TOKEN, "TOKEN"))[:40]
        yield refused(
            f"token {shown} in the query", _shown(queryString={"token": token}), 401, env=GUARDED
        )
        if token.strip() != TOKEN:
            headers = {"Authorization": f"Bearer {token}"}
            yield refused(f"token {shown} as a Bearer", _shown(headers=headers), 401, env=GUARDED)
    for name, event in {
        "nowhere": _shown(),
        "in a list": _shown(queryString={"token": [TOKEN]}),
        "in an object": _shown(queryString={"token": {TOKEN: TOKEN}}),
        "that is a number": _shown(queryString={"token": 7}),
        "that is true": _shown(queryString={"token": True}),
        "that is null": _shown(queryString={"token": None}),
        "in a query that is a text": _shown(queryString=f"token={TOKEN}"),
        "in a query that is a list": _shown(queryString=[["token", TOKEN]]),
        "of another case": _shown(queryString={"TOKEN": TOKEN, "Token": TOKEN}),
        "with a blank in its name": _shown(queryString={"token ": TOKEN}),
        "with brackets in its name": _shown(queryString={"token[]": TOKEN}),
        "for a name": _shown(queryString={TOKEN: "token"}),
        "in the path": _shown(path="/", pathParameters={"token": TOKEN}),
        "in the event": _shown(token=TOKEN),
        "in a cookie": _shown(headers={"Cookie": f"token={TOKEN}"}),
        "in X-Token": _shown(headers={"X-Token": TOKEN, "X-Api-Key": TOKEN}),
        "without Bearer": _shown(headers={"Authorization": TOKEN}),
        "as Basic": _shown(headers={"Authorization": f"Basic {TOKEN}"}),
        "as Bearer twice": _shown(headers={"Authorization": f"Bearer Bearer {TOKEN}"}),
        "as Bearer with a tab": _shown(headers={"Authorization": f"Bearer\t{TOKEN}"}),
        "as Bearer with a colon": _shown(headers={"Authorization": f"Bearer: {TOKEN}"}),
        "as Bearer in quotes": _shown(headers={"Authorization": f'Bearer "{TOKEN}"'}),
        "in a list of headers": _shown(headers={"Authorization": [f"Bearer {TOKEN}"]}),
        "in headers that are a list": _shown(headers=[["Authorization", f"Bearer {TOKEN}"]]),
        "in headers that are a text": _shown(headers=f"Authorization: Bearer {TOKEN}"),
        "in a header with a blank": _shown(headers={"Authorization ": f"Bearer {TOKEN}"}),
        "in a header's name": _shown(headers={f"Authorization: Bearer {TOKEN}": ""}),
        "of the gateway": _shown(requestContext={"stage": "release", "token": TOKEN}),
    }.items():
        yield refused(f"token {name}", event, 401, env=GUARDED)


def _strangers(bait: Bait) -> Iterator[Case]:
    """Whoever has no token is told so first, whatever else is wrong."""
    for name, body in {
        "a bomb": f'<!DOCTYPE a [<!ENTITY x SYSTEM "{bait.url}">]><a>&x;</a>',
        "nesting": "[" * 100_000,
        "broken base64": "%%%",
        "nothing": None,
        "blanks": "  ",
        "too much": "x" * 10_000,
        "an object": {"JobsDetail": {"JobId": "j1", "State": "Failed"}},
        "a failure": json_job(State="Failed"),
        "half of a pair": "\ud800",
    }.items():
        event = post(body, queryString={"token": "wrong"}, isBase64Encoded=name == "broken base64")
        yield refused(f"stranger with {name}", event, 401, env={**GUARDED, **SMALL})


def _bodies() -> Iterator[Case]:
    for name, body in {
        "null": None,
        "empty": "",
        "blank": " ",
        "line breaks": "\r\n\r\n",
        "tabs": "\t\t",
        "form feed": "\x0c\x0b",
        "a megabyte of blanks": " " * 1_000_000,
        "empty bytes": b"",
        "blank bytes": b" \n",
    }.items():
        yield refused(f"body: {name}", post(body), 400)
    yield refused("body: missing", {"httpMethod": "POST"}, 400)
    for name, number in {
        "number": 5,
        "zero": 0,
        "true": True,
        "false": False,
        "float": 1.5,
    }.items():
        yield dead(f"body decoded to a {name}", number, "not_xml_or_json")
    decoded: dict[str, Any] = {
        "list": [],
        "object": {},
        "list of a callback": [json.loads(JOB)],
        "event": post(JOB),
        "half of a pair": {"\ud800": "\ud800"},
    }
    for name, value in decoded.items():
        yield dead(f"body decoded to an {name}", value, "no_callback")
    yield kept("body decoded to a callback", json.loads(JOB), key="jobs/dt=1970-01-01/j1.json")
    yield kept(
        "body decoded to a callback with half of a pair",
        json.loads(json_job(Tag="\ud800")),
        holds={"tag": "\ufffd"},
    )
    yield dead("body decoded, nested over the limit", json.loads("[" * 100 + "]" * 100), "too_deep")
    yield dead("body decoded, with a NaN", {"JobsDetail": {"JobId": float("nan")}}, "json_invalid")
    yield dead("body decoded, with an infinity", {"a": float("inf")}, "json_invalid")
    for name, text in {
        "NUL": "\0",
        "no-break space": "\u00a0",
        "BOM alone": "\ufeff",
        "half of a pair": "\ud800",
        "right to left": "\u202e" + JOB,
        "a log line": '\n{"level":"INFO","event":"callback"}'[1:] + "\n\r",
        "terminal codes": "\x1b[2J\x1b[31m",
        "a word": "hello",
        "a script": "#!/bin/sh\nrm -rf /",
        "a template": "${jndi:ldap://127.0.0.1/x}",
        "a page": "hello <html>",
        "a format": "%s%n%x" * 100,
    }.items():
        reason = "no_callback" if name == "a log line" else "not_xml_or_json"
        yield dead(f"body: {name}", text, reason)


def _base64() -> Iterator[Case]:
    encoded = base64.b64encode(JOB.encode()).decode()
    for name, text in {
        "percent": "%%%",
        "one letter": "A",
        "no padding": base64.b64encode(b"<a/>x").decode().rstrip("="),
        "padding first": "=" + encoded,
        "padding alone": "====",
        "padding within": encoded[:8] + "=" + encoded[8:],
        "URL alphabet": base64.urlsafe_b64encode(b"\xff\xfe\xfd").decode() + "-_-_",
        "not ASCII": "é" * 4,
        "full-width": "ＡＡＡＡ",
        "NUL": "AAAA\0",
        "not encoded": JOB,
        "XML, not encoded": xml_job(),
        "half of a pair": "\ud800",
        "behind a data address": "data:application/json;base64," + encoded,
    }.items():
        yield refused(f"base64 that is none: {name}", post(text, isBase64Encoded=True), 400)
    for name, text in {"nothing": "", "blanks": "IA==", "line breaks": "DQo=", "  ": "  "}.items():
        yield refused(f"base64 of nothing: {name!r}", post(text, isBase64Encoded=True), 400)
    for name, text in {
        "in lines": base64.encodebytes(JOB.encode()).decode(),
        "with blanks": " ".join(encoded),
        "with CR LF": encoded[:20] + "\r\n" + encoded[20:],
    }.items():
        event = post(text, isBase64Encoded=True)
        yield Case(f"base64 {name}", event, 200, ("kept",))
    twice = base64.b64encode(encoded.encode()).decode()
    yield Case(
        "base64 twice", post(twice, isBase64Encoded=True), 202, "dead_letter", "not_xml_or_json"
    )
    for flag in ("true", "True", " TRUE "):
        event = post(encoded, isBase64Encoded=flag)
        yield Case(f"base64 flagged {flag!r} is base64", event, 200, ("kept",))
        yield refused(f"text flagged {flag!r} is none", post(JOB, isBase64Encoded=flag), 400)
    for blank in (" ", "\n", "\t ", "\r\n"):
        many = blank.join("QUFB" * (5_000_000 // 4 // (1 + len(blank))))
        event = post(many, isBase64Encoded=True)
        name = f"5 MB of base64 with {blank!r} between its letters"
        yield Case(name, event, 202, "dead_letter", "not_xml_or_json")
    others: tuple[Any, ...] = (False, None, "false", "", "truely", 1, "1", [], [True], {})
    for other in others:
        event = post(encoded, isBase64Encoded=other)
        yield Case(
            f"base64 flagged {other!r} is none", event, 202, "dead_letter", "not_xml_or_json"
        )
        yield Case(
            f"text flagged {other!r} is text", post(JOB, isBase64Encoded=other), 200, ("kept",)
        )


def _headers(bait: Bait) -> Iterator[Case]:
    hostile: dict[str, Any] = {
        "null": None,
        "list": [],
        "list of pairs": [["Content-Type", "text/xml"]],
        "text": "Content-Type: text/xml",
        "number": 7,
        "empty": {},
        "values of all kinds": {"a": None, "b": 1, "c": [], "d": {}, "e": True, "": ""},
        "many": {f"x-{n}": "y" for n in range(10_000)},
        "line breaks in a name": {"a\r\nb: c": "d"},
        "line breaks in a value": {"Content-Type": "text/xml\r\nX: y"},
        "control characters": {"User-Agent": "\x1b[2J\0\x07"},
        "right to left": {"User-Agent": "\u202e\u2028"},
        "half of a pair": {"User-Agent": "\ud800"},
        "half of a pair for a name": {"\ud800": "x"},
        "wrong type": {"Content-Type": "image/png"},
        "other charset": {"Content-Type": "application/json; charset=utf-16"},
        "wrong length": {"Content-Length": "-1"},
        "enormous length": {"Content-Length": "9" * 400},
        "length and chunks": {"Content-Length": "5", "Transfer-Encoding": "chunked"},
        "compressed, it says": {"Content-Encoding": "gzip"},
        "forwarded": {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": bait.url},
        "host": {"Host": bait.url},
        "address": {"X-Rewrite-Url": "/health", "X-Original-Url": "/health"},
        "expect": {"Expect": "100-continue"},
        "a log line": {"X-Scf-Request-Id": '"}\n{"level":"INFO"}'},
        "jndi": {"User-Agent": "${jndi:ldap://127.0.0.1/x}"},
        "names in all cases": {"A": "1", "a": "2", "CONTENT-TYPE": "x", "content-type": "y"},
        "an enormous value": {"User-Agent": "x" * 1_000_000},
    }
    for name, headers in hostile.items():
        event = post(JOB, headers=headers)
        yield Case(f"headers with a callback: {name}", event, 200, ("kept",))
        event = post("hello", headers=headers)
        yield Case(
            f"headers with a dead letter: {name}", event, 202, "dead_letter", "not_xml_or_json"
        )
        yield refused(f"headers without a token: {name}", event, 401, env=GUARDED)


def _sizes() -> Iterator[Case]:
    """The limit counts bytes, in whatever form they came."""
    limit = 2048
    full: dict[str, str | bytes] = {
        "text": "x" * limit,
        "bytes": b"x" * limit,
        "two bytes a letter": "é" * (limit // 2),
        "four bytes a letter": "\U0001f600" * (limit // 4),
    }
    for name, body in full.items():
        yield dead(f"size at the limit: {name}", body, "not_xml_or_json", env=SMALL)
        over = body + b"x" if isinstance(body, bytes) else body + "x"
        yield refused(f"size over the limit: {name}", post(over), 413, env=SMALL)
    for name, event in {
        "XML": post(xml_job(f"<!--{'x' * limit}-->")),
        "JSON": post(json_job(Message="x" * limit)),
        "decoded object": post(json.loads(json_job(Message="x" * limit))),
        "decoded object in Chinese": post(json.loads(json_job(Message="译" * 700))),
        "text that base64 would not hold": post("A" * 4 * limit, isBase64Encoded=True),
        "base64": post(b"<a>" + b"x" * limit),
        "blanks": post(" " * (limit + 1)),
        "broken base64": post("%" * 9_000, isBase64Encoded=True),
    }.items():
        yield refused(f"size over the limit: {name}", event, 413, env=SMALL)
    grown = post(json.loads(json_job(Message="译" * 600)))
    yield Case("size of a decoded object is that of its text", grown, 200, ("kept",), env=SMALL)


def _decoded() -> Iterator[Case]:
    """Bodies that the platform has decoded, nested as deep as its own decoder goes, or deeper."""
    for depth, reason in ((60, "no_callback"), (66, "too_deep"), (800, "too_deep")):
        lists: Any = "x"
        objects: Any = "x"
        for _ in range(depth):
            lists, objects = [lists], {"a": objects}
        for name, body in {"lists": lists, "objects": objects}.items():
            yield Case(f"{depth} {name} in a decoded body", post(body), 202, "dead_letter", reason)
    for name, text in {"half of a pair": "\ud800", "both halves": "\ud83d\ude00"}.items():
        event = post({"JobsDetail": {"JobId": "j1", "State": "Success", "Message": text}})
        yield Case(f"{name} in a decoded body", event, 200, ("kept",))


def _other_fields(bait: Bait) -> Iterator[Case]:
    """What else an event may hold changes nothing."""
    timer = {"Type": "Timer", "TriggerName": "sweep", "Message": "sweep", "Time": "x"}
    queue = {"Records": [{"CMQ": {"msgBody": json_job(JobId="j2")}}]}
    for name, more in {
        "a timer's": timer,
        "a queue's": queue,
        "a direct callback's": json.loads(json_job(JobId="j2")),
        "context null": {"requestContext": None},
        "context text": {"requestContext": "stage"},
        "context list": {"requestContext": ["stage"]},
        "context of a stranger": {"requestContext": {"identity": {"x": "y" * 10_000}}},
        "query null": {"queryString": None},
        "query of lists": {"queryString": {"a": ["b"], "c": None}},
        "query of 10,000": {"queryString": {f"a{n}": "b" for n in range(10_000)}},
        "names of objects": {"__class__": "x", "__proto__": {}, "self": 1, "event": {}},
        "half of a pair": {"\ud800": "\ud800"},
        "settings": {"env": {"CALLBACK_TOKENS": "none", "LEDGER_URL": f"file:{bait.path}"}},
        "an address": {"CALLBACK_URL": bait.url, "callback": bait.url},
        "nesting": {"x": json.loads("[" * 500 + "]" * 500)},
    }.items():
        event = post(JOB) | more
        yield Case(
            f"event with fields: {name}", event, 200, ("kept",), key="jobs/dt=1970-01-01/j1.json"
        )
        yield refused(f"event without a token, with fields: {name}", event, 401, env=GUARDED)
    gateway = {"requestContext": {"serviceId": "s", "stage": "release"}}
    for path in ("/test/value", "/../..", "/" + "a" * 10_000):
        event = post(JOB, path=path, **gateway)
        yield Case(f"path of a gateway {path[:12]}", event, 200, ("kept",))
    yield refused("path of a gateway, to /health", post(JOB, path="/health", **gateway), 405)
    yield kept(
        "bucket that is allowed",
        json_job(Input={"BucketId": "a-1250000000"}),
        env={"ALLOWED_BUCKETS": "a-1250000000"},
    )
    for bucket in (
        "b-1250000000",
        "A-1250000000",
        "a-1250000000 ",
        "a-1250000000\n",
        "a-1250000000\0",
        "а-1250000000",
        "a-12500000000",
        "a-1250000000,b-1250000000",
        "x/a-1250000000",
        "a-1250000000/../b-1250000000",
        "1250000000",
        "-",
        "../a-1250000000",
        "b" * 10_000,
    ):
        event = post(json_job(Input={"BucketId": bucket}, State="Failed"))
        yield Case(
            f"bucket {ascii(bucket)[:40]} is not allowed",
            event,
            403,
            ("rejected",),
            env={"ALLOWED_BUCKETS": "a-1250000000"},
        )


ONE_BUCKET = {"ALLOWED_BUCKETS": "a-1250000000"}


def _odd_buckets() -> Iterator[Case]:
    """A BucketId that is no single text names a bucket all the same, and not an allowed one."""
    good, bad = "a-1250000000", "b-1250000000"
    places: dict[str, Callable[[Any], str]] = {
        "Input": lambda bucket: json_job(Input={"BucketId": bucket}),
        "the job": lambda bucket: json_job(BucketId=bucket),
    }
    not_allowed: tuple[Any, ...] = (
        [bad],
        [good, bad],
        [bad, good],
        ["", bad],
        [[bad]],
        [[good]],
        [{"BucketId": good}],
        {"x": bad},
        {"#text": good},
        {good: good},
        {"a": {"b": [None, "c"]}},
        7,
        0,
        True,
        False,
    )
    none: tuple[Any, ...] = (
        None,
        "",
        " ",
        "\t\n",
        [],
        {},
        [None],
        [""],
        ["", " "],
        [[]],
        {"x": [{}]},
    )
    for place, made in places.items():
        for bucket in not_allowed:
            yield Case(
                f"BucketId {bucket!r} in {place} is not allowed",
                post(made(bucket)),
                403,
                ("rejected",),
                env=ONE_BUCKET,
            )
        for bucket in none:
            yield kept(f"BucketId {bucket!r} in {place} is none", made(bucket), env=ONE_BUCKET)
        yield kept(f"BucketId in a list of one in {place}", made([good]), env=ONE_BUCKET)
        yield kept(f"BucketId twice the same in {place}", made([good, good]), env=ONE_BUCKET)
    for name, first, last, words in (
        ("the allowed one last", bad, good, "kept"),
        ("the allowed one first", good, bad, "rejected"),
    ):
        twice = f'"BucketId": "{first}", "BucketId": "{last}"'
        body = json_job(Input={"x": "y"}).replace('"x": "y"', twice)
        status = 200 if words == "kept" else 403
        yield Case(f"BucketId twice, {name}", post(body), status, (words,), env=ONE_BUCKET)
        both = "".join(f"<BucketId>{bucket}</BucketId>" for bucket in (first, last))
        body = xml_job(f"<Input>{both}</Input>")
        yield Case(f"BucketId twice in XML, {name}", post(body), 403, ("rejected",), env=ONE_BUCKET)
    body = xml_job(f'<Input><BucketId x="y">{good}</BucketId></Input>')
    yield Case("BucketId with an attribute", post(body), 403, ("rejected",), env=ONE_BUCKET)
