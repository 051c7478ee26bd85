"""`reconcile`, run by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ci_callback.ci_simulator import Fault
from ci_callback.commands.registry import app
from tests.world import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    """A world in which a job ended long ago, and its callback never came."""
    with World(tmp_path / "ledger") as made:
        for name, value in made.env.items():
            monkeypatch.setenv(name, value)
        # The command's clock is the real one: the job was made an hour before it.
        import time

        made.now = time.time() - 3600
        made.succeed(made.submit())
        yield made


def run(*arguments: str, code: int = 0) -> str:
    """Everything that the command printed."""
    result = CliRunner().invoke(app, ["reconcile", *arguments])
    assert result.exit_code == code, result.output
    return result.output if code else result.stdout


def test_a_tag_can_be_named_by_hand(world: World) -> None:
    """What is missing is taken in; again is nothing new."""
    assert run("--tag", "Translation", "--hours", "6") == (
        "Translation: done, 1 looked at, 1 stored\n"
    )
    assert len(world.keys("jobs/")) == 1
    printed = json.loads(run("--tag", "Translation", "--json"))
    assert [(result["listed"], result["absent"]) for result in printed] == [(1, 0)]


def test_without_a_tag_the_settings_say_which(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on the timer."""
    monkeypatch.setenv("RECONCILE_TAGS", "Translation:6")
    assert "1 stored" in run()


def test_nothing_to_reconcile_is_a_fault_of_settings(world: World) -> None:
    """Exit status 3, and what to do."""
    assert "name a tag with --tag" in run(code=3)


def test_ci_out_of_reach_is_reported(world: World) -> None:
    """Exit status 1, and why."""
    with world.ci.faulty(lambda seen: Fault(before=(500, "InternalError"))):
        assert "aborted" in run("--tag", "Translation", code=1)
