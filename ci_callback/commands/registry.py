"""The commands, in the order in which `--help` shows them.

Exit status: 0 success; 1 the function answered other than 2xx, or a fault was found; 2 usage; 3
settings; 4 the store can't be reached.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ci_callback.commands import dead, deploy, events
from ci_callback.commands.compact import compact
from ci_callback.commands.cost import cost
from ci_callback.commands.doctor import doctor
from ci_callback.commands.invoke import invoke
from ci_callback.commands.jobs import jobs
from ci_callback.commands.listen import listen
from ci_callback.commands.logs import logs
from ci_callback.commands.query import query
from ci_callback.commands.reconcile import reconcile
from ci_callback.commands.replay import replay
from ci_callback.commands.report import report
from ci_callback.commands.retries import retries
from ci_callback.commands.sample import sample
from ci_callback.commands.send import send
from ci_callback.commands.serve import serve
from ci_callback.commands.show import show
from ci_callback.commands.sweep import sweep
from ci_callback.commands.tail import tail
from ci_callback.common import VERBOSE
from ci_callback.program import INSTALLED, PROGRAM
from ci_callback.terminal import say, visible_lines
from handler import __version__

PREFIX = "CI_CALLBACK"
"""Every option has an environment variable: CI_CALLBACK_COMMAND_OPTION."""


class Commands(TyperGroup):
    """All commands. Typer prints usage errors, which quote arguments: they are text as well.

    What is handed on is of types that Typer does not export.
    """

    def make_context(self, *args: Any, **more: Any) -> Any:
        with _visible_errors():
            return super().make_context(*args, **more)

    def invoke(self, *args: Any) -> Any:
        with _visible_errors():
            return super().invoke(*args)


@contextlib.contextmanager
def _visible_errors() -> Iterator[None]:
    try:
        yield
    except typer.TyperException as error:
        error.message = visible_lines(error.message)
        raise


app = typer.Typer(
    cls=Commands,
    help="Run the callback handler for Tencent Cloud Infinite locally, and manage its ledger.",
    epilog="Settings and options are also read from the environment and from .env.",
    no_args_is_help=True,
    # Called as a module, the script would complete every `python` of the shell.
    add_completion=PROGRAM == INSTALLED,
    pretty_exceptions_enable=False,
    context_settings={"auto_envvar_prefix": PREFIX, "help_option_names": ["-h", "--help"]},
)

TRY, LOOK, FIX = "Try it out", "Look at the ledger", "Find and fix faults"
DEPLOY = "Deploy"

for command, panel, example in (
    (invoke, TRY, "invoke tests/payloads/Translation.seed.xml"),
    (sample, TRY, "sample Transcode --state Failed --code InternalError"),
    (send, TRY, "send Transcode --state Failed --to http://127.0.0.1:9000/"),
    (serve, TRY, "serve --sweep-every 5"),
    (jobs, LOOK, "jobs --since 24h --failed"),
    (show, LOOK, "show ac34be3aa0bf411ed9ce39d7cc972e427"),
    (tail, LOOK, "tail --tag Transcode"),
    (listen, LOOK, "listen --forward-to http://localhost:3000/hook"),
    (retries, LOOK, "retries --made"),
    (query, LOOK, "query 'SELECT tag, count(*) FROM jobs GROUP BY tag'"),
    (report, LOOK, "report --out report.html"),
    (cost, LOOK, "cost --callbacks 1e6 --failed 2%"),
    (logs, DEPLOY, "logs --since 1h --event sweep"),
    (doctor, FIX, "doctor --function ci-callback --url https://…"),
    (sweep, FIX, "sweep --dry-run"),
    (reconcile, FIX, "reconcile --tag Transcode --hours 6"),
    (replay, FIX, "replay --from-log scf.log"),
    (compact, FIX, "compact --date 2026-11-20"),
):
    app.command(rich_help_panel=panel, epilog=f"Example: {PROGRAM} {example}")(command)
app.add_typer(
    deploy.app,
    name="deploy",
    rich_help_panel=DEPLOY,
    epilog=f"Example: {PROGRAM} deploy --dry-run",
)
app.add_typer(dead.app, name="dead", rich_help_panel=FIX)
app.add_typer(
    events.app,
    name="events",
    rich_help_panel=LOOK,
    epilog=f"Example: {PROGRAM} events --since 24h --type job.failed",
)


def print_version(wanted: bool) -> None:
    """Print the version and exit, before anything else is read."""
    if wanted:
        say(f"{INSTALLED} {__version__}")
        raise typer.Exit


@app.callback()
def settings(
    ledger: Annotated[
        str | None,
        typer.Option(
            envvar="LEDGER_URL",
            metavar="URL",
            help="cos://bucket-appid/prefix, or file:./path. Other settings: README.",
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(envvar="COS_REGION", metavar="REGION", help="The bucket's region."),
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Say how many requests the ledger was sent."),
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=print_version,
            is_eager=True,
            allow_from_autoenv=False,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """Run the callback handler for Tencent Cloud Infinite locally, and manage its ledger."""
    chosen = {"LEDGER_URL": ledger, "COS_REGION": region, VERBOSE: "1" if verbose else None}
    for variable, value in chosen.items():
        if value is not None:
            os.environ[variable] = value
