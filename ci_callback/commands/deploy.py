"""`deploy`: make the account hold what serverless.yml says; what runs; back, and away again."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ci_callback.command_language import localised
from ci_callback.commands.deploy_queues import connect, note_queues, rotate_token
from ci_callback.commands.deploy_session import (
    EXIT_DIFFERENT,
    TOKEN_BYTES,
    Name,
    Region,
    Stage,
    To,
    Yes,
    session_of,
)
from ci_callback.commands.deploy_versions import destroy, rollback, status
from ci_callback.common import EXIT_NOT_2XX, AsJson
from ci_callback.program import PROGRAM
from ci_callback.terminal import print_json, say

if TYPE_CHECKING:
    from ci_callback.deploy.job import Session
    from ci_callback.deploy.run import Outcome
    from ci_callback.doctor.findings import Finding

MIN_EXPIRE_DAYS = 30
"""A name below `_done/` must outlive each later arrival of its callback."""

app = typer.Typer(
    invoke_without_command=True,
    help="Deploy function, role, policy, triggers and settings. A second run changes nothing.",
)


for name, command, example in (
    ("connect", connect, "connect --queue media"),
    ("rotate-token", rotate_token, "rotate-token --dry-run"),
    ("status", status, "status"),
    ("rollback", rollback, "rollback --dry-run"),
    ("destroy", destroy, "destroy --dry-run"),
):
    app.command(name, epilog=f"Example: {PROGRAM} deploy {example}")(command)


@app.callback()
def deploy(
    context: typer.Context,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Show the state, the differences and the calls; write nothing. Exit "
            "status 2 if something differs.",
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
        typer.Option(
            "--adopt",
            help="Take over a function, role, policy or log topic of that name that deploy"
            " did not make.",
        ),
    ] = False,
    split: Annotated[
        bool | None,
        typer.Option(
            "--split/--no-split",
            help="A function whose role can only put and get handles callbacks, two others"
            " run the timers. Default: no change.",
        ),
    ] = None,
    logs: Annotated[
        bool,
        typer.Option(
            "--logs",
            help="Make a log topic with indexed fields, alarms that notify the robots of "
            "ALERT_URLS, and a dashboard.",
        ),
    ] = False,
    expire_days: Annotated[
        int,
        typer.Option(
            help="Let COS remove what the function no longer needs so many days after it was "
            "written, at least 30. 0: no change."
        ),
    ] = 0,
    verify: Annotated[
        bool | None,
        typer.Option(
            "--verify/--no-verify",
            help="Send a sample through the address, and let a timer's sweep remove a "
            "ticket. Default: if something changed.",
        ),
    ] = None,
    connect_queues: Annotated[
        bool,
        typer.Option(
            "--connect", help="Let CI's queues call the function, as `deploy connect` does."
        ),
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

    if 0 != expire_days < MIN_EXPIRE_DAYS:
        raise typer.BadParameter(f"--expire-days: at least {MIN_EXPIRE_DAYS}")
    choices = Choices(prune, adopt, logs, split, expire_days)
    with session_of(Request(name, stage, region, to, file, zip_file)) as session:
        job = session.job(secrets.token_urlsafe(TOKEN_BYTES), choices)
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


def _connect(session: Session, yes: bool) -> None:
    from ci_callback.deploy import connecting

    function = connecting.deployed(session.cloud, session.operator, session.description.name)
    ask = connecting.Ask(yes, False, lambda words: typer.confirm(localised(words)))
    note_queues(session, function, connecting.connect(function, (), ask))


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
