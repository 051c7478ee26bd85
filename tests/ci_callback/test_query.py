"""`query`: SQL over the ledger, as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ci_callback.commands import query as query_module
from ci_callback.commands.registry import app
from handler.ledger.folder import FolderStore
from tests.conftest import Invoked
from tests.records import keep, record


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FolderStore:
    """A ledger of three jobs."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    monkeypatch.setenv("NO_COLOR", "1")
    made = FolderStore(tmp_path / "ledger")
    keep(made, record("j1"), record("j2", code="[bold]"), record("t1", tag="Translation"))
    return made


def run(*arguments: str, stdin: str = "", code: int = 0) -> str:
    """stdout, or where it fails stderr, of a query that ends with this exit status."""
    result = CliRunner().invoke(app, ["query", *arguments], input=stdin)
    assert result.exit_code == code, result.output
    return result.stderr if code else result.stdout


COUNT = "SELECT tag, count(*) AS n FROM jobs GROUP BY tag ORDER BY n"


def test_a_query_gives_a_table_or_a_line_of_json_a_row(store: FolderStore) -> None:
    """The same rows."""
    assert [json.loads(line) for line in run(COUNT, "--json").splitlines()] == [
        {"tag": "Translation", "n": 1},
        {"tag": "Transcode", "n": 2},
    ]
    out = run(COUNT)
    assert "Transcode" in out
    assert "[bold]" in run("SELECT code FROM jobs WHERE job_id = 'j2'")


def test_a_query_comes_from_stdin_too(store: FolderStore) -> None:
    """For those that are longer than a line."""
    assert run("-", "--json", stdin=COUNT) == run(COUNT, "--json")


@pytest.mark.parametrize(
    "sql",
    [
        "COPY jobs TO '/tmp/jobs.csv'",
        "CREATE TABLE t AS SELECT 1",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SELECT 1; DROP VIEW jobs",
    ],
)
def test_a_query_only_reads(store: FolderStore, sql: str) -> None:
    """Anything else is a usage error."""
    assert "a query reads" in run(sql, code=2)


def test_a_query_reads_the_ledger_alone(store: FolderStore, tmp_path: Path) -> None:
    """Not whatever else lies on this machine."""
    (tmp_path / "secret").write_text("x")
    assert "Permission" in run(f"SELECT * FROM read_text('{tmp_path}/secret')", code=1)


def test_a_wrong_query_is_told_as_duckdb_tells_it(store: FolderStore) -> None:
    """Without a stack trace."""
    err = run("SELECT nothing FROM jobs", code=1)
    assert "nothing" in err
    assert "Traceback" not in err
    assert "query:" in run("SELEC", code=1)


def test_a_table_for_people_ends(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so."""
    monkeypatch.setattr(query_module, "ROWS", 2)
    assert "The first 2 rows" in run("SELECT job_id FROM jobs")


def test_a_ledger_on_cos_is_copied_down_first(
    on_cos: Invoked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each time only what is new."""
    for name, value in on_cos.env.items():
        monkeypatch.setenv(name, value)
    on_cos.post('{"JobsDetail": {"JobId": "j1", "State": "Success", "Tag": "Transcode"}}')
    copies = ("--copies", str(tmp_path / "copies"), "--json")
    assert run(COUNT, *copies) == '{"tag": "Transcode", "n": 1}\n'
    on_cos.post('{"JobsDetail": {"JobId": "j2", "State": "Success", "Tag": "Transcode"}}')
    assert run(COUNT, *copies) == '{"tag": "Transcode", "n": 2}\n'


def test_without_duckdb_it_says_what_to_install(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is large, and only this command needs it."""
    import sys

    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert "pip install duckdb" in run(COUNT, code=1)
