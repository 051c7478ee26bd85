"""The HTTP trigger: a function URL's event, or one of the shape that API gateways send.

Function URL events are documented (583/96099) without isBase64Encoded,
queryStringParameters and requestContext, and were observed with them: both are read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from handler.errors import RefusedError
from handler.settings import Settings
from handler.triggers import Delivery, JobResult

NAME = "http"
FAAS = "http"

CALLBACK_PATHS = frozenset({"/", "/callback"})
HEALTH_PATH = "/health"
RETRY_AFTER_S = 60

KEPT_HEADERS = frozenset(
    {
        "content-type",
        "content-length",
        "user-agent",
        "x-ci-content-version",
        "x-scf-request-id",
        "x-scf-remote-addr",
    }
)
"""Headers that help whoever looks at a dead letter, and that hold no secret."""


MAX_NAME_CHARS = 1_024
"""Of a JobId or tag in an answer; the record holds it whole."""

_STATUS = (("retry_later", 503), ("rejected", 403), ("dead_letter", 202), ("unverified", 202))


def recognises(event: Any) -> bool:
    """Whether the platform was called by HTTP."""
    return isinstance(event, dict) and isinstance(event.get("httpMethod"), str)


def read(event: Any, settings: Settings) -> Sequence[Delivery]:
    """The one delivery of a POST, or none of a GET on /health.

    Raises:
        RefusedError: 400, 401, 404, 405 or 413; in this order: is it here, may you, can it be read.
    """
    headers = _headers(event)
    method, path = event["httpMethod"], _path(event)
    method = method.upper() if method.isascii() else ""  # "poſt" is not POST
    if path == HEALTH_PATH:
        if method != "GET":
            raise RefusedError(405, "GET alone is answered here", headers={"Allow": "GET"})
        return ()
    if path not in CALLBACK_PATHS and not _came_by_gateway(event):
        raise RefusedError(404, "nothing is here; callbacks go to /")
    if method != "POST":
        raise RefusedError(405, "POST alone is answered here", headers={"Allow": "POST"})
    authorise(event, settings.callback_tokens)
    body = _body(event, settings.max_body_bytes)
    if len(body) > settings.max_body_bytes:
        digest = hashlib.sha256(body).hexdigest()
        evidence: dict[str, str | int] = {"bytes": len(body), "sha256": digest}
        raise RefusedError(413, f"at most {settings.max_body_bytes} bytes are taken", evidence)
    if not body.strip():
        raise RefusedError(400, "the body is empty")
    kept = {name: value for name, value in headers.items() if name in KEPT_HEADERS}
    return (Delivery(body, kept),)


def answer(outcomes: Sequence[JobResult]) -> dict[str, Any]:
    """The answer to a callback, by the worst of its jobs: 200 all is kept; 202 someone must
    look; 403 a bucket that is not allowed; 503 send it again."""
    if not outcomes:
        return respond(200, {"status": "ok"})
    statuses = {one.status for one in outcomes}
    status = next((code for worst, code in _STATUS if worst in statuses), 200)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    if len(outcomes) == 1 and outcomes[0].job_id is None:
        return respond(
            status, {"status": outcomes[0].status, "reason": outcomes[0].reason}, headers
        )
    names = ("job_id", "tag", "outcome", "status", "key")
    jobs = [{name: _short(getattr(one, name)) for name in names} for one in outcomes]
    return respond(status, {"jobs": jobs}, headers)


def _short(value: str | None) -> str | None:
    """A name from outside may be megabytes long, and an answer may not (583/11637)."""
    return value if value is None or len(value) <= MAX_NAME_CHARS else value[:MAX_NAME_CHARS] + "…"


def refuse(refusal: RefusedError) -> dict[str, Any]:
    """The answer to a request of which nothing is kept."""
    body = {"status": "rejected", "reason": refusal.reason}
    return respond(refusal.status, body, refusal.headers)


def retry_later(reason: str) -> dict[str, Any]:
    """The answer while settings are wrong or the function itself failed."""
    return respond(
        503, {"status": "retry_later", "reason": reason}, {"Retry-After": str(RETRY_AFTER_S)}
    )


def respond(status: int, body: object, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An answer in the form that SCF turns into an HTTP response."""
    return {
        "isBase64Encoded": False,
        "statusCode": status,
        "headers": {"Content-Type": "application/json"} | dict(headers or {}),
        "body": json.dumps(body),
    }


def authorise(event: Mapping[str, Any], tokens: Sequence[str]) -> None:
    """Let in who shows one of the tokens, in ?token= or as Authorization: Bearer.

    Compared in constant time with every token, over digests, so that not even a length
    shows. No tokens: settings said so, and everyone is let in.

    Raises:
        RefusedError: 401.
    """
    if not tokens:
        return
    wanted = [_fingerprint(token) for token in tokens]
    shown = [_fingerprint(token) for token in _shown_tokens(event)]
    matches = [hmac.compare_digest(one, other) for one in shown for other in wanted]
    if not any(matches):
        raise RefusedError(401, "a valid token is needed", headers={"WWW-Authenticate": "Bearer"})


def body_for_the_log(event: Mapping[str, Any]) -> bytes:
    """The body as far as it can be read, for the last-resort lines. Raises nothing."""
    try:
        return _body(event, None)
    except RefusedError:
        return str(event.get("body")).encode("utf-8", "surrogatepass")


def _shown_tokens(event: Mapping[str, Any]) -> list[str]:
    shown = []
    for name in ("queryString", "queryStringParameters"):
        query = event.get(name)
        token = query.get("token") if isinstance(query, dict) else None
        if isinstance(token, str):
            shown.append(token)
    scheme, _, token = _headers(event).get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        shown.append(token.strip())
    return shown


def _fingerprint(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    sent = event.get("headers")
    if not isinstance(sent, dict):
        return {}
    return {str(name).lower(): value for name, value in sent.items() if isinstance(value, str)}


def _path(event: Mapping[str, Any]) -> str:
    path = event.get("path")
    if not isinstance(path, str):
        return "/"
    return path.rstrip("/") or "/"


def _came_by_gateway(event: Mapping[str, Any]) -> bool:
    """A gateway has routed already, by a path of its own ("/test/value" in the documents)."""
    context = event.get("requestContext")
    return isinstance(context, dict) and ("serviceId" in context or "stage" in context)


def _body(event: Mapping[str, Any], most: int | None) -> bytes:
    """The body's bytes; an object that the platform has decoded already is encoded again."""
    body = event.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        return json.dumps(body).encode("ascii")
    raw = body.encode("utf-8", "surrogatepass")
    if event.get("isBase64Encoded") is not True:
        return raw
    if most is not None and len(raw) > (most + 3) * 2:
        return raw  # too long in either form: not worth decoding
    try:
        return base64.b64decode(b"".join(raw.split()), validate=True)
    except binascii.Error as error:
        raise RefusedError(400, "isBase64Encoded is true, and the body is no base64") from error
