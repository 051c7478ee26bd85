"""The stand-in for COS itself: it does what its docstring says, to a client that is not ours."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from qcloud_cos import CosConfig, CosS3Auth

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from tests.fake_cos import BUCKET, LASTING_ERRORS, REGION, TRANSIENT_ERRORS, FakeCos, Fault, Seen

HOST = f"{BUCKET}.cos.{REGION}.myqcloud.com"


class Signed:
    """A request for the SDK's signer."""

    def __init__(self, method: str, headers: dict[str, str]) -> None:
        self.method, self.url, self.headers = method, "", headers


class Client:
    """The standard library's client on one connection, with the SDK's signature."""

    def __init__(self, cos: FakeCos, timeout_s: float = 10.0) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", cos.port, timeout=timeout_s)

    def ask(
        self, method: str, key: str = "", body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """Status and body. key: with its query."""
        path, _, query = key.partition("?")
        params = dict(pair.split("=") for pair in query.split("&")) if query else {}
        sent = {"Host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
        config = CosConfig(Region=REGION, SecretId=SECRET_ID, SecretKey=SECRET_KEY)
        CosS3Auth(config, path, params)(Signed(method, sent))
        target = f"/{quote(path)}?{query}" if query else f"/{quote(path)}"
        self.connection.request(method, target, body, sent)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def listing(self, query: str = "prefix=") -> list[str]:
        """The keys of a listing."""
        status, body = self.ask("GET", f"?{query}")
        assert status == 200, body
        tree = ElementTree.fromstring(body)
        return [element.text or "" for element in tree.iter() if element.tag.endswith("Key")]


@pytest.fixture
def connect(cos: FakeCos) -> Iterator[Callable[..., Client]]:
    """Makes clients, which are closed at the end."""
    made: list[Client] = []

    def connect(timeout_s: float = 10.0) -> Client:
        made.append(Client(cos, timeout_s))
        return made[-1]

    yield connect
    for made_client in made:
        made_client.connection.close()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    """One of them."""
    return connect()


def test_connections_are_kept_alive(cos: FakeCos, client: Client) -> None:
    """Errors and empty answers included."""
    before = cos.connections
    for _ in range(3):
        assert client.ask("PUT", "a", b"1")[0] == 200
        assert client.ask("GET", "a") == (200, b"1")
        assert client.ask("GET", "none")[0] == 404
        assert client.ask("DELETE", "a")[0] == 204
    assert cos.connections == before + 1


@pytest.mark.parametrize(("status", "code"), [*TRANSIENT_ERRORS, *LASTING_ERRORS])
def test_each_documented_error_is_answered_and_nothing_done(
    cos: FakeCos, client: Client, status: int, code: str
) -> None:
    """With its code."""
    with cos.faulty(lambda seen: Fault(before=(status, code))):
        answered, body = client.ask("PUT", "a", b"1")
    assert answered == status
    assert f"<Code>{code}</Code>".encode() in body
    assert cos.keys() == []


def test_forbid_overwrite_is_a_409_with_its_code(cos: FakeCos, client: Client) -> None:
    """And the first object stays."""
    header = {"x_cos_forbid_overwrite": "true"}
    assert client.ask("PUT", "a", b"1", **header)[0] == 200
    status, body = client.ask("PUT", "a", b"2", **header)
    assert (status, b"<Code>FileAlreadyExists</Code>" in body) == (409, True)
    assert cos.read("a") == b"1"


def test_a_wrong_signature_is_refused(cos: FakeCos, client: Client) -> None:
    """Of a header, that is."""
    client.connection.request("GET", "/a", headers={"Host": HOST, "Authorization": "x"})
    assert client.connection.getresponse().status == 403


def test_forgotten_connections_are_reset_when_they_are_used(
    cos: FakeCos, client: Client, connect: Callable[..., Client]
) -> None:
    """And not before: a client sees nothing of it."""
    client.ask("PUT", "a", b"1")
    assert cos.forget_idle("reset") >= 1
    with pytest.raises(ConnectionResetError):
        client.ask("GET", "a")
    assert connect().ask("GET", "a")[0] == 200


def test_forgotten_connections_are_silent_when_they_are_used(
    cos: FakeCos, connect: Callable[..., Client]
) -> None:
    """A request on one is not seen."""
    client = connect(timeout_s=0.2)
    client.ask("PUT", "a", b"1")
    seen = len(cos.seen)
    assert cos.forget_idle("silence") >= 1
    with pytest.raises(TimeoutError):
        client.ask("GET", "a")
    assert len(cos.seen) == seen


@pytest.mark.parametrize(("after", "keys"), [(False, []), (True, ["a"])])
def test_silence_keeps_the_connection_open(
    cos: FakeCos, connect: Callable[..., Client], after: bool, keys: list[str]
) -> None:
    """Before or after it is done."""
    client = connect(timeout_s=0.2)
    fault = Fault(silent_before=not after, silent_after=after)
    with cos.faulty(lambda seen: fault), pytest.raises(TimeoutError):
        client.ask("PUT", "a", b"1")
    assert cos.keys() == keys


def test_a_redirect_names_its_location(cos: FakeCos, client: Client) -> None:
    """Nothing is done."""
    with cos.faulty(lambda seen: Fault(redirect=(301, "https://elsewhere.example/"))):
        client.connection.request("PUT", "/a", b"1", {"Host": HOST})
        answer = client.connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, "https://elsewhere.example/")
    answer.read()
    assert cos.keys() == []


def test_a_late_write_lands_over_the_one_that_followed(
    cos: FakeCos, connect: Callable[..., Client]
) -> None:
    """Its answer was lost, its retry is done, and then it lands."""
    now = [1000.0]
    cos.clock = lambda: now[0]
    with cos.faulty(lambda seen: Fault(lands_after_s=3)), pytest.raises(ConnectionError):
        connect().ask("PUT", "a", b"late")
    client = connect()
    assert client.ask("GET", "a")[0] == 404
    client.ask("PUT", "a", b"retry")
    now[0] += 2.9
    assert client.ask("GET", "a") == (200, b"retry")
    now[0] += 0.1
    assert client.ask("GET", "a") == (200, b"late")


def test_a_late_write_lands_at_will_and_as_it_was_asked_for(cos: FakeCos, client: Client) -> None:
    """One that forbids an overwrite does not land on another object. The answer may be an error."""
    late = Fault(before=(503, "ServiceUnavailable"), lands_after_s=1e9)
    with cos.faulty(lambda seen: late):
        assert client.ask("PUT", "a", b"late")[0] == 503
        assert client.ask("PUT", "b", b"late", x_cos_forbid_overwrite="true")[0] == 503
    client.ask("PUT", "b", b"mine")
    assert cos.keys() == ["b"]
    cos.land_late_writes()
    assert (cos.read("a"), cos.read("b")) == (b"late", b"mine")


def test_listings_lag_behind_writes_and_deletes(cos: FakeCos, client: Client) -> None:
    """A GET does not."""
    now = [1000.0]
    cos.clock = lambda: now[0]
    client.ask("PUT", "o/old", b"1")
    now[0] += 10
    cos.listing_lag_s = 5
    client.ask("PUT", "o/new", b"1")
    client.ask("DELETE", "o/old")
    assert client.listing("prefix=o/") == ["o/old"]
    assert client.ask("GET", "o/new")[0] == 200
    assert client.ask("GET", "o/old")[0] == 404
    now[0] += 5
    assert client.listing("prefix=o/") == ["o/new"]


@pytest.mark.parametrize(
    "query",
    ["prefix=", "prefix=o/", "prefix=o/&max-keys=2", "prefix=o/&marker=o/b", "delimiter=/&prefix="],
)
def test_a_lagging_listing_has_the_form_of_one_that_does_not(
    cos: FakeCos, client: Client, query: str
) -> None:
    """Prefix, marker, limit and delimiter."""
    for key in ("a", "o/a", "o/b", "o/c/d", "o/c/e", "p/q"):
        client.ask("PUT", key, b"1")
    prompt = client.ask("GET", f"?{query}")[1]
    cos.listing_lag_s = 1e-9
    lagging = client.ask("GET", f"?{query}")[1]
    assert _shape(lagging) == _shape(prompt)


def _shape(body: bytes) -> list[str | None]:
    names = ("Key", "Prefix", "IsTruncated")
    tree = ElementTree.fromstring(body)
    texts = [element.text for element in tree.iter() if element.tag.rpartition("}")[2] in names]
    return sorted(text or "" for text in texts)  # type: ignore[return-value]  # texts, all of them


def test_an_answer_drips(cos: FakeCos, client: Client) -> None:
    """It comes whole all the same, if one waits."""
    client.ask("PUT", "a", b"1")
    with cos.faulty(lambda seen: Fault(drip_s=0.0005)):
        assert client.ask("GET", "a") == (200, b"1")


def test_a_cut_answer_ends_its_connection(cos: FakeCos, client: Client) -> None:
    """It is short of what it promised."""
    client.ask("PUT", "a", b"1")
    with (
        cos.faulty(lambda seen: Fault(cut_answer=True)),
        pytest.raises(http.client.IncompleteRead),
    ):
        client.ask("GET", "a")


def test_what_was_seen_can_be_looked_at(cos: FakeCos, client: Client) -> None:
    """Method, decoded key, query and body."""
    client.ask("PUT", "a é", b"1")
    client.ask("GET", "?prefix=o/")
    assert cos.requests() == [("PUT", "a é"), ("GET", "")]
    put, get = cos.seen
    assert (put.body, get.params) == (b"1", {"prefix": "o/"})


def test_many_threads_are_served_at_once(cos: FakeCos, connect: Callable[..., Client]) -> None:
    """None waits for another's delay."""
    together = threading.Barrier(8, timeout=30)

    def wait(seen: Seen) -> Fault | None:
        together.wait()
        return None

    with cos.faulty(wait):
        threads = [threading.Thread(target=connect().ask, args=("GET", "a")) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(cos.seen) == 8


def test_reset_ends_every_fault(cos: FakeCos, client: Client) -> None:
    """And empties the bucket."""
    client.ask("PUT", "a", b"1")
    cos.listing_lag_s, cos.clock = 1e9, lambda: 0.0
    cos.fault = lambda seen: Fault(before=(503, "SlowDown"))
    cos.reset()
    assert (cos.keys(), cos.seen, cos.listing_lag_s) == ([], [], 0.0)
    assert cos.clock is time.time
    assert client.ask("PUT", "a", b"1")[0] == 200
