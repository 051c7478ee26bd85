"""`sample`: write a callback as CI would send it, for any tag or event of the catalogue."""

from __future__ import annotations

import time
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ci_callback.common import AsJson
from ci_callback.listing import Form, say_rows
from ci_callback.record_filter import known
from ci_callback.samples.options import SampleOptions, chosen_options, with_sample_options
from ci_callback.samples.samples import KNOWN, names
from ci_callback.samples.samples import sample as make
from ci_callback.terminal import print_body, print_json, say


@with_sample_options
def sample(
    options: SampleOptions,
    tag: Annotated[
        str | None,
        typer.Argument(
            help="A tag such as Transcode, or an event such as WorkflowFinish or ReviewImage.",
            metavar="TAG",
            autocompletion=names,
        ),
    ] = None,
    list_all: Annotated[
        bool,
        typer.Option(
            "--list",
            allow_from_autoenv=False,
            help="List tags and events, and the fields of each result.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write it to.", dir_okay=False, show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a callback as CI would send it for a job that ends now.

    It is made from the tables that the parser uses.
    """
    if list_all:
        _list(tag, as_json)
        return
    if tag is None:
        raise typer.BadParameter("name a TAG; --list shows all of them")
    with chosen_options():
        made = make(tag, options, time.time(), uuid.uuid4().hex)
    if out is not None:
        try:
            out.write_bytes(made.body)
        except OSError as error:
            raise typer.BadParameter(f"--out {out}: {error.strerror}") from error
    if as_json:
        result = asdict(made) | {"body": made.body.decode("utf-8")}
        print_json(result | {"out": str(out)} if out is not None else result)
    elif out is None:
        print_body(made.body)
    else:
        say(f"{out}  {made.job_id}  {len(made.body):,} bytes")


def _list(tag: str | None, as_json: bool) -> None:
    known("tag or event", tag, KNOWN)
    matching = [entry for entry in KNOWN.values() if tag in (None, entry.name)]
    if as_json:
        print_json([asdict(entry) for entry in matching])
        return
    rows = ((entry.name, entry.family, ", ".join(entry.fields) or "nothing") for entry in matching)
    say_rows(("name", "family", "fields"), rows, Form())
