"""Kept connections that die, and one deadline for a whole request."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from handler.connections import IDLE_BEFORE_POST_S, IDLE_S, Connections, Patience, Request
from handler.errors import NoAnswerError
from handler.sockets import Connection, Deadline, Origin
from tests.alert_services import closed_port, self_signed
from tests.peer import GOOD, Death, Peer, peer, silent_port

PATIENT = Patience(whole_s=20, connect_s=10, silent_s=10)
QUICK = Patience(whole_s=20, connect_s=10, silent_s=0.2)
HASTY = Patience(whole_s=0.3, connect_s=0.3, silent_s=0.1)


class Clock:
    """Epoch seconds that stand still unless they are moved."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool(clock: Clock) -> Iterator[Connections]:
    connections = Connections(clock)
    yield connections
    connections.close()


def request(port: int, method: str = "GET", body: bytes = b"", target: str = "/key") -> Request:
    """A request to loopback."""
    return Request(method, Origin("http", "127.0.0.1", port), target, {}, body)


def fill(pool: Connections, there: Peer, count: int) -> None:
    """Make so many idle connections, by requests at one moment."""
    together = threading.Barrier(count)
    there.answers = [b""] * count

    def ask() -> None:
        together.wait()
        pool.exchange(request(there.port), PATIENT)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    there.wait_for_requests(count)
    for accepted in there.accepted:
        accepted.sendall(GOOD)
    for thread in threads:
        thread.join()


# --- connections that are kept ---


def test_a_connection_is_used_again(pool: Connections) -> None:
    """Three requests, one connection."""
    with peer() as there:
        answers = [pool.exchange(request(there.port), PATIENT) for _ in range(3)]
        assert there.connections == 1
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"hi")] * 3


@pytest.mark.parametrize("death", ["reset", "silence", "fin"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_a_dead_idle_connection_costs_no_request(
    pool: Connections, death: Death, method: str
) -> None:
    """As after a freeze or behind a NAT: the request is answered over a new connection."""
    with peer() as there:
        pool.exchange(request(there.port), PATIENT)
        there.forget(death)
        there.answers = [GOOD.removesuffix(b"hi")] if method == "HEAD" else []
        assert pool.exchange(request(there.port, method, b""), QUICK).status == 200
        assert there.connections == 2
        assert len(there.requests) == 2


@pytest.mark.parametrize("death", ["reset", "silence"])
def test_one_failure_drops_all_idle_connections_of_the_host(
    pool: Connections, death: Death
) -> None:
    """They have been idle for longer, and most probably died with it."""
    with peer() as there, peer() as elsewhere:
        fill(pool, there, 4)
        pool.exchange(request(elsewhere.port), PATIENT)
        there.forget(death)
        for _ in range(8):
            assert pool.exchange(request(there.port), QUICK).status == 200
        assert there.connections == 5
        pool.exchange(request(elsewhere.port), PATIENT)
        assert elsewhere.connections == 1


def test_requests_at_one_moment_each_recover_from_a_dead_connection(pool: Connections) -> None:
    """Each of them has taken a dead one before the first failure is known."""
    with peer() as there:
        fill(pool, there, 4)
        there.forget("reset")
        statuses: list[int] = []
        threads = [
            threading.Thread(
                target=lambda: statuses.append(pool.exchange(request(there.port), QUICK).status)
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [200] * 4


def test_a_slow_answer_that_has_begun_is_not_taken_for_silence(pool: Connections) -> None:
    """A peer that has sent a byte is alive, and has the whole time."""
    with peer() as there:
        pool.exchange(request(there.port), PATIENT)
        there.answers = [b"HTTP/1.1 200 OK\r\n"]
        rest = threading.Timer(0.6, lambda: there.accepted[0].sendall(b"Content-Length: 0\r\n\r\n"))
        rest.start()
        assert pool.exchange(request(there.port), QUICK).status == 200
        rest.join()
        assert there.connections == 1


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("death", ["reset", "silence", "fin"])
def test_a_request_that_may_not_be_repeated_is_sent_once(
    pool: Connections, method: str, death: Death
) -> None:
    """CI would run the job twice: the failure is reported, and may have arrived."""
    with peer() as there:
        pool.exchange(request(there.port), PATIENT)
        there.answers = [None] if death == "fin" else []
        if death != "fin":
            there.forget(death)
        with pytest.raises(NoAnswerError) as caught:
            pool.exchange(request(there.port, method, b"job"), QUICK)
        assert caught.value.may_have_arrived
        assert there.connections == 1
        assert pool.exchange(request(there.port, method, b"job"), QUICK).status == 200
        assert there.connections == 2


def test_a_post_uses_a_connection_only_right_after_another_request(
    pool: Connections, clock: Clock
) -> None:
    """One that has been idle may be dead, and a POST could not be sent again."""
    with peer() as there:
        pool.exchange(request(there.port), PATIENT)
        clock.now += IDLE_BEFORE_POST_S
        pool.exchange(request(there.port, "POST", b"job"), PATIENT)
        assert there.connections == 1
        clock.now += IDLE_BEFORE_POST_S + 1
        pool.exchange(request(there.port, "POST", b"job"), PATIENT)
        assert there.connections == 2


@pytest.mark.parametrize("passed_s", [IDLE_S + 1, 3600, -1])
def test_an_idle_connection_that_is_too_old_is_closed(
    pool: Connections, clock: Clock, passed_s: float
) -> None:
    """Too old, or of an age that a clock set back does not show."""
    with peer() as there:
        fill(pool, there, 3)
        clock.now += passed_s
        pool.exchange(request(there.port), PATIENT)
        assert there.connections == 4
        assert there.open_ones() == 1


def test_an_idle_connection_that_is_young_is_used(pool: Connections, clock: Clock) -> None:
    """Up to the bound."""
    with peer() as there:
        pool.exchange(request(there.port), PATIENT)
        clock.now += IDLE_S
        pool.exchange(request(there.port), PATIENT)
        assert there.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    ],
)
def test_an_answer_that_ends_its_connection_ends_it(pool: Connections, answer: bytes) -> None:
    """Connection: close, or HTTP/1.0."""
    with peer(answer) as there:
        pool.exchange(request(there.port), PATIENT)
        pool.exchange(request(there.port), PATIENT)
        assert there.connections == 2


@pytest.mark.parametrize(
    ("answer", "limit"),
    [
        (GOOD, 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", 3),
    ],
)
def test_a_connection_whose_answer_was_not_read_whole_is_not_used_again(
    pool: Connections, answer: bytes, limit: int
) -> None:
    """The rest of it would be taken for the next answer."""
    with peer(answer) as there:
        assert len(pool.exchange(request(there.port), PATIENT, limit).body) == limit
        assert pool.exchange(request(there.port), PATIENT).body == b"hi"
        assert there.connections == 2


# --- answers that break off ---


@pytest.mark.parametrize("limit", [None, 1000])
@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"nonsense\r\n\r\n",
        GOOD.replace(b"Length: 2", b"Length: 3"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    ],
    ids=["closed", "nonsense", "cut", "cut chunk", "no chunk", "200 headers", "long header"],
)
def test_an_answer_that_breaks_off_is_none(
    pool: Connections, answer: bytes | None, limit: int | None
) -> None:
    """Must raise, and the connection is not used again."""
    with peer(answer, answer) as there:
        with pytest.raises(NoAnswerError) as caught:
            pool.exchange(request(there.port), HASTY, limit)
        assert caught.value.may_have_arrived
        there.answers = []
        assert pool.exchange(request(there.port), PATIENT).status == 200
        assert there.connections == 2


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: 1", "/a\nb", "/\0", "/é中", ""])
def test_a_target_that_breaks_the_request_line_is_not_sent(pool: Connections, target: str) -> None:
    """Must raise before there is a connection."""
    with peer() as there:
        with pytest.raises(NoAnswerError) as caught:
            pool.exchange(request(there.port, target=target), PATIENT)
        assert (caught.value.stage, caught.value.may_have_arrived) == ("address", False)
        assert there.connections == 0


# --- one deadline ---


@contextmanager
def names(monkeypatch: pytest.MonkeyPatch, *ports: int) -> Iterator[None]:
    """Every name resolves to these ports of loopback; never, where there are none."""
    forever = threading.Event()

    def look_up(host: str, port: int, *, flags: int = 0, **_: object) -> list[object]:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "a name")
        if not ports:
            forever.wait(60)
        address = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*address, ("127.0.0.1", peer_port)) for peer_port in ports]

    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", look_up)
        try:
            yield
        finally:
            forever.set()


def by_name(scheme: str = "http", host: str = "cos.example") -> Request:
    """A request whose host must be looked up."""
    return Request("GET", Origin(scheme, host, 80), "/", {})


def failure(pool: Connections, asked: Request, patience: Patience = HASTY) -> NoAnswerError:
    """The error of a request that must fail."""
    with pytest.raises(NoAnswerError) as caught:
        pool.exchange(asked, patience)
    return caught.value


def test_a_slow_look_up_ends_with_the_deadline(
    pool: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resolver may take half a minute, and can't be stopped."""
    with names(monkeypatch):
        error = failure(pool, by_name())
    assert (error.stage, error.may_have_arrived) == ("name", False)
    assert str(error) == "cos.example: its name was not resolved within 0.3 s"


def test_a_name_that_does_not_exist_says_so(pool: Connections) -> None:
    """Nothing was sent."""
    error = failure(pool, by_name(host="nowhere.invalid"), PATIENT)
    assert (error.stage, error.may_have_arrived) == ("name", False)
    assert str(error) == "nowhere.invalid: its name can not be resolved"


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..b", "\udcff"])
def test_a_name_that_can_not_be_one_says_so(pool: Connections, host: str) -> None:
    """The codec of host names refuses it."""
    assert failure(pool, by_name(host=host), PATIENT).stage in ("name", "address")


def test_silent_addresses_share_the_deadline(
    pool: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four of them take no longer than one."""
    with silent_port() as port, names(monkeypatch, *[port] * 4):
        error = failure(pool, by_name())
    assert (error.stage, error.may_have_arrived) == ("connection", False)
    assert str(error) == "cos.example: no connection within 0.3 s"


def test_an_address_that_answers_is_reached_behind_silent_ones(
    pool: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The silent ones leave it its share of the time."""
    patience = Patience(whole_s=20, connect_s=2, silent_s=10)
    with (
        silent_port() as port,
        peer() as there,
        names(monkeypatch, port, closed_port(), there.port),
    ):
        assert pool.exchange(by_name(), patience).status == 200


def test_an_address_of_a_family_that_this_machine_lacks_is_passed_over(
    pool: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name may have IPv6 addresses where there is no IPv6."""
    with peer() as there, names(monkeypatch, there.port):
        usual = socket.getaddrinfo

        def look_up(host: str, port: int, *, flags: int = 0, **more: int) -> list[object]:
            addresses = usual(host, port, flags=flags, **more)
            return [(99, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)), *addresses]

        with monkeypatch.context() as patched:
            patched.setattr(socket, "getaddrinfo", look_up)
            assert pool.exchange(by_name(), PATIENT).status == 200


def test_a_process_without_free_descriptors_says_so(
    pool: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Must raise what its callers expect, and no OSError."""

    def refuse(*_: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(socket, "socket", refuse)
        error = failure(pool, request(1))
    assert str(error) == "127.0.0.1: no connection: Too many open files"
    assert error.may_have_arrived is False


def test_certificates_that_can_not_be_read_are_an_error_before_there_is_a_connection() -> None:
    """A bundle without certifi's file."""

    def missing() -> Any:
        raise FileNotFoundError("cacert.pem")

    pool = Connections(make_tls_context=missing)
    with peer() as there:
        error = failure(pool, tls_request(there.port))
        assert there.connections == 0
    assert (error.stage, error.may_have_arrived) == ("tls", False)


def test_a_refused_connection_says_so(pool: Connections) -> None:
    """Nothing was sent."""
    error = failure(pool, request(closed_port()))
    assert (error.stage, error.may_have_arrived) == ("connection", False)
    assert str(error) == "127.0.0.1: no connection: refused"


@pytest.mark.parametrize("at", [1, 9, 17, 40, 60])
def test_an_answer_that_drips_ends_with_the_deadline(pool: Connections, at: int) -> None:
    """In its status line, its headers, or its body: a byte now and then keeps no request alive."""
    answer = GOOD.replace(b"Length: 2", b"Length: 9000") + b"x" * 9000
    stop = threading.Event()

    def drip(there: Peer) -> None:
        there.wait_for_requests(1)
        sent = at
        while not stop.wait(0.02):
            there.accepted[0].sendall(answer[sent : sent + 1])
            sent += 1

    patience = Patience(0.3, 0.3, 0.1, bytes_per_s=256 * 1024)
    with peer(answer[:at]) as there:
        thread = threading.Thread(target=drip, args=(there,), daemon=True)
        thread.start()
        try:
            error = failure(pool, request(there.port), patience)
        finally:
            stop.set()
            thread.join()
    assert (error.stage, error.may_have_arrived) == ("time", True)
    assert str(error) == "127.0.0.1: no whole answer within 0.3 s"


def test_a_request_that_is_not_read_ends_with_the_deadline(pool: Connections) -> None:
    """A peer that stops reading blocks the sender once the buffers are full."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        error = failure(pool, request(port, "PUT", b"x" * 30_000_000))
    assert error.stage == "time"


def test_what_is_transferred_puts_the_deadline_off_and_a_drip_does_not() -> None:
    """256 KiB a second: a megabyte gives four seconds more, a byte nothing to speak of."""
    now = [0.0]
    deadline = Deadline(5.0, lambda: now[0])
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = Connection(ours, deadline)
        connection.begin(deadline, bytes_per_s=256 * 1024)
        reader = threading.Thread(target=lambda: theirs.recv(1 << 20, socket.MSG_WAITALL))
        reader.start()
        connection.send(b"x" * (1 << 20))
        reader.join()
        assert deadline.left() == pytest.approx(9.0)
        theirs.sendall(b"x")
        assert connection.receive_into(bytearray(10)) == 1
        assert deadline.left() == pytest.approx(9.0, abs=0.001)
        now[0] = 9.1
        with pytest.raises(TimeoutError):
            connection.receive_into(bytearray(10))


# --- TLS ---


def tls_request(port: int) -> Request:
    """A request by https to loopback."""
    return Request("GET", Origin("https", "127.0.0.1", port), "/key", {})


@contextmanager
def tls_peer(address: str = "127.0.0.1") -> Iterator[tuple[Peer, Connections]]:
    """A peer with a certificate for an address, and a pool that trusts it."""
    with self_signed(address) as (server_side, trusting), peer(tls=server_side) as there:
        pool = Connections(make_tls_context=lambda: trusting)
        yield there, pool
        pool.close()


def test_tls_connections_are_kept() -> None:
    """Two requests, one handshake."""
    with tls_peer() as (there, pool):
        for _ in range(2):
            assert pool.exchange(tls_request(there.port), PATIENT).body == b"hi"
        assert there.connections == 1


def test_a_dead_tls_connection_costs_no_request() -> None:
    """As without TLS."""
    with tls_peer() as (there, pool):
        pool.exchange(tls_request(there.port), PATIENT)
        there.forget("silence")
        assert pool.exchange(tls_request(there.port), QUICK).body == b"hi"
        assert there.connections == 2


def test_a_certificate_that_is_not_trusted_is_refused(pool: Connections) -> None:
    """Must raise: nothing is sent to whoever intercepts. The pool trusts the public authorities."""
    with tls_peer() as (there, _):
        error = failure(pool, tls_request(there.port), PATIENT)
        assert there.requests == []
    assert (error.stage, error.may_have_arrived) == ("tls", False)
    assert "its TLS certificate is not trusted" in str(error)


def test_a_certificate_of_another_host_is_refused() -> None:
    """Must raise, although its authority is trusted."""
    with tls_peer("127.0.0.2") as (there, pool):
        error = failure(pool, tls_request(there.port), PATIENT)
        assert there.requests == []
    assert "its TLS certificate is not trusted" in str(error)


def test_a_handshake_that_hangs_ends_with_the_deadline(pool: Connections) -> None:
    """A peer that never answers the first message of TLS."""
    patience = Patience(whole_s=1, connect_s=1, silent_s=1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        error = failure(pool, tls_request(listener.getsockname()[1]), patience)
    assert (error.stage, error.may_have_arrived) == ("tls", False)
    assert str(error) == "127.0.0.1: no TLS within 1 s"


def test_a_slow_transfer_ends_with_the_time_that_the_caller_has() -> None:
    """However much is transferred: the platform ends the function then."""
    now = [0.0]
    deadline = Deadline(5.0, lambda: now[0], longest_s=6.0)
    deadline.extend(20.0)
    assert deadline.left() == 6.0
    assert Deadline(5.0, lambda: now[0], longest_s=2.0).left() == 2.0
    with pytest.raises(TimeoutError):
        Deadline(5.0, lambda: now[0], longest_s=0.0).left()
