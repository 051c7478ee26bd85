"""`python -m ci_callback sample`, run as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from ci_callback.commands.sample import sample
from ci_callback.samples.options import codes, states
from ci_callback.samples.samples import KNOWN
from handler.callback.catalogue import TAGS
from tests.callback.test_record import records

app = typer.Typer()
app.command()(sample)


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain text whatever the terminal, and wide enough for its words to stay together."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments: str) -> Result:
    """Exit status, stdout and stderr."""
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize("tag", [*TAGS, "WorkflowFinish", "ReviewImage"])
def test_what_is_printed_is_a_callback(tag: str) -> None:
    """To be read by the parser as it is."""
    result = run(tag)
    assert result.exit_code == 0
    (read,) = records(result.stdout_bytes)
    assert (read.tag or read.event) == tag


def test_each_one_is_a_job_of_its_own() -> None:
    """That ends now."""
    first, second = (records(run("Transcode").stdout_bytes)[0] for _ in range(2))
    assert first.job_id != second.job_id


def test_the_options_decide_what_it_says() -> None:
    """As in the example of the help."""
    result = run(
        *("Transcode", "--state", "Failed", "--code", "SlowDown", "--format", "json"),
        *("--workflow", "--job-id", "j1", "--set", "Input.Object=a.mp4", "--set", "SubTag=x"),
    )
    (read,) = records(result.stdout_bytes)
    assert (read.job_id, read.outcome, read.code) == ("j1", "failed", "SlowDown")
    assert read.source["format"] == "json"
    assert read.workflow is not None
    assert read.input is not None
    assert (read.input["object"], read.details["SubTag"]) == ("a.mp4", "x")


def test_it_goes_into_a_file(tmp_path: Path) -> None:
    """The bytes alone; the id is told."""
    result = run("Transcode", "--out", str(tmp_path / "sample.xml"))
    (read,) = records((tmp_path / "sample.xml").read_bytes())
    assert read.job_id in result.stdout


def test_json_is_for_machines(tmp_path: Path) -> None:
    """The body as text, and what is known of it."""
    printed = json.loads(run("Transcode", "--json").stdout)
    (read,) = records(printed["body"].encode())
    assert (printed["name"], printed["format"], printed["job_id"]) == (
        "Transcode",
        "xml",
        read.job_id,
    )
    out = tmp_path / "x"
    printed = json.loads(run("Transcode", "--json", "--out", str(out)).stdout)
    assert printed["out"] == str(out)
    assert printed["body"].encode() == out.read_bytes()


def test_the_list_names_all() -> None:
    """Tags with their family, and what the result of each holds."""
    printed = json.loads(run("--list", "--json").stdout)
    assert [entry["name"] for entry in printed] == list(KNOWN)
    split = next(entry for entry in printed if entry["name"] == "SplitVideoParts")
    assert (split["family"], split["fields"]) == ("media", ["mode", "parts"])
    shown = run("--list").stdout
    assert all(name in shown for name in KNOWN)
    assert "mode, parts" in run("--list", "SplitVideoParts").stdout
    assert "Transcode" not in run("--list", "SplitVideoParts").stdout


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        ((), "--list shows all of them"),
        (("Transcod",), "did you mean Transcode"),
        (("Transcode", "--state", "Done"), "one of Success"),
        (("Transcode", "--format", "yaml"), "yaml"),
        (("Transcode", "--set", "JobId.Of=1"), "is a text"),
        (("Transcode", "--set", "JobId"), "PATH=VALUE"),
        (("Transcode", "--out", "no/such/folder/x"), "No such file or directory"),
    ],
)
def test_wrong_usage_is_reported(arguments: tuple[str, ...], printed: str) -> None:
    """Exit status 2."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert printed in result.stderr


def test_states_and_codes_are_completed() -> None:
    """Codes with what follows from them."""
    assert states("Su") == ["Success", "Submitted"]
    assert [code for code, _ in codes("Slow")] == ["SlowDown"]
