"""Tencent's SDK and the account that it asks in one process, without HTTP between them.

The SDK signs and reads as it always does. HTTP takes twenty times as long as the answer; it is
asked by in the first test of test_rehearsal.py, in test_killed.py and test_cloud_simulator.py.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from requests import Response
from tencentcloud.common.http.request import ProxyConnection

from ci_callback.ci_simulator.server import Reply, Seen


@contextmanager
def direct(endpoint: str, answer: Callable[[Seen], Reply]) -> Iterator[None]:
    """Let this function answer what the SDK sends to http://host:port."""
    over_http: Callable[..., Response] = ProxyConnection.request

    def request(
        self: Any, method: str, url: str, body: Any = None, headers: Any = None
    ) -> Response:
        if urlsplit(url).netloc != urlsplit(endpoint).netloc:
            return over_http(self, method, url, body, headers)
        headers.setdefault("Host", self.request_host)
        return _response(answer(_seen(method, body, headers)))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ProxyConnection, "request", request)
        yield


def _seen(method: str, body: str | bytes, headers: dict[str, str]) -> Seen:
    sent = body.encode() if isinstance(body, str) else body
    lower = {name.lower(): str(value) for name, value in headers.items()}
    return Seen(method, "/", "/", "", lower, sent)


def _response(reply: Reply) -> Response:
    response = Response()
    response.status_code = reply.status
    response.headers.update(dict(reply.headers))
    response.raw = io.BytesIO(reply.body)
    return response
