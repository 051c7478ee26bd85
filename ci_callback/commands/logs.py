"""`logs`: prints the deployed function's log, from its log topic."""

from __future__ import annotations

import contextlib
import re
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from ci_callback.commands.deploy_session import (
    Name,
    Region,
    Stage,
    To,
    own_topic,
    session_of,
)
from ci_callback.common import Since
from ci_callback.record_filter import known
from ci_callback.terminal import complain, say_lines
from handler.log import Level

if TYPE_CHECKING:
    from ci_callback.deploy.actual import Api

FOLLOW_S = 5.0
LATE_S = 30.0
"""A line reaches the log service some seconds after it was written."""
_VALUE = re.compile(r"[\w.:-]{1,200}")


def logs(
    since: Since = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Also print new lines as they arrive.")
    ] = False,
    event: Annotated[str, typer.Option(help="Only lines of this event, such as sweep.")] = "",
    level: Annotated[str, typer.Option(help="Only lines of this level: ERROR.")] = "",
    job: Annotated[str, typer.Option(help="Only lines about this job.")] = "",
    name: Name = "",
    stage: Stage = "production",
    region: Region = "",
    to: To = "",
) -> None:
    """Print the log of the deployed function, oldest lines first; default: the last hour.

    The function needs a log topic of its own: deploy --logs.
    """
    from ci_callback.deploy.job import Request
    from ci_callback.deploy.patience import Patient

    known("level", level.upper() or None, get_args(Level))
    wanted = {"event": event, "level": level.upper(), "job_id": job}
    asked = {name: value for name, value in wanted.items() if value}
    for option, value in asked.items():
        if not _VALUE.fullmatch(value):
            raise typer.BadParameter(f"{option}: only letters, digits and . : - _")
    begin = since or datetime.now(timezone.utc) - timedelta(hours=1)
    with session_of(Request(name, stage, region, to)) as session:
        topic = own_topic(session)
        # Many lines are many requests.
        api = Patient(session.cloud, time.sleep)
        with contextlib.suppress(KeyboardInterrupt):
            _print(api, topic, asked, int(begin.timestamp() * 1000), follow)


def pause(seconds: float) -> None:
    """Between two looks."""
    time.sleep(seconds)


def _print(api: Api, topic: str, asked: dict[str, str], begin_ms: int, follow: bool) -> None:
    from ci_callback import cloud_logs

    seen: set[tuple[int, str]] = set()
    is_empty = True
    while True:
        # The end of a search does not belong to it.
        end_ms = int(time.time() * 1000) + 1
        # Lines that come late are looked for again, and shown once.
        next_ms = max(begin_ms, end_ms - int(LATE_S * 1000))
        for line in cloud_logs.search(api, topic, cloud_logs.query(asked), begin_ms, end_ms):
            is_empty = False
            if (line.at_ms, line.text) not in seen:
                say_lines(line.text)
            if line.at_ms >= next_ms:
                seen.add((line.at_ms, line.text))
        if not follow:
            if is_empty:
                complain("no lines; a line needs some seconds to reach the log service")
            return
        begin_ms = next_ms
        seen = {pair for pair in seen if pair[0] >= begin_ms}
        pause(FOLLOW_S)
