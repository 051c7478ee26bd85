"""folder.py and cos.py keep the same promises: each test runs on both."""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
import stat
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.processes import Stub
from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.newest import Dated
from handler.connections import Patience
from handler.errors import StoreError
from handler.ledger import folder
from handler.ledger.bucket import BucketAddress, Credentials
from handler.ledger.cos import CosStore
from handler.ledger.folder import FolderStore
from handler.ledger.store import Store
from handler.parallel import in_parallel
from tests.fake_cos import BUCKET, NO_PAUSES, REGION, FakeCos, Fault, Seen
from tests.fake_cos.server import Death

PREFIXES = ("", "jobs/", "_outbox/", "_done/", "_digests/", "_sweep/", "_dead/", "_attempts/")
PERMANENT = Credentials(SECRET_ID, SECRET_KEY, "")


def cos_store(cos: FakeCos, bucket: str = BUCKET) -> CosStore:
    """A store on the loopback COS that does not sleep between its tries."""
    place = BucketAddress(bucket, "ci/", REGION, ("127.0.0.1", cos.port))
    return CosStore(place, PERMANENT, NO_PAUSES)


@pytest.fixture(params=["folder", "cos"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each kind of store, empty."""
    if request.param == "folder":
        yield FolderStore(tmp_path / "ledger")
    else:
        yield cos_store(request.getfixturevalue("cos"))


def test_what_was_put_can_be_got(store: Store) -> None:
    """Bytes are bytes, and the last put wins."""
    store.put("a/b.json", b"one")
    store.put("a/b.json", b"two\x00\xff")
    assert store.get("a/b.json") == b"two\x00\xff"
    assert store.get("a/c.json") is None


def test_several_keys_are_deleted_at_once(store: Store) -> None:
    """More than one request takes, and some that are not there; others stay."""
    kept = ["_events/kept.json", "_events/kept & <named>.json"]
    gone = [f"_events/{number}.json" for number in range(3)]
    for key in (*kept, *gone):
        store.put(key, b"{}")
    store.delete_many([*gone, *(f"_events/never-{number}" for number in range(1_000))])
    assert list(store.list("_events/")) == sorted(kept)
    store.delete_many(kept[1:])
    assert list(store.list("_events/")) == kept[:1]
    store.delete_many([])


def test_put_new_never_replaces(store: Store) -> None:
    """It says whether it wrote."""
    assert store.put_new("a", b"one") is True
    assert store.put_new("a", b"two") is False
    assert store.get("a") == b"one"


def test_a_listing_runs_in_the_order_of_bytes_and_stops_in_time(store: Store) -> None:
    """Folders sort where their keys sort, and the stop is excluded."""
    for key in ("o/a/x", "o/a-b/x", "o/a0", "o/b", "p", "o/~", "o/Z"):
        store.put(key, b"")
    assert list(store.list("o/")) == ["o/Z", "o/a-b/x", "o/a/x", "o/a0", "o/b", "o/~"]
    assert list(store.list("o/", stop="o/a/")) == ["o/Z", "o/a-b/x"]
    assert list(store.list("o/a")) == ["o/a-b/x", "o/a/x", "o/a0"]
    assert list(store.list("q/")) == []
    assert [key for key in store.list("") if not key.startswith("o/")] == ["p"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_listing_passes_over_folder_markers_and_hidden_files(
    store: Store, cos: FakeCos, tmp_path: Path, prefix: str
) -> None:
    """Of COS's console (an empty object whose key ends with a slash) or of a desktop."""
    store.put(f"{prefix}a.json", b"1")
    root = tmp_path / "ledger"
    if isinstance(store, FolderStore):
        (root / prefix / ".DS_Store").write_bytes(b"")
        (root / prefix / ".sync").mkdir()
        (root / prefix / ".sync/b.json").write_bytes(b"1")
    else:
        for key in ("", ".DS_Store", ".sync/b.json", "dt=2026-11-26/", "/x"):
            cos.place(f"ci/{prefix}{key}", b"")
    assert list(store.list(prefix)) == [f"{prefix}a.json"]


def test_what_is_deleted_is_gone_and_may_be_deleted_again(store: Store) -> None:
    """Deleting what is not there is fine."""
    store.put("a/b", b"")
    store.delete("a/b")
    store.delete("a/b")
    store.delete("never/was")
    assert store.get("a/b") is None


def test_folders_are_named_once_and_only_where_they_hold_a_key(store: Store) -> None:
    """As COS's listing with a delimiter: what lies behind the next slash is one entry."""
    for key in ("_a/x", "_a/y", "_a/z/1", "_b/z", "_c/deep/er", "_plain", "jobs/1"):
        store.put(key, b"")
    assert [*store.folders("_")] == ["_a/", "_b/", "_c/"]
    assert [*store.folders("_a/")] == ["_a/z/"]
    assert [*store.folders("")] == ["_a/", "_b/", "_c/", "jobs/"]
    assert [*store.folders("nothing")] == []
    store.delete_many(["_b/z", "_c/deep/er"])
    assert [*store.folders("_")] == ["_a/"]


# --- only the folder ---------------------------------------------------------------------


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let a call of the system fail as on a full disk: write, fsync, link or rename."""

    def fill(call: str) -> None:
        def fail(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        if call == "write":
            monkeypatch.setattr("handler.ledger.folder.open", _opens_full, raising=False)
        elif call == "rename":
            monkeypatch.setattr(Path, "replace", fail)
        else:
            monkeypatch.setattr(os, call, fail)

    return fill


class _FullFile(io.FileIO):
    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def _opens_full(handle: int, mode: str) -> io.FileIO:
    return _FullFile(handle, mode)


@pytest.mark.parametrize("call", ["write", "fsync", "link", "rename"])
def test_a_full_disk_leaves_no_temporary_file_behind(
    tmp_path: Path, full_disk: Callable[[str], None], call: str
) -> None:
    """Must raise, and the folder holds what it held."""
    store = FolderStore(tmp_path)
    store.put("a/b", b"1")
    full_disk(call)
    write = store.put_new if call == "link" else store.put
    with pytest.raises(StoreError, match="No space left on device"):
        write("a/c", b"2")
    assert os.listdir(tmp_path / "a") == ["b"]
    assert store.get("a/b") == b"1"


def test_a_key_that_is_a_folder_is_refused_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Must raise: a file can't replace a folder."""
    store = FolderStore(tmp_path)
    store.put("a/b/c", b"1")
    with pytest.raises(StoreError):
        store.put("a/b", b"2")
    assert sorted(os.listdir(tmp_path / "a")) == ["b"]


def test_each_new_folder_is_synced_in_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut a day's first record would be gone with its folder. Each process does so
    once, since another one may have made the folder and not synced it yet."""
    synced: list[Path] = []
    sync = folder.sync_folder

    def note(path: Path) -> None:
        synced.append(path.relative_to(tmp_path))
        sync(path)

    monkeypatch.setattr(folder, "sync_folder", note)
    root = tmp_path / "x" / "ledger"
    store = FolderStore(root)
    store.put("jobs/dt=1/a", b"")
    below = [Path(name) for name in (".", "x", "x/ledger", "x/ledger/jobs", "x/ledger/jobs/dt=1")]
    assert synced == below
    synced.clear()
    store.put_new("jobs/dt=1/b", b"")
    assert synced == below[4:]
    synced.clear()
    FolderStore(root).put("jobs/dt=1/c", b"")
    assert synced == below[2:]


def test_a_folder_that_was_removed_is_made_again(tmp_path: Path) -> None:
    """A store remembers which it has made."""
    store = FolderStore(tmp_path / "ledger")
    store.put("jobs/a", b"1")
    shutil.rmtree(tmp_path / "ledger")
    store.put("jobs/a", b"2")
    assert store.get("jobs/a") == b"2"


def test_only_the_owner_may_read_a_folder_ledger(tmp_path: Path) -> None:
    """Dead letters hold bodies as they came, passwords included."""
    before = os.umask(0)
    try:
        store = FolderStore(tmp_path / "x" / "ledger")
        store.put("_dead/dt=1/a.json", b"1")
        store.put_new("jobs/dt=1/b.json", b"1")
    finally:
        os.umask(before)
    made = [tmp_path / "x", *(tmp_path / "x").rglob("*")]
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in made}
    assert modes == {(True, 0o700), (False, 0o600)}


def test_a_large_folder_is_listed_a_part_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same order, and with the same prefix and stop."""
    store = FolderStore(tmp_path)
    names = [f"o/{number:03}" for number in range(50)] + ["o/010/x", "o/010-x", "o/~"]
    del names[10]
    for name in names:
        store.put(name, b"")
    questions = [("o/", None), ("o/0", None), ("o/01", "o/015"), ("o/", "o/010/x"), ("", None)]
    whole = [list(store.list(*question)) for question in questions]
    assert whole[0] == sorted(names)
    for size in (1, 2, 7, 52, 53):
        monkeypatch.setattr(folder, "MAX_LISTED", size)
        assert [list(store.list(*question)) for question in questions] == whole


def test_a_listing_holds_a_bounded_part_of_a_large_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four times as many names take no more memory."""
    monkeypatch.setattr(folder, "MAX_LISTED", 500)

    def peak(count: int) -> int:
        root = tmp_path / str(count)
        root.mkdir()
        for number in range(count):
            (root / f"{number:06}-{'x' * 100}").touch()
        tracemalloc.start()
        assert sum(1 for _ in FolderStore(root).list("")) == count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(10)
    assert peak(8_000) < 1.3 * peak(2_000)


def test_a_folder_leaves_no_temporary_file_behind(tmp_path: Path) -> None:
    """Neither after a write nor after a refused one."""
    store = FolderStore(tmp_path)
    store.put("a/b", b"1")
    store.put_new("a/b", b"2")
    assert os.listdir(tmp_path / "a") == ["b"]


def test_a_folder_lists_no_file_that_is_still_being_written(tmp_path: Path) -> None:
    """A temporary file of a process that died is no key."""
    (tmp_path / ".tmp-dead").write_bytes(b"")
    assert list(FolderStore(tmp_path).list("")) == []


@pytest.mark.parametrize(
    "key", ["../x", "/etc/x", "a//b", "a/./b", "a\\b", "a\0b", "", "a/", ".a", "a/.b"]
)
def test_a_folder_takes_no_key_that_leads_out_of_it(tmp_path: Path, key: str) -> None:
    """Keys are made harmless before; this is the second lock."""
    store = FolderStore(tmp_path / "ledger")
    with pytest.raises(StoreError):
        store.put(key, b"")
    with pytest.raises(StoreError):
        store.get(key)
    assert os.listdir(tmp_path) == []


def test_a_folder_that_can_not_be_written_says_so(tmp_path: Path) -> None:
    """Every operation turns the fault of the disk into a StoreError."""
    (tmp_path / "file").write_bytes(b"")
    store = FolderStore(tmp_path / "file")
    for operation in (
        lambda: store.put("a", b""),
        lambda: store.put_new("a", b""),
        lambda: store.get("a"),
        lambda: store.delete("a"),
        lambda: list(store.list("")),
    ):
        with pytest.raises(StoreError) as caught:
            operation()
        assert caught.value.retryable


# --- only COS ----------------------------------------------------------------------------


def test_each_operation_is_one_request(cos: FakeCos) -> None:
    """Requests cost money; a refused put_new is one too."""
    store = cos_store(cos)
    store.put_new("a", b"1")
    store.put_new("a", b"2")
    store.put("b", b"3")
    store.get("a")
    store.delete("b")
    assert list(store.list("")) == ["a"]
    assert cos.requests() == [
        ("PUT", "ci/a"),
        ("PUT", "ci/a"),
        ("PUT", "ci/b"),
        ("GET", "ci/a"),
        ("DELETE", "ci/b"),
        ("GET", ""),
    ]


def test_a_long_listing_is_read_page_by_page(cos: FakeCos) -> None:
    """COS gives at most 1,000 keys per answer; the stop saves the pages behind it."""
    store = cos_store(cos)
    for number in range(1_001):
        cos.place(f"ci/o/{number:04}", b"")

    def pages() -> int:  # a request that a busy machine made the store repeat counts once
        asked = {request.query for request in cos.seen}
        cos.seen.clear()
        return len(asked)

    assert len(list(store.list("o/"))) == 1_001
    assert pages() == 2
    assert len(list(store.list("o/", stop="o/0500"))) == 500
    assert pages() == 1


def test_a_listing_begins_behind_a_key(store: Store) -> None:
    """The key need not exist; what comes before it costs no page."""
    for name in ("a", "b", "c"):
        store.put(f"o/{name}", b"")
    assert list(store.list("o/", after="o/a")) == ["o/b", "o/c"]
    assert list(store.list("o/", after="o/aa", stop="o/c")) == ["o/b"]
    assert list(store.list("o/", after="o/z")) == []
    assert list(store.list("o/", after="a")) == ["o/a", "o/b", "o/c"]


def test_a_listing_says_when_each_object_was_written(store: Store) -> None:
    """In UTC, in a form that sorts by time."""
    store.put("o/a", b"")
    assert isinstance(store, Dated)
    ((key, at),) = store.dated("o/")
    assert key == "o/a"
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", at)


def test_a_listing_of_cos_holds_one_page_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times as many keys take no more memory."""
    monkeypatch.setattr("handler.ledger.cos.PAGE", 100)

    def peak(count: int) -> int:
        with Stub() as stub:
            keys = {"before": "ci/o/", "after": "", "width": 6, "count": count, "body": ""}
            stub.ask("range", **keys)
            address = BucketAddress(BUCKET, "ci/", REGION, ("127.0.0.1", stub.port))
            store = CosStore(address, PERMANENT)
            list(store.list("none/"))  # what is imported once does not count
            tracemalloc.start()
            assert sum(1 for _ in store.list("o/")) == count
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return peak

    assert peak(2_000) < 1.3 * peak(500)


def test_credentials_are_those_of_the_invocation(cos: FakeCos) -> None:
    """SCF's expire: an old token must not live on in a warm client."""
    store = cos_store(cos)
    store.put("a", b"permanent")
    cos.security_token = "token-1"
    store.renew(Credentials(SECRET_ID, SECRET_KEY, "token-1"))
    store.put("a", b"temporary")
    cos.security_token = "token-2"
    with pytest.raises(StoreError):
        store.put("a", b"expired")
    store.renew(Credentials(SECRET_ID, SECRET_KEY, "token-2"))
    store.put("a", b"renewed")
    cos.security_token = None
    store.renew(PERMANENT)
    store.renew(PERMANENT)
    store.put("a", b"permanent again")
    assert cos.read("ci/a") == b"permanent again"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(before=(503, "SlowDown")),
        Fault(before=(500, "InternalError")),
        Fault(before=(429, "TooManyRequests")),
        Fault(reset_before=True),
    ],
)
def test_a_passing_fault_is_tried_again_a_bounded_number_of_times(
    cos: FakeCos, fault: Fault
) -> None:
    """Two more tries, whatever the fault; then it is the caller's."""
    with cos.faulty(lambda seen: fault if len(cos.seen) < 3 else None):
        cos_store(cos).put("a", b"")
    assert len(cos.seen) == 3
    with cos.faulty(lambda seen: fault), pytest.raises(StoreError):
        cos_store(cos).put("a", b"")
    assert len(cos.seen) == 6


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "PathConflict"),
        (409, "UploadConflict"),
        (400, "RequestTimeout"),
        (400, "RequestTimeOut"),
        (400, "UserNetworkTooSlow"),
    ],
)
def test_a_passing_conflict_is_tried_again(cos: FakeCos, status: int, code: str) -> None:
    """A put_new that meets one is neither "exists" nor refused: the write is made."""
    store = cos_store(cos)
    passing = Fault(before=(status, code))
    with cos.faulty(lambda seen: passing if len(cos.seen) < 3 else None):
        assert store.put_new("a", b"mine") is True
    assert cos.read("ci/a") == b"mine"


@pytest.mark.parametrize("code", ["PathConflict", "UploadConflict"])
def test_a_conflict_that_does_not_pass_is_an_error_with_its_code(cos: FakeCos, code: str) -> None:
    """Must raise: nothing was written, so "exists" would lose the object."""
    with (
        cos.faulty(lambda seen: Fault(before=(409, code))),
        pytest.raises(StoreError) as caught,
    ):
        cos_store(cos).put_new("a", b"mine")
    assert (caught.value.status, caught.value.code) == (409, code)
    assert len(cos.seen) == 3


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "ObjectLocked"),
        (409, "QuotaConflict"),
        (409, "QuotaOperationConflict"),
        (409, "InvalidBucketState"),
        (409, "InvalidObjectState"),
        (409, "BucketLocked"),
        (409, "Unheard"),
        (412, "PreconditionFailed"),
        (400, "KeyTooLong"),
        (405, "MethodNotAllowed"),
    ],
)
def test_any_other_refusal_of_a_put_new_is_an_error_with_its_code(
    cos: FakeCos, status: int, code: str
) -> None:
    """Only FileAlreadyExists says that the key exists. The SDK asks once more, and reads it."""
    refused = Fault(before=(status, code))
    with cos.faulty(lambda seen: refused), pytest.raises(StoreError) as caught:
        cos_store(cos).put_new("a", b"mine")
    assert (caught.value.status, caught.value.code) == (status, code)
    assert senders(cos) == ["function", "SDK"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<Error><Code>ObjectLocked</Code></Error>", "ObjectLocked"),
        (b"<html>409</html>", ""),
        (b"", ""),
    ],
)
def test_a_409_without_a_readable_code_is_not_taken_for_exists(
    cos: FakeCos, body: bytes, code: str
) -> None:
    """Must raise: a proxy may answer 409 too."""
    fault = Fault(before=(409, "x"), body=body)
    with cos.faulty(lambda seen: fault), pytest.raises(StoreError) as caught:
        cos_store(cos).put_new("a", b"mine")
    assert (caught.value.status, caught.value.code) == (409, code)


def test_a_lasting_fault_is_not_tried_again(cos: FakeCos) -> None:
    """No permission now is no permission in a second."""
    denied = Fault(before=(403, "AccessDenied"))
    with cos.faulty(lambda seen: denied), pytest.raises(StoreError) as caught:
        cos_store(cos).put("a", b"")
    assert (caught.value.status, caught.value.code) == (403, "AccessDenied")
    assert senders(cos) == ["function", "SDK"]


def senders(cos: FakeCos) -> list[str]:
    """Who built and signed each request."""
    agents = (request.headers["user-agent"] for request in cos.seen)
    return ["SDK" if agent.startswith("cos-python-sdk") else "function" for agent in agents]


def test_an_object_is_stored_without_the_sdk(cos: FakeCos) -> None:
    """One request, signed; nothing else is sent without the SDK."""
    store = cos_store(cos)
    assert store.put_new("a", b"mine") is True
    assert store.put_new("a", b"other") is False
    store.put("a", b"newer")
    assert store.get("a") == b"newer"
    assert senders(cos) == ["function"] * 3 + ["SDK"]


def test_what_is_no_plain_answer_to_a_put_is_asked_again_by_the_sdk(cos: FakeCos) -> None:
    """After a pause where a later try can change it; three tries in all, as for other requests."""
    busy = Fault(before=(503, "SlowDown"))
    with cos.faulty(lambda seen: busy if len(cos.seen) < 3 else None):
        cos_store(cos).put("a", b"mine")
    assert senders(cos) == ["function", "SDK", "SDK"]
    assert cos_store(cos).get("a") == b"mine"


def test_a_write_whose_answer_was_lost_is_found_to_exist(cos: FakeCos) -> None:
    """Its retry gets a 409: the ledger reads back and compares."""

    def lost(seen: Seen) -> Fault | None:
        return Fault(reset_after=True) if len(cos.seen) == 1 else None

    with cos.faulty(lost):
        assert cos_store(cos).put_new("a", b"mine") is False
    assert cos.read("ci/a") == b"mine"


@pytest.mark.parametrize("death", ["reset", "silence", "fin"])
def test_connections_that_died_while_idle_cost_no_operation_and_no_try(
    cos: FakeCos, monkeypatch: pytest.MonkeyPatch, death: Death
) -> None:
    """After a freeze, or behind a NAT: none of the operations fails, and none is seen twice."""
    monkeypatch.setattr(
        "handler.ledger.cos.PATIENCE", Patience(whole_s=20, connect_s=10, silent_s=0.1)
    )
    store = cos_store(cos)
    operations: tuple[Callable[[], object], ...] = (
        lambda: store.put("o/a", b"1"),
        lambda: store.put_new("o/b", b"2"),
        lambda: store.get("o/a"),
        lambda: list(store.list("o/")),
        lambda: store.delete("o/a"),
    )
    results = []
    for operation in operations:
        cos.forget_idle(death)
        results.append(operation())
    assert results == [None, True, b"1", ["o/a", "o/b"], None]
    assert len(cos.seen) == len(operations)


def test_eight_callers_at_once_survive_the_death_of_all_their_connections(cos: FakeCos) -> None:
    """A pool full of dead connections fails none of them."""
    store = cos_store(cos)
    together = threading.Barrier(8, timeout=30)

    def wait(seen: Seen) -> Fault | None:
        together.wait()
        return None

    def put_all() -> None:
        in_parallel(lambda number: store.put(f"o/{number}", b""), range(8))

    with cos.faulty(wait):
        put_all()
    assert cos.forget_idle("reset") >= 8
    put_all()
    assert cos.keys("ci/o/") == [f"ci/o/{number}" for number in range(8)]
    assert len(cos.seen) == 16


def test_a_put_new_that_lands_late_does_not_hide_its_own_write(cos: FakeCos) -> None:
    """Its retry made the object; the late one is refused by COS itself."""
    late = Fault(lands_after_s=60)
    with cos.faulty(lambda seen: late if len(cos.seen) == 1 else None):
        assert cos_store(cos).put_new("a", b"mine") is True
    cos.land_late_writes()
    assert cos.read("ci/a") == b"mine"


def test_a_missing_bucket_is_a_fault_and_no_missing_key(cos: FakeCos) -> None:
    """Or a wrong LEDGER_URL would read as an empty ledger."""
    store = cos_store(cos, "nowhere-1250000000")
    operations: tuple[Callable[[], object], ...] = (
        lambda: store.get("a"),
        lambda: store.put("a", b""),
    )
    for operation in operations:
        with pytest.raises(StoreError) as caught:
            operation()
        assert caught.value.code == "NoSuchBucket"


def test_a_missing_bucket_is_known_even_from_an_answer_without_a_resource(cos: FakeCos) -> None:
    """The SDK reads no code from such an answer."""
    body = b"<Error><Code>NoSuchBucket</Code><Message>x</Message></Error>"
    missing = Fault(before=(404, "NoSuchBucket"), body=body)
    with cos.faulty(lambda seen: missing), pytest.raises(StoreError) as caught:
        cos_store(cos).get("a")
    assert caught.value.code == "NoSuchBucket"


@pytest.mark.parametrize(
    "fault",
    [Fault(cut_answer=True), Fault(reset_after=True), Fault(body=b"<Error>not xml")],
    ids=["cut", "reset", "garbage"],
)
def test_a_broken_listing_is_a_fault_and_no_empty_one(cos: FakeCos, fault: Fault) -> None:
    """Nothing may be concluded from an answer that broke off."""
    store = cos_store(cos)
    store.put("o/a", b"1")
    with cos.faulty(lambda seen: fault), pytest.raises(StoreError):
        list(store.list("o/"))


def test_a_get_that_breaks_off_is_a_fault(cos: FakeCos) -> None:
    """Half an object is not returned."""
    store = cos_store(cos)
    store.put("a", b"1234")
    with cos.faulty(lambda seen: Fault(cut_answer=True)), pytest.raises(StoreError):
        store.get("a")


def test_credentials_show_in_no_repr(cos: FakeCos) -> None:
    """Nor in what an error says."""
    assert SECRET_KEY not in repr(Credentials(SECRET_ID, SECRET_KEY, "t"))
    assert repr(PERMANENT) == "Credentials()"
