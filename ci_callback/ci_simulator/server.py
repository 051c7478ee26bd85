"""The HTTP below the face: a threaded server on a free port of loopback, that keeps connections
alive, can cut them, and can hand a request on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@dataclass(frozen=True)
class Seen:
    """A request as it reached the server. Header names are in lower case, path is decoded."""

    method: str
    uri: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def params(self) -> dict[str, str]:
        """The decoded query."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(frozen=True)
class Reply:
    """An answer. cut: the number of bytes by which it is shorter than its length says."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/xml"),)
    cut: int = 0


class ResetError(Exception):
    """In place of a reply: the connection is cut."""


class Server:
    """Serves what `answer` says to each request, from one thread a connection."""

    def __init__(self, answer: Callable[[Seen], Reply], port: int = 0) -> None:
        """port: 0 for any free one. May raise OSError."""
        self._answer = answer
        # Werkzeug would end the process where the port is taken.
        with socket.create_server(("127.0.0.1", port)) as listening:
            self.port: int = listening.getsockname()[1]
            self._server = make_server(
                "127.0.0.1",
                self.port,
                self._serve,
                threaded=True,
                request_handler=_QuietHandler,
                fd=listening.fileno(),
            )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen = _seen(environ)
        try:
            reply = self._answer(seen)
        except ResetError:
            connection: socket.socket = environ["werkzeug.socket"]
            connection.shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError from None
        length = ("Content-Length", str(len(reply.body) + reply.cut))
        status = f"{reply.status} {HTTPStatus(reply.status).phrase}"
        start_response(status, [*reply.headers, length])
        return [] if seen.method == "HEAD" else [reply.body]


def hand_on(seen: Seen, port: int) -> Reply:
    """Let another server on loopback answer a request.

    Raises:
        ResetError: it did not answer.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(seen.method, seen.uri, seen.body or None, seen.headers)
        answer = connection.getresponse()
        ours = ("content-length", "connection", "date", "server")
        headers = tuple(pair for pair in answer.getheaders() if pair[0].lower() not in ours)
        return Reply(answer.status, answer.read(), headers)
    except (OSError, HTTPException) as error:
        raise ResetError from error
    finally:
        connection.close()


def _seen(environ: WSGIEnvironment) -> Seen:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or (name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value)
    }
    return Seen(
        environ["REQUEST_METHOD"],
        environ["REQUEST_URI"],
        environ["PATH_INFO"].encode("latin-1").decode("utf-8"),
        environ.get("QUERY_STRING", ""),
        headers,
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
    )


class _QuietHandler(WSGIRequestHandler):
    """Keeps connections alive as CI does, and logs nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, *_: object) -> None:
        pass
