"""pending.py, drain.py and stored.py: what a destination has not taken, and what can't be read."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from handler.forwarding.finals import read_finals
from handler.forwarding.pending import Place, places, read_batch, renewed
from handler.forwarding.stored import read_deliveries
from handler.http_client import Answer
from tests.forwarding.receivers import ForwardWorld, Receiver
from tests.stores import How, MemoryStore, Trouble, Wrapped

ID = "0123456789abcdef"


class Stale(Wrapped):
    """Lists a batch that was deleted. hidden: its key."""

    hidden = ""

    def get(self, key: str) -> bytes | None:
        return None if key == self.hidden else super().get(key)


def down(number: int) -> Answer:
    return Answer(503, b"away")


def up(number: int) -> Answer:
    return Answer(200, b"")


def waiting(count: int = 5) -> ForwardWorld:
    """A world whose destination is away, with so many events for it."""
    world = ForwardWorld()
    world.receiver.answer = down
    for _ in range(count):
        world.ended()
    assert world.forward()["waiting"] == count
    return world


@pytest.mark.parametrize(
    "key",
    [
        "_pending/",
        "_pending/x/0000000001-0000000001-r.json",
        f"_pending/{ID}/1-1-r.json",
        f"_pending/{ID}/0000000001-0000000001-r/x.json",
    ],
)
def test_what_is_no_key_of_a_batch_is_passed_over(key: str) -> None:
    """Such as the marker of a folder."""
    assert Place.of(key) is None
    assert places([key]) == {}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"{}",
        b'{"schema": "pending/1"}',
        b'{"schema": "pending/1", "destination": "../x", "events": []}',
        b'{"schema": "pending/1", "destination": "%s", "events": [{}]}' % ID.encode(),
        b'{"schema": "pending/1", "destination": "%s", "since": null, "events": []}' % ID.encode(),
        *(
            b'{"schema": "pending/1", "destination": "%s", "since": 1, "tries": 0, "events": %s}'
            % (ID.encode(), events)
            for events in (b"1", b'"ab"', b"[1]", b'[{"record": {}, "head": 1}]', b"[" * 9_999)
        ),
        *(
            b'{"schema": "pending/1", "destination": "%s", "events": [], %s}' % (ID.encode(), more)
            for more in (b'"since": 1, "tries": 1e999', b'"since": 1%s, "tries": 1' % (b"0" * 400))
        ),
    ],
)
def test_what_is_no_batch_is_an_error(line: bytes) -> None:
    """Must raise: it becomes a dead letter."""
    with pytest.raises(ValueError, match=r"\S"):
        read_batch(MemoryStore(), line)


def test_a_batch_that_is_replayed_leads_out_of_no_folder() -> None:
    """Its destination becomes a part of a key."""
    line = json.dumps({"schema": "pending/1", "destination": "../../jobs", "events": []}).encode()
    with pytest.raises(ValueError, match="without its destination"):
        renewed(line, 0.0)


def test_an_unreadable_batch_becomes_a_dead_letter_and_holds_up_no_other() -> None:
    """It is logged at ERROR."""
    world = waiting()
    (good,) = world.keys("_pending/")
    bad = f"{good.rpartition('/')[0]}/0000000001-{int(world.now):010d}-r.json"
    world.store.put(bad, b"{")
    world.receiver.answer = up
    world.now += 120
    world.forward()
    assert len(world.receiver.heard) == 5
    (key,) = world.keys("_dead/")
    assert base64.b64decode(world.read(key)["body_base64"]) == b"{"
    assert [line["key"] for line in world.lines if line["event"] == "events_unreadable"] == [bad]


def test_a_store_that_fails_leaves_what_is_pending() -> None:
    """The next run goes on with it."""
    world = waiting()
    world.receiver.answer = up
    world.now += 120

    def how(number: int, what: str) -> How:
        return "lost before" if what.startswith("get jobs/") else "fine"

    world.forward(store=Trouble(how).store(world.store))
    assert world.receiver.heard == []
    assert [line for line in world.lines if line["event"] == "events_left"]
    world.forward()
    assert len(world.receiver.heard) == 5


def test_what_is_pending_for_one_destination_hides_that_of_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor does what is left of an address that was removed: each has a listing of its own."""
    world = waiting()
    monkeypatch.setattr("handler.forwarding.forward.MAX_LISTED", 3)
    for number in range(5):
        key = f"_pending/{'0' * 16}/000000000{number}-0000000000-r.json"
        world.store.put(key, b"{}")
    world.receiver.answer = up
    world.run(20)
    assert len({event["id"] for event in world.receiver.heard}) == 5


def test_a_batch_that_is_gone_was_listed_late() -> None:
    """Nothing is sent of it."""
    world = waiting()
    (key,) = world.keys("_pending/")
    world.receiver.answer = up
    world.now += 120

    store = Stale(world.store)
    store.hidden = key
    world.forward(store=store)
    assert world.receiver.heard == []


def test_a_record_that_is_gone_leaves_out_its_event() -> None:
    """The others of its batch are sent."""
    world = waiting()
    world.store.delete(world.keys("jobs/")[0])
    world.receiver.answer = up
    world.now += 120
    world.forward()
    assert len(world.receiver.heard) == 4
    assert world.keys("_pending/") == []


def test_an_event_whose_record_is_not_in_the_ledger_waits_with_it() -> None:
    """The second of two ends."""
    world = ForwardWorld()
    job_id = world.ended("Failed", "InvalidArgument")
    world.forward()
    world.receiver.answer = down
    world.ci.finish(job_id)
    world.deliver(job_id)
    world.forward()
    world.receiver.answer = up
    world.run(10)
    first, second = world.receiver.heard
    assert second["supersedes"] == first["id"]
    assert second["record"]["outcome"] == "succeeded"


def test_one_that_stays_refused_is_given_up_alone() -> None:
    """After three days, while others are taken."""
    world = ForwardWorld(Receiver(), FORWARD_ALLOW_HOSTS="x")
    bad = world.ended("Failed", "InvalidArgument")

    def answer(number: int) -> Answer:
        return Answer(200, b"")

    world.receiver.answer = lambda number: Answer(422, b"never")
    world.forward()
    world.receiver.answer = answer
    (key,) = world.keys("_pending/")
    batch: dict[str, Any] = world.read(key)
    assert [one["head"]["job_id"] for one in batch["events"]] == [bad]
    assert batch["tries"] == 1
    world.receiver.answer = lambda number: Answer(422, b"never")
    world.now += 3 * 86_400 + 60
    world.forward()
    assert world.keys("_pending/") == []
    assert len(world.keys("_dead/")) == 1


@pytest.mark.parametrize("line", [b"[]", b"{}", b'{"schema": "finals/1", "events": [{}]}', b"x"])
def test_what_is_no_note_of_final_events_is_an_error(line: bytes) -> None:
    """Must raise."""
    with pytest.raises(ValueError, match=r"\S"):
        read_finals(line)


@pytest.mark.parametrize("line", [b"[]", b"{}", b'{"schema": "deliveries/1", "events": 1}', b"x"])
def test_what_is_no_object_of_deliveries_is_an_error(line: bytes) -> None:
    """Must raise."""
    with pytest.raises(ValueError, match=r"\S"):
        read_deliveries(line)


def test_a_note_of_final_events_that_can_not_be_read_is_replaced() -> None:
    """The event is heard of all the same."""
    world = ForwardWorld()
    job_id = world.ended()
    world.store.put(f"_finals/{job_id}.json", b"{}")
    world.ended()
    world.forward()
    assert len(world.receiver.heard) == 2
    (event,) = world.read(f"_finals/{job_id}.json")["events"]
    assert event["type"] == "job.succeeded"


def test_an_object_of_deliveries_that_can_not_be_read_says_nothing() -> None:
    """The event is sent once more."""
    world = ForwardWorld()
    job_id = world.ended()
    world.forward()
    world.store.put(world.keys("_deliveries/")[0], b"[]")
    world.deliver(job_id)
    world.forward()
    assert [event["id"] for event in world.receiver.heard] == [world.receiver.heard[0]["id"]] * 2
