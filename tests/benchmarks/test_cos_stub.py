"""The stub answers as the COS face does: the same calls of the same SDK to both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.processes import BUCKET, Stub
from benchmarks.stub_objects import Objects, Range
from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from handler.ledger.bucket import BucketAddress, Credentials
from handler.ledger.cos import CosStore
from tests.fake_cos import FakeCos


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    """A stub in a process of its own."""
    with Stub() as server:
        yield server


@pytest.fixture(params=["stub", "face"])
def store(request: pytest.FixtureRequest) -> CosStore:
    """The function's own store, on the stub and on the face."""
    if request.param == "stub":
        stub: Stub = request.getfixturevalue("stub")
        stub.ask("reset")
        port = stub.port
    else:
        face: FakeCos = request.getfixturevalue("cos")
        port = face.port
    place = BucketAddress(BUCKET, "ci/", "ap-guangzhou", ("127.0.0.1", port))
    return CosStore(place, Credentials(SECRET_ID, SECRET_KEY, ""))


def test_what_is_put_can_be_got(store: CosStore) -> None:
    """Bytes as they were; the last put wins; what is not there is None."""
    store.put("a/b=1/c.json", b'{"a":"\xe8\xaf\x91"}\n')
    store.put("a/b=1/c.json", b"second")
    assert store.get("a/b=1/c.json") == b"second"
    assert store.get("a/nothing") is None


def test_put_new_writes_once(store: CosStore) -> None:
    """The second is refused with 409, and changes nothing."""
    assert store.put_new("k", b"first") is True
    assert store.put_new("k", b"second") is False
    assert store.get("k") == b"first"


def test_folders_and_many_deletions(store: CosStore) -> None:
    """A listing with a delimiter, and DELETE Multiple Objects."""
    for key in ("_a/1", "_a/2", "_b/1", "_b/c/1", "jobs/1"):
        store.put(key, b"")
    assert [*store.folders("_")] == ["_a/", "_b/"]
    assert [*store.folders("_b/")] == ["_b/c/"]
    store.delete_many(["_a/1", "_a/2", "_a/never"])
    assert [*store.folders("")] == ["_b/", "jobs/"]


def test_delete_removes_and_minds_nothing_that_is_gone(store: CosStore) -> None:
    """Twice is once."""
    store.put("k", b"1")
    store.delete("k")
    store.delete("k")
    assert store.get("k") is None
    assert list(store.list("")) == []


def test_listings_are_by_prefix_in_order_and_up_to_stop(store: CosStore) -> None:
    """Keys in the order of their bytes."""
    for key in ("b/2", "a/1", "b/1", "b-/1", "c", "b/~41&.json"):
        store.put(key, b"{}")
    assert list(store.list("b/")) == ["b/1", "b/2", "b/~41&.json"]
    assert list(store.list("")) == ["a/1", "b-/1", "b/1", "b/2", "b/~41&.json", "c"]
    assert list(store.list("", stop="b/2")) == ["a/1", "b-/1", "b/1"]
    assert list(store.list("nothing/")) == []


def test_long_listings_come_in_pages(store: CosStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each goes on where the last one ended."""
    monkeypatch.setattr("handler.ledger.cos.PAGE", 3)
    keys = [f"k/{number:02d}" for number in range(10)]
    for key in keys:
        store.put(key, b"")
    assert list(store.list("k/")) == keys


def test_an_empty_object_is_there(store: CosStore) -> None:
    """None is for what is not."""
    store.put("k", b"")
    assert store.get("k") == b""


def test_what_is_large_arrives_whole(store: CosStore) -> None:
    """More than one packet, both ways."""
    body = bytes(range(256)) * 8_000
    store.put("k", body)
    assert store.get("k") == body


def test_a_request_without_signature_is_refused(stub: Stub) -> None:
    """The stub does not check it, but asks that it is there: a peer that forgets to sign fails."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", stub.port)
    connection.request("PUT", "/k", b"1")
    assert connection.getresponse().status == 403
    connection.close()


def test_the_stub_counts_delays_and_forgets(stub: Stub) -> None:
    """What the harness asks of it is not counted."""
    stub.ask("reset")
    place = BucketAddress(BUCKET, "ci/", "ap-guangzhou", ("127.0.0.1", stub.port))
    store = CosStore(place, Credentials(SECRET_ID, SECRET_KEY, ""))
    store.put("k", b"1")
    store.get("k")
    assert stub.ask("count") == {"PUT": 1, "GET": 1}
    assert stub.ask("count") == {}
    stub.ask("reset")
    assert store.get("k") is None


def test_a_ledger_of_a_million_is_made_up(stub: Stub) -> None:
    """Listings and GETs answer out of a range, beside what is really there."""
    stub.ask("reset")
    made_up = {"after": ".json", "width": 7, "count": 1_000_000, "body": '{"id":"@KEY@"}'}
    stub.ask("range", before="ci/jobs/j", **made_up)
    place = BucketAddress(BUCKET, "ci/", "ap-guangzhou", ("127.0.0.1", stub.port))
    store = CosStore(place, Credentials(SECRET_ID, SECRET_KEY, ""))
    store.put("jobs/j0000001a", b"real")
    listing = store.list("jobs/")
    first = [next(listing) for _ in range(1_200)]
    assert first[:3] == ["jobs/j0000000.json", "jobs/j0000001.json", "jobs/j0000001a"]
    assert first[-1] == "jobs/j0001198.json"
    assert store.get("jobs/j0999999.json") == b'{"id":"0999999"}'
    assert store.get("jobs/j1000000.json") is None


def test_a_range_finds_its_place_after_any_marker() -> None:
    """By halving, not by counting: a page deep in a million costs as much as the first."""
    made_up = Range("a/k", "-x", 3, 50)
    assert next(made_up.after_marker("a/", "")) == "a/k000-x"
    assert next(made_up.after_marker("a/", "a/k007-x")) == "a/k008-x"
    assert next(made_up.after_marker("a/", "a/k007")) == "a/k007-x"
    assert list(made_up.after_marker("a/", "a/k049-x")) == []
    assert list(made_up.after_marker("b/", "")) == []


def test_objects_and_ranges_are_one_listing() -> None:
    """In one order."""
    objects = Objects()
    objects.declare(Range("k", "", 1, 3))
    objects.put("k1a", b"")
    objects.put("j", b"")
    assert list(objects.list("", "")) == ["j", "k0", "k1", "k1a", "k2"]
    assert list(objects.list("k", "k1")) == ["k1a", "k2"]
    objects.delete("k1a")
    assert list(objects.list("k", "k1")) == ["k2"]
