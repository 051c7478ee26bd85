"""What `serve` keeps in memory is bounded, in counts and in bytes, however much is delivered."""

from __future__ import annotations

import gc
import io
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from ci_callback.console import record_cache
from ci_callback.console.record_cache import RecordCache
from ci_callback.devserver import local_ci
from ci_callback.devserver.history import History, Invocation, Write
from ci_callback.devserver.local_ci import LocalCi
from ci_callback.devserver.local_function import LocalFunction


class Nowhere(io.StringIO):
    """A log that nobody keeps."""

    def write(self, text: str) -> int:
        return len(text)


def body(number: int, state: str = "Success") -> bytes:
    """A callback of a job of its own."""
    form = (
        "<Response><EventName>TaskFinish</EventName><JobsDetail><Code>{1}</Code><Message/>"
        "<JobId>a{0:032x}</JobId><State>{1}</State><Tag>Translation</Tag>"
        "<CreationTime>2026-09-21T10:00:00+0800</CreationTime><QueueId>p1</QueueId>"
        "<EndTime>2026-09-21T10:01:00+0800</EndTime><Input><Object>{0}.pdf</Object></Input>"
        "<Operation><UserData>{2}</UserData></Operation></JobsDetail></Response>"
    )
    return form.format(number, state, "u" * 500).encode()


@pytest.mark.parametrize(("log", "count"), [(400, 5), (40, 20)])
def test_the_log_and_the_writes_of_deliveries_and_tasks_count(log: int, count: int) -> None:
    """Not their bodies alone: a sweep may log thousands of lines."""
    history = History(max_deliveries=20, max_sweeps=20, max_bytes=11_000)
    for _ in range(100):
        made: dict[str, Any] = {"lines": ({"event": "x" * log},), "writes": (Write(0, "put", "k"),)}
        history.add(Invocation("timer", 0, 0, "", **made))
    assert len(history.tasks()) == pytest.approx(count, abs=1)
    assert sum(invocation.size for invocation in history.tasks()) <= 11_000


def test_the_stand_in_for_ci_forgets_what_ended_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed may be retried hours later, and is asked about then."""
    for name, bound in (("MAX_ENDED", 10), ("MAX_JOBS", 40), ("SPARE", 5)):
        monkeypatch.setattr(local_ci, name, bound)
    ci = LocalCi("http://127.0.0.1:9/")
    for number in range(20):
        ci.learn(body(number, "Failed"))
    for number in range(100, 400):
        ci.learn(body(number))
    assert 30 <= ci.known_jobs <= 35
    for number in range(1_000, 1_400):
        ci.learn(body(number, "Failed"))
    assert ci.known_jobs <= 45


def test_the_console_caches_so_many_records_and_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever bound is met first."""
    function = LocalFunction({"LEDGER_URL": f"file:{tmp_path}/ledger"}, History(), io.StringIO())
    written = [function.send(body(number), "sample").jobs[0].key for number in range(60)]
    monkeypatch.setattr(record_cache, "MAX_CACHED", 50)
    cache = RecordCache(function)
    assert len(cache.read(written)) == 60
    count, size = cache.cached
    assert count == 50
    monkeypatch.setattr(record_cache, "MAX_CACHED_BYTES", size // 2)
    cache.read(written[:1])
    count, size_now = cache.cached
    assert 20 <= count <= 25
    assert size_now <= size // 2


@pytest.mark.slow
def test_deliveries_leave_no_memory_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three times as many take no more, once the bounds are met."""
    for name, bound in (("MAX_ENDED", 20), ("MAX_JOBS", 40), ("SPARE", 5)):
        monkeypatch.setattr(local_ci, name, bound)
    ci = LocalCi("http://127.0.0.1:9/")
    env = {"LEDGER_URL": f"file:{tmp_path}/ledger"}
    function = LocalFunction(env, History(20, 20, 400_000), Nowhere(), ci)

    def held(numbers: range) -> int:
        for number in numbers:
            function.send(body(number, "Success" if number % 3 else "Failed"), "sample")
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        held(range(100))
        first = held(range(100, 200))
        second = held(range(200, 500))
    finally:
        tracemalloc.stop()
    assert second < first * 1.2
