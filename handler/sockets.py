"""A connection that is opened, written and read within a deadline.

A socket's own time-out bounds one read: a server that sends a byte each second never exceeds it.
The look-up of a name has no time-out, and each address has its own. Here all share one deadline.
"""

from __future__ import annotations

import io
import select
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from handler.errors import NoAnswerError, Stage
from handler.parallel import within

if TYPE_CHECKING:
    import ssl  # at run time it is imported for the first https request

    from _typeshed import WriteableBuffer

Address: TypeAlias = (
    "tuple[socket.AddressFamily, socket.SocketKind, int, str, "
    "tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]"
)
"""An entry of socket.getaddrinfo."""


class Origin(NamedTuple):
    """Where a connection leads. scheme: http or https. host: without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def netloc(self) -> str:
        """As a Host header has it: without a port that is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        is_default = self.port == (443 if self.scheme == "https" else 80)
        return host if is_default else f"{host}:{self.port}"


class Deadline:
    """A moment of a monotonic clock, so many seconds from now.

    longest_s: after how many seconds it comes at the latest, however often it is extended.
    """

    __slots__ = ("_ends_at", "_latest", "_monotonic", "seconds")

    def __init__(
        self, seconds: float, monotonic: Callable[[], float], longest_s: float = float("inf")
    ) -> None:
        self.seconds = seconds
        self._monotonic = monotonic
        now = monotonic()
        self._latest = now + longest_s
        self._ends_at = now + min(seconds, longest_s)

    @property
    def has_passed(self) -> bool:
        """Whether nothing is left."""
        return self._ends_at <= self._monotonic()

    def left(self) -> float:
        """Seconds until then.

        Raises:
            TimeoutError: it has passed.
        """
        left = self._ends_at - self._monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left

    def extend(self, seconds: float) -> None:
        """Put it off."""
        self._ends_at = min(self._ends_at + seconds, self._latest)

    def at_most(self, seconds: float) -> Deadline:
        """An earlier one: so many seconds from now, if that comes first."""
        left = self._ends_at - self._monotonic()
        return Deadline(min(seconds, left), self._monotonic)


class Connection:
    """A connected socket. http.client reads an answer through `makefile`.

    Attributes:
        deadline: of the request under way.
        idle_since: epoch seconds at which its last answer had been read; None where it is new.
    """

    __slots__ = ("_bytes_per_s", "_silence_s", "_socket", "deadline", "idle_since")

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self.begin(deadline)
        self.idle_since: float | None = None

    def begin(
        self,
        deadline: Deadline,
        silence_s: float = float("inf"),
        bytes_per_s: float = float("inf"),
    ) -> None:
        """Start a request. silence_s: how long the peer may be silent, until its first byte.
        bytes_per_s: each byte that is transferred puts the deadline off by its share, so that a
        large body may take longer, and one that drips may not."""
        self.deadline = deadline
        self._silence_s = silence_s
        self._bytes_per_s = bytes_per_s

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError, TimeoutError included."""
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(min(self.deadline.left(), self._silence_s))
            count = self._socket.send(rest)
            self.deadline.extend(count / self._bytes_per_s)
            rest = rest[count:]

    def receive_into(self, buffer: WriteableBuffer) -> int:
        """Receive what there is; 0 at the end. Raises OSError, TimeoutError included."""
        self._socket.settimeout(min(self.deadline.left(), self._silence_s))
        count = self._socket.recv_into(buffer)
        self.deadline.extend(count / self._bytes_per_s)
        self._silence_s = float("inf")
        return count

    def makefile(self, mode: str) -> io.BufferedReader:
        """The answer to one request; closing it leaves the connection open."""
        return io.BufferedReader(_Reader(self))

    def is_quiet(self) -> bool:
        """Whether there is nothing to read: an idle one that can be read was closed by the peer."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class _Reader(io.RawIOBase):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return self._connection.receive_into(buffer)


Permits: TypeAlias = Callable[[str, str], bool]
"""Whether a connection may be opened, by the host and the IP address that it would lead to."""


def permit_all(host: str, address: str) -> bool:
    """Any host, any address."""
    return True


def connect(
    origin: Origin,
    deadline: Deadline,
    tls: Callable[[], ssl.SSLContext],
    permits: Permits = permit_all,
) -> Connection:
    """Open a connection. tls: makes the context for https. permits: asked about each address that
    the name resolves to; the connection leads to one that it was asked about.

    Raises:
        NoAnswerError: there is no connection, so nothing was sent.
    """
    context = _context(origin, tls) if origin.scheme == "https" else None
    found = _addresses(origin, deadline)
    allowed = [address for address in found if permits(origin.host, str(address[4][0]))]
    if found and not allowed:
        raise _unconnected(origin, "address", "its address is not a public one")
    connected = _connect_to_any(origin, allowed, deadline)
    if context is not None:
        connected = _encrypt(origin, connected, deadline, context)
    return Connection(connected, deadline)


def _context(origin: Origin, tls: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    try:
        return tls()
    except OSError as error:  # an SSLError is one too
        raise _unconnected(origin, "tls", "the trusted certificates can not be read") from error


def _addresses(origin: Origin, deadline: Deadline) -> Sequence[Address]:
    def look_up(flags: int = 0) -> Sequence[Address]:
        # As bytes: of a text the IDNA codec is asked, whose import is a part of a cold start.
        host = origin.host.encode("ascii")
        return socket.getaddrinfo(host, origin.port, type=socket.SOCK_STREAM, flags=flags)

    try:
        return look_up(socket.AI_NUMERICHOST)  # an address needs no resolver, and no thread
    except (OSError, UnicodeError):
        pass
    try:
        return within(deadline.left(), look_up)
    except TimeoutError as error:
        raise _unconnected(
            origin, "name", f"its name was not resolved within {deadline.seconds:.2g} s"
        ) from error
    except (OSError, UnicodeError) as error:
        raise _unconnected(origin, "name", "its name can not be resolved") from error


def _connect_to_any(
    origin: Origin, addresses: Sequence[Address], deadline: Deadline
) -> socket.socket:
    """Each address gets an equal share of what is left, so that silent ones leave time for one that
    answers."""
    failure: OSError = TimeoutError()
    for index, address in enumerate(addresses):
        try:
            return _connect_to(address, deadline.left() / (len(addresses) - index))
        except OSError as error:
            failure = error
    raise _unconnected(origin, "connection", _why_unconnected(failure, deadline)) from failure


def _connect_to(address: Address, timeout_s: float) -> socket.socket:
    family, kind, protocol, _, where = address
    connected = socket.socket(family, kind, protocol)
    try:
        connected.settimeout(timeout_s)
        connected.connect(where)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connected.close()
        raise
    return connected


def _why_unconnected(failure: OSError, deadline: Deadline) -> str:
    if isinstance(failure, TimeoutError):
        return f"no connection within {deadline.seconds:.2g} s"
    if isinstance(failure, ConnectionRefusedError):
        return "no connection: refused"
    return f"no connection: {failure.strerror or type(failure).__name__}"


def _encrypt(
    origin: Origin, connected: socket.socket, deadline: Deadline, context: ssl.SSLContext
) -> socket.socket:
    import ssl

    try:
        connected.settimeout(deadline.left())
        host = origin.host.encode("ascii")  # as bytes, for the reason above
        encrypted = context.wrap_socket(connected, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        connected.close()
        words = f"its TLS certificate is not trusted ({error.verify_message})"
        raise _unconnected(origin, "tls", words) from error
    except (OSError, ValueError) as error:  # ValueError: no name that TLS can send
        connected.close()
        is_late = isinstance(error, TimeoutError)
        words = f"no TLS within {deadline.seconds:.2g} s" if is_late else "TLS failed"
        raise _unconnected(origin, "tls", words) from error
    return encrypted


def _unconnected(origin: Origin, stage: Stage, words: str) -> NoAnswerError:
    return NoAnswerError(origin.host, words, may_have_arrived=False, stage=stage)
