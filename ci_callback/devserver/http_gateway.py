"""HTTP to function URL event and back, as SCF's own front does it (583/96099)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from ci_callback import events
from ci_callback.devserver.local_function import LocalFunction
from ci_callback.devserver.loopback import is_foreign

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_BYTES = 6 * 1024 * 1024
"""What SCF takes in one synchronous request (583/11637)."""


class HttpGateway:
    """A WSGI application: each request is one invocation."""

    def __init__(self, function: LocalFunction, port: int) -> None:
        self._function = function
        self._port = port

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        headers = request.headers
        if is_foreign(headers.get("Origin"), headers.get("Sec-Fetch-Site"), self._port):
            return _refusal(403, "a page of another site sent this")
        request.max_content_length = MAX_BYTES
        try:
            body = request.get_data()
        except RequestEntityTooLarge:
            return _refusal(413, f"the platform takes at most {MAX_BYTES} bytes")
        invocation = self._function.deliver(event_of(request, body), body)
        return response_of(invocation.raw)


def event_of(request: Request, body: bytes) -> dict[str, Any]:
    """The event of a request. Header names are in lower case, as in every sample."""
    event = events.http_event(body)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return event | {
        "headers": headers | {"x-scf-remote-addr": request.remote_addr or ""},
        "httpMethod": request.method,
        "path": request.path,
        "queryString": request.args.to_dict(),
    }


def response_of(answer: Any) -> Response:
    """The platform's reading of the function's answer: JSON without a status is a 200."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return Response(json.dumps(answer), 200, content_type="application/json")
    return Response(answer.get("body", ""), answer["statusCode"], answer.get("headers", {}))


def _refusal(status: int, reason: str) -> Response:
    response = Response(json.dumps({"reason": reason}), status, content_type="application/json")
    # The body was not read: the next request on this connection would begin with it.
    response.headers["Connection"] = "close"
    return response
