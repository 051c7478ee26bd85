"""The commands, in the order in which `--help` shows them.

Exit status: 0 success; 1 the function answered other than 2xx, or a fault was found; 2 usage; 3
settings; 4 the store can't be reached.
"""

from __future__ import annotations

import os
from typing import Annotated

import typer

from ci_callback.commands.lazy import LazyCommands, Row
from ci_callback.program import INSTALLED, LEDGER_NAME, PROGRAM, VERBOSE
from ci_callback.terminal import say
from handler import __version__

PREFIX = "CI_CALLBACK"
"""Every option has an environment variable: CI_CALLBACK_COMMAND_OPTION."""

TRY, LOOK, FIX = "Try it out", "Look at the ledger", "Find and fix faults"
DEPLOY = "Deploy"

ROWS = (
    Row(
        "invoke",
        TRY,
        "Run the function on callbacks, and show the answer and the records.",
        "invoke tests/payloads/Translation.seed.xml",
    ),
    Row(
        "sample",
        TRY,
        "Write a callback as CI would send it for a job that ends now.",
        "sample Transcode --state Failed --code InternalError",
    ),
    Row(
        "send",
        TRY,
        "Deliver a callback as CI does, and show the answer and how long it took.",
        "send Transcode --state Failed --to http://127.0.0.1:9000/",
    ),
    Row(
        "serve",
        TRY,
        "Run the function and its timer on http://127.0.0.1:9000; the console is at /_/.",
        "serve --sweep-every 5",
    ),
    Row(
        "jobs",
        LOOK,
        "List records, newest first. In a pipe, values are separated by tabs.",
        "jobs --since 24h --failed",
    ),
    Row(
        "show",
        LOOK,
        "Show a job's record, its attempts, its tickets, and how long each step took.",
        "show ac34be3aa0bf411ed9ce39d7cc972e427",
    ),
    Row("tail", LOOK, "Print records as they are stored.", "tail --tag Transcode"),
    Row(
        "listen",
        LOOK,
        "Send the events of a ledger to your own code as they are made.",
        "listen --forward-to http://localhost:3000/hook",
    ),
    Row(
        "retries",
        LOOK,
        "List pending work: retries, watches, unverified callbacks and alerts.",
        "retries --made",
    ),
    Row(
        "query",
        LOOK,
        "Query the ledger in SQL. docs/queries.md has examples.",
        "query 'SELECT tag, count(*) FROM jobs GROUP BY tag'",
    ),
    Row(
        "report",
        LOOK,
        "Draw the outcomes of the jobs of some days: one HTML page, without network or scripts.",
        "report --out report.html",
    ),
    Row(
        "cost",
        LOOK,
        "Calculate what a month of callbacks uses, and its cost at the published prices.",
        "cost --callbacks 1e6 --failed 2%",
    ),
    Row(
        "events",
        LOOK,
        "List the events that your own code received, and send them again.",
        "events --since 24h --type job.failed",
    ),
    Row(
        "logs",
        DEPLOY,
        "Print the log of the deployed function, oldest lines first; default: the last hour.",
        "logs --since 1h --event sweep",
    ),
    Row(
        "deploy",
        DEPLOY,
        "Deploy function, role, policy, triggers and settings. A second run changes nothing.",
        "deploy --dry-run",
    ),
    Row(
        "doctor",
        FIX,
        "Check settings, credentials, bucket, permissions, CI, queues, triggers and clock.",
        "doctor --function ci-callback --url https://…",
    ),
    Row(
        "sweep",
        FIX,
        "Do one sweep: submit due jobs again, and send due alerts.",
        "sweep --dry-run",
    ),
    Row(
        "reconcile",
        FIX,
        "Ask CI for the jobs of the last hours, and store those whose callback never arrived.",
        "reconcile --tag Transcode --hours 6",
    ),
    Row(
        "replay",
        FIX,
        "Process callbacks again: from the log of a store outage, or rebuilt from another ledger.",
        "replay --from-log scf.log",
    ),
    Row(
        "purge",
        FIX,
        "Remove all that the ledger keeps of a job and its retries.",
        "purge JOB_ID --dry-run",
    ),
    Row(
        "compact",
        FIX,
        "Fold the records of a day into compacted/dt=DAY/part-0.parquet. The records stay.",
        "compact --since 7d",
    ),
    Row("dead", FIX, "Read dead letters, and replay them.", ""),
)


class Commands(LazyCommands):
    """All commands."""

    rows = ROWS


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


def print_version(wanted: bool) -> None:
    """Print the version and exit, before anything else is read."""
    if wanted:
        say(f"{INSTALLED} {__version__}")
        raise typer.Exit


def ledger_names(begin: str) -> list[str]:
    """Names of ledgers that begin so, for the shell's completion."""
    from ci_callback.named_ledgers import named_ledgers
    from handler.errors import SettingsError

    try:
        return [name for name in named_ledgers() if name.startswith(begin)]
    except SettingsError:
        return []


def _of_name(name: str, region: str | None) -> dict[str, str | None]:
    """The settings of a named ledger. region: one of the command line goes before the file's."""
    # Imported here: most commands are given an address, and the list of commands none.
    from ci_callback.common import errors_as_messages
    from ci_callback.named_ledgers import by_name

    with errors_as_messages():
        ledger = by_name(name)
    return {"LEDGER_URL": ledger.text, "COS_REGION": region or ledger.region, LEDGER_NAME: name}


@app.callback()
def settings(
    context: typer.Context,
    ledger: Annotated[
        str | None,
        typer.Option(
            envvar="LEDGER_URL",
            metavar="URL|NAME",
            help="cos://bucket-appid/prefix, file:./path, or a name of ci-callback.ini.",
            autocompletion=ledger_names,
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(envvar="COS_REGION", metavar="REGION", help="The bucket's region."),
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Print the function's whole log, and the number of requests to the ledger.",
        ),
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
    os.environ.pop(LEDGER_NAME, None)
    if ledger and ":" not in ledger:
        source = context.get_parameter_source("region")
        chosen |= _of_name(ledger, region if source and source.name == "COMMANDLINE" else None)
    for variable, value in chosen.items():
        if value is not None:
            os.environ[variable] = value
