"""The HTTP session that the COS SDK is given: the standard library's connections, kept alive.

The SDK takes any session with requests' methods. requests itself costs two thirds of a put
(docs/performance.md): cookies, hooks, redirects and proxies are looked at for each request,
and none of them has a say here. Building the request, signing it and reading errors stay the
SDK's. Every method raises OSError or HTTPException where there is no whole answer, and
NotFromCosError; the SDK makes a CosClientError of each.
"""

from __future__ import annotations

import io
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPConnection, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit


class NotFromCosError(Exception):
    """An answer that is not COS's, or a redirect."""


class Request:
    """What the SDK's signer reads, and puts its header into."""

    __slots__ = ("headers", "method", "url")

    def __init__(self, method: str, url: str, headers: dict[str, str]) -> None:
        self.method = method
        self.url = url
        self.headers = headers


class _Headers(dict[str, str]):
    """Headers by their name as it was sent, found in any case."""

    def __init__(self, sent: Iterable[tuple[str, str]]) -> None:
        super().__init__(sent)
        self._lower = {name.lower(): value for name, value in self.items()}

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._lower

    def __getitem__(self, name: str) -> str:
        return self._lower[name.lower()]

    def get(self, name: str, default: Any = None) -> Any:
        return self._lower.get(name.lower(), default)


class Answer(NamedTuple):
    """The part of requests' Response that the SDK reads."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body of an error."""
        return self.content.decode("utf-8", "replace")

    @property
    def raw(self) -> io.BytesIO:
        """The body of an object, to be read once more."""
        return io.BytesIO(self.content)


class Session:
    """The part of requests' Session that the SDK calls. May be used by several threads: each
    request has a connection to itself, and gives it back once the answer is read whole."""

    def __init__(self, pool_size: int) -> None:
        self._pool_size = pool_size
        self._idle: dict[str, list[HTTPConnection]] = {}
        self._context: Any = None
        self._making = threading.Lock()
        weakref.finalize(self, _close, self._idle)

    def put(self, url: str, **told: Any) -> Answer:
        return self._send("PUT", url, **told)

    def get(self, url: str, **told: Any) -> Answer:
        return self._send("GET", url, **told)

    def delete(self, url: str, **told: Any) -> Answer:
        return self._send("DELETE", url, **told)

    def _send(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str],
        auth: Callable[[Any], Any],
        timeout: tuple[float, float],
        data: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> Answer:
        """timeout: seconds to connect, and to wait for each part of the answer."""
        parts = urlsplit(url)
        query = urlencode({name: one for name, one in (params or {}).items() if one is not None})
        if data is not None:
            headers["Content-Length"] = str(len(data))
        auth(Request(method, url, headers))
        place = f"{parts.scheme}://{parts.netloc}"
        connection = self._connection(place, parts.scheme, parts.netloc, timeout)
        try:
            connection.request(
                method, f"{parts.path}?{query}" if query else parts.path, data, headers
            )
            got = connection.getresponse()
            answer = Answer(got.status, _Headers(got.getheaders()), got.read())
        except BaseException:
            connection.close()
            raise
        if got.will_close:
            connection.close()
        else:
            self._give_back(place, connection)
        if not _is_of_a_store(answer) or 300 <= answer.status_code < 400:
            raise NotFromCosError("the answer is not COS's, or a redirect")
        return answer

    def _connection(
        self, place: str, scheme: str, netloc: str, timeout: tuple[float, float]
    ) -> HTTPConnection:
        """One that is idle and still open, else a new one."""
        from urllib3.util.wait import wait_for_read

        idle = self._idle.setdefault(place, [])
        while idle:
            try:
                connection = idle.pop()
            except IndexError:  # another thread was faster
                break
            # Nothing is to be read of an idle one, unless the other side closed it: while the
            # function was frozen, say.
            if not wait_for_read(connection.sock, timeout=0.0):
                return connection
            connection.close()
        if scheme == "https":
            connection = HTTPSConnection(netloc, timeout=timeout[0], context=self._tls())
        else:
            connection = HTTPConnection(netloc, timeout=timeout[0])
        try:
            connection.connect()
        except BaseException:
            connection.close()  # a handshake that failed leaves its socket open
            raise
        connection.sock.settimeout(timeout[1])
        return connection

    def _give_back(self, place: str, connection: HTTPConnection) -> None:
        idle = self._idle[place]
        if len(idle) < self._pool_size:
            idle.append(connection)
        else:
            connection.close()

    def _tls(self) -> Any:
        """Certificates and host names are checked, against the authorities of certifi."""
        import ssl

        import certifi

        with self._making:
            if self._context is None:
                self._context = ssl.create_default_context(cafile=certifi.where())
            return self._context


def _close(idle: dict[str, list[HTTPConnection]]) -> None:
    for connections in idle.values():
        for connection in connections:
            connection.close()


def _is_of_a_store(answer: Answer) -> bool:
    """Each answer of COS has an id (436/7729). A stand-in behind COS_ENDPOINT may have none, but
    like COS it gives an object's ETag, XML, or to a delete 204: what no page in between does."""
    headers = answer.headers
    return (
        "x-cos-request-id" in headers
        or "etag" in headers
        or answer.status_code == 204
        or "xml" in headers.get("content-type", "")
    )
