"""reconcile.py, where CI has more jobs than are compared at once: looks, cursors and rounds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ci_callback.ci_simulator import Fault
from ci_callback.ci_simulator.server import Seen
from handler.errors import StoreError
from handler.retries import reconcile, reconcile_tag
from handler.retries.cursors import Cursors, ages_of
from tests.stores import Wrapped
from tests.world import START, TRANSLATION, World

HOUR = 3600.0
NOTE = "_reconcile/~54ranslation.json"
TICK = {"Type": "Timer", "TriggerName": "reconcile", "Message": "reconcile"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world in which three jobs are a page, and one page is all that is compared at once."""
    monkeypatch.setattr("handler.ci_api.client.PAGE", 3)
    monkeypatch.setattr(reconcile_tag, "WHOLE_PAGES", 1)
    with World(tmp_path / "ledger", RECONCILE_TAGS="Translation:6") as made:
        yield made


def ended(world: World, number: int, every_s: float = 60.0) -> list[str]:
    """Jobs that took ten seconds each, and whose callbacks did not come."""
    jobs = []
    for _ in range(number):
        jobs.append(world.submit(TRANSLATION))  # ten seconds go by
        world.ci.finish(jobs[-1])
        world.now += every_s - 10
    return jobs


def tick(world: World, store: Any = None, limit_s: float = 55) -> dict[str, Any]:
    """One pass; what it logged of itself."""
    world.function(store).handle(TICK, {"time_limit_in_ms": limit_s * 1000})
    return next(line for line in reversed(world.lines) if line["event"] == "reconcile")


def test_a_look_compares_up_to_its_age_and_goes_on_from_there(world: World) -> None:
    """What is younger is for the next pass; nothing is compared twice by one look."""
    ended(world, 40)
    world.now += 600
    first = tick(world)
    kept = len(world.keys("jobs/"))
    assert (first["status"], first["absent"]) == ("done", kept)
    assert 0 < kept < 40
    world.now += 2_000
    second = tick(world)
    assert len(world.keys("jobs/")) == 40
    assert second["absent"] == 40 - kept
    assert second["listed"] <= 40 - kept + 1
    cursors = world.read(NOTE)["cursors"]
    assert cursors == {str(age): pytest.approx(world.now - age, abs=5) for age in ages_of(6)}


def test_a_job_that_ends_late_is_found_by_a_later_look(world: World) -> None:
    """And what an earlier look compared is not looked for again."""
    ended(world, 10)
    late = world.submit(TRANSLATION)
    ended(world, 10)
    asked: list[str] = []

    class Counting(Wrapped):
        def get(self, key: str) -> bytes | None:
            asked.append(key)
            return super().get(key)

    for minutes in range(0, 600, 30):
        if minutes == 90:
            world.ci.finish(late)
        world.now += 1_800
        tick(world, Counting(world.store))
    assert len(world.keys("jobs/")) == 21
    looked_for = [key for key in asked if late in key]
    assert looked_for
    assert len([key for key in asked if key.startswith("jobs/") and late not in key]) <= 2 * 20


def test_a_pass_that_breaks_off_is_made_again_from_its_cursor(world: World) -> None:
    """A store that fails in the middle: the cursor stands before what was not compared."""
    jobs = ended(world, 60)
    world.now += 2_000
    failing = {"left": 25}

    class Failing(Wrapped):
        def put_new(self, key: str, data: bytes) -> bool:
            failing["left"] -= 1
            if failing["left"] < 0:
                raise StoreError("put_new", key, "COS refused it", 503)
            return super().put_new(key, data)

    assert tick(world, Failing(world.store))["status"] == "aborted"
    kept = len(world.keys("jobs/"))
    assert kept < len(jobs)
    tick(world)
    assert len(world.keys("jobs/")) == len(jobs)


def test_what_came_during_an_outage_of_days_is_not_skipped(world: World) -> None:
    """The window does not slide away under a cursor that stands still."""
    ended(world, 10)
    world.now += 2_000
    tick(world)
    jobs = ended(world, 10)
    world.now += 72 * HOUR
    tick(world)
    kept = {world.read(key)["job_id"] for key in world.keys("jobs/")}
    assert set(jobs) <= kept


def test_a_clock_that_was_a_day_ahead_skips_nothing(world: World) -> None:
    """What one pass kept of that day is not believed once the clock is right again."""
    ended(world, 20)
    world.now += 86_400
    tick(world)
    world.now -= 86_400
    ended(world, 20)
    world.now += 3_000
    for _ in range(3):
        tick(world)
        world.now += 60
    assert len(world.keys("jobs/")) == 40
    cursors = world.read(NOTE)["cursors"]
    assert all(cursors[str(age)] <= world.now - age for age in ages_of(6))


@pytest.mark.parametrize(
    "cursors", ['{"21600": ' + "[" * 5_000, '{"' + "9" * 5_000 + '": 1}}', '{"21600": "1"}}']
)
def test_a_note_that_can_not_be_read_is_as_one_that_is_not_there(
    world: World, cursors: str
) -> None:
    """All hours are compared again."""
    ended(world, 4)
    line = '{"schema": "reconcile/2", "large_at": 0, "absent": 0, "absent_since": 0, "lag_s": 0, '
    world.store.put(NOTE, f'{line}"cursors": {cursors}'.encode())
    world.now += 3_000
    assert tick(world)["status"] == "done"
    assert len(world.keys("jobs/")) == 4


def test_rounds_write_one_note_each_and_grow(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one for each page."""
    monkeypatch.setattr(reconcile, "FIRST_PAGES", 4)
    for job in ended(world, 120, every_s=20):
        world.deliver(job)
    world.now += 3_000
    written: list[str] = []

    class Counting(Wrapped):
        def put(self, key: str, data: bytes) -> None:
            written.append(key)
            super().put(key, data)

    summary = tick(world, Counting(world.store))
    assert (summary["status"], summary["absent"]) == ("done", 0)
    assert written.count(NOTE) <= 12  # 40 pages, in rounds of 4, 16 and 64 for two looks
    assert set(written) == {NOTE}


def test_time_that_is_used_up_leaves_the_rest_to_the_next_pass(world: World) -> None:
    """In progress is no error; the log says how far behind it is."""
    ended(world, 60)
    world.now += 2_000
    spent = [0.0]
    world.timer = lambda: spent[0]

    def slow(seen: Seen) -> Fault | None:
        spent[0] += 3 if seen.method == "GET" else 0
        return None

    with world.ci.faulty(slow):
        summary = tick(world)
    assert (summary["status"], summary["level"]) == ("in_progress", "INFO")
    assert summary["lag_s"] > 0
    kept = len(world.keys("jobs/"))
    assert 0 < kept < 60
    spent[0] = 0.0
    assert tick(world)["status"] == "done"
    assert len(world.keys("jobs/")) == 60


def test_absent_callbacks_of_several_passes_raise_the_alert_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a pass sees few of them: counted for half an hour, across passes that break off."""
    world.env["MISSING_CALLBACK_ALERT_THRESHOLD"] = "4"
    ended(world, 4)
    world.now += 2_000
    failing = {"on": True}

    class Dying(Wrapped):
        """Ends the process when two were taken in."""

        def put_new(self, key: str, data: bytes) -> bool:
            if failing["on"] and len(world.keys("jobs/")) == 2:
                raise StoreError("put_new", key, "COS refused it", 503)
            return super().put_new(key, data)

    monkeypatch.setattr("handler.parallel.POOL", 1)
    tick(world, Dying(world.store))
    failing["on"] = False
    tick(world)
    world.run(minutes=2)
    (alert,) = world.alerts
    assert "jobs of Translation" in alert


def test_a_tag_that_falls_behind_raises_an_alert(world: World) -> None:
    """Not while it catches up."""
    notes = Cursors("Translation", cursors={age: int(START) for age in ages_of(6)}, lag_s=8_000)
    notes.large_at = world.now + 2 * HOUR
    notes.save(world.store, world.now)
    ended(world, 200)
    spent = [0.0]
    world.timer = lambda: spent[0]

    def slow(seen: Seen) -> Fault | None:
        spent[0] += 3
        return None

    with world.ci.faulty(slow):
        assert tick(world)["status"] == "in_progress"
    world.run(minutes=2)
    (alert,) = world.alerts
    assert "hours behind" in alert


def test_the_tag_that_is_most_behind_comes_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large tag does not keep the others from being compared."""
    world.env["RECONCILE_TAGS"] = "Translation:6,Transcode:6"
    behind = {"Translation": 2_000, "Transcode": 4_000}
    for tag, lag in behind.items():
        cursors = {age: int(world.now) - age - lag for age in ages_of(6)}
        Cursors(tag, cursors=cursors, large_at=world.now).save(world.store, world.now)
    seen: list[str] = []

    def note(request: Seen) -> Fault | None:
        seen.append(request.params.get("tag", ""))
        return None

    with world.ci.faulty(note):
        tick(world)
    assert seen[0] == "Transcode"
    assert "Translation" in seen
