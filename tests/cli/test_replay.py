"""`python -m handler replay --from-log FILE`: what only the log holds comes back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from handler.cli.commands import app
from handler.recovery.from_log import bodies
from tests.conftest import PAYLOADS, Invoked
from tests.cos_face import CosFace, Fault

BIG = json.dumps({"JobsDetail": {"JobId": "big", "State": "Success", "Text": "x" * 50_000}})
BODIES = [*((path.read_bytes()).decode() for path in sorted(PAYLOADS.glob("*.seed.*"))), BIG, "odd"]


@pytest.fixture
def log(on_cos: Invoked, cos: CosFace, tmp_path: Path) -> Path:
    """The log of a function whose store was away while callbacks came, some of them twice."""
    with cos.faulty(lambda seen: Fault(before=(403, "AccessDenied"))):
        for body in [*BODIES, BODIES[0]]:
            assert on_cos.post(body)[0] == 503
    path = tmp_path / "log"
    # As a log service exports it: with words of its own before the line, and other lines.
    lines = [f"2026-11-21 08:00:00 {line}" for line in on_cos.output.getvalue().splitlines()]
    path.write_text("\n".join([*lines, "START RequestId: x", "{broken", '{"event": 5}', "[]"]))
    return path


def run(path: Path, *more: str) -> tuple[int, str]:
    """Exit status and stdout."""
    result = CliRunner().invoke(app, ["replay", "--from-log", str(path), *more])
    return result.exit_code, result.stdout


def test_everything_that_the_log_holds_is_kept(
    log: Path, cos: CosFace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each body once, dead letters included; a second replay changes nothing."""
    for name, value in cos.env.items():
        monkeypatch.setenv(name, value)
    status, out = run(log, "--json")
    assert status == 0
    told = json.loads(out)
    assert (told["bodies"], told["missing"]) == (6, [])
    assert told["jobs"] == {"dead_letter": 1, "duplicate": 1, "kept": 4} or told["jobs"] == {
        "dead_letter": 1,
        "kept": 5,
    }
    kept = {key: cos.read(key) for key in cos.keys("ci/jobs/")}
    assert len(kept) == 4
    assert run(log)[0] == 0
    assert {key: cos.read(key) for key in cos.keys("ci/jobs/")} == kept


def test_a_body_that_is_not_whole_is_told(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part is missing, or was changed: exit status 1, and the others are kept."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/other")
    lines = log.read_text().splitlines()
    cut = [line for line in lines if '"part":2' not in line]
    log.write_text("\n".join(cut))
    status, out = run(log)
    assert status == 1
    assert "5 callbacks in the log" in out
    assert out.count("not whole") == 1


@pytest.mark.parametrize(
    "line",
    [
        {"event": "callback_not_kept"},
        {"event": "callback_not_kept", "sha256": "x", "body_base64": "eA==", "part": "1"},
        {"event": "callback"},
    ],
)
def test_lines_that_are_something_else_are_passed_over(line: dict[str, object]) -> None:
    """A log holds a lot."""
    found = bodies([json.dumps(line)])
    assert (found.bodies, found.missing) == ([], [])


@pytest.mark.parametrize("text", ["eA==", "%%%"])
def test_a_changed_body_is_not_taken(text: str) -> None:
    """Its digest does not fit."""
    line = {"event": "callback_not_kept", "sha256": "x", "body_base64": text, "part": 1, "parts": 1}
    assert bodies([json.dumps(line)]).missing == ["x"]
