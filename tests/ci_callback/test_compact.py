"""`python -m ci_callback compact`, as a person or a nightly script uses it."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ci_callback.commands.registry import app
from handler.ledger.folder import FolderStore
from tests.ci_callback.test_compaction import ids
from tests.fake_cos import FakeCos
from tests.ledger.test_stores import cos_store
from tests.records import DAY, keep, record

PART = f"compacted/dt={DAY}/part-0.parquet"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FolderStore:
    """The ledger that the command works on."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "ledger").mkdir()
    return FolderStore(tmp_path / "ledger")


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr."""
    result = CliRunner().invoke(app, ["compact", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_a_day_is_folded(store: FolderStore) -> None:
    """It says how many records, how large the part is and where."""
    keep(store, record("a"), record("b"))
    status, out, _ = run("--date", DAY)
    size = len(store.get(PART) or b"")
    assert (status, out) == (0, f"{DAY}  2 records  {size:,} bytes  {PART}\n")
    assert ids(store) == ["a", "b"]


def test_json_is_for_scripts(store: FolderStore) -> None:
    """A list of days, each once, those without records included."""
    keep(store, record("a"))
    status, out, _ = run("--date", DAY, "--date", DAY, "--date", "2026-09-21", "--json")
    size = len(store.get(PART) or b"")
    assert status == 0
    assert json.loads(out) == [
        {"day": DAY, "records": 1, "bytes": size, "part": PART},
        {"day": "2026-09-21", "records": 0, "bytes": 0, "part": None},
    ]


def test_a_day_without_records_is_said_to_have_none(store: FolderStore) -> None:
    """And nothing is written."""
    assert run("--date", DAY)[:2] == (0, f"{DAY}  has no records\n")
    assert list(store.list("")) == []


def test_all_stale_days_are_folded_and_then_none_is_stale(store: FolderStore) -> None:
    """What a nightly job runs; a late record is taken in by the next one."""
    keep(store, record("a"), record("b", day="2026-09-21"))
    folded = json.loads(run("--all-stale", "--json")[1])
    assert [result["day"] for result in folded] == [DAY, "2026-09-21"]
    assert run("--all-stale")[:2] == (0, "No day is stale.\n")
    keep(store, record("late"))
    (late,) = json.loads(run("--all-stale", "--json")[1])
    assert (late["day"], late["records"]) == (DAY, 2)


def test_since_folds_the_stale_days_from_a_day_on(store: FolderStore) -> None:
    """What a nightly job runs: it lists no older ones."""
    keep(store, record("a"), record("b", day="2026-09-21"), record("c", day="2026-09-22"))
    folded = json.loads(run("--since", "2026-09-21", "--json")[1])
    assert [result["day"] for result in folded] == ["2026-09-21", "2026-09-22"]
    assert run("--since", "2026-09-21")[:2] == (0, "No day is stale.\n")


def test_today_is_folded_only_by_its_name(store: FolderStore) -> None:
    """The next record would make it stale again."""
    today = datetime.now(timezone.utc).date().isoformat()
    keep(store, record("a", day=today))
    assert run("--all-stale")[1] == run("--since", "1d")[1] == "No day is stale.\n"
    assert json.loads(run("--date", today, "--json")[1])[0]["records"] == 1


def test_a_day_that_can_not_be_folded_keeps_no_other_back(store: FolderStore) -> None:
    """The others are printed; then what is wrong, and the exit status is 1."""
    keep(store, record("a"), record("b", day="2026-09-21"))
    for day in (DAY, "2026-09-22"):
        store.put(f"jobs/dt={day}/odd.json", b"{}\n")
    status, out, err = run("--all-stale")
    assert status == 1
    assert out.startswith("2026-09-21  1 records")
    assert f"jobs/dt={DAY}/odd.json is no record" in err
    assert "jobs/dt=2026-09-22/odd.json is no record" in err


def test_without_duckdb_it_says_how_to_get_it(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And reads nothing."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert run("--all-stale") == (1, "", "compact needs DuckDB: pip install duckdb\n")


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--date", "yesterday")])
def test_a_day_must_be_named(store: FolderStore, arguments: tuple[str, ...]) -> None:
    """Usage errors end with 2."""
    assert run(*arguments)[0] == 2


def test_what_is_no_record_is_reported(store: FolderStore) -> None:
    """Exit status 1, and what to do about it."""
    store.put(f"jobs/dt={DAY}/odd.json", b"{}\n")
    status, _, err = run("--date", DAY)
    assert status == 1
    assert f"jobs/dt={DAY}/odd.json is no record" in err
    assert "compact the day again" in err


def test_a_ledger_that_can_not_be_reached_is_reported(store: FolderStore, tmp_path: Path) -> None:
    """Exit status 4; what it would have written to is named first."""
    keep(store, record("a"))
    (tmp_path / "ledger" / "compacted").write_bytes(b"")
    status, _, err = run("--date", DAY)
    assert status == 4
    assert err.splitlines()[0] == f"ledger: file:{tmp_path}/ledger"
    assert "store: " in err


def test_a_ledger_on_cos_is_folded_there(monkeypatch: pytest.MonkeyPatch, cos: FakeCos) -> None:
    """With the settings that the function has."""
    for name, value in cos.env.items():
        monkeypatch.setenv(name, value)
    store = cos_store(cos)
    keep(store, record("a"), record("b"))
    assert run("--date", DAY)[0] == 0
    assert ids(store) == ["a", "b"]
    assert run("--all-stale")[1] == "No day is stale.\n"
