"""An input's bytes to a case: an event of one of the triggers, settings, and a fault of the store.

    HEAD BODY    HEAD: one character for each of CHOICES, read modulo the number of its
                 options ("0" is the first); BODY: the callback, in whatever form the way asks

So "0000000<Response>…" is a plain POST, and a corpus file shows what it is about.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

TOKEN = "the-token-that-must-not-be-seen"


@dataclass(frozen=True)
class Case:
    """body: the callback's bytes as the function must read them; None where the way doesn't tell.
    fault: which of the store's requests gets no answer, from 1; 0: none. lands: whether that
    request was carried out all the same. sweeps: whether timers follow. is_let_in: whether an
    HTTP event shows a token that opens."""

    event: Any
    env: Mapping[str, str]
    body: bytes | None
    fault: int
    lands: bool
    sweeps: bool
    is_let_in: bool


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
    {"VERIFY_CALLBACKS": "always", "RETRY_CALLBACK_URL": "https://example.com/"},
    {"MAX_NODES": "many", "LEDGER_URL": "https://nowhere"},
)

FAULTS = ((0, False), (1, False), (1, True), (2, False), (2, True), (3, False), (3, True))

CHOICES = (WAYS, ROUTES, DOORS, HEADERS, SETTINGS, FAULTS, (False, True))
HEAD_CHARS = len(CHOICES)


def case_of(data: bytes) -> Case:
    """The case of an input; a head that breaks off goes on with zeros."""
    head, body = data[:HEAD_CHARS].ljust(HEAD_CHARS, b"0"), data[HEAD_CHARS:]
    chosen = [(sent - 0x30) % len(options) for sent, options in zip(head, CHOICES, strict=True)]
    way, route, door, header, settings, fault, sweeps = chosen
    event = WAYS[way](body)
    if isinstance(event, dict) and "httpMethod" in event:
        event = event | ROUTES[route] | _door(HEADERS[header], DOORS[door])
    return Case(
        event,
        {"CALLBACK_TOKENS": f"{TOKEN}-old,{TOKEN}", **SETTINGS[settings]},
        BODIES[way](body) if way in BODIES else None,
        *FAULTS[fault],
        bool(sweeps),
        door in OPEN_DOORS,
    )


def _door(headers: dict[str, Any], door: dict[str, Any]) -> dict[str, Any]:
    shown = door.get("headers", {})
    return {**door, "headers": {**headers, **shown} if isinstance(shown, dict) else shown}
