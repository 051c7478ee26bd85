"""The last sweep and the last callback, as far as they can be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from ci_callback.cloud_api import CloudError
from ci_callback.deploy import last_seen
from ci_callback.deploy.last_seen import Place, last
from handler.errors import StoreError
from handler.ledger.store import Store
from tests.stores import MemoryStore, Wrapped

NOW = 1_795_776_000.0


class Days(Wrapped):
    """A store of so many records of each day. asked: the prefixes that were listed."""

    def __init__(self, **records: int) -> None:
        super().__init__(MemoryStore())
        self.records = records
        self.asked: list[str] = []

    def dated(self, prefix: str) -> Iterator[tuple[str, str]]:
        self.asked.append(prefix)
        day = prefix.removeprefix("jobs/dt=").rstrip("/")
        for number in range(self.records.get(f"d{day[-2:]}", 0)):
            yield f"{prefix}j{number}.json", f"{day}T00:{number % 60:02}:00Z"


class Logs:
    """A log topic with these lines, or that refuses."""

    def __init__(self, *texts: str, error: CloudError | None = None) -> None:
        self.texts, self.error = texts, error

    def call(self, service: str, action: str, params: Mapping[str, Any]) -> dict[str, Any]:
        if self.error:
            raise self.error
        return {"Results": [{"Time": int(NOW * 1000), "LogJson": text} for text in self.texts]}


def told(api: Logs, topic: str = "", store: Callable[[], Store] = Days) -> tuple[str, str]:
    """Sweep and callback."""
    found = last(Place(api, topic, store), NOW)
    return found["last sweep"], found["last callback"]


def test_without_a_topic_the_ledger_tells_the_callback() -> None:
    """The listing of a day, and of the day before where that is empty."""
    store = Days(d26=3)
    sweep, callback = told(Logs(), store=lambda: store)
    assert "no log topic" in sweep
    assert callback == "2026-11-26T00:02:00Z, jobs/dt=2026-11-26/j2.json"
    assert store.asked == ["jobs/dt=2026-11-27/", "jobs/dt=2026-11-26/"]
    assert told(Logs(), store=Days)[1].startswith("none of a job")


def test_a_day_with_very_many_records_costs_one_page() -> None:
    """What is told is a bound then."""
    store = Days(d27=5_000)
    _, callback = told(Logs(), store=lambda: store)
    assert callback == "2026-11-27T00:59:00Z or later, by the first 1,000 records of its day"
    assert last_seen.MAX_KEYS == 1_000


@pytest.mark.parametrize("text", ["not json", "[]", "{}"])
def test_a_line_of_another_kind_tells_its_time(text: str) -> None:
    """Someone may write into the topic."""
    assert told(Logs(text), "t1")[0] == "2026-11-27T10:40:00Z"


def test_what_can_not_be_told_says_why() -> None:
    """No lines, a refusal, a ledger that is away, a store without times."""
    assert told(Logs(), "t1") == ("none in seven days", "none in seven days")
    refused = CloudError("SearchLog", "UnauthorizedOperation")
    assert "UnauthorizedOperation" in told(Logs(error=refused), "t1")[0]

    def away() -> Store:
        raise StoreError("list", "jobs/", "away", 503, "SlowDown")

    assert "unknown" in told(Logs(), store=away)[1]
    assert "does not say when" in told(Logs(), store=MemoryStore)[1]
