"""`deploy`: make the account hold what serverless.yml says; what runs; back, and away again."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ci_callback.common import EXIT_NOT_2XX, AsJson, errors_as_messages
from ci_callback.doctor.on_queues import KINDS
from ci_callback.program import PROGRAM
from ci_callback.terminal import complain, print_json, say
from handler.http_client import HttpClient

if TYPE_CHECKING:
    from ci_callback.deploy.calls import Call
    from ci_callback.deploy.job import Request, Session
    from ci_callback.deploy.run import Outcome
    from ci_callback.doctor.findings import Finding

EXIT_DIFFERENT = 2
TOKEN_BYTES = 32

Name = Annotated[str, typer.Option(help="Name of the function; else serverless.yml's.")]
Stage = Annotated[
    str,
    typer.Option(
        help="staging, or any other word: the function's name ends with it. production: as it is. "
        "What .env.STAGE says goes before the environment."
    ),
]
Region = Annotated[str, typer.Option(help="Region of bucket and function; else COS_REGION.")]
To = Annotated[
    str,
    typer.Option(
        help="Rehearse at `serve --cloud`, which stands in for Tencent Cloud on this machine.",
        metavar="http://127.0.0.1:PORT",
    ),
]
Yes = Annotated[
    bool, typer.Option("--yes", help="Replace addresses of others without being asked.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be called, and call nothing.")
]

app = typer.Typer(
    invoke_without_command=True,
    help="Deploy function, role, policy, triggers and settings. A second run changes nothing.",
)


@app.callback()
def deploy(
    context: typer.Context,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Show what is there, what differs and what would be called; write nothing. "
            "Exit status 2 where something differs.",
        ),
    ] = False,
    name: Name = "",
    stage: Stage = "production",
    region: Region = "",
    to: To = "",
    file: Annotated[
        Path | None, typer.Option(help="Another serverless.yml.", dir_okay=False)
    ] = None,
    zip_file: Annotated[
        Path | None, typer.Option("--zip", help="Another bundle.", dir_okay=False)
    ] = None,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Remove variables and triggers that the file does not name."),
    ] = False,
    adopt: Annotated[
        bool,
        typer.Option("--adopt", help="Take over a function of that name that deploy did not make."),
    ] = False,
    verify: Annotated[
        bool | None,
        typer.Option(
            "--verify/--no-verify",
            help="Send a sample through the address and let a timer's sweep remove a ticket. "
            "Without either: where something was changed.",
        ),
    ] = None,
    connect_queues: Annotated[
        bool, typer.Option("--connect", help="Let CI's queues call it, as `deploy connect` does.")
    ] = False,
    yes: Yes = False,
    show_token: Annotated[
        bool, typer.Option("--show-token", help="Print the address with its token.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Deploy function, role, policy, triggers and settings. A second run changes nothing."""
    if context.invoked_subcommand:
        return
    # Imported here, as everywhere below: no other command needs them.
    from ci_callback.deploy import run, show
    from ci_callback.deploy.job import Request
    from ci_callback.deploy.plan import Choices

    with _session(Request(name, stage, region, to, file, zip_file)) as session:
        job = session.job(secrets.token_urlsafe(TOKEN_BYTES), Choices(prune, adopt))
        if dry_run:
            outcome = run.look(job, session.cloud)
            if as_json:
                print_json(show.as_json(outcome))
            else:
                show.show_plan(outcome.desired, outcome.plan)
            raise typer.Exit(EXIT_DIFFERENT if outcome.plan.calls else 0)
        quiet = run.View(lambda desired, plan: None, lambda at: None)
        loud = run.View(show.show_plan, lambda at: say(f"  done {at + 1}"))
        outcome = run.deploy(job, session.cloud, quiet if as_json else loud)
        if not as_json:
            show.show_outcome(outcome, show_token)
        wanted = bool(outcome.plan.calls) if verify is None else verify
        findings = _verified(session, outcome) if wanted else []
        if as_json:
            address = {"address": show.address(outcome, show_token)}
            print_json(show.as_json(outcome) | address | show.findings_as_json(findings))
        else:
            show.show_findings(findings)
        if any(finding.status == "fault" for finding in findings):
            raise typer.Exit(EXIT_NOT_2XX)
        if connect_queues:
            _connect(session, yes)


@app.command(epilog=f"Example: {PROGRAM} deploy status")
def status(
    name: Name = "",
    stage: Stage = "production",
    region: Region = "",
    to: To = "",
    as_json: AsJson = False,
) -> None:
    """Show what runs: version, bundle, triggers, role."""
    from ci_callback.deploy import show, versions
    from ci_callback.deploy.job import Request

    with _session(Request(name, stage, region, to)) as session:
        found = versions.status(session.cloud, session.description.name)
        if as_json:
            print_json(show.status_as_json(found, session.local_bundle()))
        else:
            show.show_status(found, session.local_bundle())


@app.command(epilog=f"Example: {PROGRAM} deploy connect --queue media")
def connect(
    queue: Annotated[
        list[str] | None,
        typer.Option(help=f"A kind of queue ({', '.join(KINDS)}); without it all."),
    ] = None,
    yes: Yes = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Bring back what stood there before.")
    ] = False,
    dry_run: DryRun = False,
    name: Name = "",
    stage: Stage = "production",
    region: Region = "",
    to: To = "",
) -> None:
    """Let CI's queues call the function. Shows what they call now, and keeps it."""
    from ci_callback.deploy import connecting
    from ci_callback.deploy.job import Request

    kinds = tuple(dict.fromkeys(queue or ()))
    if not set(kinds) <= set(KINDS):
        raise typer.BadParameter(f"--queue: one of {', '.join(KINDS)}")
    with _session(Request(name, stage, region, to)) as session:
        function = connecting.deployed(session.cloud, session.operator, session.description.name)
        ask = connecting.Ask(yes, dry_run, lambda words: typer.confirm(words))
        if undo:
            connecting.undo(function, ask)
        elif connecting.connect(function, kinds, ask) and dry_run:
            raise typer.Exit(EXIT_DIFFERENT)


@app.command(epilog=f"Example: {PROGRAM} deploy rollback --dry-run")
def rollback(
    version: Annotated[
        str, typer.Option("--version", help="The version to go to; else the one before.")
    ] = "",
    dry_run: DryRun = False,
    name: Name = "",
    stage: Stage = "production",
    region: Region = "",
    to: To = "",
) -> None:
    """Let callbacks and timers reach the version before. The next deploy goes forward again."""
    from ci_callback.deploy import versions
    from ci_callback.deploy.job import Request

    with _session(Request(name, stage, region, to)) as session:
        before, call = versions.rollback(session.cloud, session.description.name, version)
        say(f"version {before} serves now; {call.params['FunctionVersion']} is to serve")
        _carry_out(session, [call], dry_run)


@app.command(epilog=f"Example: {PROGRAM} deploy destroy --dry-run")
def destroy(
    yes: Annotated[
        str, typer.Option(help="The function's name, in place of being asked for it.")
    ] = "",
    dry_run: DryRun = False,
    name: Name = "",
    stage: Stage = "production",
    region: Region = "",
    to: To = "",
) -> None:
    """Remove function, role and policy that deploy made. The ledger stays."""
    from ci_callback.deploy import versions
    from ci_callback.deploy.job import Request

    with _session(Request(name, stage, region, to)) as session:
        function = session.description.name
        calls = versions.removal(session.cloud, function)
        if not calls:
            say(f"nothing of {function} is there")
            return
        if not dry_run:
            for call in calls:
                say(f"  {call.service} {call.action}: {call.why}")
            given = yes or typer.prompt(f"Type {function} to remove it")
            if given != function:
                complain("destroy:", "that is not its name; nothing was removed")
                raise typer.Exit(EXIT_NOT_2XX)
        _carry_out(session, calls, dry_run)


def _carry_out(session: Session, calls: Sequence[Call], dry_run: bool) -> None:
    from ci_callback.deploy import show
    from ci_callback.deploy.run import carry_out_alone

    show.show_calls(calls)
    if dry_run:
        raise typer.Exit(EXIT_DIFFERENT)
    carry_out_alone(session.description.name, calls, session.cloud)
    say("done")


def _connect(session: Session, yes: bool) -> None:
    from ci_callback.deploy import connecting

    function = connecting.deployed(session.cloud, session.operator, session.description.name)
    connecting.connect(function, (), connecting.Ask(yes, False, lambda words: typer.confirm(words)))


def _verified(session: Session, outcome: Outcome) -> list[Finding]:
    from ci_callback.deploy import verify

    operator = session.operator
    place = verify.Place(
        outcome.address,
        operator.through,
        outcome.token,
        operator.accepted_bucket,
        operator.region,
    )
    return verify.verify(place, verify.Tools(operator.http, operator.store))


@contextlib.contextmanager
def _session(request: Request) -> Iterator[Session]:
    from ci_callback.cloud_api import CloudError
    from ci_callback.deploy.advice import advised
    from ci_callback.deploy.errors import DeployError
    from ci_callback.deploy.job import session

    with errors_as_messages(), contextlib.closing(HttpClient()) as http:
        try:
            try:
                yield session(request, os.environ, http)
            except CloudError as error:
                raise advised(error) from error
        except DeployError as error:
            complain("deploy:", error.what)
            complain("    fix:", error.fix)
            raise typer.Exit(error.exit) from error
