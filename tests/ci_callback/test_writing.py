"""writing.py: commands that write to a ledger on COS name it first, and ask."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ci_callback import writing
from ci_callback.commands.registry import app
from tests.fake_cos import FakeCos

PAYLOAD = str(Path(__file__).parents[1] / "payloads" / "Translation.seed.xml")
COMMANDS = (
    ("invoke", PAYLOAD),
    ("sweep",),
    ("reconcile", "--tag", "Transcode"),
    ("replay", "--from", "file:."),
    ("dead", "replay", "5891b5b5"),
)


@pytest.fixture(autouse=True)
def _on_cos(cos: FakeCos, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cos.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CI_CALLBACK_YES", raising=False)
    monkeypatch.setenv("COLUMNS", "300")


@pytest.mark.parametrize("arguments", COMMANDS, ids=str)
def test_where_nobody_can_be_asked_nothing_is_written(
    arguments: tuple[str, ...], cos: FakeCos
) -> None:
    """A usage error that says what to pass."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert f"this writes to {cos.env['LEDGER_URL']}" in " ".join(result.stderr.split())
    assert "--yes" in result.stderr
    assert not cos.requests()


@pytest.mark.parametrize("arguments", COMMANDS, ids=str)
def test_no_is_an_end(
    arguments: tuple[str, ...], cos: FakeCos, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is asked of the ledger."""
    monkeypatch.setattr(writing, "someone_is_there", lambda: True)
    result = CliRunner().invoke(app, arguments, input="n\n")
    assert result.exit_code == 1
    assert f"ledger: {cos.env['LEDGER_URL']}" in result.stderr
    assert not cos.requests()


def test_a_preview_asks_nothing(cos: FakeCos) -> None:
    """It writes nothing."""
    assert CliRunner().invoke(app, ["sweep", "--dry-run"]).exit_code == 0


def test_yes_may_be_set_for_a_shell(cos: FakeCos, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger is named all the same."""
    monkeypatch.setenv("CI_CALLBACK_YES", "1")
    result = CliRunner().invoke(app, ["invoke", PAYLOAD])
    assert result.exit_code == 0
    assert result.stderr.startswith(f"ledger: {cos.env['LEDGER_URL']}\n")
