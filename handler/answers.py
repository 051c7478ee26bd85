"""An answer of a server, read from its connection: the plain one here, every other by http.client.

http.client reads the head of an answer with the package email: to import both takes a sixth of the
instructions of a cold callback, and to read a head with them a twelfth of a warm one
(docs/performance.md). COS answers nearly every request with a 200 and its length. Such an answer is
read here; every other one, and whatever is unusual in it, is left to http.client.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from http.client import HTTPResponse

OK = 200

_STATUS_LINE = "HTTP/1.1 200"
_TOKEN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_MAX_HEADERS = 100
"""http.client refuses more."""
_MAX_DIGITS = 15

PIECE_BYTES = 16 * 1024 * 1024
"""Of a body that is read at once: as much is allocated before any of it has come. Only what is
longer is read in pieces, since to put them together takes twice its size."""


CHUNK_BYTES = 256 * 1024
"""The same of a body whose length is not known."""


class NotHttpError(ValueError):
    """A server sent something that is not an HTTP/1.x answer."""


class Answer(NamedTuple):
    """headers: names as the peer wrote them, in its order."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class PlainHead(NamedTuple):
    """The head of an answer with status 200 on a connection that stays open.

    head_bytes: of the head, the empty line behind it included. body_bytes: of the body.
    """

    headers: list[tuple[str, str]]
    head_bytes: int
    body_bytes: int


def read(reader: io.BufferedReader, method: str, limit: int | None) -> tuple[Answer, bool]:
    """The answer to a request, its body cut at `limit` bytes, and whether the connection may carry
    another request.

    Raises:
        OSError: the connection broke, or the time is over.
        NotHttpError: the server sent something else.
    """
    seen = reader.peek()
    head = plain_head(seen) if method != "HEAD" else None
    if head is None or (limit is not None and head.body_bytes > limit):
        return read_by_http_client(reader, method, limit)
    reader.read(head.head_bytes)
    body = _read_whole(reader, head.body_bytes)
    if len(body) < head.body_bytes:
        raise ConnectionError("the connection ended within an answer")
    # What came behind the answer belongs to none: it is lost with the reader.
    return Answer(OK, head.headers, body), len(seen) <= head.head_bytes + head.body_bytes


def _read_whole(reader: io.BufferedReader | HTTPResponse, length: int) -> bytes:
    """A body of that length, or what there is of it. A length that is a lie costs no memory."""
    if length <= PIECE_BYTES:
        return reader.read(length)
    pieces: list[bytes] = []
    while length > 0 and (piece := reader.read(min(length, PIECE_BYTES))):
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def plain_head(seen: bytes) -> PlainHead | None:
    """The head of the answer whose first bytes these are; None where http.client must read it.

    Left to it: another version or status, a head that is not whole, an odd line, transfer codings,
    a connection that closes, and no length or several.
    """
    head, end, _ = seen.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    is_ok = status_line == _STATUS_LINE or status_line.startswith(_STATUS_LINE + " ")
    if not end or not is_ok or len(lines) >= _MAX_HEADERS:
        return None
    if head.count(b"\r") != len(lines) or head.count(b"\n") != len(lines):
        return None
    headers: list[tuple[str, str]] = []
    lengths: list[str] = []
    for line in lines:
        name, colon, sent = line.partition(":")
        value, lower = sent.lstrip(" \t"), name.lower()
        if not colon or not name or not _TOKEN.issuperset(name) or lower == "transfer-encoding":
            return None
        if lower == "connection" and value.lower() != "keep-alive":
            return None
        if lower == "content-length":
            lengths.append(value)
        headers.append((name, value))
    if len(lengths) != 1 or not _is_number(lengths[0]):
        return None
    return PlainHead(headers, len(head) + len(end), int(lengths[0]))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


class _Read(NamedTuple):
    """What http.client takes for a socket: it only calls makefile."""

    reader: io.BufferedReader

    def makefile(self, mode: str) -> io.BufferedReader:
        """The reader, with whatever it has in its buffer."""
        return self.reader


def _read_body(response: HTTPResponse, limit: int | None) -> bytes:
    if limit is not None:
        return response.read(limit)
    if response.length is not None:
        return _read_whole(response, response.length)
    # It is chunked, and a chunk may lie about its length too, or it ends with the connection.
    return b"".join(iter(lambda: response.read(CHUNK_BYTES), b""))


def read_by_http_client(
    reader: io.BufferedReader, method: str, limit: int | None
) -> tuple[Answer, bool]:
    """As `read`, whatever the answer is."""
    # Imported here: a callback that is kept does not need it.
    from http.client import HTTPException, HTTPResponse, IncompleteRead

    response = HTTPResponse(_Read(reader), method=method)  # type: ignore[arg-type]  # see _Read
    try:
        response.begin()
        body = _read_body(response, limit)
        if (limit is None or len(body) < limit) and response.length:
            raise IncompleteRead(body, response.length)  # read(n) itself raises nothing
    except IncompleteRead as error:
        raise ConnectionError("the connection ended within an answer") from error
    except HTTPException as error:
        if isinstance(error, OSError):  # RemoteDisconnected is both
            raise
        raise NotHttpError(type(error).__name__) from error
    else:
        # Behind an interim answer (1xx) the final one would be read as that to the next request.
        is_open = response.isclosed() and not response.will_close and response.status >= OK
        return Answer(response.status, response.getheaders(), body), is_open
    finally:
        response.close()  # else Python 3.13 may complain of it when it is collected
