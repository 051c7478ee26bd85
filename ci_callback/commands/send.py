"""`send`: a callback delivered as CI delivers it, once or many times."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ci_callback.common import EXIT_NOT_2XX, AsJson
from ci_callback.delivery import Answered, Callback, NoTargetError, Target, deliver, figures
from ci_callback.samples.options import SampleOptions, chosen_options, with_sample_options
from ci_callback.samples.samples import names, sample
from ci_callback.terminal import complain, print_json, say, say_json, say_lines
from handler.settings import tokens_from_env


@with_sample_options
def send(
    wish: SampleOptions,
    what: Annotated[
        str,
        typer.Argument(
            help="A file that holds a callback's body; else a TAG, sampled as `sample` does.",
            metavar="FILE|TAG",
            autocompletion=names,
        ),
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="Where the function is.")
    ] = "http://127.0.0.1:9000/",
    token: Annotated[
        str | None,
        typer.Option(
            help="Sent as ?token=…, never shown. Without it, to this machine alone: the first of "
            "CALLBACK_TOKENS.",
            show_default=False,
        ),
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, help="How many times.")] = 1,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="How many at a time.")] = 1,
    same: Annotated[
        bool, typer.Option("--same", help="The same job each time; else each TAG is a new one.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for one answer.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Deliver a callback as CI does, and show the answer and how long it took.

    Many times, it shows the answers by status and the latency at the percentiles.
    """
    target = target_of(to, token)
    make = _maker(what, wish, same)
    begin = time.perf_counter()
    answered = deliver(target, make, repeat, min(concurrency, repeat), timeout)
    seconds = time.perf_counter() - begin
    if repeat == 1:
        _show_one(target, answered[0], as_json)
    else:
        show_many(target, answered, seconds, as_json)
    errors = sorted({one.error for one in answered if one.status is None})
    if errors:
        complain(advice(target, errors))
    if not all(one.is_well for one in answered):
        raise typer.Exit(EXIT_NOT_2XX)


def target_of(to: str, token: str | None) -> Target:
    """Where to send, with the token.

    Raises:
        typer.BadParameter: it is no address.
    """
    try:
        target = Target.of(to)
    except NoTargetError as error:
        raise typer.BadParameter(f"--to: {error}") from error
    if token is None and target.is_loopback and not target.has_token:
        # To another machine a secret goes only where somebody says so.
        token = next(iter(tokens_from_env(os.environ) or ()), None)
    return target.with_token(token) if token else target


def _maker(what: str, wish: SampleOptions, same: bool) -> Callable[[int], Callback]:
    """What makes the callback of a number."""
    path = Path(what)
    if path.is_file():
        if wish != SampleOptions():
            raise typer.BadParameter(f"{what} is sent as it is: options of a sample go with a TAG")
        from_file = Callback(None, path.read_bytes())
        return lambda number: from_file
    if os.sep in what or path.suffix:
        raise typer.BadParameter(f"{what}: no such file")
    first = _sampled(what, wish)
    if same or wish.job_id is not None:
        return lambda number: first
    return lambda number: _sampled(what, wish) if number else first


def _sampled(tag: str, wish: SampleOptions) -> Callback:
    with chosen_options():
        made = sample(tag, wish, time.time(), uuid.uuid4().hex)
    return Callback(made.job_id, made.body, made.content_version)


def _show_one(target: Target, one: Answered, as_json: bool) -> None:
    text = one.body.decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except ValueError:
        answer = text
    if as_json:
        named = {"job_id": one.job_id, "status": one.status, "ms": one.ms}
        print_json({"to": target.shown, **named, "answer": answer, "error": one.error or None})
    elif one.status is not None:
        job = f"  {one.job_id}" if one.job_id else ""
        say(f"{one.status}  {one.ms:.1f} ms  {target.shown}{job}")
        if isinstance(answer, str):
            say_lines(text)
        else:
            say_json(answer)


def show_many(target: Target, answered: list[Answered], seconds: float, as_json: bool) -> None:
    """Answers by status, and the latency."""
    told = figures(answered, seconds)
    if as_json:
        print_json({"to": target.shown, **asdict(told)})
        return
    by_status = ", ".join(f"{status}: {count:,}" for status, count in told.answers.items())
    latency = ", ".join(f"{name} {ms:.1f}" for name, ms in told.ms.items())
    say(
        f"{told.sent:,} sent to {target.shown} in {told.seconds:.1f} s, "
        f"{told.per_second:,.1f} answered a second"
    )
    say(f"answers  {by_status or 'none'}")
    if latency:
        say(f"ms       {latency}")
    for error, count in told.errors.items():
        say(f"{count:,} without an answer: {error}")


def advice(target: Target, errors: list[str]) -> str:
    """What to do where there was no answer."""
    told = "; ".join(errors)
    if target.is_loopback:
        return f"{told}. Is the function running? Start it with: python -m ci_callback serve"
    return f"{told}. Is the address right, and does the function answer at it?"
