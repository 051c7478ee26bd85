"""late_bar.py: progress on stderr for people who wait, and for nobody else."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ci_callback import common, late_bar
from ci_callback.commands.registry import app
from ci_callback.counted import PAGE, Counted
from handler.ledger import cos
from handler.ledger.folder import FolderStore
from handler.log import Log
from tests.records import keep, record


class Terminal(io.StringIO):
    """What people look at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """All work is late. A test puts it in the place of stderr, which pytest replaces itself."""
    seen = Terminal()
    monkeypatch.setattr(late_bar, "LATE_S", 0.0)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    return seen


def test_people_see_what_is_done_and_how_much_there_is(terminal: Terminal) -> None:
    """And nothing of it at the end."""
    with redirect_stderr(terminal), late_bar.late_bar("Sending", 1_000) as bar:
        bar.step(250)
    assert "Sending" in terminal.getvalue()
    assert "250/1,000" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[1A\x1b[2K")


def test_without_a_total_the_count_is_shown(terminal: Terminal) -> None:
    """With its unit."""
    with redirect_stderr(terminal), late_bar.late_bar("Asking the ledger", unit="requests") as bar:
        bar.step(3)
    assert "3 requests" in terminal.getvalue()


def test_quick_work_shows_nothing(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar that flashes is noise."""
    monkeypatch.setattr(late_bar, "LATE_S", 1e9)
    with redirect_stderr(terminal), late_bar.late_bar("Sending", 10) as bar:
        bar.step(10)
    assert terminal.getvalue() == ""


def test_a_pipe_gets_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log would be full of it."""
    monkeypatch.setattr(late_bar, "LATE_S", 0.0)
    with late_bar.late_bar("Sending", 10) as bar:
        bar.step(10)
    assert capsys.readouterr() == ("", "")


def test_a_line_of_the_log_stands_above_the_bar_in_one_piece(terminal: Terminal) -> None:
    """However long it is: it can be copied."""
    line = json.dumps({"event": "x" * 300})
    log = late_bar.log_stream(is_whole=True)
    with redirect_stderr(terminal), late_bar.late_bar("Sweeping") as bar:
        bar.step()
        log.write(line + "\n")
        log.flush()
    assert line in terminal.getvalue()


def test_a_log_is_whole_only_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Warnings and errors are printed in any case; a line a callback would drown a result."""
    for is_whole, levels in ((False, ["WARNING", "ERROR"]), (True, ["INFO", "WARNING", "ERROR"])):
        log = Log(late_bar.log_stream(is_whole), lambda: 0.0)
        log.info("callback", status="kept")
        log.warning("callback", status="dead_letter", note='{"level":"INFO"}')
        log.error("callback_not_stored")
        lines = capsys.readouterr().err.splitlines()
        assert [json.loads(line)["level"] for line in lines] == levels


def test_every_request_of_a_command_is_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that whatever takes long is seen to go on."""
    steps: list[int] = []
    monkeypatch.setattr(late_bar.LateBar, "step", lambda self, count=1: steps.append(count))
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}")
    keep(FolderStore(tmp_path), record("j1"), record("j2"))
    for arguments in (
        ("jobs",),
        ("show", "j1"),
        ("retries",),
        ("dead", "list"),
        ("events",),
        ("report", "--json"),
        ("sweep",),
        ("replay", "--from", f"file:{tmp_path}/../other", "--failed"),
    ):
        keep(FolderStore(tmp_path.parent / "other"), record("j1"))
        steps.clear()
        assert CliRunner().invoke(app, arguments).exit_code == 0, arguments
        assert steps or arguments[0] == "replay"


def test_a_command_that_does_not_end_has_no_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits on purpose."""
    monkeypatch.setattr(late_bar.LateBar, "step", _refuse)
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}")
    with common.local(doing=None) as here:
        assert here.ledger.store.get("x") is None


def _refuse(self: late_bar.LateBar, count: int = 1) -> None:
    raise AssertionError


def test_a_listing_counts_as_on_cos() -> None:
    """The page is the store's."""
    assert PAGE == cos.PAGE


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.get("a"),
        lambda store: list(store.list("a")),
        lambda store: store.put("a", b""),
        lambda store: store.put_new("b", b""),
        lambda store: store.folders(""),
        lambda store: list(store.dated("a")),
        lambda store: store.delete("a"),
        lambda store: store.delete_many(["a"]),
    ],
)
def test_each_kind_of_request_is_seen(ask: Callable[[Counted], object], tmp_path: Path) -> None:
    """Once."""
    seen: list[None] = []
    ask(Counted(FolderStore(tmp_path), lambda: seen.append(None)))
    assert len(seen) == 1
