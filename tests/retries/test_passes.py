"""reconcile.py: what one pass asks CI for, what it takes in, and where the next one begins."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ci_callback.ci_simulator.wire import epoch
from handler.callback.envelope import Notice
from handler.callback.record import JobRecord, Source, normalise
from handler.errors import PayloadError
from handler.ledger.outbox import Ticket
from handler.retries import reconcile_tag
from handler.retries.cursors import ages_of
from handler.retries.reconcile import Reconcile, Summary
from handler.retries.reconcile_tag import GRACE_S
from tests.retries.contexts import context_of, lines, tickets
from tests.stores import QuickWorld

HOUR = 3600.0
PROGRESS = "_reconcile/~54ranslation.json"


class Absent(QuickWorld):
    """CI knows of jobs whose callbacks never came."""

    def __init__(self, **env: str) -> None:
        super().__init__(None, **({"RECONCILE_TAGS": "Translation:6"} | env))

    def ended(self, count: int = 1, state: str = "Success") -> list[str]:
        jobs = [self.submit() for _ in range(count)]
        for job in jobs:
            self.ci.finish(job, state)
        return jobs

    def pass_(self, left_s: float = 55.0) -> Summary:
        (summary,) = Reconcile(context_of(self), lambda: left_s).run()
        return summary

    def asked(self) -> dict[str, str]:
        """What CI was asked for last, in a list."""
        return next(seen.params for seen in reversed(self.ci.seen) if seen.path == "/jobs")


@pytest.fixture
def world() -> Absent:
    return Absent()


def test_ci_is_asked_for_what_ended_in_the_last_hours(world: Absent) -> None:
    """By tag, oldest first, a page at a time."""
    world.now += 10 * HOUR
    world.pass_()
    asked = world.asked()
    assert (asked["tag"], asked["orderByTime"], asked["size"]) == ("Translation", "Asc", "100")
    assert asked["states"] == "Success,Failed,Cancel"
    assert world.now - epoch(asked["startCreationTime"]) == pytest.approx(6 * HOUR, abs=1)


@pytest.mark.parametrize(("ago_s", "count"), [(GRACE_S - 1, 0), (GRACE_S, 1), (GRACE_S + 1, 1)])
def test_a_callback_has_ten_minutes_to_come(world: Absent, ago_s: float, count: int) -> None:
    """From the end of its job."""
    world.ended()
    world.now += ago_s
    assert world.pass_().listed == count


def test_what_is_taken_in_is_cis_own_word(world: Absent) -> None:
    """Confirmed, by way of a reconciliation; its tickets with it."""
    (job,) = world.ended(state="Failed")
    world.now += HOUR
    assert world.pass_() == Summary("Translation", "done", 1, 1)
    (key,) = world.keys("jobs/")
    record = JobRecord.from_json(world.memory.get(key) or b"")
    assert (record.job_id, record.outcome) == (job, "failed")
    source = record.source
    assert (source["trigger"], source["format"], source["verified"]) == ("reconcile", "xml", True)
    assert source["received_at"] == context_of(world).now()
    assert source["request_id"] == "r1"
    assert [ticket.action for ticket in tickets(world).values()] == ["retry"]


def test_from_a_threshold_on_an_alert_says_what_is_wrong() -> None:
    """Once a day and tag; before anything is taken in."""
    world = Absent(MISSING_CALLBACK_ALERT_THRESHOLD="2")
    world.ended()
    world.now += HOUR
    world.pass_()
    assert tickets(world) == {}
    world.ended(2)
    world.now += HOUR
    begun = len(world.memory.journal)
    world.pass_()
    (alert,) = tickets(world).values()
    note = (
        "2 jobs of Translation ended according to CI, but no callback arrived for them; the "
        "function stored CI's results. The callback URL or the queue's NotifyConfig is probably "
        "wrong"
    )
    assert alert == Ticket("alert.absent", "Translation", "2026-09-21", note=note)
    written = [change.key.split("/")[0] for change in world.memory.journal[begun:]]
    assert written == ["_reconcile", "_outbox", "jobs", "jobs", "_reconcile"]


def test_a_pass_that_is_through_begins_at_its_hours_again(world: Absent) -> None:
    """Jobs end late. What it notes says how far each look came, and when."""
    world.ended()
    world.now += HOUR
    world.pass_()
    context = context_of(world)
    now = int(context.clock())
    assert world.read(PROGRESS) == {
        "schema": "reconcile/2",
        "cursors": {str(age): now - age for age in (1350, 5400, 21600)},
        "large_at": 0.0,
        "absent": 1,
        "absent_since": now,
        "lag_s": 0,
        "at": context.now(),
    }
    world.pass_()
    assert world.now - epoch(world.asked()["startCreationTime"]) == pytest.approx(6 * HOUR, abs=1)


def test_what_was_reached_long_ago_is_gone_back_to(world: Absent) -> None:
    """Nothing between there and the hours is skipped."""
    world.pass_()
    world.ended()
    world.now += 100 * HOUR
    assert world.pass_().absent == 1
    begin = epoch(world.asked()["startCreationTime"])
    assert world.now - begin == pytest.approx(106 * HOUR, abs=15)


@pytest.mark.parametrize(
    ("hours", "ages"), [(1, (3600,)), (6, (1350, 5400, 21600)), (24, (1350, 5400, 21600, 86400))]
)
def test_the_hours_are_looked_at_at_several_ages(hours: int, ages: tuple[int, ...]) -> None:
    """The last one is all of them; none is younger than twenty minutes."""
    assert ages_of(hours) == ages


def test_other_hours_begin_other_looks(world: Absent) -> None:
    """What they have in common goes on."""
    world.pass_()
    world.env["RECONCILE_TAGS"] = "Translation:24"
    world.now += HOUR
    world.pass_()
    assert world.read(PROGRESS)["cursors"].keys() == {"1350", "5400", "21600", "86400"}


def test_a_pass_without_time_for_a_step_is_alerted(world: Absent) -> None:
    """Once a day, with the setting to change."""
    summary = world.pass_(left_s=5.0)
    assert summary.status == "failed"
    assert "the function's time limit is too short" in summary.reason
    assert list(tickets(world).values()) == [
        Ticket("alert.sweep", "reconcile", "2026-09-21", note=summary.reason)
    ]
    assert world.ci.seen == []


def test_a_job_that_ci_tells_in_a_way_that_is_not_understood_is_a_dead_letter(
    world: Absent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a callback that can be replayed, without its secrets; the others go on."""
    bad, good = world.ended(2)
    operation = world.ci.jobs[bad].request["Operation"]
    operation["DocPassword"] = "a-password"

    def refuse(notice: Notice, source: Source) -> JobRecord:
        if notice.job_id == bad:
            raise PayloadError("too_long", "a list is longer than any real one")
        return normalise(notice, source)

    monkeypatch.setattr(reconcile_tag, "normalise", refuse)
    world.now += HOUR
    world.pass_()
    (key,) = world.keys("_dead/")
    letter = world.read(key)
    body: Any = json.loads(base64.b64decode(letter["body_base64"]))
    assert (letter["content"], letter["trigger"]) == ("callback", "timer")
    assert (letter["reason"], letter["explanation"]) == (
        "too_long",
        "a list is longer than any real one",
    )
    assert body["JobsDetail"]["JobId"] == bad
    assert "a-password" not in json.dumps(body)
    assert [key for key in world.keys("jobs/") if good in key]
    assert [ticket.action for ticket in tickets(world).values()] == ["alert.dead"]


def test_another_end_that_is_kept_is_a_conflict(world: Absent) -> None:
    """A record that was stored between the listing and the write."""
    (job,) = world.ended()
    world.now += HOUR
    context = context_of(world)
    reconciliation = Reconcile(context, lambda: 55.0)
    original = context.recorder.store

    def late(record: JobRecord, dead_letter: Any) -> Any:
        other = json.loads(record.to_json()) | {"state": "Failed", "outcome": "failed"}
        world.memory.put(f"jobs/dt=2026-09-21/{job}.json", json.dumps(other).encode() + b"\n")
        return original(record, dead_letter)

    context.recorder.store = late  # type: ignore[method-assign]  # another process is in between
    reconciliation.run()
    (key,) = world.keys("_dead/")
    letter = world.read(key)
    assert (letter["content"], letter["reason"]) == ("record", "conflict")
    assert letter["explanation"] == "another end is kept already"
    (absent,) = lines(world, "callback_absent")
    assert (absent["status"], absent["key"]) == ("dead_letter", key)
