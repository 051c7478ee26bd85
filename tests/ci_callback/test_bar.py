"""bar.py and terminal.bar: work that is counted while it is done."""

from __future__ import annotations

import io

import pytest

from ci_callback import terminal
from ci_callback.bar import NO_BAR, Bar
from handler.parallel import in_parallel


class Terminal(io.StringIO):
    """What people look at."""

    def isatty(self) -> bool:
        return True


def test_what_is_expected_and_done_adds_up() -> None:
    """Several days are listed while the first is folded."""
    shown: list[tuple[int, int]] = []
    bar = Bar(lambda expected, done: shown.append((expected, done)))
    bar.expect(2)
    bar.step()
    bar.expect(3)
    bar.step(4)
    assert shown == [(2, 0), (2, 1), (5, 1), (5, 5)]


def test_threads_lose_no_step() -> None:
    """Requests end in any of them."""
    shown = (0, 0)

    def show(expected: int, done: int) -> None:
        nonlocal shown
        shown = (expected, done)

    bar = Bar(show)
    in_parallel(lambda count: bar.step(count), range(1_000))
    assert shown == (0, 499_500)


def test_people_see_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """On stderr, so that a result in a pipe is whole."""
    seen = Terminal()
    monkeypatch.setattr("sys.stderr", seen)
    with terminal.bar("Folding records") as bar:
        bar.expect(4)
        bar.step(3)
    assert "Folding records" in seen.getvalue()
    assert "3/4" in seen.getvalue()


def test_a_pipe_gets_none(capsys: pytest.CaptureFixture[str]) -> None:
    """A log would be full of it."""
    with terminal.bar("Folding records") as bar:
        bar.expect(4)
        bar.step(4)
    assert bar is NO_BAR
    assert capsys.readouterr() == ("", "")
