"""local_cos.py: COS on loopback in front of a folder, for a function that may not write to disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_callback.ci_simulator.fixtures import BUCKET, REGION, SECRET_ID, SECRET_KEY
from ci_callback.devserver.cos_listing import keys_to_delete
from ci_callback.devserver.local_cos import LocalCos
from handler.errors import PayloadError, StoreError
from handler.ledger.bucket import BucketAddress, Credentials
from handler.ledger.cos import CosStore
from handler.ledger.folder import FolderStore
from tests.fake_cos import NO_PAUSES

Written = list[tuple[str, str, str]]


@pytest.fixture
def written() -> Written:
    """What the stand-in noted."""
    return []


@pytest.fixture
def store(tmp_path: Path, written: Written) -> Iterator[CosStore]:
    """The function's own store on the stand-in."""

    def note(secret_id: str, operation: str, key: str) -> None:
        written.append((secret_id, operation, key))

    with LocalCos({BUCKET: FolderStore(tmp_path)}, {SECRET_ID: SECRET_KEY}, note) as cos:
        place = BucketAddress(BUCKET, "ci/", REGION, ("127.0.0.1", cos.port))
        yield CosStore(place, Credentials(SECRET_ID, SECRET_KEY, ""), NO_PAUSES)


def test_folders_are_listed_as_on_cos(store: CosStore) -> None:
    """By a delimiter, and without those that hold nothing any more."""
    for key in ("_outbox/1", "_outbox/2", "_done/1", "jobs/1"):
        store.put(key, b"1")
    assert [*store.folders("_")] == ["_done/", "_outbox/"]
    store.delete("_done/1")
    assert [*store.folders("_")] == ["_outbox/"]


def test_several_keys_are_deleted_and_noted_each(store: CosStore, written: Written) -> None:
    """So the console shows what a sweep did."""
    for key in ("_outbox/1", "_outbox/2", "_outbox/3"):
        store.put(key, b"1")
    written.clear()
    store.delete_many(["_outbox/1", "_outbox/3"])
    assert list(store.list("")) == ["_outbox/2"]
    assert written == [
        (SECRET_ID, "delete", "ci/_outbox/1"),
        (SECRET_ID, "delete", "ci/_outbox/3"),
    ]


def test_another_request_to_a_bucket_is_refused(store: CosStore, tmp_path: Path) -> None:
    """Such as one that is signed with other keys."""
    store.renew(Credentials(SECRET_ID, "another", ""))
    with pytest.raises(StoreError, match="SignatureDoesNotMatch"):
        store.folders("_")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Delete/>",
        b"<Delete><Object>",
        b"<Delete>" + b"<Object><Key>a</Key></Object>" * 1001 + b"</Delete>",
    ],
)
def test_a_deletion_names_from_one_key_to_a_thousand(body: bytes) -> None:
    """As DELETE Multiple Objects is documented (436/8289)."""
    with pytest.raises(PayloadError):
        keys_to_delete(body)


def test_the_keys_of_a_deletion_are_read_as_they_were_sent() -> None:
    """With escapes, in their order."""
    objects = b"<Object><Key>b &amp; c</Key></Object><Object><Key>a</Key></Object>"
    assert keys_to_delete(b"<Delete><Quiet>true</Quiet>" + objects + b"</Delete>") == ["b & c", "a"]
