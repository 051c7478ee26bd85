"""How far reconciliation of one tag has come, as it is kept in the ledger.

Jobs end late, so CI's list is compared several times, each time when its jobs have a certain age: a
look. Each look has a cursor: every job that was created before it, and that had ended by the look's
age, was compared. A cursor only moves past what was compared, so nothing is skipped, however long
no pass was made.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handler.clock import rfc3339_of
from handler.ledger import keys
from handler.ledger.store import Store

SCHEMA = "reconcile/2"

_MAX_DIGITS = 9
"""Of an age."""

FIRST_LOOK_S = 1200
"""The youngest age: a job has ended ten minutes ago (GRACE_S) and took up to ten to run."""

FACTOR = 4
"""From one look to the next. A job that takes D to run is found when it is at most 4 × D old, and
a day is compared four times in all."""


def ages_of(hours: int) -> tuple[int, ...]:
    """The ages at which jobs are looked at, in seconds, youngest first; the last one is `hours`."""
    ages = [hours * 3600]
    while ages[0] / FACTOR >= FIRST_LOOK_S:
        ages.insert(0, ages[0] // FACTOR)
    return tuple(ages)


@dataclass
class Cursors:
    """One tag's. All times are epoch seconds, those of the cursors of creation.

    absent: callbacks that were found missing since absent_since. large_at: when all hours had more
    jobs than are compared at once. lag_s: how far the slowest look was behind when the
    last pass had no more time; 0 where it had done its work.
    """

    tag: str
    by_hand: bool = False
    cursors: dict[int, int] = field(default_factory=dict)
    large_at: float = 0.0
    absent: int = 0
    absent_since: float = 0.0
    lag_s: float = 0.0

    @classmethod
    def load(cls, store: Store, tag: str, by_hand: bool) -> Cursors:
        """The stored cursors; empty if they can't be read: then all hours are compared again.

        Raises:
            StoreError
        """
        line = store.get(keys.progress(tag, by_hand))
        values = _values(line) if line is not None else {}
        cursors = {int(age): int(at) for age, at in values.get("cursors", {}).items()}
        numbers = {
            name: values[name] for name in ("large_at", "absent_since", "lag_s") if name in values
        }
        return cls(tag, by_hand, cursors, absent=values.get("absent", 0), **numbers)

    def believe(self, latest: float) -> None:
        """Forget what lies ahead: a clock that was wrong wrote it, and what was created up to then
        would be skipped. latest: epoch seconds, by the clock of now."""
        self.cursors = {age: at for age, at in self.cursors.items() if at <= latest - age}
        self.large_at = self.large_at if self.large_at <= latest else 0.0
        self.absent_since = self.absent_since if self.absent_since <= latest else 0.0

    def save(self, store: Store, now: float) -> None:
        """Raises:
        StoreError
        """
        values = {
            "schema": SCHEMA,
            "cursors": {str(age): at for age, at in self.cursors.items()},
            "large_at": self.large_at,
            "absent": self.absent,
            "absent_since": self.absent_since,
            "lag_s": self.lag_s,
            "at": rfc3339_of(now),
        }
        line = json.dumps(values).encode("ascii")
        store.put(keys.progress(self.tag, self.by_hand), line)


def _values(line: bytes) -> Mapping[str, Any]:
    """The values of a note, if each is what it must be; else {}."""
    try:
        values: Any = json.loads(line)
        is_ours = values["schema"] == SCHEMA and all(
            age.isdecimal() and len(age) <= _MAX_DIGITS and _is_time(at)
            for age, at in values["cursors"].items()
        )
        rest = (values[name] for name in ("large_at", "absent", "absent_since", "lag_s"))
        if is_ours and all(map(_is_time, rest)):
            return {**values, "absent": int(values["absent"])}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass  # as one that is not there
    return {}


def _is_time(value: object) -> bool:
    """Whether it is a number of seconds or of jobs."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and value >= 0
