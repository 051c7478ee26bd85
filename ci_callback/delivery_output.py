"""Where callbacks are sent, and what came of it: shared by `send` and `replay --to`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict

import typer

from ci_callback.common import EXIT_NOT_2XX
from ci_callback.delivery import Answered, Callback, NoTargetError, Target, figures
from ci_callback.late_bar import LateBar
from ci_callback.program import PROGRAM
from ci_callback.terminal import complain, print_json, say
from handler.settings import tokens_from_env


def target_of(to: str, token: str | None) -> Target:
    """Where to send, with the token.

    Raises:
        typer.BadParameter: it is not an address.
    """
    try:
        target = Target.of(to)
    except NoTargetError as error:
        raise typer.BadParameter(f"--to: {error}") from error
    if token is None and target.is_loopback and not target.has_token:
        # A token is sent to another machine only if it is named on the command line.
        token = next(iter(tokens_from_env(os.environ) or ()), None)
    return target.with_token(token) if token else target


def stepping(make: Callable[[int], Callback], bar: LateBar) -> Callable[[int], Callback]:
    """The callback of a number, which a bar counts as it is made."""

    def made(number: int) -> Callback:
        bar.step()
        return make(number)

    return made


def show_many(target: Target, answered: Sequence[Answered], seconds: float, as_json: bool) -> None:
    """Print the answers by status, and the latency."""
    result = figures(answered, seconds)
    if as_json:
        print_json({"to": target.shown, **asdict(result)})
        return
    by_status = ", ".join(f"{status}: {count:,}" for status, count in result.answers.items())
    latency = ", ".join(f"{name} {ms:.1f}" for name, ms in result.ms.items())
    say(
        f"{result.sent:,} sent to {target.shown} in {result.seconds:.1f} s, "
        f"{result.per_second:,.1f} answers per second"
    )
    say(f"answers  {by_status or 'none'}")
    if latency:
        say(f"ms       {latency}")
    for error, count in result.errors.items():
        say(f"{count:,} without an answer: {error}")


def complain_of_silence(target: Target, answered: Sequence[Answered]) -> None:
    """Say what to check where there was no answer."""
    errors = "; ".join(sorted({answer.error for answer in answered if answer.status is None}))
    if not errors:
        return
    if target.is_loopback:
        complain(f"{errors}. Is the function running? Start it with: {PROGRAM} serve")
    else:
        complain(f"{errors}. Check the address, and that the function answers at it.")


def exit_unless_all_well(answered: Sequence[Answered]) -> None:
    """End the command with status 1 where a callback was not answered 2xx."""
    if not all(answer.is_well for answer in answered):
        raise typer.Exit(EXIT_NOT_2XX)
