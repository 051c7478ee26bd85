"""copy_down.py: a ledger on COS comes into a folder, each time only what is not there yet, and
a query of the folder counts each record once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ci_callback.compacted_day import manifest_key, part_key
from ci_callback.compaction import compact
from ci_callback.ledger_mirror import Copied, copy_down, local_folder
from ci_callback.query.database import records_database
from handler.errors import StoreError
from handler.ledger.cos import CosStore
from handler.ledger.folder import FolderStore
from handler.settings import Settings
from handler.stores import open_store
from tests.fake_cos import FakeCos, Fault, Seen
from tests.ledger.test_stores import cos_store
from tests.records import DAY, Listing, keep, record

NEXT = "2026-09-21"


@pytest.fixture
def store(cos: FakeCos) -> CosStore:
    """The ledger, on COS."""
    return cos_store(cos)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The folder that it is copied into."""
    return tmp_path / "copy"


def ids(folder: Path) -> list[str]:
    """The jobs in the copy."""
    with records_database(folder) as database:
        rows = database.sql("SELECT job_id FROM jobs ORDER BY job_id").fetchall()
    return [row[0] for row in rows]


def files(folder: Path) -> list[str]:
    """The keys in the copy."""
    return list(FolderStore(folder).list(""))


def gets(cos: FakeCos) -> list[str]:
    """Which objects were got since the last time."""
    keys = [key.removeprefix("ci/") for method, key in cos.requests() if method == "GET" and key]
    cos.seen.clear()
    return sorted(keys)


def test_records_come_down_once(cos: FakeCos, store: CosStore, copy: Path) -> None:
    """The second time, only what is new: a record never changes."""
    keys = keep(store, record("a"), record("b", day=NEXT))
    gets(cos)
    assert copy_down(store, copy) == Copied(records=2, parts=0)
    assert gets(cos) == sorted(keys)
    assert ids(copy) == ["a", "b"]
    keys = keep(store, record("c"))
    assert copy_down(store, copy) == Copied(records=1, parts=0)
    assert gets(cos) == keys
    assert copy_down(store, copy) == Copied(records=0, parts=0)
    assert gets(cos) == []
    assert ids(copy) == ["a", "b", "c"]


def test_of_a_compacted_day_only_the_part_comes_down(
    cos: FakeCos, store: CosStore, copy: Path
) -> None:
    """Then its manifest alone, to see whether it is still the same part."""
    keep(store, record("a"), record("b"), record("c", day=NEXT))
    compact(store, DAY)
    assert copy_down(store, copy) == Copied(records=1, parts=1)
    assert files(copy) == [manifest_key(DAY), part_key(DAY), f"jobs/dt={NEXT}/c.json"]
    assert ids(copy) == ["a", "b", "c"]
    gets(cos)
    assert copy_down(store, copy) == Copied(records=0, parts=0)
    assert gets(cos) == [manifest_key(DAY)]


def test_a_late_record_is_counted_once_before_and_after_its_day_is_folded_again(
    store: CosStore, copy: Path
) -> None:
    """A stale day comes down record by record, and its new part once there is one."""
    keep(store, record("a"), record("b"))
    compact(store, DAY)
    copy_down(store, copy)
    keep(store, record("late"))
    assert copy_down(store, copy) == Copied(records=3, parts=0)
    assert ids(copy) == ["a", "b", "late"]
    compact(store, DAY)
    assert copy_down(store, copy) == Copied(records=0, parts=1)
    assert ids(copy) == ["a", "b", "late"]


def test_of_a_stale_day_all_comes_down_even_what_a_listing_does_not_show(
    store: CosStore, copy: Path
) -> None:
    """The manifest names it."""
    keys = keep(store, record("a"), record("b"))
    compact(store, DAY)
    keep(store, record("late"))
    assert copy_down(Listing(store, hidden={keys[0]}), copy) == Copied(records=3, parts=0)
    assert ids(copy) == ["a", "b", "late"]


def test_a_listing_that_forgets_a_late_record_loses_nothing(store: CosStore, copy: Path) -> None:
    """It was shown once, and stays: the day stays stale."""
    keep(store, record("a"), record("b"))
    compact(store, DAY)
    (late,) = keep(store, record("late"))
    copy_down(store, copy)
    assert copy_down(Listing(store, hidden={late}), copy) == Copied(records=0, parts=0)
    assert ids(copy) == ["a", "b", "late"]


def test_a_day_of_which_nothing_is_listed_comes_down_by_its_manifest(
    store: CosStore, copy: Path
) -> None:
    """An empty listing says nothing."""
    keys = keep(store, record("a"), record("b"))
    compact(store, DAY)
    assert copy_down(Listing(store, hidden=set(keys)), copy) == Copied(records=0, parts=1)
    assert ids(copy) == ["a", "b"]


def test_a_manifest_that_is_not_listed_yet_costs_requests_alone(
    store: CosStore, copy: Path
) -> None:
    """The records come down one by one."""
    keep(store, record("a"), record("b"))
    compact(store, DAY)
    assert copy_down(Listing(store, hidden={manifest_key(DAY)}), copy) == Copied(2, 0)
    assert ids(copy) == ["a", "b"]


def test_what_is_listed_and_gone_does_not_come_down(store: CosStore, copy: Path) -> None:
    """The GET decides: of records, and of a manifest."""
    keep(store, record("a"))
    gone = {f"jobs/dt={DAY}/b.json", f"workflows/dt={DAY}/w.json", manifest_key(NEXT)}
    assert copy_down(Listing(store, gone=gone), copy) == Copied(records=1, parts=0)
    assert ids(copy) == ["a"]


@pytest.mark.parametrize("spoil", ["gone", "another's"])
def test_a_part_that_is_not_its_manifests_does_not_come_down(
    store: CosStore, copy: Path, spoil: str
) -> None:
    """Two compactions at one moment, or somebody made room: the records come instead."""
    keep(store, record("a"))
    compact(store, DAY)
    less = store.get(part_key(DAY)) or b""
    keep(store, record("b"))
    compact(store, DAY)
    if spoil == "gone":
        store.delete(part_key(DAY))
    else:
        store.put(part_key(DAY), less)
    assert copy_down(store, copy) == Copied(records=2, parts=0)
    assert ids(copy) == ["a", "b"]


def test_a_part_that_was_spoilt_here_comes_down_again(store: CosStore, copy: Path) -> None:
    """It no longer fits its manifest."""
    keep(store, record("a"))
    compact(store, DAY)
    copy_down(store, copy)
    FolderStore(copy).put(part_key(DAY), b"")
    assert copy_down(store, copy) == Copied(records=0, parts=1)
    assert ids(copy) == ["a"]


def test_workflows_and_reviews_come_down_too_and_nothing_else(store: CosStore, copy: Path) -> None:
    """Tickets, dead letters and notes are of no use to a query."""
    wanted = [f"reviews/dt={DAY}/r-simple-0.json", f"workflows/dt={DAY}/w.json"]
    for key in (*wanted, f"_dead/dt={DAY}/x.json", "_outbox/0000000000-a-b-watch.json"):
        store.put(key, b"{}\n")
    assert copy_down(store, copy) == Copied(records=2, parts=0)
    assert files(copy) == wanted
    assert copy_down(store, copy) == Copied(records=0, parts=0)


def test_a_copy_that_broke_off_can_not_be_queried_until_it_is_whole(
    cos: FakeCos, store: CosStore, copy: Path
) -> None:
    """Making the views must raise; the next run goes on where this one stopped."""
    keys = keep(store, *(record(f"{number:02}") for number in range(20)))

    def broken(seen: Seen) -> Fault | None:
        return Fault(before=(403, "AccessDenied")) if seen.key == f"ci/{keys[7]}" else None

    with cos.faulty(broken), pytest.raises(StoreError):
        copy_down(store, copy)
    with pytest.raises(ValueError, match="broken off"):
        ids(copy)
    left = sorted(set(keys) - set(files(copy)))
    assert keys[7] in left
    gets(cos)
    copy_down(store, copy)
    assert gets(cos) == left
    assert ids(copy) == [f"{number:02}" for number in range(20)]


def test_what_a_power_failure_left_of_a_copy_comes_down_again(store: CosStore, copy: Path) -> None:
    """Files without content: they are durable only once the copy is whole."""
    keys = keep(store, record("a"), record("b"))
    copy_down(store, copy)
    here = FolderStore(copy)
    here.put("_copying", b"")
    (copy / keys[0]).write_bytes(b"")
    written_now = (copy / keys[0]).with_name(".tmp-1-c.json")
    written_now.write_bytes(b"")
    assert copy_down(store, copy) == Copied(records=1, parts=0)
    assert ids(copy) == ["a", "b"]
    assert written_now.exists(), "another run's"


def test_a_folder_that_can_not_be_written_is_reported(store: CosStore, copy: Path) -> None:
    """As everywhere, by a StoreError."""
    keep(store, record("a"))
    copy.mkdir()
    (copy / "jobs").write_bytes(b"")
    with pytest.raises(StoreError, match="the folder did not take it"):
        copy_down(store, copy)


def test_many_days_come_down(store: CosStore, copy: Path) -> None:
    """More than are asked for at one time."""
    days = [f"2026-08-{day:02}" for day in range(1, 32)]
    keep(store, *(record(f"j{day[-2:]}", day=day) for day in days))
    for day in days[::2]:
        compact(store, day)
    assert copy_down(store, copy) == Copied(records=15, parts=16)
    assert len(ids(copy)) == 31


def local(env: dict[str, str]) -> Callable[[Path], Path]:
    """`local_folder` with the settings of an environment."""
    settings = Settings.from_env(env)
    return lambda copies: local_folder(settings, open_store(settings), copies)


def test_a_ledger_on_cos_is_queried_in_its_copy(
    cos: FakeCos, store: CosStore, tmp_path: Path
) -> None:
    """Each bucket and prefix has a folder of its own."""
    keep(store, record("a"))
    folder = local(dict(cos.env))(tmp_path)
    assert folder.relative_to(tmp_path).as_posix() == "records-1250000000/ci"
    assert ids(folder) == ["a"]


def test_a_ledger_in_a_folder_is_queried_where_it_is(tmp_path: Path, ledger: Path) -> None:
    """Nothing is copied."""
    keep(FolderStore(ledger), record("a"))
    folder = local({"LEDGER_URL": f"file:{ledger}"})(tmp_path / "copies")
    assert folder == ledger
    assert ids(folder) == ["a"]
    assert not (tmp_path / "copies").exists()


def test_offline_the_last_copy_is_queried(cos: FakeCos, store: CosStore, tmp_path: Path) -> None:
    """COS is asked nothing; before the first copy there is nothing to query."""
    settings = Settings.from_env(dict(cos.env))
    with pytest.raises(ValueError, match="query once without --offline"):
        local_folder(settings, store, tmp_path, offline=True)
    keep(store, record("a"))
    local_folder(settings, store, tmp_path)
    keep(store, record("b"))
    cos.seen.clear()
    assert ids(local_folder(settings, store, tmp_path, offline=True)) == ["a"]
    assert cos.seen == []
