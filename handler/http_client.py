"""HTTP for CI and the alert channels. It is passed in to the code that uses it.

For each request:
  - the environment sets no proxy, no .netrc and no CA bundle;
  - a redirect is an answer: an address that holds a secret is not carried to another host;
  - no cookies: requests of different channels share one client;
  - one deadline for the whole of it, and no request but a GET, HEAD, PUT or DELETE is sent twice
    (connections.py).
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, quote, unquote, urlsplit

from handler import USER_AGENT
from handler.connections import Connections, Patience, Request
from handler.errors import NoAnswerError
from handler.http_interface import Answer as Answer
from handler.http_interface import Http as Http
from handler.sockets import Origin

MAX_BYTES = 64 * 1024
"""Of an answer: a code and a sentence are all that is read of one."""

SILENT_SHARE = 0.4
"""The part of a time-out after which silence on a connection that was used before means that it is
dead."""

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9]+)?")
_SENT_AS_IT_IS = "!#$%&'()*+,/:;=?@[]~"
"""Characters of an address that are not percent-encoded: those that have a meaning there."""


class HttpClient:
    """`Http` over the network. One for each process: its connections are kept and reused. Threads
    may share it."""

    def __init__(self, max_bytes: int = MAX_BYTES, connections: Connections | None = None) -> None:
        """max_bytes: of an answer's body; more is not read."""
        self._max_bytes = max_bytes
        self._connections = connections or Connections()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        request = _request(method, url, headers, body)
        patience = Patience(timeout_s, timeout_s, timeout_s * SILENT_SHARE)
        answer = self._connections.exchange(request, patience, self._max_bytes)
        named = {name.lower(): value for name, value in answer.headers}
        return Answer(answer.status, answer.body, named.get("retry-after", ""))

    def close(self) -> None:
        """Close the connections that are kept; a later request opens new ones."""
        self._connections.close()


@functools.cache
def client_of_process(max_bytes: int) -> HttpClient:
    """The client of every invocation of this process: its connections, and what it read of
    certificates, outlive one. It holds no credentials. max_bytes: of an answer's body."""
    return HttpClient(max_bytes)


def host_of(url: str) -> str:
    """The host of an address, which is safe to print; "?" where it has none."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def _request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Request:
    try:
        parts = urlsplit(url)
        origin = _origin(parts)
        target = quote(parts.path or "/", safe=_SENT_AS_IT_IS)
        if parts.query:
            target += "?" + quote(parts.query, safe=_SENT_AS_IT_IS)
    except ValueError as error:
        words = "not sent: the address or a header is malformed"
        raise NoAnswerError(host_of(url), words, False, "address") from error
    own = {"User-Agent": USER_AGENT}
    if parts.username is not None:
        own["Authorization"] = _basic(parts)
    given = {name.lower() for name in headers}
    added = {name: value for name, value in own.items() if name.lower() not in given}
    return Request(method, origin, target, {**added, **headers}, body)


def _origin(parts: SplitResult) -> Origin:
    host = parts.hostname or ""
    if not host.isascii():
        host = host.encode("idna").decode("ascii")  # UnicodeError is a ValueError
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise ValueError("not an http(s) address")
    default = 443 if parts.scheme == "https" else 80
    return Origin(parts.scheme, host, default if parts.port is None else parts.port)


def _basic(parts: SplitResult) -> str:
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode("ascii")
