"""What the command line imports before it answers: most of the time in which it starts.

Modules are counted and not milliseconds, since a machine under load is slow. docs/decisions.md has
the times.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.records import keep, record

ROOT = Path(__file__).parents[2]

SCRIPT = """
import sys
sys.argv = ["/x/bin/ci-callback", *sys.argv[1:]]
from ci_callback.main import run
try:
    run()
finally:
    print(*sys.modules, file=sys.stderr)
"""

LIST_OF_COMMANDS = {"ci_callback.commands.lazy", "ci_callback.commands.registry"}

LIST = LIST_OF_COMMANDS | {
    *("ci_callback", "ci_callback.main", "ci_callback.program", "ci_callback.terminal"),
    *("ci_callback.command_language", "ci_callback.commands", "ci_callback.usage_errors"),
    *("ci_callback.bar", "handler"),
}
"""Of the project: what lists the commands. The function itself is not there."""

ELSEWHERE = {"flask", "duckdb", "requests", "qcloud_cos", "yaml", "http.client", "ssl", "pyexpat"}
"""A web server, a database, the SDK of COS, and what the network and XML need."""

READS = (
    "ci_callback",
    "handler.callback",
    "handler.ledger",
    "handler.redaction",
    "handler.settings",
)
"""Of the project: what reads a ledger in a folder; and some modules beside these packages."""
BESIDE = {
    *("handler.events", "handler.events.event", "handler.forwarding", "handler.policy"),
    *("handler.failure_codes", "handler.forwarding.finals"),
    *("handler.clock", "handler.errors", "handler.log", "handler.parallel", "handler.stores"),
    "handler",
}


def imported(*arguments: str, **env: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]} | env,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


def of_the_project(modules: set[str]) -> set[str]:
    """Those of them that the tool and the function are made of."""
    return {name for name in modules if name.partition(".")[0] in ("ci_callback", "handler")}


COMPLETES = {
    "_CI_CALLBACK_COMPLETE": "complete_bash",
    "COMP_WORDS": "ci-callback rec",
    "COMP_CWORD": "1",
}


@pytest.mark.parametrize(
    ("arguments", "env"),
    [(("--help",), {}), (("--version",), {}), ((), COMPLETES)],
    ids=["--help", "--version", "completion"],
)
def test_the_list_of_commands_imports_none_of_them(
    arguments: tuple[str, ...], env: dict[str, str]
) -> None:
    """Nor the function, nor a web server, nor a library of COS."""
    modules = imported(*arguments, **env)
    assert of_the_project(modules) <= LIST
    assert not modules & ELSEWHERE


@pytest.mark.parametrize("arguments", [("jobs",), ("show", "j1"), ("retries",)], ids=" ".join)
def test_a_command_that_reads_a_folder_imports_neither_network_nor_function(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """Of the function only what reads records."""
    from handler.ledger.folder import FolderStore

    keep(FolderStore(tmp_path), record("j1"))
    modules = imported(*arguments, LEDGER_URL=f"file:{tmp_path}")
    others = {name for name in of_the_project(modules) if not name.startswith(READS)}
    assert others <= BESIDE
    assert not modules & ELSEWHERE
    commands = {name for name in modules if name.startswith("ci_callback.commands.")}
    assert commands == LIST_OF_COMMANDS | {f"ci_callback.commands.{arguments[0]}"}
