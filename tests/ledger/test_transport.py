"""transport.py: the session below the COS SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from handler import connections
from handler.connections import Connections, Patience
from handler.errors import NoAnswerError
from handler.ledger.transport import NotFromCosError, Session
from tests.alert_services import closed_port
from tests.peer import GOOD, peer

PATIENCE = Patience(whole_s=10, connect_s=5, silent_s=5)


@pytest.fixture
def session() -> Iterator[Session]:
    pool = Connections()
    yield Session(pool, PATIENCE)
    pool.close()


def signed(request: Any) -> Any:
    """In place of the SDK's signer: it reads the headers, and adds one."""
    request.headers["Authorization"] = f"{request.method} of {len(request.headers)}"
    return request


def send(session: Session, url: str, method: str = "get", **more: Any) -> Any:
    """One request, as the SDK makes it."""
    call: Callable[..., Any] = getattr(session, method)
    given = {"headers": {}, "auth": signed, "timeout": 30, "proxies": None, "stream": True}
    return call(url, **(given | more))


def test_an_answer_is_what_the_sdk_reads(session: Session) -> None:
    """Status, headers in any case, body, and the body as a stream."""
    with peer() as there:
        answer = send(session, there.url)
    assert (answer.status_code, answer.content, answer.text) == (200, b"hi", "hi")
    assert answer.raw.read() == b"hi"
    assert answer.headers["ETAG"] == answer.headers.get("etag") == "1"
    assert dict(answer.headers)["ETag"] == "1"
    assert answer.headers.get("none") is None


def test_a_request_is_signed_with_its_length(session: Session) -> None:
    """An empty parameter is sent, since it is signed; one that is None is left out."""
    with peer() as there:
        send(session, there.url, "put", data=b"body")
        send(session, there.url, params={"prefix": "a b", "marker": "", "none": None})
        put, get = there.requests
    assert put.startswith(b"PUT /key HTTP/1.1\r\n")
    assert put.count(b"\r\nContent-Length: 4\r\n") == 1
    assert put.endswith(b"\r\n\r\nbody")
    assert b"Authorization: PUT of 1" in put
    assert get.startswith(b"GET /key?prefix=a+b&marker= HTTP/1.1\r\n")
    assert b"Content-Length" not in get


def test_an_empty_object_has_a_length_too(session: Session) -> None:
    """COS answers MissingContentLength without."""
    with peer() as there:
        send(session, there.url, "put", data=b"")
    assert b"\r\nContent-Length: 0\r\n" in there.requests[0]


def test_the_host_is_the_one_that_is_given_or_that_of_the_address(session: Session) -> None:
    """Behind COS_ENDPOINT the Host header stays COS's."""
    with peer() as there:
        send(session, there.url, headers={"Host": b"b-1.cos.r.myqcloud.com"})
        send(session, there.url)
        given, own = there.requests
        assert b"\r\nHost: 127.0.0.1:%d\r\n" % there.port in own
    assert given.count(b"Host: ") == 1
    assert b"\r\nHost: b-1.cos.r.myqcloud.com\r\n" in given


@pytest.mark.parametrize(
    ("answer", "status", "location"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""),
        (
            b"HTTP/1.1 300 M\r\nX-Cos-Request-Id: r\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n",
            300,
            "/y",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>", 200, ""),
        (
            b'HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=utf-8\r\nETag: "5f"\r\n'
            b"Content-Length: 4\r\n\r\n<p/>",
            200,
            "",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/xhtml+xml\r\n"
            b"Content-Length: 4\r\n\r\n<p/>",
            200,
            "",
        ),
        (
            b"HTTP/1.1 307 T\r\nX-Cos-Request-Id: r\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
            307,
            "/x",
        ),
    ],
    ids=["empty", "choices", "page", "page with an ETag", "xhtml", "redirect"],
)
def test_an_answer_that_is_not_coss_is_an_error(
    session: Session, answer: bytes, status: int, location: str
) -> None:
    """Must raise, and so must a redirect: nothing was done."""
    with peer(answer) as there, pytest.raises(NotFromCosError) as caught:
        send(session, there.url, "put", data=b"")
    assert (caught.value.status, caught.value.location) == (status, location)


@pytest.mark.parametrize(
    "answer",
    [
        GOOD.replace(b"X-Cos-Request-Id: r", b"X: 1"),
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["etag", "204", "xml"],
)
def test_a_stand_in_without_request_ids_is_believed(session: Session, answer: bytes) -> None:
    """Behind COS_ENDPOINT."""
    with peer(answer) as there:
        assert send(session, there.url, "delete").status_code in (200, 204)


def test_no_answer_is_raised(session: Session) -> None:
    """Must raise what the SDK hands on as the context of its own error."""
    with pytest.raises(NoAnswerError, match="refused"):
        send(session, f"http://127.0.0.1:{closed_port()}/")


class Origins:
    """In place of the pool: where each request would go."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, int]] = []

    def exchange(self, request: Any, patience: Patience, longest_s: float) -> connections.Answer:
        self.seen.append(tuple(request.origin))
        return connections.Answer(204, [], b"")


def test_the_port_is_that_of_the_address_or_of_its_scheme() -> None:
    """COS itself is reached by https, a stand-in by http."""
    pool = Origins()
    session = Session(pool, PATIENCE)  # type: ignore[arg-type]  # the one method that is called
    for url in ("https://a/k", "http://a/k", "http://a:9/k"):
        send(session, url)
    assert pool.seen == [("https", "a", 443), ("http", "a", 80), ("http", "a", 9)]


def test_what_is_signed_is_the_address_that_is_asked(session: Session) -> None:
    """The signer reads method, address and headers."""
    asked = []

    def sign(request: Any) -> None:
        asked.append((request.method, request.url, dict(request.headers)))

    with peer() as there:
        send(session, there.url, auth=sign, headers={"a": "b"})
        assert asked == [("GET", there.url, {"a": "b"})]
