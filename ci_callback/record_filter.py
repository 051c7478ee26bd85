"""Which records a command means: the filter, and the options that make it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from typing import Annotated

import typer

from ci_callback.ledger_reader import DayRange, received_at
from handler.callback import catalogue
from handler.callback.outcome import REVIEW_OUTCOMES
from handler.callback.record import OUTCOMES, JobRecord
from handler.settings.destinations import TYPES


def tags(begin: str) -> list[str]:
    """Tags that begin so, for the shell's completion."""
    return [tag for tag in catalogue.TAGS if tag.lower().startswith(begin.lower())]


def outcomes(begin: str) -> list[str]:
    """Outcomes that begin so, for the shell's completion."""
    return sorted(
        outcome for outcome in {*OUTCOMES.values(), "partial"} if outcome.startswith(begin)
    )


def known(what: str, sent: str | None, all_known: Iterable[str]) -> str | None:
    """The text, if it is one of those that are known; None stays None.

    Raises:
        typer.BadParameter: it is not. The message lists what there is.
    """
    choices = sorted(all_known)
    if sent is None or sent in choices:
        return sent
    by_lower = {choice.lower(): choice for choice in choices}
    there = ", ".join(choices)
    for near in difflib.get_close_matches(sent.lower(), by_lower, n=1):
        raise typer.BadParameter(
            f"no {what} {sent!r}; did you mean {by_lower[near]}? There are: {there}"
        )
    raise typer.BadParameter(f"no {what} {sent!r}. There are: {there}")


def known_tag(sent: str | None) -> str | None:
    """A tag of the catalogue. Raises typer.BadParameter."""
    return known("tag", sent, catalogue.TAGS)


def known_state(sent: str | None) -> str | None:
    """A state as CI writes it. Raises typer.BadParameter."""
    return known("state", sent, REVIEW_OUTCOMES)


def known_type(sent: str | None) -> str | None:
    """A type of events, or a pattern of them. Raises typer.BadParameter."""
    if sent is not None and any(fnmatchcase(name, sent) for name in TYPES):
        return sent
    return known("type", sent, TYPES)


def check_order(since: datetime | None, until: datetime | None) -> None:
    """A range of time begins before it ends.

    Raises:
        typer.BadParameter: it holds nothing.
    """
    if since is not None and until is not None and since > until:
        first, last = (f"{moment:%Y-%m-%d %H:%M}" for moment in (since, until))
        raise typer.BadParameter(f"--since {first} is after --until {last}")


def known_outcome(sent: str | None) -> str | None:
    """An outcome of a record. Raises typer.BadParameter."""
    return known("outcome", sent, {*OUTCOMES.values(), "partial", "unknown"})


Tag = Annotated[
    str | None,
    typer.Option(help="Only this tag.", autocompletion=tags, callback=known_tag),
]


@dataclass(frozen=True)
class RecordFilter:
    """None: any. since, until: of the job's creation."""

    since: datetime | None = None
    until: datetime | None = None
    tag: str | None = None
    state: str | None = None
    outcome: str | None = None

    def matches(self, record: JobRecord) -> bool:
        """Whether a record is meant. A job without a time of creation was created before its
        callback came; nothing more is known of it, so only `since` can exclude it."""
        created = _moment(record.created_at)
        latest = created or _moment(received_at(record))
        return (
            (self.since is None or latest is None or latest >= self.since)
            and (self.until is None or created is None or created < self.until)
            and self.tag in (None, record.tag)
            and self.state in (None, record.state)
            and self.outcome in (None, record.outcome)
        )

    @property
    def is_narrow(self) -> bool:
        """Whether more than the time of a job decides."""
        return any(asked is not None for asked in (self.tag, self.state, self.outcome))

    @property
    def days(self) -> DayRange:
        """The days under which they are stored."""
        return DayRange(
            self.since.astimezone(timezone.utc).date() if self.since else None,
            self.until.astimezone(timezone.utc).date() if self.until else None,
        )


def _moment(time: str | None) -> datetime | None:
    return datetime.fromisoformat(time[:19]).replace(tzinfo=timezone.utc) if time else None
