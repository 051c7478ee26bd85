"""An input's bytes to a case: an event of one of the triggers, settings, what follows, and what
goes wrong meanwhile.

    HEAD BODY    HEAD: one character for each of CHOICES, read modulo the number of its
                 options ("0" is the first); BODY: the callback, in whatever form the way asks

So "000000000000<Response>…" is a plain POST, and a corpus file shows what it is about.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from ci_callback.ci_simulator import End, Fault
from tests.stores import How

TOKEN = "the-token-that-must-not-be-seen"


Sweeps: TypeAlias = Literal["none", "unknown", "known", "differs"]


class Mood(NamedTuple):
    """CI answers so many requests of a kind ("submit", "list" or "describe") with a fault."""

    kind: str = ""
    times: int = 0
    fault: Fault = Fault()


class Pace(NamedTuple):
    """gap_s: between two timers. copies: how often the callback of a submitted job comes. repeats:
    whether the event comes once more after each timer."""

    gap_s: int
    copies: int
    repeats: bool


@dataclass(frozen=True)
class Case:
    """body: the callback's bytes as the function must read them; None where the way doesn't tell.
    fault: which of the store's requests gets no answer, from 1; 0: none. lands: whether that
    request was carried out all the same. sweeps: whether timers follow, with a CI that knows the
    job, doesn't, or calls its end by another code. is_let_in: whether an HTTP event shows a token
    that opens.

    Where timers follow: ends: how what is submitted again ends, the first, the second, …; None:
    never. mood: of CI. trouble, trouble_at: what becomes of which request of the timers, to the
    store or over HTTP, from 1. pace: of timers and callbacks."""

    event: Any
    env: Mapping[str, str]
    body: bytes | None
    fault: int
    lands: bool
    sweeps: Sweeps
    is_let_in: bool
    ends: tuple[str | End | None, ...]
    mood: Mood
    trouble: How
    trouble_at: int
    pace: Pace


def _text(body: bytes) -> str:
    """Any text that an event can hold: what is no UTF-8 becomes lone surrogates."""
    return body.decode("utf-8", "surrogateescape")


def _decoded(body: bytes) -> Any:
    """What a platform makes of JSON that it decodes by itself; other bodies stay texts."""
    try:
        return json.loads(_text(body))
    except (ValueError, RecursionError):
        return _text(body)


def _base64(body: bytes) -> str:
    return base64.b64encode(body).decode("ascii")


def _queue(service: str, message: Any) -> dict[str, Any]:
    return {"Records": [{service: {"msgBody": message}}]}


def _post(body: Any, **more: Any) -> dict[str, Any]:
    return {"httpMethod": "POST", "path": "/", "headers": {}, "body": body, **more}


WAYS: tuple[Callable[[bytes], Any], ...] = (
    lambda body: _post(_text(body)),
    lambda body: _post(_base64(body), isBase64Encoded=True),
    lambda body: _post(_text(body), isBase64Encoded=True),
    lambda body: _post(_decoded(body)),
    lambda body: _queue("Ckafka", _text(body)),
    lambda body: _queue("CMQ", _base64(body)),
    lambda body: _queue("Ckafka", _decoded(body)),
    lambda body: {"Records": [*_queue("CMQ", _text(body))["Records"], {"CMQ": {"msgBody": "{"}}]},
    _text,
    _decoded,
    lambda body: {"Type": "Timer", "TriggerName": "each-minute", "Message": _text(body)},
)


def _as_text(body: bytes) -> bytes:
    return _text(body).encode("utf-8", "surrogatepass")


BODIES: Mapping[int, Callable[[bytes], bytes]] = {
    0: _as_text,
    1: bytes,
    4: _as_text,
    8: _as_text,
}
"""The bytes that the function must read, of the ways that tell (a queue's text may be base64)."""

ROUTES: tuple[dict[str, Any], ...] = (
    {},
    {"path": "/callback"},
    {"httpMethod": "post", "path": "/callback/"},
    {"httpMethod": "GET", "path": "/health"},
    {"path": "/health/"},
    {"httpMethod": "GET"},
    {"path": "/nothing\r\nis: here"},
    {"path": 7, "httpMethod": "ſ"},
    {"path": "/test/value", "requestContext": {"stage": "release"}},
)

DOORS: tuple[dict[str, Any], ...] = (
    {"queryString": {"token": TOKEN}},
    {"queryStringParameters": {"token": TOKEN, "x": ["\r\n"]}},
    {"headers": {"AUTHORIZATION": f"bearer  {TOKEN} "}},
    {},
    {"queryString": {"token": TOKEN[:-1]}},
    {"queryString": {"token": [TOKEN]}, "headers": {"authorization": f"Basic {TOKEN}"}},
    {"queryString": f"token={TOKEN}", "headers": [TOKEN]},
)
OPEN_DOORS = (0, 1, 2)
OPEN_DOOR = DOORS[0]

HEADERS: tuple[dict[str, Any], ...] = (
    {},
    {"Content-Type": "application/json", "User-Agent": "Go-http-client/1.1"},
    {"content-type": "text/xml; charset=gbk\r\nx: y", "USER-AGENT": "\ud800\u2028\x1b[31m"},
    {"content-length": 7, "x-scf-request-id": None, "Cookie": "a=b", "": ""},
)

SETTINGS: tuple[dict[str, str], ...] = (
    {},
    {"ALLOWED_BUCKETS": "1250000000,test-1234567890"},
    {"MAX_BODY_BYTES": "1024", "MAX_NODES": "1000", "MAX_DEPTH": "8"},
    {"WORKFLOW_RETRY": "trigger", "RETRY_MAX_ATTEMPTS": "2", "ALERT_LANG": "zh"},
    {
        "VERIFY_CALLBACKS": "never",
        "ON_UNKNOWN_SUBMISSION": "hold",
        "RETRY_CODES": "InvalidArgument",
    },
    {"VERIFY_CALLBACKS": "always", "RETRY_CALLBACK_URL": f"https://example.com/?token={TOKEN}"},
    {"MAX_NODES": "many", "LEDGER_URL": "https://nowhere"},
)

FAULTS = ((0, False), (1, False), (1, True), (2, False), (2, True), (3, False), (3, True))

SWEEPS: tuple[Sweeps, ...] = ("none", "unknown", "known", "differs")

ENDS: tuple[tuple[str | End | None, ...], ...] = (
    ("Failed", "Success"),
    ("Failed",),
    ("Success",),
    (None,),
    (End("Failed", "InvalidArgument", "no such input"),),
    ("Cancel",),
)

_QUOTED = f"<Error><Code>InvalidArgument</Code><Message>CallBack ?token={TOKEN}</Message></Error>"

MOODS: tuple[Mood, ...] = (
    Mood(),
    Mood("submit", 1, Fault(reset_before=True)),
    Mood("submit", 1, Fault(reset_after=True)),
    Mood("submit", 20, Fault(reset_before=True)),
    Mood("submit", 2, Fault(before=(503, "ServiceUnavailable"))),
    Mood("submit", 1, Fault(after=(500, "InternalError"))),
    Mood("submit", 1, Fault(before=(400, "InvalidArgument"))),
    Mood("submit", 1, Fault(before=(400, "InvalidArgument"), body=_QUOTED.encode())),
    Mood("submit", 1, Fault(body=b"<Response>")),
    Mood("describe", 2, Fault(before=(500, "InternalError"))),
    Mood("describe", 20, Fault(before=(404, "NotFound"))),
    Mood("list", 20, Fault(reset_after=True)),
)

TROUBLES: tuple[How, ...] = ("fine", "lost before", "lost after", "dies before", "dies after")

PACES: tuple[Pace, ...] = (
    Pace(1201, 1, False),
    Pace(61, 1, True),
    Pace(1201, 2, True),
    Pace(8 * 3600, 0, False),
    Pace(1201, 0, True),
    Pace(61, 2, False),
)

CHOICES: tuple[Sequence[Any], ...] = (
    *(WAYS, ROUTES, DOORS, HEADERS, SETTINGS, FAULTS, SWEEPS),
    *(ENDS, MOODS, TROUBLES, range(1, 65), PACES),
)
HEAD_CHARS = len(CHOICES)

SETTING, SWEEP, AT = 4, 6, 10
FOLLOWING = (SETTING, 7, 8, 9, 11)
"""Choices that change what follows from a failure. AT: which request goes wrong."""


def case_of(data: bytes) -> Case:
    """The case of an input; a head that breaks off goes on with zeros."""
    head, body = data[:HEAD_CHARS].ljust(HEAD_CHARS, b"0"), data[HEAD_CHARS:]
    chosen = [(sent - 0x30) % len(options) for sent, options in zip(head, CHOICES, strict=True)]
    way, route, door, header, settings, fault, sweeps, ends, mood, trouble, at, pace = chosen
    event = WAYS[way](body)
    if isinstance(event, dict) and "httpMethod" in event:
        event = event | ROUTES[route] | _door(HEADERS[header], DOORS[door])
    return Case(
        event,
        {"CALLBACK_TOKENS": f"{TOKEN}-old,{TOKEN}", **SETTINGS[settings]},
        BODIES[way](body) if way in BODIES else None,
        *FAULTS[fault],
        SWEEPS[sweeps],
        door in OPEN_DOORS,
        ENDS[ends],
        MOODS[mood],
        TROUBLES[trouble],
        at + 1,
        PACES[pace],
    )


def _door(headers: dict[str, Any], door: dict[str, Any]) -> dict[str, Any]:
    shown = door.get("headers", {})
    return {**door, "headers": {**headers, **shown} if isinstance(shown, dict) else shown}
