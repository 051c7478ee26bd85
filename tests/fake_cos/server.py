"""An HTTP/1.1 server on loopback whose connections are kept alive, and die on demand.

One thread for each connection. A werkzeug server was used before: it sends Connection: close with
each answer, so no test ever met a connection that was used before.
"""

from __future__ import annotations

import contextlib
import io
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import parse_headers
from typing import Literal, TypeAlias

Death: TypeAlias = Literal["reset", "silence", "fin"]


@dataclass(frozen=True)
class Request:
    """A request as it came. Header names are in lower case; target is path and query."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What goes back. missing: how many bytes of the promised body are not sent; the connection is
    then cut. drip_s: seconds before each byte."""

    status: int
    reason: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    missing: int = 0
    drip_s: float = 0.0


class ResetError(Exception):
    """In place of a reply: the connection is reset."""


class SilenceError(Exception):
    """In place of a reply: nothing, and the connection stays open."""


class Connection:
    """One accepted connection. is_idle: no request is under way on it."""

    def __init__(self, accepted: socket.socket) -> None:
        self.socket = accepted
        self.is_idle = True
        self.death: Death | None = None

    def reset(self) -> None:
        """Close so that the peer is sent an RST: time 0 to linger."""
        with contextlib.suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.socket.close()


class Server:
    """Serves what `answer` returns for each request. accepted: connections so far."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self._answer = answer
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._open: set[Connection] = set()
        self.accepted = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def forget_idle(self, death: Death) -> int:
        """Let the idle connections die; how many there were.

        reset: no FIN, and whatever is sent on one is answered by an RST. silence: no FIN, and
        nothing is read or answered. fin: closed properly.
        """
        with self._lock:
            idle = [
                connection
                for connection in self._open
                if connection.is_idle and connection.death is None
            ]
            for connection in idle:
                connection.death = death
        for connection in idle:
            if death == "fin":
                with contextlib.suppress(OSError):  # the client was faster
                    connection.socket.shutdown(socket.SHUT_RDWR)
        return len(idle)

    def close(self) -> None:
        """End the listener and every connection."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._listener.close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(accepted)
            with self._lock:
                self.accepted += 1
                self._open.add(connection)
                self._threads = [thread for thread in self._threads if thread.is_alive()]
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: Connection) -> None:
        try:
            with connection.socket.makefile("rb") as read:
                for request in self._requests(connection, read):
                    self._reply(connection, request)
        except ResetError:
            connection.reset()
        except SilenceError:
            self._closing.wait()
        except (OSError, ValueError):
            pass  # the client is gone, or sent no HTTP: as a server does, end the connection
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.socket.close()

    def _requests(self, connection: Connection, read: io.BufferedReader) -> Iterator[Request]:
        while first := read.readline(65_537):
            with self._lock:
                connection.is_idle = False
            if connection.death == "reset":
                raise ResetError
            if connection.death == "silence":
                raise SilenceError
            method, target, _ = first.decode("latin-1").split(" ", 2)
            headers = {name.lower(): value for name, value in parse_headers(read).items()}
            if headers.get("expect", "").lower() == "100-continue":
                connection.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = read.read(int(headers.get("content-length") or 0))
            yield Request(method, target, headers, body)

    def _reply(self, connection: Connection, request: Request) -> None:
        reply = self._answer(request)
        headers = {**reply.headers, "Content-Length": str(len(reply.body) + reply.missing)}
        lines = [f"HTTP/1.1 {reply.status} {reply.reason}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        whole = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        whole += b"" if request.method == "HEAD" else reply.body
        with self._lock:
            connection.is_idle = True  # before the client can know that it is
        if reply.drip_s:
            for byte in whole:
                if self._closing.is_set():
                    raise ResetError
                time.sleep(reply.drip_s)
                connection.socket.sendall(bytes([byte]))
        else:
            connection.socket.sendall(whole)
        if reply.missing:
            raise OSError("the rest is not sent")
