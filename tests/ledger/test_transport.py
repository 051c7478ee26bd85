"""transport.py: the connections below the COS SDK."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any

import pytest

from handler.ledger.transport import NotFromCosError, Session

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: 1\r\nX-Cos-Request-Id: r\r\n\r\nhi"


class Peer:
    """A server that gives the answers of a list, one for each request, and counts connections."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.connections = 0
        self.requests: list[bytes] = []
        self.sockets: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/key"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self.sockets.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        while request := self._request(connection):
            self.requests.append(request)
            answer = self.answers.pop(0) if self.answers else None
            if answer is None:
                connection.close()
                return
            connection.sendall(answer)

    def _request(self, connection: socket.socket) -> bytes:
        """Head and body, which may come in parts; b"" once there is no more."""
        read = b""
        while True:
            head, end, body = read.partition(b"\r\n\r\n")
            length = re.search(rb"Content-Length: (\d+)", head)
            if end and len(body) >= int(length[1] if length else 0):
                return read
            try:
                part = connection.recv(65536)
            except OSError:
                return b""
            if not part:
                return b""
            read += part

    def close(self) -> None:
        for one in [self._listening, *self.sockets]:
            one.close()


@contextmanager
def peer(*answers: bytes | None) -> Iterator[Peer]:
    """Until the block is left."""
    made = Peer(*answers)
    yield made
    made.close()


def signed(request: Any) -> Any:
    """Stands in for the SDK's signer: it reads what there is to sign."""
    request.headers["Authorization"] = f"{request.method} of {len(request.headers)}"
    return request


def send(session: Session, url: str, method: str = "get", **more: Any) -> Any:
    """One request, as the SDK makes it."""
    call: Callable[..., Any] = getattr(session, method)
    told = {"headers": {}, "auth": signed, "timeout": (1, 1), "proxies": None, "stream": True}
    return call(url, **(told | more))


def test_a_connection_is_used_again() -> None:
    """A put costs no new one."""
    session = Session(2)
    with peer(GOOD, GOOD, GOOD) as there:
        for _ in range(3):
            answer = send(session, there.url)
        assert there.connections == 1
    assert (answer.status_code, answer.content, answer.raw.read(), answer.text) == (
        200,
        b"hi",
        b"hi",
        "hi",
    )


def test_one_that_the_other_side_closed_is_replaced_without_a_fault() -> None:
    """As after a function was frozen for minutes: the next request must not fail for it."""
    session = Session(2)
    with peer(GOOD, GOOD) as there:
        send(session, there.url)
        there.sockets[0].shutdown(socket.SHUT_RDWR)
        assert send(session, there.url).status_code == 200
        assert there.connections == 2


def test_an_answer_that_ends_its_connection_ends_it() -> None:
    """Connection: close."""
    session = Session(2)
    closing = GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with peer(closing, GOOD) as there:
        send(session, there.url)
        send(session, there.url)
        assert there.connections == 2


def test_no_more_than_so_many_are_kept() -> None:
    """What is above is closed once it is given back."""
    session = Session(1)
    with peer(*[GOOD] * 8) as there:
        threads = [threading.Thread(target=send, args=(session, there.url)) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert [len(idle) for idle in session._idle.values()] == [1]
        assert send(session, there.url).status_code == 200


def test_what_is_sent_is_signed_with_its_length() -> None:
    """An empty parameter is sent, since it is signed; one that is None is neither."""
    with peer(GOOD, GOOD) as there:
        send(Session(1), there.url, "put", data=b"body")
        send(Session(1), there.url, params={"prefix": "a b", "marker": "", "none": None})
        put, get = there.requests
    assert put.startswith(b"PUT /key HTTP/1.1\r\n")
    assert b"\r\nContent-Length: 4\r\n" in put
    assert put.endswith(b"\r\n\r\nbody")
    assert b"Authorization: PUT of 1" in put
    assert get.startswith(b"GET /key?prefix=a+b&marker= HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>",
        b"HTTP/1.1 307 T\r\nX-Cos-Request-Id: r\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["empty", "page", "redirect"],
)
def test_what_is_not_coss_is_no_answer(answer: bytes) -> None:
    """Nor is a redirect: nothing was done."""
    with peer(answer) as there, pytest.raises(NotFromCosError):
        send(Session(1), there.url, "put", data=b"")


@pytest.mark.parametrize(
    "answer",
    [None, b"nonsense\r\n\r\n", GOOD.replace(b"Length: 2", b"Length: 3")],
    ids=["closed", "nonsense", "cut off"],
)
def test_an_answer_that_breaks_off_is_raised_and_its_connection_not_used_again(
    answer: bytes | None,
) -> None:
    """Must raise: the SDK makes an error of it, and the store tries again."""
    session = Session(1)
    with peer(answer, GOOD) as there:
        with pytest.raises((OSError, HTTPException)):
            send(session, there.url, timeout=(1, 0.2))
        assert not any(session._idle.values())


def test_nobody_there_is_raised() -> None:
    """Must raise within the time to connect."""
    with pytest.raises(OSError, match="refused"):
        send(Session(1), "http://127.0.0.1:1/")


def test_certificates_are_checked() -> None:
    """And host names: nobody in between is believed."""
    context = Session(1)._tls()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    with peer() as there, pytest.raises(OSError):  # noqa: PT011  # it speaks no TLS
        send(Session(1), there.url.replace("http:", "https:"), timeout=(0.2, 0.2))
