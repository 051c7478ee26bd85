"""reconcile.py: callbacks that never came."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ci_callback.ci_simulator import Fault
from ci_callback.ci_simulator.jobs import Job
from handler.callback.record import JobRecord
from handler.errors import PayloadError
from handler.retries import reconcile_tag
from tests.stores import Wrapped
from tests.world import TRANSLATION, World

HOUR = 3600.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world that looks back six hours for translations."""
    with World(tmp_path / "ledger", RECONCILE_TAGS="Translation:6") as made:
        yield made


def ended(world: World, number: int = 1, state: str = "Success") -> list[str]:
    """Jobs that ended, and whose callbacks did not come."""
    jobs = []
    for n in range(number):
        job = world.submit(TRANSLATION | {"Input": {"Object": f"{n}.pdf"}})
        world.ci.finish(job, state)
        jobs.append(job)
    return jobs


def reconcile(world: World, **context: Any) -> dict[str, Any]:
    """The timer ticks; the last line that the task logged of itself."""
    tick = {"Type": "Timer", "TriggerName": "reconcile", "Message": "reconcile"}
    world.function().handle(tick, {"time_limit_in_ms": 55_000} | context)
    return next(line for line in reversed(world.lines) if line["event"] == "reconcile")


def outcomes(world: World) -> list[str]:
    """What the ledger keeps."""
    return sorted(world.read(key)["outcome"] for key in world.keys("jobs/"))


def test_a_job_whose_callback_never_came_is_taken_in(world: World) -> None:
    """By the way of a callback, a failure's ticket included; a late callback is a duplicate."""
    (good,) = ended(world)
    (bad,) = ended(world, state="Failed")
    world.now += HOUR
    assert reconcile(world)["absent"] == 2
    assert outcomes(world) == ["failed", "succeeded"]
    record = world.read(next(key for key in world.keys("jobs/") if good in key))
    assert record["source"]["trigger"] == "reconcile"
    assert [key.split("-")[-1] for key in world.keys("_outbox/")] == ["retry.json"]
    status, answer = world.deliver(good)
    assert (status, answer["jobs"][0]["status"]) == (200, "duplicate")
    world.run(minutes=3)
    assert world.attempts == [(bad, 2)]


def test_what_is_there_is_found_by_a_listing_and_not_one_by_one(world: World) -> None:
    """Fifty jobs cost one listing of their day; a pass reads its note once and writes it once."""
    for job in ended(world, 50):
        world.deliver(job)
    world.now += HOUR
    reconcile(world)
    asked: list[str] = []

    class Counting:
        def __getattr__(self, name: str) -> Any:
            asked.append(name)
            return getattr(world.store, name)

    tick = {"Type": "Timer", "TriggerName": "reconcile", "Message": "reconcile"}
    world.function(store=Counting()).handle(tick, {})
    assert sorted(asked) == ["get", "list", "put"]


def test_a_listing_that_lags_makes_nothing_absent(world: World) -> None:
    """A GET of the exact key decides."""
    for job in ended(world, 3):
        world.deliver(job)
    world.now += HOUR

    class Lagging(Wrapped):
        def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
            return iter(())

    tick = {"Type": "Timer", "TriggerName": "reconcile", "Message": "reconcile"}
    world.function(store=Lagging(world.store)).handle(tick, {})
    assert world.lines[-1]["absent"] == 0


def test_a_job_that_has_just_ended_or_still_runs_is_left_alone(world: World) -> None:
    """Its callback may be on its way."""
    world.submit()
    ended(world)
    world.now += 300
    assert reconcile(world)["absent"] == 0
    world.now += 400
    assert reconcile(world)["absent"] == 1


def test_many_absent_callbacks_raise_one_alarm_a_day(world: World) -> None:
    """The callback URL or the queue's NotifyConfig is probably wrong."""
    ended(world, 2)
    world.now += HOUR
    reconcile(world)
    world.run(minutes=1)
    assert world.alerts == []
    for _ in range(2):
        ended(world, 3)
        world.now += HOUR
        reconcile(world)
        world.run(minutes=2)
    (alert,) = world.alerts
    assert "NotifyConfig" in alert
    assert "3 jobs of Translation" in alert


def test_every_page_is_read(world: World) -> None:
    """CI gives at most 100 jobs a page."""
    ended(world, 230)
    world.now += HOUR
    assert reconcile(world)["listed"] == 230
    assert len(world.keys("jobs/")) == 230


def test_time_limit_that_fits_no_batch_is_alerted(world: World) -> None:
    """Not an endless "in progress" at INFO."""
    ended(world, 3)
    world.now += HOUR
    summary = reconcile(world, time_limit_in_ms=6_000)
    assert (summary["status"], summary["level"]) == ("failed", "ERROR")
    assert "time limit" in summary["reason"]
    world.run(minutes=2)
    (text,) = world.alerts
    assert "time limit" in text


@pytest.mark.parametrize(
    "kept", [b"x", b"[]", b"{}", b'{"schema":"reconcile/2","cursors":{"1350":"x"}}']
)
def test_a_note_that_can_not_be_read_means_the_whole_of_it(world: World, kept: bytes) -> None:
    """Nothing is lost by that."""
    ended(world)
    world.now += HOUR
    world.store.put("_reconcile/~54ranslation.json", kept)
    assert reconcile(world)["absent"] == 1


def test_ci_out_of_reach_is_logged_and_the_other_tags_go_on(world: World) -> None:
    """Nothing is raised: the platform would run it again, twice."""
    world.env["RECONCILE_TAGS"] = "Transcode:1,FileHashCode:1,Translation:6"
    ended(world)
    world.now += HOUR

    def fault(seen: Any) -> Fault | None:
        return Fault(before=(500, "InternalError")) if "Transcode" in seen.query else None

    with world.ci.faulty(fault):
        reconcile(world)
    alert = {line["tag"]: line["status"] for line in world.lines if line["event"] == "reconcile"}
    assert alert == {"Transcode": "aborted", "FileHashCode": "failed", "Translation": "done"}
    assert len(world.keys("jobs/")) == 1


def test_a_fault_of_its_own_is_logged(world: World) -> None:
    """With its stack trace."""

    class Broken(Wrapped):
        def get(self, key: str) -> bytes | None:
            raise RuntimeError("nobody thought of this")

    ended(world)
    tick = {"Type": "Timer", "TriggerName": "reconcile", "Message": "reconcile"}
    world.function(store=Broken(world.store)).handle(tick, {})
    assert world.lines[-1]["status"] == "failed"
    assert "nobody thought" in world.lines[-2]["traceback"]


TOKEN = "open-sesame-7"


@pytest.mark.parametrize("where", ["CallBack", "CallBackUrl", "Callback"])
@pytest.mark.parametrize("spoilt", [False, True], ids=["whole", "unreadable"])
def test_the_address_that_ci_echoes_is_kept_nowhere(
    world: World, monkeypatch: pytest.MonkeyPatch, where: str, spoilt: bool
) -> None:
    """Not in a record, ticket, attempt, dead letter, alert or log: it holds the token."""
    ended(world)
    (bad,) = ended(world, state="Failed")
    alert = Job.detail
    echo = {where: f"https://f.example.com/?token={TOKEN}"}
    input_ = {"Input": {"Object": "a"} | echo}
    monkeypatch.setattr(Job, "detail", lambda job: alert(job) | input_ | echo)

    def refuse(notice: object, source: object) -> JobRecord:
        raise PayloadError("too_many_rows", "more than 20000 in one list of the result")

    if spoilt:
        monkeypatch.setattr(reconcile_tag, "normalise", refuse)
    world.now += HOUR
    assert reconcile(world)["absent"] == (0 if spoilt else 2)
    world.run(minutes=10)
    kept = [str(world.read(key)) for key in world.keys("")]
    bodies = [
        base64.b64decode(world.read(key)["body_base64"]).decode() for key in world.keys("_dead/")
    ]
    assert len(bodies) == (2 if spoilt else 0)
    assert spoilt or world.attempts == [(bad, 2)]
    for text in (*kept, *bodies, *world.alerts, *map(str, world.lines)):
        assert TOKEN not in text
