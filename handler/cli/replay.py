"""`replay`: callbacks that were kept nowhere but in a log, run again."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from handler.cli.common import EXIT_NOT_2XX, AsJson, console, echo_json, local
from handler.recovery.from_log import bodies
from handler.triggers import Delivery


def replay(
    from_log: Annotated[
        Path,
        typer.Option(
            help="The function's log, one JSON object a line, as it was written or exported.",
            exists=True,
            dir_okay=False,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Take in the callbacks that a log holds from while the store was away. Twice is once."""
    with local() as here:
        with from_log.open(encoding="utf-8", errors="replace") as lines:
            found = bodies(lines)
        outcomes = here.function.take(
            [Delivery(body) for body in found.bodies],
            "replay",
            here.settings,
            here.request_id,
            time.perf_counter(),
        )
    counts = dict(sorted(Counter(one.status for one in outcomes).items()))
    told = {"bodies": len(found.bodies), "jobs": counts, "missing": found.missing}
    if as_json:
        echo_json(told)
    else:
        out = console()
        out.print(f"{len(found.bodies)} callbacks in the log; jobs: {counts or 'none'}")
        for digest in found.missing:
            out.print(f"not whole in this log: {digest}", markup=False)
    if found.missing or "retry_later" in counts:
        raise typer.Exit(EXIT_NOT_2XX)
