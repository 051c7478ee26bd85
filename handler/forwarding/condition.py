"""How a destination fares: whether it is sent to, left alone for a while, or paused.

    open ── MAX_FAULTS deliveries in a row failed ──► failing: left alone, then tried with one event
     ▲                                                    │ for PAUSE_AFTER_S
     └──────────────── one was taken ◄────────────────  paused: the same, and an alert

Pure, but for the jitter that is passed in. Stored below `_destinations/` while it is not open.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

SCHEMA = "destination/1"

MAX_FAULTS = 3
"""Deliveries that fail in a row before a destination is left alone."""

REST_S, MAX_REST_S = 60.0, 900.0
"""How long it is left alone at first, and at most; the time doubles. Half of it is random."""

PAUSE_AFTER_S = 600.0
"""How long it fails before an alert is raised."""

RETRY_S, MAX_RETRY_S = 60.0, 6 * 3600.0
"""Until an event is sent again that alone was not taken: the same, by the number of its tries."""

GIVE_UP_S = 3 * 86_400.0
"""How long an event is tried before it becomes a dead letter."""

Jitter = Callable[[], float]
"""From 0 to 1."""


class Condition(NamedTuple):
    """faults: deliveries that failed in a row; failing_since: when the first of them did, in epoch
    seconds. rests_until: when it is tried again. rests: how often in a row it was left alone.
    is_paused: whether the alert was raised. All are zero once a delivery was taken."""

    failing_since: float = 0.0
    rests_until: float = 0.0
    rests: int = 0
    is_paused: bool = False
    faults: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it is sent to without restraint."""
        return not self.rests

    def rests_at(self, now: float) -> bool:
        """Whether it rests at a moment. A time more than a day ahead is ignored."""
        return now < self.rests_until <= now + 86_400

    def failed(self, now: float, retry_after_s: float, jitter: Jitter) -> Condition:
        """The condition after one more failed delivery: it rests from MAX_FAULTS on, or if the
        answer asks for a wait. Those that were under way at a time count as one rest, as long as
        the longest wait that one of them asks for."""
        after = self._replace(failing_since=self.failing_since or now, faults=self.faults + 1)
        if self.rests_at(now):
            return after._replace(rests_until=max(self.rests_until, now + retry_after_s))
        if after.faults < MAX_FAULTS and not retry_after_s:
            return after
        longest = min(MAX_REST_S, REST_S * 2.0 ** min(self.rests, 10))
        rest_s = max(retry_after_s, longest * (1 + jitter()) / 2)
        return after._replace(rests_until=now + rest_s, rests=self.rests + 1)

    def is_to_be_paused(self, now: float) -> bool:
        """Whether an alert is due."""
        return not self.is_paused and 0 < self.failing_since <= now - PAUSE_AFTER_S

    def to_json(self) -> bytes:
        """As it is stored."""
        return json.dumps({"schema": SCHEMA} | self._asdict()).encode("ascii") + b"\n"


def read_condition(line: bytes | None) -> Condition:
    """Read back what `to_json` wrote; open where there is nothing, or nothing that can be read: the
    worst that follows is one more try."""
    if line is None:
        return Condition()
    try:
        values: Any = json.loads(line)
        since, until = float(values["failing_since"]), float(values["rests_until"])
        rests, faults = int(values["rests"]), int(values["faults"])
        return Condition(since, until, rests, values["is_paused"] is True, faults)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return Condition()


def retry_delay_s(tries: int, jitter: Jitter) -> float:
    """Seconds until an event is sent again. tries: how often it was sent."""
    longest = min(MAX_RETRY_S, RETRY_S * 2.0 ** min(max(tries - 1, 0), 20))
    return longest * (1 + jitter()) / 2
