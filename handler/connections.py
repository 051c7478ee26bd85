"""HTTP/1.1 over connections that are kept, each request within one deadline.

    an idle connection of the host, young enough? ── yes: send on it ── answer: keep it
         │ no                                              └─ none: close all idle ones of the host
         └──────────────────────────────────────────────────────┴─► connect, send, answer

An idle connection can be dead although it looks open: a NAT has forgotten it, or the peer closed it
while this process was frozen, so that no FIN arrived. The next request on it is met by a reset, or
by silence (reported for other clients: aws-sdk-js-v3#1196, botocore#2787, cos-nodejs-sdk#113). So a
failure on a connection that was used before says nothing about the server: a request that may be
repeated is sent again on a new connection, within the same deadline. A POST may not be repeated: it
uses a connection only right after another request, and is sent once.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from handler import answers
from handler.answers import Answer as Answer
from handler.errors import NoAnswerError
from handler.sockets import Connection, Deadline, Origin, Permits, connect, permit_all

if TYPE_CHECKING:
    import ssl  # at run time it is imported for the first https request

IDLE_S = 45.0
"""How long an idle connection is kept: less than a minute, the shortest idle time-out that load
balancers and NATs are commonly set to."""

IDLE_BEFORE_POST_S = 2.0
"""How long a connection may have been idle to carry a request that can't be repeated."""

REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""Methods whose request has the same effect when it arrives twice (RFC 9110, 9.2.2)."""

POOL_SIZE = 32
"""Idle connections of one host."""

UNBOUNDED = float("inf")


class Patience(NamedTuple):
    """How long a request may take, in seconds.

    whole_s: all of it. connect_s: the part for look-up, connection and TLS. silent_s: silence on a
    connection that was used before, after which it counts as dead. bytes_per_s: the slowest
    transfer that is waited for: what is transferred adds its size divided by it to whole_s.
    """

    whole_s: float
    connect_s: float
    silent_s: float
    bytes_per_s: float = UNBOUNDED


class Request(NamedTuple):
    """target: path and query, percent-encoded. headers: sent as they are, with Host,
    Accept-Encoding and Content-Length where they are missing."""

    method: str
    origin: Origin
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


def _tls_context() -> ssl.SSLContext:
    """Certificates and host names are checked, against the authorities of certifi.

    The bundle has them in a folder, of which OpenSSL reads only what a server's chain needs
    (tools/trusted_certificates.py). Elsewhere certifi's one file is read whole, which takes 20 ms.
    """
    import os
    import ssl

    folder = os.path.join(os.path.dirname(__file__), "ca")
    if os.path.isdir(folder):
        return ssl.create_default_context(capath=folder)
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


class Connections:
    """The connections of a process. Threads may share it: each request has a connection to itself,
    and gives it back once its answer is read whole."""

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        make_tls_context: Callable[[], ssl.SSLContext] = _tls_context,
        permits: Permits = permit_all,
    ) -> None:
        """clock: epoch seconds, for the age of idle connections, since a monotonic clock may stand
        still while the process is frozen. monotonic: for deadlines. make_tls_context: called once,
        for the first https request. permits: to which addresses a connection may lead."""
        self._permits = permits
        self._clock = clock
        self._monotonic = monotonic
        self._make_tls_context = make_tls_context
        self._idle: dict[Origin, list[Connection]] = {}
        self._lock = threading.Lock()
        self._tls_context: ssl.SSLContext | None = None
        weakref.finalize(self, _close_all, self._idle)

    def exchange(
        self,
        request: Request,
        patience: Patience,
        limit: int | None = None,
        longest_s: float = UNBOUNDED,
    ) -> Answer:
        """Send a request; its answer, the body cut at `limit` bytes.

        longest_s: all of it, a slow transfer included.

        Raises:
            NoAnswerError: there was no whole answer in time.
        """
        head = _head(request)
        deadline = Deadline(patience.whole_s, self._monotonic, longest_s)
        idle = self._take_idle(request)
        if idle is not None:
            idle.begin(deadline, patience.silent_s, patience.bytes_per_s)
            try:
                return self._converse(idle, request, head, limit)
            except NoAnswerError:
                self._close_idle(request.origin)
                if request.method not in REPEATABLE or deadline.has_passed:
                    raise
        new = connect(
            request.origin, deadline.at_most(patience.connect_s), self._tls, self._permits
        )
        new.begin(deadline, bytes_per_s=patience.bytes_per_s)
        return self._converse(new, request, head, limit)

    def close(self) -> None:
        """Close the idle connections; a later request opens new ones."""
        with self._lock:
            _close_all(self._idle)

    def _converse(
        self, connection: Connection, request: Request, head: bytes, limit: int | None
    ) -> Answer:
        try:
            connection.send(head + request.body)
            answer, is_open = answers.read(connection.makefile("rb"), request.method, limit)
        except (OSError, ValueError) as error:
            connection.close()
            raise _unanswered(request.origin, connection.deadline, error) from error
        except BaseException:
            connection.close()
            raise
        if is_open:
            self._give_back(request.origin, connection)
        else:
            connection.close()
        return answer

    # --- idle connections, the one that was used last at the end ---

    def _take_idle(self, request: Request) -> Connection | None:
        if request.method in REPEATABLE:
            connection = self._pop(request.origin, IDLE_S)
            if connection is None:
                self._close_idle(request.origin)  # the others have been idle for longer
        else:
            connection = self._pop(request.origin, IDLE_BEFORE_POST_S)
        if connection is not None and not connection.is_quiet():
            connection.close()
            return None
        return connection

    def _pop(self, origin: Origin, idle_s: float) -> Connection | None:
        with self._lock:
            idle = self._idle.get(origin)
            # A clock that was set back says nothing about an age.
            if idle and 0 <= self._clock() - (idle[-1].idle_since or 0) <= idle_s:
                return idle.pop()
        return None

    def _give_back(self, origin: Origin, connection: Connection) -> None:
        connection.idle_since = self._clock()
        with self._lock:
            idle = self._idle.setdefault(origin, [])
            if len(idle) < POOL_SIZE:
                idle.append(connection)
                return
        connection.close()

    def _close_idle(self, origin: Origin) -> None:
        with self._lock:
            connections = self._idle.pop(origin, [])
        for connection in connections:
            connection.close()

    def _tls(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls_context is None:
                self._tls_context = self._make_tls_context()
            return self._tls_context


def _close_all(idle: dict[Origin, list[Connection]]) -> None:
    while idle:
        for connection in idle.popitem()[1]:
            connection.close()


def _head(request: Request) -> bytes:
    """The request up to its body.

    Raises:
        NoAnswerError: the target or a header can't be sent.
    """
    origin = request.origin
    given = {name.lower() for name in request.headers}
    added = {"Host": origin.netloc, "Accept-Encoding": "identity"}
    if request.body or request.method in ("PUT", "POST"):
        added["Content-Length"] = str(len(request.body))
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in added.items() if name.lower() not in given]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    head = "\r\n".join(lines)
    breaks = head.count("\r"), head.count("\n")
    try:
        blanks = " " in request.method + request.target
        if breaks != (len(lines) - 1,) * 2 or "\0" in head or blanks:
            raise ValueError("a line break or a blank within a line")
        if not request.target.startswith("/"):
            raise ValueError("no path")
        return head.encode("latin-1") + b"\r\n\r\n"
    except ValueError as error:
        words = "not sent: the address or a header is malformed"
        raise NoAnswerError(origin.host, words, False, "address") from error


def _unanswered(origin: Origin, deadline: Deadline, error: Exception) -> NoAnswerError:
    if isinstance(error, TimeoutError):
        words = f"no whole answer within {deadline.seconds:g} s"
        return NoAnswerError(origin.host, words, True, "time")
    words = "the connection broke" if isinstance(error, OSError) else "the answer is not HTTP"
    return NoAnswerError(origin.host, words, True)
