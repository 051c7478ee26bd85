"""The HTTP session that the COS SDK is given, over connections that are kept (connections.py).

The SDK takes any session with requests' methods. requests itself costs two thirds of a put
(docs/performance.md), has no deadline for a whole request, and reads a redirect, or the page of a
proxy, as an answer of COS. Building the request, signing it and reading errors stay the SDK's.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlencode, urlsplit

from handler import connections
from handler.connections import Connections, Patience
from handler.ledger.store import TimeLeft, forever
from handler.sockets import Origin

if TYPE_CHECKING:
    from typing_extensions import Required, TypedDict, Unpack

    class Asked(TypedDict, total=False):
        """The parameters of requests that are used."""

        headers: Required[SignedHeaders]
        auth: Required[Callable[[Request], object]]
        data: bytes | None
        params: Mapping[str, str | int | None] | None


SignedHeaders: TypeAlias = "dict[str, str | bytes]"
"""The SDK gives bytes, and its signer adds text."""


class NotFromCosError(Exception):
    """An answer that is not COS's, or a redirect: nothing is known to be done.

    Attributes:
        status: of the answer.
        location: where it redirects to; "" where it does not.
    """

    def __init__(self, status: int, location: str) -> None:
        self.status = status
        self.location = location
        super().__init__(f"HTTP {status} is not COS's, or a redirect")


def is_redirect(status: int) -> bool:
    """Whether an HTTP status is a 3xx."""
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST


class Request:
    """The part of a request that the SDK's signer reads, and writes its header to."""

    __slots__ = ("headers", "method", "url")

    def __init__(self, method: str, url: str, headers: SignedHeaders) -> None:
        self.method = method
        self.url = url
        self.headers = headers


class _Headers(Mapping[str, str]):
    """Headers by their name as it was sent, found in any case."""

    def __init__(self, sent: Iterable[tuple[str, str]]) -> None:
        self._sent = dict(sent)
        self._lower = {name.lower(): value for name, value in self._sent.items()}

    def __getitem__(self, name: str) -> str:
        return self._lower[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sent)

    def __len__(self) -> int:
        return len(self._sent)


class Answer:
    """The part of requests' Response that the SDK reads."""

    __slots__ = ("content", "headers", "status_code")

    def __init__(self, answer: connections.Answer) -> None:
        self.status_code = answer.status
        self.headers = _Headers(answer.headers)
        self.content = answer.body

    @property
    def text(self) -> str:
        """The body of an error."""
        return self.content.decode("utf-8", "replace")

    @property
    def raw(self) -> io.BytesIO:
        """The body of an object, to be read once more."""
        return io.BytesIO(self.content)


class Session:
    """The part of requests' Session that the SDK calls. Threads may share it.

    Every method raises NoAnswerError where there was no whole answer in time, and NotFromCosError.
    The SDK makes a CosClientError of each, with the error itself as its context.

    Attributes:
        time_left: seconds until each request must have ended, whatever its own time-out.
    """

    def __init__(self, pool: Connections, patience: Patience) -> None:
        self._pool = pool
        self._patience = patience
        self.time_left: TimeLeft = forever

    def put(self, url: str, **asked: Unpack[Asked]) -> Answer:
        return self._send("PUT", url, asked)

    def get(self, url: str, **asked: Unpack[Asked]) -> Answer:
        return self._send("GET", url, asked)

    def delete(self, url: str, **asked: Unpack[Asked]) -> Answer:
        return self._send("DELETE", url, asked)

    def post(self, url: str, **asked: Unpack[Asked]) -> Answer:
        return self._send("POST", url, asked)

    def _send(self, method: str, url: str, asked: Asked) -> Answer:
        """asked: headers, auth, data and params, as requests takes them. Other parameters of the
        SDK (time-outs, proxies, streaming) are the pool's own."""
        headers = asked["headers"]
        data = asked.get("data") or b""
        given = asked.get("params") or {}
        query = urlencode({name: value for name, value in given.items() if value is not None})
        parts = urlsplit(url)
        if method in ("PUT", "POST"):
            headers["Content-Length"] = str(len(data))  # before it is signed: it is a part of that
        asked["auth"](Request(method, url, headers))
        default = 443 if parts.scheme == "https" else 80
        origin = Origin(parts.scheme, parts.hostname or "", parts.port or default)
        target = f"{parts.path}?{query}" if query else parts.path
        text = {name: _text(value) for name, value in headers.items()}
        return self.exchange(connections.Request(method, origin, target, text, data))

    def exchange(self, request: connections.Request) -> Answer:
        """Send a request that is signed already."""
        answer = Answer(self._pool.exchange(request, self._patience, longest_s=self.time_left()))
        if is_redirect(answer.status_code) or not _is_of_a_store(answer):
            raise NotFromCosError(answer.status_code, answer.headers.get("location", ""))
        return answer


def _text(value: str | bytes) -> str:
    """A header's value: the SDK gives bytes, and its signer text."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _is_of_a_store(answer: Answer) -> bool:
    """Each answer of COS has an id (436/7729). A stand-in behind COS_ENDPOINT may have none, but
    like COS it gives an object's ETag, XML, or to a delete 204. A page in between may have an ETag
    too, and may be XHTML: without COS's id a page is none of its answers."""
    headers = answer.headers
    if "x-cos-request-id" in headers:
        return True
    content_type = headers.get("content-type", "").lower()
    if "html" in content_type:
        return False
    is_empty = answer.status_code == HTTPStatus.NO_CONTENT
    return is_empty or "etag" in headers or "xml" in content_type
