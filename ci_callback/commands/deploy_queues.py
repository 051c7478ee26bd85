"""`deploy connect` and `deploy rotate-token`: what CI's queues call."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Annotated

import typer

from ci_callback.command_language import localised
from ci_callback.commands.deploy_session import (
    EXIT_DIFFERENT,
    TOKEN_BYTES,
    DryRun,
    Name,
    Region,
    Stage,
    To,
    Yes,
    carry_out,
    session_of,
)
from ci_callback.common import EXIT_NOT_2XX
from ci_callback.doctor.on_queues import KINDS
from ci_callback.terminal import complain, say

if TYPE_CHECKING:
    from ci_callback.deploy.connecting import Connected, Function
    from ci_callback.deploy.job import Session


def connect(
    queue: Annotated[
        list[str] | None,
        typer.Option(help=f"A kind of queue ({', '.join(KINDS)}), or workflow; without it all."),
    ] = None,
    yes: Yes = False,
    undo: Annotated[bool, typer.Option("--undo", help="Restore the earlier settings.")] = False,
    dry_run: DryRun = False,
    name: Name = "",
    stage: Stage = "production",
    region: Region = "",
    to: To = "",
) -> None:
    """Let CI's queues and workflows call the function. Shows what they call now, and keeps it."""
    from ci_callback.deploy import connecting
    from ci_callback.deploy.job import Request

    kinds = tuple(dict.fromkeys(queue or ()))
    known = (*KINDS, "workflow")
    if not set(kinds) <= set(known):
        raise typer.BadParameter(f"--queue: one of {', '.join(known)}")
    with session_of(Request(name, stage, region, to)) as session:
        function = connecting.deployed(session.cloud, session.operator, session.description.name)
        ask = connecting.Ask(yes, dry_run, lambda words: typer.confirm(localised(words)))
        done = connecting.undo(function, ask) if undo else connecting.connect(function, kinds, ask)
        is_different = note_queues(session, function, done, dry_run)
        if dry_run and (done.changed or is_different):
            raise typer.Exit(EXIT_DIFFERENT)


def note_queues(
    session: Session, function: Function, done: Connected, dry_run: bool = False
) -> bool:
    """Let reconciliation look at the queues that call the function; whether that is a change."""
    from ci_callback.deploy import reconciled, show
    from ci_callback.deploy.run import carry_out_alone

    own = session.description
    if reconciled.VARIABLE in own.variables:
        say(f"{reconciled.VARIABLE} is set here, and each deploy uses it: it stays as it is.")
        return False
    known = function.case.settings.reconcile_queues
    text = reconciled.value(known, done.calling, done.seen, time.time())
    calls = reconciled.calls(session.cloud, own.name, text)
    if calls:
        say(f"reconciliation looks at {len(text.split(',')) if text else 'no'} queues:")
        show.show_calls(calls)
        if not dry_run:
            carry_out_alone(calls, session.cloud)
    return bool(calls)


def rotate_token(
    finish: Annotated[
        bool,
        typer.Option("--finish", help="Remove the old token, a day after the new one was added."),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --finish: do not wait for a day.")
    ] = False,
    dry_run: DryRun = False,
    name: Name = "",
    stage: Stage = "production",
    region: Region = "",
    to: To = "",
) -> None:
    """Add a token and give it to the queues that call the function; later remove the old one."""
    from ci_callback.deploy import connecting, rotate
    from ci_callback.deploy.job import Request

    with session_of(Request(name, stage, region, to)) as session:
        own = session.description
        if rotate.VARIABLE in own.variables:
            complain(f"rotate-token: {rotate.VARIABLE} is set here, and each deploy uses it")
            complain(f"    fix: put the new token before the old one in {rotate.VARIABLE}, deploy")
            raise typer.Exit(EXIT_NOT_2XX)
        function = connecting.deployed(session.cloud, session.operator, own.name)
        new = secrets.token_urlsafe(TOKEN_BYTES)
        if finish:
            step = rotate.finish(session.cloud, own.name, function, time.time(), is_sure=yes)
        else:
            step = rotate.begin(session.cloud, own.name, function, new)
        carry_out(session, step.calls, dry_run)
        if finish:
            rotate.forget(function)
            return
        # First of all: whatever fails below, the rotation can be finished with it.
        address = function.with_token(step.tokens[0])
        say("The address is shown only now:", address)
        rotate.note(function, time.time())
        with connecting.refusals_of_ci("`deploy connect` gives the others the new token"):
            moved = rotate.move_queues(function, step.tokens, address)
        say(f"{moved} queues have the new token; other callers of the function need it too.")
