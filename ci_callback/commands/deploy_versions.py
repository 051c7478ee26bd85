"""`deploy status`, `deploy rollback`, `deploy destroy`: what runs, back, and away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from ci_callback.command_language import localised
from ci_callback.commands.deploy_session import (
    DryRun,
    Name,
    Region,
    Stage,
    To,
    carry_out,
    session_of,
)
from ci_callback.common import EXIT_NOT_2XX, AsJson
from ci_callback.terminal import complain, print_json, say

if TYPE_CHECKING:
    from ci_callback.deploy.job import Session
    from ci_callback.deploy.versions import Status
    from handler.ledger.store import Store


def status(
    name: Name = "",
    stage: Stage = "production",
    region: Region = "",
    to: To = "",
    as_json: AsJson = False,
) -> None:
    """Show what runs: version, bundle, triggers, role, the last sweep and the last callback."""
    from ci_callback.deploy import last_seen, layout, show, versions
    from ci_callback.deploy.job import Request

    with session_of(Request(name, stage, region, to)) as session:
        local = session.local_bundle()
        names = layout.members(session.cloud, session.description.name)
        found, *others = [versions.status(session.cloud, name) for name in names]
        place = last_seen.Place(session.cloud, found.topic, lambda: _ledger(session, found))
        seen = last_seen.last(place, time.time())
        if as_json:
            whole = show.status_as_json(found, local) | seen
            others_shown = [show.status_as_json(other, local) for other in others]
            print_json(whole | ({"others": others_shown} if others else {}))
            return
        for one in (found, *others):
            show.show_status(one, local)
        for what, line in seen.items():
            say(f"{what}: {line}")


def _ledger(session: Session, found: Status) -> Store:
    """That of the function, with the operator's keys."""
    from ci_callback.deploy.target import check_settings

    check_settings(session.operator, found.variables)
    return session.operator.store


def rollback(
    version: Annotated[
        str, typer.Option("--version", help="The version to go to; default: the previous one.")
    ] = "",
    dry_run: DryRun = False,
    name: Name = "",
    stage: Stage = "production",
    region: Region = "",
    to: To = "",
) -> None:
    """Let callbacks and timers reach the previous version. The next deploy goes forward again."""
    from ci_callback.deploy import versions
    from ci_callback.deploy.job import Request

    with session_of(Request(name, stage, region, to)) as session:
        function = session.description.name
        before, calls = versions.rollback(session.cloud, function, version)
        target = str(calls[0].params["FunctionVersion"])
        say(f"version {before} serves now; {target} is to serve")
        if versions.refuses_token(session.cloud, function, target):
            complain(
                f"version {target} does not accept the newest token: callbacks with it will be "
                "answered 401. The next deploy goes forward again"
            )
        carry_out(session, calls, dry_run)


def destroy(
    yes: Annotated[
        str, typer.Option(help="The function's name; without it the command asks for it.")
    ] = "",
    dry_run: DryRun = False,
    name: Name = "",
    stage: Stage = "production",
    region: Region = "",
    to: To = "",
) -> None:
    """Remove the function, role and policy that deploy made. The ledger stays."""
    from ci_callback.deploy import versions
    from ci_callback.deploy.job import Request

    with session_of(Request(name, stage, region, to)) as session:
        function = session.description.name
        calls = versions.removal(session.cloud, function)
        if not calls:
            say(f"{function} has nothing to remove")
            return
        if not dry_run:
            for call in calls:
                say(f"  {call.service} {call.action}: {localised(call.why)}")
            given = yes or typer.prompt(localised(f"Type {function} to remove it"))
            if given != function:
                complain("destroy:", "that is not its name; nothing was removed")
                raise typer.Exit(EXIT_NOT_2XX)
        carry_out(session, calls, dry_run)
