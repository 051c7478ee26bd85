"""A typo is an error that lists what there is, and never silent success."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ci_callback.commands.registry import app
from handler.ledger.folder import FolderStore
from tests.records import keep, record


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr."""
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


@pytest.fixture(autouse=True)
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger with one record."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    keep(FolderStore(tmp_path / "ledger"), record("j1"))
    return tmp_path / "ledger"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("jobs", "--tag", "transcod"), "no tag 'transcod'; did you mean Transcode? There are: "),
        (("tail", "--tag", "x!"), "no tag 'x!'; There are: "),
        (("reconcile", "--tag", "Trans"), "no tag 'Trans'"),
        (("jobs", "--outcome", "fail"), "did you mean failed? There are: cancelled, failed, "),
        (("jobs", "--state", "failed"), "no state 'failed'; did you mean Failed? There are: "),
    ],
    ids=str,
)
def test_an_unknown_name_is_a_usage_error(arguments: tuple[str, ...], says: str) -> None:
    """With the nearest one, and all there are."""
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert says in err.replace("│", "").replace("  ", " ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("jobs",),
        ("show", "j1"),
        ("query", "SELECT 1"),
        ("retries",),
        ("report", "--json"),
        ("dead", "list"),
        ("dead", "show", "x"),
    ],
    ids=str,
)
def test_a_ledger_that_is_not_there_is_an_error(arguments: tuple[str, ...], ledger: Path) -> None:
    """It names those beside it; nothing is made."""
    status, out, err = run("--ledger", f"file:{ledger}r", *arguments)
    assert (status, out) == (4, "")
    assert f"There is no ledger at {ledger}r. There are: {ledger};" in err
    assert not Path(f"{ledger}r").exists()


def test_without_any_ledger_it_says_how_one_comes_to_be(tmp_path: Path) -> None:
    """The first callback makes it."""
    _, _, err = run("--ledger", f"file:{tmp_path}/none/ledger", "jobs")
    assert "made when the first callback is stored" in err


def test_invoke_fails_where_a_callback_becomes_a_dead_letter(tmp_path: Path) -> None:
    """Which one, on stderr; the others are stored all the same."""
    (tmp_path / "good.json").write_text('{"JobsDetail": {"JobId": "j1", "State": "Success"}}')
    (tmp_path / "bad.json").write_text("{")
    status, out, err = run("invoke", str(tmp_path / "good.json"), str(tmp_path / "bad.json"))
    assert status == 1
    assert "bad.json: a dead letter, json_invalid" in err
    assert "good.json" not in err
    assert "1 dead_letter, 1 kept" in out
    status, out, _ = run("invoke", "--json", str(tmp_path / "bad.json"))
    assert (status, json.loads(out)["answer"]["statusCode"]) == (1, 202)
