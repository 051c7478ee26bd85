"""reconcile.py: the jobs of the queues that call this function, and no others."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from handler.callback.catalogue import TAGS
from handler.clock import rfc3339_of
from handler.errors import PayloadError
from handler.retries import reconcile_tag
from handler.retries.reconcile import Reconcile
from handler.retries.reconcile_scope import scopes_of
from handler.settings import Settings
from tests.retries.contexts import context_of
from tests.retries.test_reconcile import HOUR, ended, outcomes, reconcile
from tests.stores import QuickWorld
from tests.world import START, TRANSLATION, World

AI_QUEUE = f"p{uuid.uuid5(uuid.NAMESPACE_DNS, 'ai').hex}"
"""As the stand-in names the queue of such jobs."""


def since(seconds: float, queue: str = AI_QUEUE) -> str:
    """The setting, for a queue that was connected so long after the beginning."""
    return f"{queue}@{rfc3339_of(int(START + seconds))}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world whose queue of AI jobs was connected long ago."""
    with World(tmp_path / "ledger", RECONCILE_QUEUES=since(-10 * HOUR)) as made:
        yield made


def absent(world: World) -> list[dict[str, Any]]:
    """What was logged about the jobs that were taken in."""
    return [line for line in world.lines if line["event"] == "callback_absent"]


def test_the_jobs_of_a_connected_queue_are_taken_in_whatever_their_tag(world: World) -> None:
    """Without RECONCILE_TAGS; a failure is retried."""
    ended(world)
    words = {"Tag": "WordsGeneralize", "Input": {"Object": "words.txt"}}
    job = world.submit(TRANSLATION | words)
    world.ci.finish(job, "Failed", "InternalError", "it broke")
    world.now += HOUR
    reconcile(world)
    assert outcomes(world) == ["failed", "succeeded"]
    assert [key.split("-")[-1] for key in world.keys("_outbox/")] == ["retry.json"]


def test_the_jobs_of_other_queues_are_not_touched(world: World) -> None:
    """They are counted; one that can't be read makes no dead letter either."""
    world.env["RECONCILE_QUEUES"] = since(-10 * HOUR, "p-of-someone-else")
    ended(world, 2, state="Failed")
    world.now += HOUR
    line = reconcile_line(world, "Translation")
    assert (line["listed"], line["absent"], line["other_queues"]) == (0, 0, 2)
    assert world.keys("jobs/") == world.keys("_outbox/") == world.keys("_dead/") == []


def reconcile_line(world: World, tag: str) -> dict[str, Any]:
    """The timer ticks; what the task logged of a tag."""
    reconcile(world)
    lines = [line for line in world.lines if line["event"] == "reconcile"]
    return next(line for line in reversed(lines) if line.get("tag") == tag)


def test_what_ended_before_the_connection_is_kept_and_nothing_follows(world: World) -> None:
    """No ticket, no event, no count for the alert; what ended later is as ever."""
    world.env["FORWARD_URLS"] = f"https://1.1.1.1/#secret=whsec_{'A' * 44}"
    old = ended(world, 4, state="Failed")
    world.env["RECONCILE_QUEUES"] = since(world.now - START + 1)
    world.now += 60
    (new,) = ended(world, state="Failed")
    world.now += HOUR
    line = reconcile_line(world, "Translation")
    assert (line["listed"], line["absent"]) == (5, 1)
    assert len(world.keys("jobs/")) == 5
    (ticket,) = world.keys("_outbox/")
    assert new in ticket
    assert world.keys("_events/")
    assert all(new in event for event in world.keys("_events/"))
    silent = [line for line in absent(world) if line.get("before_connection")]
    assert sorted(line["job_id"] for line in silent) == sorted(old)
    assert {line["level"] for line in silent} == {"INFO"}
    world.run(minutes=2)
    assert [job for job, _ in world.attempts] == [new]


def test_an_old_job_that_can_not_be_read_raises_no_alert(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its dead letter is kept."""

    def refuse(notice: object, source: object) -> None:
        raise PayloadError("too_many_rows", "more than 20000 in one list of the result")

    monkeypatch.setattr(reconcile_tag, "normalise", refuse)
    ended(world)
    world.env["RECONCILE_QUEUES"] = since(world.now - START + 1)
    world.now += HOUR
    reconcile(world)
    assert len(world.keys("_dead/")) == 1
    assert world.keys("_outbox/") == []


def test_another_end_that_came_meanwhile_stays(world: World) -> None:
    """It was told of; the old one is left out."""
    ended(world)
    world.env["RECONCILE_QUEUES"] = since(world.now - START + 1)
    world.now += HOUR
    reconcile(world)
    (key,) = world.keys("jobs/")
    kept = world.read(key)
    world.store.put(key, json.dumps(kept | {"outcome": "failed"}).encode())
    reconcile(world)
    assert world.read(key)["outcome"] == "failed"
    assert world.keys("_dead/") == []


def test_a_tag_that_is_named_is_compared_whatever_the_queue(world: World) -> None:
    """RECONCILE_TAGS is someone's own choice, with its own hours."""
    world.env["RECONCILE_QUEUES"] = since(-10 * HOUR, "p-of-someone-else")
    world.env["RECONCILE_TAGS"] = "Translation:12"
    ended(world)
    world.now += HOUR
    line = reconcile_line(world, "Translation")
    assert (line["absent"], "other_queues" in line) == (1, False)


def test_tags_without_a_job_share_one_line(world: World) -> None:
    """Each half hour has one, however little there is."""
    ended(world)
    world.now += HOUR
    reconcile(world)
    lines = [line for line in world.lines if line["event"] == "reconcile"]
    scopes = scopes_of(Settings.from_env(world.env))
    assert [line.get("tag", "") for line in lines] == ["Translation", ""]
    assert lines[1]["idle_tags"] == len(scopes) - 1


def test_every_tag_that_ci_lists_is_looked_at() -> None:
    """For six hours; without the setting none is."""
    settings = Settings.from_env({"RECONCILE_QUEUES": since(0)})
    scopes = scopes_of(settings)
    assert {scope.tag for scope in scopes} == {
        tag for tag, row in TAGS.items() if row.family.name not in ("file", "workflow")
    }
    assert {scope.hours for scope in scopes} == {6}
    assert scopes_of(Settings.from_env({})) == ()


def test_what_a_pass_without_a_job_costs() -> None:
    """As docs/costs.md has it: a page of CI's list for each tag, a note read and written."""
    world = QuickWorld(RECONCILE_QUEUES=since(-10 * HOUR))
    asked = []

    class Counting:
        def __getattr__(self, name: str) -> Any:
            asked.append(name)
            return getattr(world.memory, name)

    tick = {"Type": "Timer", "TriggerName": "reconcile", "Message": "reconcile"}
    for _ in range(2):
        del world.ci.seen[:], asked[:]
        world.function(store=Counting()).handle(tick, {"time_limit_in_ms": 55_000})
        world.now += HOUR / 2
    tags = len(scopes_of(Settings.from_env(world.env)))
    assert (len(world.ci.seen), asked.count("get"), asked.count("put")) == (tags, tags, tags)
    assert len(asked) == 2 * tags
    costs = (Path(__file__).parents[2] / "docs" / "costs.md").read_text("utf-8")
    assert f"{tags} tags" in costs
    assert f"{tags * 2 * 48 * 30:,}" in costs
    assert f"{tags * 48 * 30:,}" in costs


def test_where_the_time_is_short_the_other_tags_come_next() -> None:
    """So none of them waits for ever."""
    world = QuickWorld(RECONCILE_QUEUES=since(-10 * HOUR))
    times = iter([55.0] * 20)
    first = looked_at(world, lambda: next(times, 0.0))
    second = looked_at(world, lambda: 55.0)
    assert 0 < len(first) < len(second)
    assert set(second[: len(second) - len(first)]).isdisjoint(first)


def looked_at(world: QuickWorld, left: Callable[[], float]) -> list[str]:
    """The tags that a pass asks CI for, in order."""
    begun = len(world.ci.seen)
    world.now += HOUR / 2
    Reconcile(context_of(world), left).run()
    return [seen.params["tag"] for seen in world.ci.seen[begun:]]
