"""The command line as a whole: help, environment, .env, completion, several files at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ci_callback.commands.lazy import Row
from ci_callback.commands.registry import PREFIX, ROWS, app
from handler.ledger.folder import FolderStore
from tests.conftest import PAYLOADS
from tests.records import keep, record

ROOT = Path(__file__).parents[2]


def commands(
    group: Any = None, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(words, command) of every command, those of groups too."""
    group = group or typer.main.get_command(app)
    for name, listed in group.commands.items():
        command = group.loaded(name) if hasattr(group, "loaded") else listed
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = dict(commands())


def start(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, in a folder, with no settings but these."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith((PREFIX, "LEDGER", "COS_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "ci_callback", *arguments],
        env=clean | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200"} | env,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_shows_an_example(words: tuple[str, ...]) -> None:
    """One that can be copied, and that begins as the command does."""
    result = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert f"Example: python -m ci_callback {' '.join(words)}" in result.stdout


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_list_says_what_the_help_of_a_command_begins_with(row: Row) -> None:
    """The list is made without the command's module."""
    command: Any = typer.main.get_command(app)
    assert " ".join(command.loaded(row.name).help.split("\n\n")[0].split()) == row.summary


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_option_has_an_environment_variable(words: tuple[str, ...]) -> None:
    """It is named in the help, after the command and the option. Not those of which a text of the
    environment could hold no value: --set PATH=VALUE, and --list, which is a command of its own."""
    result = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "250"})
    shown = "".join(result.stdout.split())
    options = [option for option in ALL[words].params if option.opts[0].startswith("--")]
    for option in options:
        if option.allow_from_autoenv and option.name != "help" and not option.hidden:
            name = option.envvar or f"{PREFIX}_{'_'.join(words)}_{option.name}".upper()
            assert name.replace("-", "_") in shown, option.name
    without = {
        option.opts[0]
        for option in options
        if not option.allow_from_autoenv and option.name != "help"
    }
    assert without <= {"--set", "--list"}


def test_an_option_is_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the command line says goes before it."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    keep(FolderStore(tmp_path / "ledger"), record("j1"), record("j2"))
    monkeypatch.setenv("CI_CALLBACK_JSON", "true")
    monkeypatch.setenv("CI_CALLBACK_JOBS_LIMIT", "1")
    assert len(CliRunner().invoke(app, ["jobs"]).stdout.splitlines()) == 1
    assert len(CliRunner().invoke(app, ["jobs", "--limit", "2"]).stdout.splitlines()) == 2


def test_settings_and_options_are_read_from_dot_env(tmp_path: Path) -> None:
    """The environment goes before it."""
    keep(FolderStore(tmp_path / "one"), record("j1"), record("j2"))
    keep(FolderStore(tmp_path / "two"), record("k1"))
    (tmp_path / ".env").write_text("LEDGER_URL=file:./one\nCI_CALLBACK_JSON=1\n")
    done = start("jobs", cwd=tmp_path)
    assert [json.loads(line)["record"]["job_id"] for line in done.stdout.splitlines()] == [
        "j2",
        "j1",
    ], done.stderr
    assert '"k1"' in start("jobs", cwd=tmp_path, LEDGER_URL="file:./two").stdout
    assert '"k1"' in start("--ledger", "file:./two", "jobs", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("command", "expected"),
    [("invoke", (0, '"outcome": "succeeded"')), ("deploy", (1, "SDK is not installed: pip"))],
)
def test_only_deploy_needs_its_own_libraries(
    command: str, expected: tuple[int, str], tmp_path: Path
) -> None:
    """Without them it says what to install, and the other commands run."""
    arguments = [str(PAYLOADS / "Translation.seed.json")] if command == "invoke" else ["--dry-run"]
    script = (
        "import sys; sys.modules |= {'yaml': None, 'tencentcloud': None}\n"
        f"sys.argv = ['ci-callback', {command!r}, *{arguments!r}]\n"
        "from ci_callback.main import run; run()"
    )
    ledger = "cos://records-1250000000/ci" if command == "deploy" else "file:./ledger"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "LEDGER_URL": ledger, "COS_REGION": "ap-guangzhou"}
        | {"TENCENTCLOUD_SECRETID": "AKIDexample", "TENCENTCLOUD_SECRETKEY": "example"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expected[0], done.stderr
    assert expected[1] in done.stdout + done.stderr


def test_several_files_and_folders_are_summarised(tmp_path: Path) -> None:
    """A line for each that needs a look, and one for all; a dead letter makes it fail."""
    (tmp_path / "odd.json").write_text("{}")
    done = start(
        "invoke",
        str(PAYLOADS / "Translation.seed.xml"),
        str(PAYLOADS / "Translation.seed.json"),
        str(tmp_path),
        cwd=tmp_path,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1] == (
        "3 callbacks: answers 2 × 200, 1 × 202; jobs 1 dead_letter, 1 duplicate, 1 kept"
    )
    assert str(tmp_path / "odd.json") in done.stdout
    assert "odd.json: a dead letter" in done.stderr


def test_several_files_as_json_are_a_line_each(tmp_path: Path) -> None:
    """Each names its file."""
    files = [str(PAYLOADS / f"Translation.seed.{form}") for form in ("xml", "json")]
    done = start("invoke", "--json", *files, cwd=tmp_path)
    assert [json.loads(line)["file"] for line in done.stdout.splitlines()] == files


def test_a_file_that_is_refused_fails(tmp_path: Path) -> None:
    """Exit status 1, whatever became of the others; -v shows why."""
    (tmp_path / "empty.json").write_text("")
    done = start(
        "-v",
        "invoke",
        str(PAYLOADS / "Translation.seed.xml"),
        str(tmp_path / "empty.json"),
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "400" in done.stdout
    assert '"event":"request_refused"' in done.stderr


def test_a_body_comes_from_stdin_too(tmp_path: Path) -> None:
    """Of a pipe."""
    body = (PAYLOADS / "Translation.seed.xml").read_text()
    done = subprocess.run(
        [sys.executable, "-m", "ci_callback", "invoke", "-"],
        input=body,
        env=os.environ | {"LEDGER_URL": f"file:{tmp_path}/ledger", "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Answer 200" in done.stdout


def test_a_folder_without_a_callback_is_a_usage_error(tmp_path: Path) -> None:
    """Rather than a summary of nothing."""
    result = CliRunner().invoke(app, ["invoke", str(tmp_path)])
    assert result.exit_code == 2
    assert "no .xml or .json file" in result.stderr


def as_installed(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The command line as the script that pip installs starts it."""
    code = "import sys; sys.argv[0] = '/x/bin/ci-callback'; from ci_callback.main import run; run()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "COLUMNS": "200"} | env,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_names_the_command_as_it_was_called(tmp_path: Path) -> None:
    """An example can be pasted."""
    installed = as_installed("jobs", "--help", cwd=tmp_path).stdout
    assert "Usage: ci-callback jobs" in installed
    assert "Example: ci-callback jobs" in installed
    assert "python" not in installed
    module = start("jobs", "--help", cwd=tmp_path).stdout
    assert "Usage: python -m ci_callback jobs" in module
    assert "Example: python -m ci_callback jobs" in module


def test_only_the_installed_command_offers_completion(tmp_path: Path) -> None:
    """Installed for a module, the script would complete every `python` of the shell."""
    assert "--install-completion" in as_installed("--help", cwd=tmp_path).stdout
    assert "--install-completion" not in start("--help", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("words", "offered"),
    [("ci-callback rec", "reconcile"), ("ci-callback jobs --tag Transl", "Translation")],
)
def test_the_shell_completes_commands_and_tags(words: str, offered: str, tmp_path: Path) -> None:
    """As bash asks for it once the script of --show-completion is installed."""
    last = len(words.split(" ")) - 1
    asked = {
        "_CI_CALLBACK_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(last),
    }
    assert as_installed(cwd=tmp_path, **asked).stdout.split() == [offered]
