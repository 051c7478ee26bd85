"""The world of the target of events: the function, its store, CI and a person's channel, in
memory; and a count of what the function was asked and did."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from handler import parallel
from handler.http_client import Http
from handler.ledger.store import Store
from handler.retries import context as sweep_context
from tests.slow.fuzz import promises
from tests.stores import QuickWorld

HOUR = 3600.0
CONTEXT = {"request_id": "request-1", "time_limit_in_ms": 55_000}
TIMER = {"Type": "Timer", "TriggerName": "sweep", "Message": ""}

COUNT: Counter[str] = Counter()
"""Since the process began: "event" and "timer" for each invocation; for each ticket that a sweep
dealt with its action and what became of it, such as "retry submitted" or "watch unknown"; and
"alert …" for each alert ticket in a digest."""


class World(QuickWorld):
    """A function in memory, with a settings' worth of environment over its own."""

    def __init__(self, env: Mapping[str, str]) -> None:
        super().__init__(None, **env)

    def invoke(self, event: Any, store: Store | None = None, http: Http | None = None) -> Any:
        """One invocation; one message at a time, so that an input always does the same."""
        COUNT["timer" if event is TIMER else "event"] += 1
        with patch.object(parallel, "POOL", 1):
            return self.function(store, http).handle(event, CONTEXT)

    def kept(self) -> dict[str, bytes]:
        """All that is in the store."""
        return {key: self.memory.get(key) or b"" for key in self.memory.list("")}

    def logged(self) -> list[dict[str, Any]]:
        """The lines since this was last asked, checked."""
        written = self.output.getvalue()
        self.output.seek(0)
        self.output.truncate()
        lines = promises.of_log(written)
        for line in lines:
            if line["event"] == "ticket":
                COUNT[f"{line['action']} {line.get('alert') or line['status']}"] += 1
        return lines


@contextmanager
def numbered_writers() -> Iterator[None]:
    """Sweeps with made-up names in order, so that an input always does the same."""
    numbers = itertools.count()
    names = SimpleNamespace(token_hex=lambda _: f"{next(numbers):016x}")
    with patch.object(sweep_context, "secrets", names):
        yield
