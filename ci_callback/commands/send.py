"""`send`: deliver a callback as CI does, once or many times."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ci_callback.common import AsJson
from ci_callback.delivery import Answered, Callback, Target, deliver
from ci_callback.delivery_output import (
    complain_of_silence,
    exit_unless_all_well,
    show_many,
    stepping,
    target_of,
)
from ci_callback.late_bar import late_bar
from ci_callback.samples.options import SampleOptions, chosen_options, with_sample_options
from ci_callback.samples.samples import names, sample
from ci_callback.terminal import print_json, say, say_json, say_lines


@with_sample_options
def send(
    options: SampleOptions,
    what: Annotated[
        str,
        typer.Argument(
            help="A file with a callback's body, or a TAG to make a sample of.",
            metavar="FILE|TAG",
            autocompletion=names,
        ),
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="Address of the function.")
    ] = "http://127.0.0.1:9000/",
    token: Annotated[
        str | None,
        typer.Option(
            help="Sent as ?token=…, never shown. Default on this machine only: the first of "
            "CALLBACK_TOKENS.",
            show_default=False,
        ),
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, help="Number of callbacks.")] = 1,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Callbacks at a time.")] = 1,
    same: Annotated[
        bool, typer.Option("--same", help="Send the same job each time, not a new one.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for one answer.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Deliver a callback as CI does, and show the answer and how long it took.

    With --repeat it shows the number of answers by status, and percentiles of the latency.
    """
    target = target_of(to, token)
    make = _maker(what, options, same)
    begin = time.perf_counter()
    with late_bar("Sending", repeat) as bar:
        answered = deliver(target, stepping(make, bar), repeat, min(concurrency, repeat), timeout)
    seconds = time.perf_counter() - begin
    if repeat == 1:
        _show_one(target, answered[0], as_json)
    else:
        show_many(target, answered, seconds, as_json)
    complain_of_silence(target, answered)
    exit_unless_all_well(answered)


def _maker(what: str, options: SampleOptions, same: bool) -> Callable[[int], Callback]:
    """A function that makes the callback of a number."""
    path = Path(what)
    if path.is_file():
        if options != SampleOptions():
            raise typer.BadParameter(f"{what} is sent unchanged: options of a sample need a TAG")
        from_file = Callback(None, path.read_bytes())
        return lambda number: from_file
    if os.sep in what or path.suffix:
        raise typer.BadParameter(f"there is no file {what}")
    first = _sampled(what, options)
    if same or options.job_id is not None:
        return lambda number: first
    return lambda number: _sampled(what, options) if number else first


def _sampled(tag: str, options: SampleOptions) -> Callback:
    with chosen_options():
        made = sample(tag, options, time.time(), uuid.uuid4().hex)
    return Callback(made.job_id, made.body, made.content_version)


def _show_one(target: Target, answered: Answered, as_json: bool) -> None:
    text = answered.body.decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        answer = text
    if as_json:
        named = {"job_id": answered.job_id, "status": answered.status, "ms": answered.ms}
        print_json({"to": target.shown, **named, "answer": answer, "error": answered.error or None})
    elif answered.status is not None:
        job = f"  {answered.job_id}" if answered.job_id else ""
        say(f"{answered.status}  {answered.ms:.1f} ms  {target.shown}{job}")
        if isinstance(answer, str):
            say_lines(text)
        else:
            say_json(answer)
