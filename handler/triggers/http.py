"""The HTTP trigger: a function URL's event, or one of the shape that API gateways send; and which
status a callback is answered.

Function URL events are documented (583/96099) without isBase64Encoded,
queryStringParameters and requestContext, and were observed with them: both are read.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from handler.errors import RefusedError, SettingsError
from handler.settings import Settings
from handler.triggers import Delivery, JobResult, Unstored
from handler.triggers.bodies import as_bytes

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
"""Headers that help the reader of a dead letter, and that hold no secret."""

MAX_ANSWER_BYTES = 8_000
"""Of an answer that lists jobs. SCF writes each answer into the log (583/40324), where a line has
8 KB, and refuses one over 6 MB (583/11637)."""

MAX_NAME_CHARS = 200
"""Of a JobId, tag or key in an answer; the record holds it whole."""

UNAVAILABLE = 503
_STATUS = (
    ("retry_later", UNAVAILABLE),
    ("rejected", 403),
    ("dead_letter", 202),
    ("unverified", 202),
)
_BLANKS = b" \t\r\n\v\f"
_ADDRESS = r"[0-9A-Fa-f.:]{2,45}"


def recognises(event: Any) -> bool:
    """Whether the function was invoked by HTTP."""
    return isinstance(event, dict) and isinstance(event.get("httpMethod"), str)


def read(event: Any, settings: Settings) -> Sequence[Delivery]:
    """The one delivery of a POST, or none of a GET on /health.

    Raises:
        RefusedError: 400, 401, 404, 405 or 413. Path and method are checked first, then the
            token, then the body.
    """
    if _is_health_check(event):
        return ()
    _authorise(event, settings.callback_tokens)
    body = _body(event, settings.max_body_bytes)
    if len(body) > settings.max_body_bytes:
        digest = hashlib.sha256(body).hexdigest()
        evidence: dict[str, str | int] = {"bytes": len(body), "sha256": digest}
        reason = f"at most {settings.max_body_bytes} bytes are accepted"
        raise _refusal(event, 413, reason, evidence)
    if not body.strip():
        raise _refusal(event, 400, "the body is empty")
    kept = {name: value for name, value in _headers(event).items() if name in KEPT_HEADERS}
    return (Delivery(body, kept),)


def answer(results: Sequence[JobResult]) -> dict[str, Any]:
    """The answer to a callback, by the worst of its jobs: 200 all is stored; 202 a person must
    look; 403 a bucket that is not allowed; 503 send it again."""
    if not results:
        return _respond(200, {"status": "ok"})
    statuses = {result.status for result in results}
    status = next((code for worst, code in _STATUS if worst in statuses), 200)
    if len(results) == 1 and results[0].job_id is None:
        return _respond(status, {"status": results[0].status, "reason": results[0].reason})
    return _respond(status, _listed(results))


def answer_error(error: Exception) -> dict[str, Any]:
    """4xx for a refused request; 503 while the settings are invalid or the function failed."""
    if isinstance(error, RefusedError):
        body = {"status": "rejected", "reason": error.reason}
        return _respond(error.status, body, error.headers)
    if isinstance(error, SettingsError):
        reason = "the function's settings are invalid; its log names them"
    else:
        reason = "the function failed; its log says why"
    return _respond(UNAVAILABLE, {"status": "retry_later", "reason": reason})


def unstored(event: Any, tokens: Sequence[str] | None) -> Unstored | None:
    """The body as far as it can be read; None of a health check.

    Raises:
        RefusedError: 401, 404 or 405.
    """
    if _is_health_check(event):
        return None
    if tokens is not None:
        _authorise(event, tokens)
    try:
        body = _body(event, None)
    except RefusedError:
        body = as_bytes(event.get("body"))
    return Unstored(body, tokens is not None)


def client_address(event: Mapping[str, Any]) -> str | None:
    """The IP address that a request came from, by the platform's word; None where it gives none.

    Observed: requestContext.sourceIp, and a header with the address, or with address and port.
    """
    context = event.get("requestContext")
    named = context.get("sourceIp") if isinstance(context, dict) else None
    for sent in (named, _headers(event).get("x-scf-remote-addr")):
        if not isinstance(sent, str):
            continue
        address = sent.strip()
        if address.startswith("["):
            address = address[1:].partition("]")[0]
        elif address.count(":") == 1:
            address = address.partition(":")[0]
        if re.fullmatch(_ADDRESS, address):
            return address
    return None


def _is_health_check(event: Mapping[str, Any]) -> bool:
    """Whether a request that came to the right place is a health check and not a callback.

    Raises:
        RefusedError: 404 or 405.
    """
    method, path = event["httpMethod"], _path(event)
    method = method.upper() if method.isascii() else ""  # "poſt" is not POST
    is_health = path == HEALTH_PATH
    if not is_health and path not in CALLBACK_PATHS and not _came_by_gateway(event):
        raise _refusal(event, 404, "nothing is here; callbacks go to /")
    allowed = "GET" if is_health else "POST"
    if method != allowed:
        reason = f"only {allowed} is answered here"
        raise _refusal(event, 405, reason, headers={"Allow": allowed})
    return is_health


def _authorise(event: Mapping[str, Any], tokens: Sequence[str]) -> None:
    """Accept a request that shows one of the tokens, in ?token= or as Authorization: Bearer.

    Compared in constant time with every token, over digests, so that not even a length
    shows. No tokens: the settings say `none`, and every request is accepted.

    Raises:
        RefusedError: 401.
    """
    if not tokens:
        return
    wanted = [_fingerprint(token) for token in tokens]
    shown = [_fingerprint(token) for token in _shown_tokens(event)]
    matches = [hmac.compare_digest(digest, other) for digest in shown for other in wanted]
    if not any(matches):
        headers = {"WWW-Authenticate": "Bearer"}
        raise _refusal(event, 401, "a valid token is needed", headers=headers)


def _refusal(
    event: Mapping[str, Any],
    status: int,
    reason: str,
    evidence: Mapping[str, str | int] | None = None,
    headers: dict[str, str] | None = None,
) -> RefusedError:
    """A refusal whose log line names the address that the request came from."""
    address = client_address(event)
    source: dict[str, str | int] = {"client_address": address} if address else {}
    return RefusedError(status, reason, {**source, **(evidence or {})}, headers)


def _listed(results: Sequence[JobResult]) -> str:
    """As many jobs as an answer holds, and the number of the others, as JSON."""
    names = ("job_id", "tag", "outcome", "status", "key")
    jobs: list[str] = []
    room, omitted = MAX_ANSWER_BYTES, ""
    for result in results:
        job = json.dumps({name: _short(getattr(result, name)) for name in names})
        room -= len(job) + 2
        if room < 0:
            omitted = f', "omitted": {len(results) - len(jobs)}'
            break
        jobs.append(job)
    return f'{{"jobs": [{", ".join(jobs)}]{omitted}}}'


def _short(value: str | None) -> str | None:
    return value if value is None or len(value) <= MAX_NAME_CHARS else value[:MAX_NAME_CHARS] + "…"


def _respond(
    status: int, body: str | Mapping[str, str | None], headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """An answer in the form that SCF turns into an HTTP response. body: JSON, or what is written as
    it."""
    retry = {"Retry-After": str(RETRY_AFTER_S)} if status == UNAVAILABLE else {}
    return {
        "isBase64Encoded": False,
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **retry, **(headers or {})},
        "body": body if isinstance(body, str) else json.dumps(body),
    }


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
    """A gateway has routed the request by a path of its own ("/test/value" in the documents)."""
    context = event.get("requestContext")
    return isinstance(context, dict) and ("serviceId" in context or "stage" in context)


def _body(event: Mapping[str, Any], limit: int | None) -> bytes:
    """The body's bytes.

    Raises:
        RefusedError: 400, isBase64Encoded is true and the body is not base64.
    """
    body = event.get("body")
    raw = as_bytes(body)
    if not isinstance(body, str) or not _is_true(event.get("isBase64Encoded")):
        return raw
    if limit is not None and len(raw) > (limit + 3) * 2:
        return raw  # too long in either form: not worth decoding
    import base64  # function URLs send text

    try:
        # translate makes one copy; split made an object of each piece between blanks.
        return base64.b64decode(raw.translate(None, _BLANKS), validate=True)
    except ValueError as error:
        reason = "isBase64Encoded is true, and the body is not base64"
        raise _refusal(event, 400, reason) from error


def _is_true(flag: Any) -> bool:
    """A gateway may send the flag as text."""
    return flag is True or (isinstance(flag, str) and flag.strip().lower() == "true")
