"""What a StoreError of COS says: what failed, and what to do about it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from qcloud_cos.cos_exception import CosClientError

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from handler.connections import Patience
from handler.errors import StoreError
from handler.ledger import cos, cos_errors
from handler.ledger.bucket import BucketAddress, Credentials
from handler.ledger.cos import CosStore, Timing
from handler.ledger.transport import NotFromCosError
from tests.alert_services import closed_port, self_signed
from tests.fake_cos import BUCKET, NO_PAUSES, REGION
from tests.peer import GOOD, Peer, peer

HOST = f"{BUCKET}.cos.{REGION}.myqcloud.com"
BEIJING = f"{BUCKET}.cos.ap-beijing.myqcloud.com"


def store(port: int | None = None) -> CosStore:
    """A store on loopback; by its real name where there is no port."""
    endpoint = ("127.0.0.1", port) if port else None
    place = BucketAddress(BUCKET, "ci/", REGION, endpoint)
    return CosStore(place, Credentials(SECRET_ID, SECRET_KEY, ""), NO_PAUSES)


def failure(of: CosStore) -> StoreError:
    """The error of a put that must fail."""
    with pytest.raises(StoreError) as caught:
        of.put("a", b"1")
    assert caught.value.retryable
    return caught.value


def redirect(status: int, location: str) -> bytes:
    """An answer of COS that leads elsewhere."""
    head = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nx-cos-request-id: r\r\n"
    return f"{head}Content-Length: 0\r\n\r\n".encode()


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """Let every name resolve to a port of loopback, or to nothing."""

    def resolve_to(port: int | None) -> None:
        def look_up(host: str, *_: object, **__: object) -> list[object]:
            if port is None or host == "127.0.0.1":
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return resolve_to


def test_a_name_that_can_not_be_resolved(resolve: Callable[[int | None], None]) -> None:
    """A wrong region or bucket, or a network without DNS."""
    resolve(None)
    assert str(failure(store())) == (
        f"put a: {HOST}: its name can not be resolved; check COS_REGION and the bucket's name, and"
        " the DNS of the function's network"
    )


def test_a_refused_connection(resolve: Callable[[int | None], None]) -> None:
    """A network that lets nothing out, or a wrong COS_ENDPOINT."""
    expected = "no connection: refused; check the function's network (VPC, NAT, security group), or"
    assert expected in str(failure(store(closed_port())))
    resolve(closed_port())
    assert expected in str(failure(store()))


def test_a_certificate_that_is_not_trusted(resolve: Callable[[int | None], None]) -> None:
    """Something in between, or a clock that is wrong."""
    with self_signed("127.0.0.1") as (server_side, _), peer(tls=server_side) as there:
        resolve(there.port)
        error = str(failure(store()))
    assert f"{HOST}: its TLS certificate is not trusted" in error
    assert "check the clock, and whether something between here and COS intercepts TLS" in error


def test_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A COS that hangs."""
    monkeypatch.setattr(cos, "PATIENCE", Patience(0.2, 0.2, 0.2))
    with peer(b"", b"", b"") as there:
        assert str(failure(store(there.port))) == ("put a: 127.0.0.1: no whole answer within 0.2 s")


def test_an_answer_that_breaks_off() -> None:
    """On each of three tries."""
    with peer(None, None, None) as there:
        assert str(failure(store(there.port))) == "put a: 127.0.0.1: the connection broke"
        assert len(there.requests) == 3


@pytest.mark.parametrize(
    ("location", "words"),
    [
        (
            f"https://{BUCKET}.cos.ap-beijing.myqcloud.com/a",
            f"{BUCKET}.cos.ap-beijing.myqcloud.com",
        ),
        ("https://evil\x1b[31m/", "another address"),
        ("/elsewhere", "another address"),
        ("", "another address"),
    ],
)
def test_a_redirect_is_not_followed_and_not_tried_again(location: str, words: str) -> None:
    """The bucket is in another region: trying again leads to the same answer."""
    with peer(redirect(301, location)) as there:
        error = failure(store(there.port))
        assert len(there.requests) == 1
    assert error.status == 301
    assert str(error) == (
        f"put a: COS redirects to {words}: the bucket is in another region; set COS_REGION"
        " (HTTP 301 Redirect)"
    )


@pytest.mark.parametrize(
    ("status", "words"),
    [(300, "COS redirects to another address"), (399, "COS redirects"), (299, "something other")],
)
def test_every_3xx_is_a_redirect(status: int, words: str) -> None:
    """And nothing else is."""
    error = CosClientError("secret")
    error.__context__ = NotFromCosError(status, "")
    made = cos_errors.not_sent_or_answered("get", "a", error)
    assert made.operation == "get"
    assert str(made).startswith(f"get a: {words}")


def test_a_fault_within_the_sdk_is_named() -> None:
    """By its class: its text may hold anything."""
    error = CosClientError("secret")
    error.__context__ = KeyError("secret")
    made = cos_errors.not_sent_or_answered("put", "a", error)
    assert str(made) == "put a: the SDK did not send it (KeyError)"


@pytest.mark.parametrize(
    ("digest", "origin", "code"),
    [
        ({"code": "NoSuchKey"}, "<Code>Other</Code>", "NoSuchKey"),
        ({"code": ""}, "<Code> SlowDown </Code>", "SlowDown"),
        ({}, "<Code>SlowDown</Code>", "SlowDown"),
        ("no digest", "<Code>SlowDown</Code>", "SlowDown"),
        ({}, "<Code>a b</Code>", ""),
        ({}, b"", ""),
    ],
)
def test_the_code_is_the_digests_or_that_of_the_body(
    digest: object, origin: object, code: str
) -> None:
    """The SDK reads no code from an error without <Resource>."""
    error = SimpleNamespace(
        get_status_code=lambda: 404,
        get_digest_msg=lambda: digest,
        get_origin_msg=lambda: origin,
    )
    made = cos_errors.refused("get", "a", error)
    assert (made.operation, made.key, made.status, made.code) == ("get", "a", 404, code)


def test_a_temporary_redirect_is_tried_again() -> None:
    """COS sends one while a new bucket's name spreads."""
    with peer(redirect(307, ""), redirect(307, "")) as there:
        store(there.port).put("a", b"1")
        assert len(there.requests) == 3


def test_something_other_than_cos() -> None:
    """A proxy's page, or a wrong COS_ENDPOINT: a 200 of it is no success."""
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>"
    with peer(page, page, page) as there:
        assert str(failure(store(there.port))) == (
            "put a: something other than COS answered, with HTTP 200; check COS_ENDPOINT, and what"
            " is between here and COS"
        )


def test_an_answer_that_the_sdk_can_not_read() -> None:
    """A listing that is no XML."""
    broken = b"HTTP/1.1 200 OK\r\nx-cos-request-id: r\r\nContent-Length: 3\r\n\r\n<a>"
    with peer(broken, broken, broken) as there, pytest.raises(StoreError) as caught:
        list(store(there.port).list("o/"))
    assert str(caught.value) == "list o/: COS's answer can not be read (PayloadError)"


def test_no_error_shows_the_credentials() -> None:
    """Nor does its cause."""
    with peer(None, None, None) as there:
        error = failure(store(there.port))
    while error is not None:
        assert SECRET_KEY not in repr(error)
        error = error.__cause__  # type: ignore[assignment]  # whatever it is, it is looked at


# --- one budget for all tries ---


def slow(seconds: float, there: Peer) -> CosStore:
    """A store whose every look at its monotonic clock finds so much gone."""
    now = [0.0]

    def monotonic() -> float:
        return now[0]

    def sleep(pause: float) -> None:
        now[0] += pause

    place = BucketAddress(BUCKET, "ci/", REGION, ("127.0.0.1", there.port))
    made = CosStore(
        place, Credentials(SECRET_ID, SECRET_KEY, ""), Timing(sleep, lambda: 1.0, monotonic)
    )
    there.on_request = lambda: now.__setitem__(0, now[0] + seconds)
    return made


@pytest.mark.parametrize(("seconds", "tries"), [(0.0, 3), (3.0, 3), (4.9, 2), (7.0, 1)])
def test_all_tries_of_an_operation_share_one_budget(seconds: float, tries: int) -> None:
    """No try begins that could not end within OPERATION_S."""
    with peer(*[GOOD.replace(b"200 OK", b"503 Slow")] * 4) as there:
        with pytest.raises(StoreError):
            slow(seconds, there).put("a", b"1")
        assert len(there.requests) == tries
