"""What is read of an answer without http.client is what http.client would have read of it."""

from __future__ import annotations

import io
import string
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handler import answers
from handler.answers import Answer, NotHttpError

PUT_ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: tencent-cos\r\nContent-Length: 0\r\nConnection: keep-alive\r\n"
    b'Date: Wed, 25 Nov 2026 08:00:00 GMT\r\nETag: "d41d8"\r\nx-cos-request-id: NWFi\r\n\r\n'
)


def reader(sent: bytes) -> io.BufferedReader:
    """A connection on which so much arrives, and then the end."""
    return io.BufferedReader(io.BytesIO(sent))


def read(sent: bytes, limit: int | None = None) -> tuple[Answer, bool]:
    """As `answers.read` of a PUT."""
    return answers.read(reader(sent), "PUT", limit)


def test_an_answer_of_cos_is_plain() -> None:
    """So no http.client is imported for a callback that is kept (tests/cold_modules.py)."""
    head = answers.plain_head(PUT_ANSWER)
    assert head is not None
    assert (head.head_bytes, head.body_bytes) == (len(PUT_ANSWER), 0)
    answer, is_open = read(PUT_ANSWER)
    assert (answer.status, answer.body, is_open) == (200, b"", True)
    assert ("x-cos-request-id", "NWFi") in answer.headers


def with_head(*lines: str) -> bytes:
    """A body of two bytes below a head."""
    return "\r\n".join([*lines, "", "hi"]).encode("latin-1")


@pytest.mark.parametrize(
    "sent",
    [
        with_head("HTTP/1.0 200 OK", "Content-Length: 2"),
        with_head("HTTP/1.1 201 Created", "Content-Length: 2"),
        with_head("HTTP/1.1 2000 OK", "Content-Length: 2"),
        with_head("HTTP/1.1 200 OK"),
        with_head("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 2"),
        with_head("HTTP/1.1 200 OK", "Content-Length: 2", "content-length: 1"),
        with_head("HTTP/1.1 200 OK", "Content-Length: +2"),
        with_head("HTTP/1.1 200 OK", "Content-Length: 2 "),
        with_head("HTTP/1.1 200 OK", "Content-Length: ²"),
        with_head("HTTP/1.1 200 OK", "Content-Length: -1"),
        with_head("HTTP/1.1 200 OK", "Content-Length: 2", "Transfer-Encoding: chunked"),
        with_head("HTTP/1.1 200 OK", "Content-Length: 2", "Connection: close"),
        with_head("HTTP/1.1 200 OK", "Content-Length: 2", " folded: 1"),
        with_head("HTTP/1.1 200 OK", "Content-Length: 2", "no colon"),
        with_head("HTTP/1.1 200 OK", "Content-Length: 2", ": no name"),
        with_head("HTTP/1.1 200 OK", "Content-Length: 2", "a b: c"),
        with_head("HTTP/1.1 200 OK", "Content-Length: 2", "a: b\rc"),
        with_head("HTTP/1.1 200 OK", "Content-Length: 2", "a: b\nc: d"),
        with_head("HTTP/1.1 200 OK", "Content-Length: 2", *["a: b"] * 100),
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    ],
)
def test_what_is_not_plain_is_left_to_http_client(sent: bytes) -> None:
    """Whatever it makes of it."""
    assert answers.plain_head(sent) is None


NAMES = st.text(string.ascii_letters + string.digits + "-_ :\t", min_size=1, max_size=20)
VALUES = st.text(st.characters(max_codepoint=255), max_size=30)
FIELDS = st.one_of(
    st.tuples(NAMES, VALUES),
    st.tuples(
        st.sampled_from(["Content-Length", "content-length", "Connection", "Transfer-Encoding"]),
        st.sampled_from(["0", "2", "3", "02", "keep-alive", "Keep-Alive", "close", "chunked", ""]),
    ),
)
STATUS = st.sampled_from(
    ["HTTP/1.1 200 OK", "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.0 200 OK", "HTTP/1.1 204 No"]
)


@given(STATUS, st.lists(FIELDS, max_size=6), st.binary(max_size=6))
@example("HTTP/1.1 200 OK", [("Content-Length", "2"), ("A", " \t b ")], b"hi")
@example("HTTP/1.1 200 OK", [("Content-Length", "2"), ("A", "\x0b\x85b")], b"hi")
@example("HTTP/1.1 200 OK", [("Content-Length", "2"), ("MIME-Version", "1")], b"hi")
@example("HTTP/1.1 200 OK", [("Content-Length", "3")], b"hi")
def test_what_is_plain_is_read_as_http_client_reads_it(
    status: str, fields: list[tuple[str, str]], body: bytes
) -> None:
    """Headers, body, the end of the answer, and whether the connection stays open, where nothing is
    behind it."""
    head = "\r\n".join([status, *(f"{name}: {value}" for name, value in fields)])
    sent = head.encode("latin-1") + b"\r\n\r\n" + body
    plain = answers.plain_head(sent)
    if plain is None:
        return
    for limit in (None, 1, 10):
        outcomes: list[tuple[Answer, bool] | str] = []
        for read_it in (answers.read, answers.read_by_http_client):
            left = reader(sent)
            try:
                answer, is_open = read_it(left, "PUT", limit)
                outcomes.append((answer, is_open and len(body) <= plain.body_bytes))
            except ConnectionError as error:
                outcomes.append(str(error))
        assert outcomes[0] == outcomes[1]


def test_a_connection_with_more_than_its_answer_carries_no_other_request() -> None:
    """What lies behind it would be taken for the answer to the next one."""
    extra = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    for sent in (with_head("HTTP/1.1 200 OK", "Content-Length: 2"), PUT_ANSWER):
        assert read(sent) == (read(sent + extra)[0], True)
        assert read(sent + extra)[1] is False


@pytest.mark.parametrize("status", ["102 Processing", "103 Early Hints", "101 Switching"])
def test_behind_an_interim_answer_a_connection_carries_no_other_request(status: str) -> None:
    """The final answer would be taken for that to the next one."""
    answer, is_open = read(with_head(f"HTTP/1.1 {status}"))
    assert (answer.status, is_open) == (int(status[:3]), False)


def test_an_answer_that_ends_early_is_a_broken_connection() -> None:
    """In its body, and before it."""
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi"
    with pytest.raises(ConnectionError):
        read(cut)
    with pytest.raises(ConnectionError):
        read(cut.replace(b"200", b"409"))
    with pytest.raises(ConnectionError):
        read(b"")


def test_what_is_no_http_is_no_broken_connection() -> None:
    """A server of another kind answers at once, and would again."""
    with pytest.raises(NotHttpError):
        read(b"SSH-2.0-OpenSSH\r\n\r\n")


def test_a_body_is_cut_at_the_limit() -> None:
    """And the connection is not used again, since the rest of the body is on it."""
    answer, is_open = read(with_head("HTTP/1.1 200 OK", "Content-Length: 2"), limit=1)
    assert (answer.body, is_open) == (b"h", False)


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 999999999999999\r\n\r\n",
        "HTTP/1.1 206 Partial Content\r\nContent-Length: 999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n",
    ],
)
def test_a_length_that_is_a_lie_costs_no_memory(head: str) -> None:
    """It is a connection that broke, and no MemoryError, which would end the process."""
    tracemalloc.start()
    with pytest.raises(ConnectionError):
        read(head.encode() + b"x" * 100)
    assert tracemalloc.get_traced_memory()[1] < 3 * answers.PIECE_BYTES
    tracemalloc.stop()


@pytest.mark.parametrize("length", [0, 1, answers.PIECE_BYTES, 2 * answers.PIECE_BYTES + 7])
@pytest.mark.parametrize("status", ["200 OK", "206 Partial Content"])
def test_a_long_body_is_read_in_pieces(length: int, status: str) -> None:
    """And whole, by either way."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n".encode()
    answer, is_open = read(head + b"x" * length)
    assert (answer.body, is_open) == (b"x" * length, True)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_chunked_body_is_read_whole(count: int) -> None:
    """Whatever the lengths of its chunks."""
    chunk = b"x" * (answers.CHUNK_BYTES + 1)
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for _ in range(count)) + b"0\r\n\r\n"
    answer, _ = read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    assert answer.body == chunk * count
