"""The invocations of the function since the server started, and their results.

In memory and bounded. The console reads it; each new invocation wakes the readers that wait.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from ci_callback.devserver.watched import Operation
from handler.ledger import keys

Way: TypeAlias = Literal["http", "sample", "again", "edited", "timer", "button"]
"""Who invoked: HTTP from outside, the console's sample or redelivery (as it was, or edited), the
timer, or its button."""

MAX_DELIVERIES = 500
MAX_SWEEPS = 200
MAX_BYTES = 32 * 1024 * 1024
"""Bytes of deliveries that are kept, all together, and as much of tasks."""

_LEASES = (keys.LEASES, keys.FORWARD_LEASES)

OF_LOG = 4
"""Bytes that a line of the log takes as a dict, for each of its characters."""


@dataclass(frozen=True)
class Write:
    """One write of an invocation. at: epoch seconds."""

    at: float
    operation: Operation
    key: str


@dataclass(frozen=True)
class Request:
    """An HTTP request, as it may be shown: tokens and the like are redacted in query and
    headers. body: as it came, so that it can be sent again."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class JobAnswer:
    """The part of an answer about one job of a callback; "" where it has no value."""

    job_id: str
    tag: str
    outcome: str
    status: str
    key: str

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> JobAnswer:
        """Out of the answer's own JSON."""
        names = ("job_id", "tag", "outcome", "status", "key")
        return cls(*(str(values.get(name) or "") for name in names))


@dataclass(frozen=True)
class Invocation:
    """One invocation of the function. at: epoch seconds at which it began.

    request: None for the timer's. raw: the value that the function returned. lines: its log.
    again_of: the delivery that was sent again.
    """

    way: Way
    at: float
    took_ms: float
    request_id: str
    task: str = ""
    request: Request | None = None
    raw: Any = None
    lines: tuple[dict[str, Any], ...] = ()
    writes: tuple[Write, ...] = ()
    again_of: int | None = None
    number: int = 0

    @property
    def size(self) -> int:
        """Bytes that it takes, about: its body, its answer, its log and its writes."""
        body = len(self.request.body) if self.request else 0
        logged = sum(len(str(line)) for line in self.lines)
        written = sum(len(write.key) for write in self.writes)
        return body + len(str(self.raw)) + OF_LOG * logged + written

    @property
    def status(self) -> int | None:
        """The HTTP status; None for a timer, which gets no answer."""
        return self.raw.get("statusCode") if isinstance(self.raw, dict) else None

    @property
    def answer(self) -> Any:
        """The answer's own JSON."""
        body = self.raw.get("body") if isinstance(self.raw, dict) else None
        return json.loads(body) if isinstance(body, str) else None

    @property
    def jobs(self) -> tuple[JobAnswer, ...]:
        """The jobs that its answer names."""
        answer = self.answer
        jobs = answer.get("jobs") if isinstance(answer, dict) else None
        return tuple(JobAnswer.of(job) for job in jobs or ())

    @property
    def is_idle(self) -> bool:
        """Whether it was a task that found nothing to do: its lease may be all that it wrote."""
        did = any(not write.key.startswith(_LEASES) for write in self.writes)
        return self.request is None and not did and not self.troubles

    @property
    def troubles(self) -> bool:
        """Whether its log holds an error."""
        return bool(self.errors)

    @property
    def errors(self) -> list[str]:
        """The events of its log that are errors."""
        return [str(line.get("event")) for line in self.lines if line.get("level") == "ERROR"]


class _Newest:
    """The newest invocations: at most so many, and together at most so many bytes; one at least.

    Not locked.
    """

    def __init__(self, max_count: int, max_bytes: int) -> None:
        self.kept: deque[Invocation] = deque()
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._bytes = 0

    def add(self, invocation: Invocation) -> None:
        """Add one; the oldest ones may have to go."""
        self.kept.append(invocation)
        self._bytes += invocation.size
        while len(self.kept) > 1 and (
            len(self.kept) > self._max_count or self._bytes > self._max_bytes
        ):
            self._bytes -= self.kept.popleft().size


class History:
    """Invocations in the order in which they ended. Threads may share it."""

    def __init__(
        self,
        max_deliveries: int = MAX_DELIVERIES,
        max_sweeps: int = MAX_SWEEPS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._deliveries = _Newest(max_deliveries, max_bytes)
        self._tasks = _Newest(max_sweeps, max_bytes)
        self._changed = threading.Condition()
        self._version = 0
        self._told = 0
        self._is_closed = False
        self.last_idle: Invocation | None = None

    def add(self, invocation: Invocation) -> Invocation:
        """Add one and wake the readers that wait; returns it with its number."""
        with self._changed:
            numbered = replace(invocation, number=self._version + 1)
            if numbered.is_idle:
                # One each minute: they would push out those that did something.
                self.last_idle = numbered
            elif numbered.request is None:
                self._tasks.add(numbered)
            else:
                self._deliveries.add(numbered)
            self._version += 1
            self._changed.notify_all()
        return numbered

    def deliveries(self) -> list[Invocation]:
        """HTTP requests, the newest first."""
        with self._changed:
            return list(reversed(self._deliveries.kept))

    def tasks(self) -> list[Invocation]:
        """The timer's and the button's, the newest first, without those that did nothing."""
        with self._changed:
            return list(reversed(self._tasks.kept))

    def get(self, number: int) -> Invocation | None:
        """One of them; None where it does not exist, or no longer."""
        with self._changed:
            kept: Sequence[Invocation] = (*self._deliveries.kept, *self._tasks.kept)
        return next((invocation for invocation in kept if invocation.number == number), None)

    @property
    def version(self) -> int:
        """How many there were."""
        with self._changed:
            return self._version

    @property
    def changes(self) -> int:
        """The number of invocations, and of changes that `tell` reported."""
        with self._changed:
            return self._version + self._told

    def tell(self) -> None:
        """Wake the readers: something else changed that they show."""
        with self._changed:
            self._told += 1
            self._changed.notify_all()

    def wait(self, seen: int, timeout_s: float) -> int | None:
        """Wait until there are more changes than `seen`; how many, or None once closed."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_closed or self._version + self._told > seen, timeout_s
            )
            return None if self._is_closed else self._version + self._told

    def close(self) -> None:
        """Let all that wait go."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
