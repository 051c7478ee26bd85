"""Bodies that only the function's log holds: out of a file, or out of its log topic itself."""

from __future__ import annotations

import gzip
import hashlib
import re
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO, cast

import typer

from ci_callback.command_language import localised
from ci_callback.commands.deploy_session import own_topic, session_of
from ci_callback.log_recovery import Recovery, recover
from handler.log import BODY_PART

if TYPE_CHECKING:
    from ci_callback.deploy.actual import Api

CLS = "cls:"
"""What the name of a log topic begins with; alone, the function's own."""
GZIP_MAGIC = b"\x1f\x8b"
WINDOW = timedelta(days=1)
"""Without --since."""
_TOPIC = re.compile(r"[A-Za-z0-9-]{0,64}")


@dataclass(frozen=True)
class LogSource:
    """text: a file's path, or CLS with a topic's id. since, until: of a topic. function, stage:
    whose topic it is. cloud: http://127.0.0.1:PORT in place of Tencent Cloud."""

    text: str
    since: datetime | None = None
    until: datetime | None = None
    function: str = ""
    stage: str = ""
    cloud: str = ""


class Logged(NamedTuple):
    """Bodies to take in; missing: those that are not, each by its SHA-256, and why."""

    bodies: list[bytes]
    missing: list[str]


def checked_source(value: str | None) -> str | None:
    """The value of --from-log.

    Raises:
        BadParameter: it is no file, and no topic.
    """
    if value is None:
        return None
    if value.startswith(CLS):
        if not _TOPIC.fullmatch(value.removeprefix(CLS)):
            raise typer.BadParameter(f"{value!r}: cls: or cls:TOPIC_ID")
    elif not Path(value).is_file():
        raise typer.BadParameter(f"there is no file {value!r}")
    return value


def logged_bodies(source: LogSource, accept_unauthenticated: bool, may_ask: bool) -> Logged:
    """The bodies that a log holds.

    Raises:
        ValueError: none of its lines holds a part of one.
    """
    is_topic = source.text.startswith(CLS)
    recovery = _of_topic(source) if is_topic else _of_file(Path(source.text))
    if not recovery.bodies and not recovery.lost:
        fix = "say from when on: --since 3d" if is_topic else "export those lines, as JSON or CSV"
        raise ValueError(f"{source.text}: no line `{BODY_PART}` in it; {fix}; see docs/operate.md")
    missing = [f"{lost.sha256}: {lost.why}" for lost in recovery.lost]
    unchecked = [body for body in recovery.bodies if not body.authenticated]
    if unchecked and not accept_unauthenticated and not (may_ask and _accepts(recovery)):
        missing += [
            f"{hashlib.sha256(body.body).hexdigest()}: its sender was not checked "
            "(--accept-unauthenticated takes it in)"
            for body in unchecked
        ]
        return Logged([body.body for body in recovery.bodies if body.authenticated], missing)
    return Logged([body.body for body in recovery.bodies], missing)


def _of_file(path: Path) -> Recovery:
    try:
        with _text(path) as lines:
            return recover(lines)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} can't be read: {error}") from error


def _of_topic(source: LogSource) -> Recovery:
    # Imported here: no other replay needs them.
    from ci_callback.deploy.job import Request

    with session_of(Request(source.function, source.stage, to=source.cloud)) as session:
        topic = source.text.removeprefix(CLS) or own_topic(session)
        return recover(_lines(source, session.cloud, topic))


def _lines(source: LogSource, cloud: Api, topic: str) -> Iterator[str]:
    from ci_callback import cloud_logs
    from ci_callback.deploy.patience import Patient

    end = source.until or datetime.now(timezone.utc)
    begin = source.since or end - WINDOW
    # Many lines are many requests. The end of a search does not belong to it.
    api, end_ms = Patient(cloud, time.sleep), int(end.timestamp() * 1000) + 1
    asked = cloud_logs.LOST_BODIES
    for line in cloud_logs.search(api, topic, asked, int(begin.timestamp() * 1000), end_ms):
        yield line.text


def _text(path: Path) -> TextIO:
    """A file's text; it may be packed with gzip, as CLS offers."""
    with path.open("rb") as file:
        is_packed = file.read(2) == GZIP_MAGIC
    opened = gzip.open if is_packed else open
    return cast(TextIO, opened(path, "rt", encoding="utf-8-sig", errors="replace", newline=""))


def _accepts(recovery: Recovery) -> bool:
    """Ask about bodies that came while CALLBACK_TOKENS was not set; no, without a terminal."""
    count = sum(not body.authenticated for body in recovery.bodies)
    if not _is_terminal():
        return False
    return typer.confirm(
        localised(
            f"{count} of {len(recovery.bodies)} bodies arrived while CALLBACK_TOKENS was missing "
            "or malformed: anyone may have sent them. Store them?"
        )
    )


def _is_terminal() -> bool:
    return sys.stdin.isatty()
