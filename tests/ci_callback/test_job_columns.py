"""job_columns.py: a row is all that a column of `jobs` needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ci_callback import job_columns
from ci_callback.commands.registry import app
from ci_callback.job_columns import COLUMNS, Column, cells, names, usual_names
from ci_callback.views import seconds_text
from handler.ledger.folder import FolderStore
from tests.records import keep, record


def test_a_made_up_column_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name and its cells, added by one row."""
    made_up = Column("input", lambda job_record: job_record.job_input.object)
    monkeypatch.setattr(job_columns, "COLUMNS", (*COLUMNS, made_up))
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}")
    keep(FolderStore(tmp_path), record("j1", input={"object": "in/a.mp4"}))
    result = CliRunner().invoke(app, ["jobs", "--header"], catch_exceptions=False)
    assert {"input", "in/a.mp4"} <= set(result.output.split())


@pytest.mark.parametrize(
    ("seconds", "shown"), [(4, "4"), (0.472, "0.472"), (137_043_963.453, "137043963.453")]
)
def test_seconds_have_no_exponent(seconds: float, shown: str) -> None:
    """A record may be stored years after its job ended."""
    assert seconds_text(seconds) == shown


def test_times_and_ids_are_whole() -> None:
    """They are pasted into other commands."""
    job_record = record("j1", created_at="2026-09-21T14:13:20Z")
    assert usual_names() == "job,created,outcome,tag,run_s,code"
    assert cells(job_record)[:2] == ("j1", "2026-09-21T14:13:20Z")
    assert len(cells(job_record)) == len(names())
