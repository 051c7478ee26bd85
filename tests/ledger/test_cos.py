"""cos.py: what its errors name, and how a listing goes on. What it shares with a folder is in
test_stores.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from handler.errors import StoreError
from handler.ledger.bucket import BucketAddress, Credentials
from handler.ledger.cos import CosStore
from tests.fake_cos import BUCKET, NO_PAUSES, REGION, FakeCos, Fault
from tests.peer import peer

OPERATIONS: Mapping[str, Callable[[CosStore], object]] = {
    "put": lambda store: store.put("a", b""),
    "put_new": lambda store: store.put_new("a", b""),
    "get": lambda store: store.get("a"),
    "delete": lambda store: store.delete("a"),
    "list": lambda store: list(store.list("a")),
}


def store(port: int) -> CosStore:
    place = BucketAddress(BUCKET, "ci/", REGION, ("127.0.0.1", port))
    return CosStore(place, Credentials(SECRET_ID, SECRET_KEY, ""), NO_PAUSES)


def requests_of(cos: FakeCos) -> list[str]:
    """Each request's method, and the query of those to the bucket."""
    return [" ".join(filter(None, (seen.method, seen.query.rstrip("=")))) for seen in cos.seen]


def test_a_thousand_keys_are_deleted_by_one_request(cos: FakeCos) -> None:
    """That is the most that COS takes; a single key needs no body."""
    names = [f"_outbox/{number:04d}" for number in range(1_002)]
    for name in names:
        cos.place(f"ci/{name}", b"")
    store(cos.port).delete_many(names[:-1])
    assert requests_of(cos) == ["POST delete", "DELETE"]
    assert cos.keys() == ["ci/_outbox/1001"]


@pytest.mark.parametrize("status", [403, 405])
def test_where_several_can_not_be_deleted_at_once_each_is_deleted_by_itself(
    cos: FakeCos, status: int
) -> None:
    """By a policy that knows DeleteObject only for single requests, or by a stand-in for COS."""
    for name in "abc":
        cos.place(f"ci/{name}", b"")
    with cos.faulty(lambda seen: Fault(before=(status, "No")) if seen.deleted_keys else None):
        store(cos.port).delete_many(["a", "b"])
    assert requests_of(cos) == ["POST delete", "DELETE", "DELETE"]
    assert cos.keys() == ["ci/c"]


def test_a_key_that_cos_does_not_delete_with_the_others_is_an_error(cos: FakeCos) -> None:
    """The answer to the request itself is 200."""
    left = "<Error><Key>ci/b</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
    content = f"<DeleteResult>{left}</DeleteResult>".encode()
    with (
        cos.faulty(lambda seen: Fault(body=content)),
        pytest.raises(StoreError, match="AccessDenied") as raised,
    ):
        store(cos.port).delete_many(["a", "b"])
    assert (raised.value.operation, raised.value.key) == ("delete_many", "ci/b")


def test_a_key_that_cos_fails_to_delete_is_tried_again(cos: FakeCos) -> None:
    """As a request of its own would be."""
    left = "<Error><Key>ci/b</Key><Code>InternalError</Code><Message>no</Message></Error>"
    content = f"<DeleteResult>{left}</DeleteResult>".encode()
    for name in "ab":
        cos.place(f"ci/{name}", b"")
    faults = [Fault(body=content)]
    with cos.faulty(lambda seen: faults.pop() if faults else None):
        store(cos.port).delete_many(["a", "b"])
    assert requests_of(cos) == ["POST delete"] * 2
    assert cos.keys() == []


def test_folders_cost_one_request_however_many_keys_there_are(cos: FakeCos) -> None:
    """COS names a common prefix once."""
    for number in range(1_500):
        cos.place(f"ci/_done/{number}", b"")
    cos.place("ci/_outbox/1", b"")
    assert [*store(cos.port).folders("_")] == ["_done/", "_outbox/"]
    assert [seen.method for seen in cos.seen] == ["GET"]


def test_folders_behind_a_thousand_foreign_keys_are_found(cos: FakeCos) -> None:
    """Below a prefix that others use too: what is not on the first page is not empty."""
    for number in range(1_001):
        cos.place(f"ci/_a{number:04d}", b"")
    cos.place("ci/_outbox/1", b"")
    assert [*store(cos.port).folders("_")] == ["_outbox/"]
    assert [seen.method for seen in cos.seen] == ["GET", "GET"]


@pytest.mark.parametrize("name", ["_outbox/\x01.json", "_outbox/a\rb", "_outbox/\ufffe"])
def test_a_key_that_xml_can_not_hold_is_deleted_by_itself(cos: FakeCos, name: str) -> None:
    """COS would refuse the others with it, or delete another key. Foreign ones only: the ledger's
    own are ASCII that can be printed."""
    for key in (name, "_outbox/1", "_outbox/2&<3>"):
        cos.place(f"ci/{key}", b"")
    store(cos.port).delete_many(["_outbox/1", name, "_outbox/2&<3>"])
    assert cos.keys() == []
    assert sorted(requests_of(cos)) == ["DELETE", "POST delete"]


def answer(xml: str, status: str = "200 OK") -> bytes:
    """One of COS's."""
    head = f"HTTP/1.1 {status}\r\nx-cos-request-id: r\r\nContent-Type: application/xml\r\n"
    return f"{head}Content-Length: {len(xml)}\r\n\r\n{xml}".encode()


def error(code: str) -> bytes:
    parts = f"<Code>{code}</Code><Message>m</Message><Resource>r</Resource>"
    xml = f"<Error>{parts}<RequestId>i</RequestId><TraceId>t</TraceId></Error>"
    return answer(xml, "403 Forbidden")


def page(*keys: str, more: str = "") -> bytes:
    """An answer to a listing. more: what says that there is another page."""
    contents = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
    return answer(f"<ListBucketResult>{more}{contents}</ListBucketResult>")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_refusal_names_operation_key_and_code(operation: str) -> None:
    """Each operation's own."""
    with peer(*[error("AccessDenied")] * 2) as there, pytest.raises(StoreError) as caught:
        OPERATIONS[operation](store(there.port))
    refused = caught.value
    assert (refused.operation, refused.key, refused.status) == (operation, "a", 403)
    assert str(refused) == f"{operation} a: COS refused it (HTTP 403 AccessDenied)"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_request_that_was_not_answered_names_its_operation(operation: str) -> None:
    """After the last of three tries."""
    with peer(None, None, None) as there, pytest.raises(StoreError) as caught:
        OPERATIONS[operation](store(there.port))
    assert str(caught.value) == f"{operation} a: 127.0.0.1: the connection broke"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_is_sent_once_the_functions_time_is_used_up(operation: str) -> None:
    """The platform would end the function before the answer."""
    with peer() as there:
        late = store(there.port)
        late.renew(Credentials(SECRET_ID, SECRET_KEY, ""), lambda: 0.0)
        with pytest.raises(StoreError) as caught:
            OPERATIONS[operation](late)
        assert there.requests == []
    assert str(caught.value) == f"{operation} a: not sent: the function's time is used up"


@pytest.mark.parametrize(
    ("marker", "asked"),
    [("", b"marker=ci%2Fa2&"), ("<NextMarker>ci/a3</NextMarker>", b"marker=ci%2Fa3&")],
    ids=["after the last key", "where COS says"],
)
def test_a_listing_goes_on_after_what_it_has_seen(marker: str, asked: bytes) -> None:
    """While COS says that there is more."""
    more = f"<IsTruncated>true</IsTruncated>{marker}"
    last = page("ci/a4", more="<IsTruncated>false</IsTruncated>")
    with peer(page("ci/a1", "ci/a2", more=more), last) as there:
        assert list(store(there.port).list("a")) == ["a1", "a2", "a4"]
        first, second = (request.split(b" ")[1] + b"&" for request in there.requests)
    assert b"marker=&" in first
    assert b"prefix=ci%2Fa&" in first
    assert b"max-keys=1000&" in first
    assert asked in second
    assert b"prefix=ci%2Fa&" in second


def test_a_page_without_keys_is_the_last_one() -> None:
    """Whatever it says of more: the same question would get the same answer."""
    with peer(page(more="<IsTruncated>true</IsTruncated>")) as there:
        assert list(store(there.port).list("a")) == []
        assert len(there.requests) == 1
