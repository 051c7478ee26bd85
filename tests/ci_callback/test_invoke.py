"""`python -m ci_callback invoke`, run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ci_callback.commands.registry import app
from ci_callback.events import context, http_event
from handler import __version__
from tests.conftest import PAYLOADS
from tests.fake_cos import FakeCos

TRANSLATION = str(PAYLOADS / "Translation.seed.xml")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A ledger of one's own, and plain text whatever the terminal."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    monkeypatch.setenv("NO_COLOR", "1")


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr."""
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    """The main job from the shell: answer, key and record are there to read."""
    result = subprocess.run(
        [sys.executable, "-m", "ci_callback", "invoke", TRANSLATION],
        env=os.environ | {"LEDGER_URL": f"file:{tmp_path}/ledger"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Answer 200" in result.stdout
    assert "jobs/dt=2022-07-25/ac34be3aa0bf411ed9ce39d7cc972e427.json" in result.stdout
    assert '"target_type": "txt"' in result.stdout
    assert result.stderr == f"ledger: file:{tmp_path}/ledger\n"


def test_the_log_is_printed_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -v, to stderr; a failure says so."""
    monkeypatch.setenv("CI_CALLBACK_VERBOSE", "")  # given back at the end
    (tmp_path / "bad.json").write_text("")
    status, out, err = run("--ledger", f"file:{tmp_path}/ledger", "-v", "invoke", TRANSLATION)
    assert (status, '"event":"callback"' in err, '"event":"callback"' in out) == (0, True, False)
    monkeypatch.setenv("CI_CALLBACK_VERBOSE", "")
    status, _, err = run("invoke", str(tmp_path / "bad.json"))
    assert status == 1
    assert '"event"' not in err
    assert "log says more: python -m ci_callback -v invoke" in err


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.seed.*")), ids=lambda path: path.name)
def test_json_is_one_object_for_machines(path: Path) -> None:
    """The whole answer, and what is kept under each key."""
    status, out, _ = run("invoke", "--json", str(path))
    assert status == 0
    printed = json.loads(out)
    (job,) = json.loads(printed["answer"]["body"])["jobs"]
    assert printed["answer"]["statusCode"] == 200
    assert printed["kept"][0]["key"] == job["key"]
    assert printed["kept"][0]["record"]["job_id"] == job["job_id"]


def test_a_ledger_on_cos_works_the_same(cos: FakeCos, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request for the record, one to show it."""
    for name, value in cos.env.items():
        monkeypatch.setenv(name, value)
    status, out, err = run("invoke", "--yes", TRANSLATION)
    assert status == 0
    assert '"tag": "Translation"' in out
    assert err.startswith(f"ledger: {cos.env['LEDGER_URL']}\n")
    assert [method for method, _ in cos.requests()] == ["PUT", "GET"]


def test_the_configured_token_is_shown_to_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may set the environment may invoke."""
    monkeypatch.setenv("CALLBACK_TOKENS", "a-token")
    status, out, err = run("invoke", TRANSLATION)
    assert status == 0
    assert "a-token" not in out + err


def test_a_whole_event_is_passed_as_it_is(tmp_path: Path) -> None:
    """With --event: here one that is refused, and the exit status says so."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"httpMethod": "PUT", "path": "/"}))
    status, out, _ = run("invoke", "--event", str(event))
    assert status == 1
    assert "Answer 405" in out


def test_a_direct_event_shows_its_answer_too(tmp_path: Path) -> None:
    """It has no status code."""
    event = tmp_path / "event.json"
    event.write_text('{"JobsDetail": {"JobId": "j1", "State": "Success"}}')
    status, out, _ = run("invoke", "--event", str(event))
    assert status == 0
    assert '"status": "kept"' in out


def test_an_event_that_is_no_json_is_a_usage_error(tmp_path: Path) -> None:
    """Exit status 2."""
    (tmp_path / "event").write_text("<a/>")
    status, _, err = run("invoke", "--event", str(tmp_path / "event"))
    assert status == 2
    assert "an event must be JSON" in err


def test_a_file_that_is_not_there_is_a_usage_error() -> None:
    """Exit status 2."""
    assert run("invoke", "no-such-file")[0] == 2


def test_wrong_settings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit status 3, and no stack trace."""
    monkeypatch.setenv("VERIFY_CALLBACKS", "maybe")
    status, _, err = run("invoke", TRANSLATION)
    assert status == 3
    assert (
        err == "settings: VERIFY_CALLBACKS: found 'maybe', expected never or failures or always\n"
    )


def test_a_store_that_can_not_be_reached_is_reported(
    cos: FakeCos, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Exit status 4 where the function raises, as it does on a direct invoke."""
    for name, value in (cos.env | {"COS_ENDPOINT": "http://127.0.0.1:1"}).items():
        monkeypatch.setenv(name, value)
    event = tmp_path / "event.json"
    event.write_text('{"JobsDetail": {"JobId": "j1", "State": "Success"}}')
    status, _, err = run("invoke", "--yes", "--event", str(event))
    assert status == 4
    assert "store: put" in err
    assert run("invoke", "--yes", TRANSLATION)[0] == 1


def test_help_shows_an_example() -> None:
    """One can be copied from it."""
    status, out, _ = run("invoke", "--help")
    assert status == 0
    assert "python -m ci_callback invoke" in out


def test_version_is_the_one_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting and no environment variable changes it."""
    monkeypatch.setenv("CI_CALLBACK_VERSION", "9")
    assert run("--version") == (0, f"ci-callback {__version__}\n", "")
    assert run("--help")[0] == 0


def test_without_its_libraries_the_command_line_says_what_to_install() -> None:
    """The function's own requirements do not hold them."""
    code = "import sys; sys.modules['typer'] = None; import ci_callback.__main__"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 1
    assert "pip install -r requirements/cli.txt" in result.stderr


def test_a_body_that_is_no_text_travels_in_base64() -> None:
    """An event is JSON."""
    event = http_event(b"\xff\x00")
    assert (event["isBase64Encoded"], event["body"]) == (True, "/wA=")
    assert context()["time_limit_in_ms"] == 55_000
