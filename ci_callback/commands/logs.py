"""`logs`: what the deployed function wrote, from its log topic."""

from __future__ import annotations

import contextlib
import re
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from ci_callback.commands.deploy_session import Name, Region, Stage, To, session_of
from ci_callback.common import Since
from ci_callback.record_filter import known
from ci_callback.terminal import complain, say_lines
from handler.log import Level

if TYPE_CHECKING:
    from ci_callback.deploy.job import Session

FOLLOW_S = 5.0
LATE_S = 30.0
"""A line reaches the log service some seconds after it was written."""
_VALUE = re.compile(r"[\w.:-]{1,200}")


def logs(
    since: Since = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more.")] = False,
    event: Annotated[str, typer.Option(help="Only lines of this event, as sweep.")] = "",
    level: Annotated[str, typer.Option(help="Only lines of this level: ERROR.")] = "",
    job: Annotated[str, typer.Option(help="Only lines about this job.")] = "",
    name: Name = "",
    stage: Stage = "production",
    region: Region = "",
    to: To = "",
) -> None:
    """Print the lines of the deployed function's log, oldest first; without --since of an hour.

    The function needs a log topic of its own: deploy --logs.
    """
    from ci_callback.deploy.job import Request

    known("level", level.upper() or None, get_args(Level))
    wanted = {"event": event, "level": level.upper(), "job_id": job}
    asked = {name: value for name, value in wanted.items() if value}
    for option, value in asked.items():
        if not _VALUE.fullmatch(value):
            raise typer.BadParameter(f"{option}: letters, digits and . : - _ alone")
    begin = since or datetime.now(timezone.utc) - timedelta(hours=1)
    with session_of(Request(name, stage, region, to)) as session:
        topic = _topic(session)
        with contextlib.suppress(KeyboardInterrupt):
            _print(session, topic, asked, int(begin.timestamp() * 1000), follow)


def pause(seconds: float) -> None:
    """Between two looks."""
    time.sleep(seconds)


def _topic(session: Session) -> str:
    from ci_callback.deploy import actual
    from ci_callback.deploy.errors import DeployError

    function = actual.function_version(session.cloud, session.description.name)
    topic = str(function.answer.get("ClsTopicId") or "") if function else ""
    if not topic:
        what = f"{session.description.name} has no log topic of its own"
        raise DeployError(what, "deploy --logs")
    return topic


def _print(
    session: Session, topic: str, asked: dict[str, str], begin_ms: int, follow: bool
) -> None:
    from ci_callback import cloud_logs

    seen: set[tuple[int, str]] = set()
    while True:
        # The end of a search does not belong to it.
        end_ms = int(time.time() * 1000) + 1
        query = cloud_logs.query(asked)
        for line in cloud_logs.search(session.cloud, topic, query, begin_ms, end_ms):
            if (line.at_ms, line.text) not in seen:
                say_lines(line.text)
            seen.add((line.at_ms, line.text))
        if not follow:
            if not seen:
                complain("no lines; a line needs some seconds to reach the log service")
            return
        # Lines that come late are looked for again, and shown once.
        begin_ms = max(begin_ms, end_ms - int(LATE_S * 1000))
        seen = {pair for pair in seen if pair[0] >= begin_ms}
        pause(FOLLOW_S)
