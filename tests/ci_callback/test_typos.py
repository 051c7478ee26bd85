"""A typo is an error that lists what there is, and never silent success."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ci_callback.commands.registry import app
from ci_callback.usage_errors import in_our_words
from handler.ledger.folder import FolderStore
from tests.ci_callback.test_main import commands
from tests.fake_cos import FakeCos
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
        (("tail", "--tag", "x!"), "no tag 'x!'. There are: "),
        (("reconcile", "--tag", "Trans"), "no tag 'Trans'"),
        (("jobs", "--outcome", "fail"), "did you mean failed? There are: cancelled, failed, "),
        (("jobs", "--state", "failed"), "no state 'failed'; did you mean Failed? There are: "),
        (("events", "--type", "job.fialed"), "no type 'job.fialed'; did you mean job.failed? "),
        (("events", "resend", "--type", "x.*"), "no type 'x.*'. There are: job.cancelled, "),
        (("listen", "--forward-to", "http://x", "--types", "job.*,job.faild"), "did you mean"),
        (("listen", "--forward-to", "localhost:3000"), "an address such as http://localhost:3000"),
        (("listen", "--forward-to", "http://x", "--secret", "x"), "--secret: whsec_"),
        (("sample", "--list", "Transcod"), "no tag or event 'Transcod'; did you mean Transcode?"),
        (("sample", "Transcod"), "did you mean Transcode"),
        (("send", "Transcode", "--state", "Fialed"), "one of Success"),
        (("logs", "--level", "EROR"), "no level 'EROR'; did you mean ERROR? There are: ERROR, "),
        (("show", "j1", "--part", "attempt"), "did you mean attempts?"),
        (("show", "j1", "--columns", "tga"), "no column tga; there are job, created, "),
        (("tail", "--columns", "tga"), "no column tga; there are job, created, "),
        (("events", "--columns", "tga"), "no column tga; there are occurred_utc, "),
        (("dead", "list", "--columns", "tga"), "no column tga; there are key, reason, "),
        (("sweep", "--dry-run", "--columns", "tga"), "no column tga; there are action, job, "),
        (("jobs", "--failed", "--outcome", "succeeded"), "--failed contradicts --outcome succee"),
        (
            ("jobs", "--since", "2026-02-02", "--until", "2026-01-01"),
            "--since 2026-02-02 00:00 is after --until 2026-01-01 00:00",
        ),
        (("query", "SELECT 1", "--since", "2026-02-02", "--until", "2026-01-01"), "is after"),
        (("replay", "--from", "file:x", "--since", "2026-02-02", "--until", "2026-01-01"), "after"),
        (("report", "--json", "--since", "2026-02-02", "--until", "2026-01-01"), "is after"),
        (("replay", "--from-log", __file__, "--failed"), "go with --from"),
        (("replay", "--from", "file:x", "--token", "t"), "--token goes with --to"),
        (("serve", "--ci", "fake"), "--ci must be auto, local or real"),
        (("doctor", "--queue", "video"), "--queue: one of "),
        (("deploy", "destroy", "--yes"), "--yes takes the function's name: --yes NAME"),
        (("compact", "--date", "yesterday"), "'yesterday': write 2026-11-20"),
        (("jobs", "--since", "yesterday"), "'yesterday': write 24h, 7d, "),
        (("job",), "No such command 'job'. Did you mean 'jobs'"),
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
        ("dead", "replay", "x"),
        ("tail", "--count", "1"),
        ("listen", "--forward-to", "http://127.0.0.1:1/"),
        ("events",),
        ("events", "--follow", "--count", "1"),
        ("events", "resend", "--unsent"),
        ("sweep",),
        ("sweep", "--dry-run"),
        ("compact", "--all-stale"),
        ("purge", "j1"),
    ],
    ids=str,
)
def test_a_ledger_that_is_not_there_is_an_error(arguments: tuple[str, ...], ledger: Path) -> None:
    """It names those beside it; nothing is made."""
    status, out, err = run("--ledger", f"file:{ledger}r", *arguments)
    assert (status, out) == (4, "")
    assert f"There is no ledger at {ledger}r. There are: {ledger};" in err
    assert not Path(f"{ledger}r").exists()


def test_a_ledger_to_replay_from_that_is_not_there_is_an_error(ledger: Path) -> None:
    """0 callbacks processed would be a success."""
    status, out, err = run("replay", "--from", f"file:{ledger}r")
    assert (status, out) == (4, "")
    assert f"There is no ledger at {ledger}r" in err


def test_a_prefix_on_cos_that_holds_nothing_is_said(
    cos: FakeCos, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be the right one, before the first callback; no listing shows a bucket's others."""
    for name, value in cos.env.items():
        monkeypatch.setenv(name, value)
    status, _, err = run("--ledger", "cos://records-1250000000/cii", "jobs")
    assert status == 0
    assert "cos://records-1250000000/cii holds nothing: is it the ledger? No such records." in err


def wrong_numbers() -> Iterator[tuple[tuple[str, ...], str]]:
    """(words of the command, option and value) of each option that reads a number: a text, and what
    lies outside of its bounds."""
    for words, command in commands():
        for option in command.params:
            descriptor: Any = getattr(option, "type_descriptor", None)
            if descriptor is not None and descriptor.annotation in (int, float):
                info = descriptor.parameter_info
                outside = (info.min is not None and info.min - 1, info.max and info.max + 1)
                for value in ("x", *(str(bound) for bound in outside if bound is not False)):
                    if value != "None":
                        yield words, f"{option.opts[0]}={value}"


@pytest.mark.parametrize(("words", "option"), list(wrong_numbers()), ids=str)
def test_no_usage_error_speaks_of_the_library_that_reads_options(
    words: tuple[str, ...], option: str
) -> None:
    """Whatever stands where a number is expected."""
    status, _, err = run(*words, option)
    assert status == 2
    assert not re.search("Input should|[Uu]nable to|Value error|pydantic|Traceback", err)
    assert "must be " in err or "write" in err


def test_a_truth_of_the_environment_is_named_in_our_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the variable."""
    monkeypatch.setenv("CI_CALLBACK_JSON", "perhaps")
    _, _, err = run("jobs")
    assert "CI_CALLBACK_JSON" in err
    assert "must be true or false" in err


def test_other_messages_stay_as_they_are() -> None:
    """They are ours, or Typer's own."""
    assert in_our_words("there is no file x") == "there is no file x"
    assert in_our_words("Value error, 'y' is not one of 'a'.") == "'y' is not one of 'a'."
    assert in_our_words("Input should be less than 3") == "must be less than 3"
    assert (
        in_our_words("Input should be a rabbit")
        == "is not a value of this option; --help says what is"
    )


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
