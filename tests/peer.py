"""A server of raw sockets, whose connections are kept alive and can die as real ones do."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: 1\r\nX-Cos-Request-Id: r\r\n\r\nhi"

Death = Literal["", "reset", "silence", "fin"]


class Peer:
    """Gives the answers of a list, one for each request, and GOOD once it is used up.

    Attributes:
        answers: what is still to be given; None in place of an answer closes the connection, and
            b"" is silence.
        requests: what was received whole, in order.
        connections: how many were accepted.
        on_request: called for each request, before its answer.
        accepted: their sockets, as far as they were not refused by TLS.
    """

    def __init__(self, *answers: bytes | None, tls: ssl.SSLContext | None = None) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0
        self.on_request: Callable[[], object] = lambda: None
        self._tls = tls
        self.accepted: list[socket.socket] = []
        self._received = threading.Condition()
        self._dead: dict[socket.socket, Death] = {}
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self._listening.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/key"

    def forget(self, death: Death) -> None:
        """Let every open connection die. reset: the next packet is answered by a reset, and no FIN
        comes before. silence: by nothing. fin: it is closed at once."""
        for connection in self.accepted:
            self._dead[connection] = death
            if death == "fin":
                connection.shutdown(socket.SHUT_RDWR)

    def wait_for_requests(self, count: int) -> None:
        """Return once so many requests were received. Raises AssertionError after a minute."""
        with self._received:
            assert self._received.wait_for(lambda: len(self.requests) >= count, 60)

    def open_ones(self) -> int:
        """How many connections the client has not closed."""
        count = 0
        for connection in self.accepted:
            connection.setblocking(False)
            try:
                count += bool(connection.recv(1, socket.MSG_PEEK))
            except BlockingIOError:
                count += 1
            except OSError:
                pass
        return count

    def close(self) -> None:
        for endpoint in [self._listening, *self.accepted]:
            endpoint.close()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        if self._tls:
            try:
                connection = self._tls.wrap_socket(connection, server_side=True)
            except OSError:
                return
        self.accepted.append(connection)
        while request := self._receive(connection):
            death = self._dead.get(connection, "")
            if death:
                if death == "reset":
                    # Time 0 to linger: closing sends a reset.
                    no_linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
                    connection.close()
                return
            with self._received:
                self.requests.append(request)
                self._received.notify_all()
            self.on_request()
            answer = self.answers.pop(0) if self.answers else GOOD
            if answer is None:
                connection.close()
                return
            with suppress(OSError):  # the client, or `close`, may be faster
                connection.sendall(answer)

    def _receive(self, connection: socket.socket) -> bytes:
        """Head and body of a request, which may come in parts; b"" once there is no more."""
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


@contextmanager
def peer(*answers: bytes | None, tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """A Peer until the block is left."""
    made = Peer(*answers, tls=tls)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that neither takes a connection nor refuses it: its queue is full, so what knocks is
    dropped, as a silent host does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        try:
            yield port
        finally:
            for client in waiting:
                client.close()
