"""search.py: which records match, in which order."""

from __future__ import annotations

import pytest

from ci_callback.record_index.search import Lookup, Search, Sort
from tests.ci_callback.record_index.test_filler import index_of
from tests.records import keep, record
from tests.stores import MemoryStore

FAILED = {"outcome": "failed", "state": "Failed", "code": "NoSuchKey"}


def received(time: str, request_id: str) -> dict[str, object]:
    """When the callback came, and by which request."""
    return {**record("x").source, "received_at": time, "request_id": request_id}


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    keep(
        store,
        record("ja", run_s=3, source=received("2026-09-20T10:00:00Z", "r1")),
        record("jb", run_s=9, source=received("2026-09-20T09:00:00Z", "r2"), **FAILED),
        record("jc", "2026-09-22", run_s=None, source=received("2026-09-22T09:00:00Z", "r3")),
        record(
            "jd",
            "2026-09-23",
            tag="Concat",
            user_data="Größe 5%",
            source=received("2026-09-01T00:00:00Z", "r4"),
        ),
    )
    return store


def ids(store: MemoryStore, search: Search, sort: Sort = "newest") -> str:
    """The last letters of the ids that are found, in order."""
    index = index_of(store)
    index.refresh()
    with index.file.open() as connection:
        lookup = Lookup(connection)
        page = lookup.page(search, sort, (0, 10))
        assert sum(lookup.counts(search).values()) == len(page)
    return "".join(entry.key[-6] for entry in page)


@pytest.mark.parametrize(
    ("sort", "expected"), [("newest", "cabd"), ("oldest", "dbac"), ("longest", "dbac")]
)
def test_records_are_sorted(store: MemoryStore, sort: Sort, expected: str) -> None:
    """What is not known comes last in each order."""
    assert ids(store, Search(), sort).startswith(expected)


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (Search(tag="Concat"), "d"),
        (Search(outcome="failed"), "b"),
        (Search(code="NoSuchKey"), "b"),
        (Search(words=("grösse",)), "d"),
        (Search(words=("grösse", "5%")), "d"),
        (Search(words=("5_",)), ""),
        (Search(words=("nosuch", "jb")), "b"),
        (Search(received=(1789894800.0, 1789898400.0)), "b"),
        (Search(created=("2026-09-22", "")), "cd"),
        (Search(created=("", "2026-09-20")), "ab"),
        (Search(roots={"ja", "jd"}), "ad"),
        (Search(roots=()), ""),
    ],
)
def test_records_are_found(store: MemoryStore, search: Search, expected: str) -> None:
    """By each condition, and counted so."""
    assert ids(store, search) == expected


def test_those_of_some_requests_are_left_out(store: MemoryStore) -> None:
    """They are shown as deliveries."""
    index = index_of(store)
    index.refresh()
    with index.file.open() as connection:
        lookup = Lookup(connection)
        assert lookup.counts(Search(), ["r1", "r2"]) == {"succeeded": 2, "failed": 0}
        page = lookup.page(Search(), "newest", (0, 10), ["r1", "r2"])
        assert [entry.key[-6] for entry in page] == ["c", "d"]
        assert [entry.key[-6] for entry in lookup.page(Search(), "newest", (1, 1))] == ["a"]


def test_a_job_is_found_by_its_id(store: MemoryStore) -> None:
    """Its end first, and names that have an end."""
    keep(store, record("ja", state="Running", outcome="unfinished"))
    index = index_of(store)
    index.refresh()
    with index.file.open() as connection:
        lookup = Lookup(connection)
        assert lookup.keys_of("ja") == [
            "jobs/dt=2026-09-20/ja.json",
            "_unfinished/dt=2026-09-20/ja-~52unning.json",
        ]
        assert lookup.ended({"ja", "jx"}) == {"ja"}
        assert lookup.tags() == ["Concat", "Transcode"]
        assert lookup.end_of("ja", 2) is None
