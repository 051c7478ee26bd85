"""forward.py: from the end of a job to the user's own code."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from handler.forwarding.pending import renewed
from handler.http_client import Answer
from tests.forwarding.receivers import ForwardWorld, Receiver
from tests.world import MINUTE, TRANSLATION


def down(number: int) -> Answer:
    return Answer(503, b"away")


def up(number: int) -> Answer:
    return Answer(200, b"")


def test_an_end_is_heard_with_its_record() -> None:
    """Signed, with the user's own text, and once."""
    world = ForwardWorld()
    job_id = world.ended()
    assert world.forward()["delivered"] == 1
    (event,) = world.receiver.heard
    (key,) = world.keys("jobs/")
    assert event == {
        "schema": "job-event/1",
        "id": event["id"],
        "type": "job.succeeded",
        "occurred_at": event["record"]["ended_at"],
        "root_job_id": job_id,
        "job_id": job_id,
        "attempt": 1,
        "final": True,
        "reason": None,
        "note": None,
        "retry_at": None,
        "supersedes": None,
        "user_data": "mine",
        "record": world.read(key),
    }
    assert world.keys("_events/") == world.keys("_forward/") == world.keys("_pending/") == []
    assert world.forward()["due"] == 0
    assert len(world.receiver.heard) == 1


def test_the_event_is_durable_before_the_answer_and_nothing_is_sent_with_it() -> None:
    """CI does not wait for a destination."""
    world = ForwardWorld()
    world.ended()
    assert len(world.keys("_events/")) == 1
    assert world.receiver.asked == 0


def test_without_destinations_nothing_is_put_and_the_task_asks_nothing() -> None:
    """One request for a kept callback."""
    world = ForwardWorld(FORWARD_URLS="")
    before = len(world.memory.journal)
    world.ended()
    assert [change.key.split("/")[0] for change in world.memory.journal[before:]] == ["jobs"]
    tick = {"Type": "Timer", "TriggerName": "forward", "Message": "forward"}
    assert world.function().handle(tick, {}) == {"status": "done"}
    assert not [line for line in world.lines if line["event"] == "forward"]


def test_a_kept_callback_costs_two_requests() -> None:
    """Its event, then its record."""
    world = ForwardWorld()
    world.ended()
    folders = [change.key.split("/")[0] for change in world.memory.journal]
    assert folders == ["_events", "jobs"]


def test_the_same_callback_again_is_heard_once_more_at_most_with_the_same_id() -> None:
    """What an earlier run noted as sent is not sent again."""
    world = ForwardWorld()
    job_id = world.ended()
    world.forward()
    assert world.deliver(job_id, "JSON")[1]["jobs"][0]["status"] == "duplicate"
    line = world.forward()
    assert (line["due"], line["delivered"], line["repeated"]) == (1, 0, 1)
    assert len(world.receiver.heard) == 1
    assert world.keys("_events/") == []


def test_a_failure_that_is_retried_is_announced_and_its_recovery_heard() -> None:
    """The first event is not final, and both name the job that the user submitted."""
    world = ForwardWorld()
    root = world.ended("Failed", "InternalError")
    world.forward()
    (retrying,) = world.receiver.heard
    assert (retrying["type"], retrying["final"]) == ("job.retrying", False)
    assert retrying["retry_at"] > retrying["occurred_at"]
    world.run(3)
    again = next(one.job_id for one in world.ci.accepted if one.marker)
    world.succeed(again)
    world.deliver(again)
    world.forward()
    recovered = world.receiver.heard[-1]
    assert (recovered["type"], recovered["final"]) == ("job.recovered", True)
    assert (recovered["root_job_id"], recovered["job_id"], recovered["attempt"]) == (root, again, 2)
    assert recovered["user_data"] == "mine"
    assert world.receiver.finals == {root: 1}


def test_a_job_that_is_given_up_ends_in_one_final_failure() -> None:
    """With the reason, and the user's own root."""
    world = ForwardWorld(RETRY_MAX_ATTEMPTS="2", RETRY_BASE_S="1")
    root = world.ended("Failed", "InternalError")
    world.run(3)
    again = next(one.job_id for one in world.ci.accepted if one.marker)
    world.fail(again)
    world.deliver(again)
    world.run(5)
    final = [event for event in world.receiver.heard if event["final"]]
    assert [(one["type"], one["reason"], one["root_job_id"]) for one in final] == [
        ("job.failed", "gave-up", root)
    ]


@pytest.mark.parametrize(
    ("state", "code", "expected"),
    [
        ("Failed", "InvalidArgument", ("job.failed", "failed")),
        ("Cancel", "Success", ("job.cancelled", None)),
    ],
)
def test_other_ends_are_final(state: str, code: str, expected: tuple[str, str | None]) -> None:
    """Each has a type."""
    world = ForwardWorld()
    world.ended(state, code)
    world.forward()
    (event,) = world.receiver.heard
    assert (event["type"], event["reason"]) == expected
    assert event["final"]


def test_a_job_that_ci_says_did_not_fail_ends_in_a_final_event() -> None:
    """The retry is called off: mismatch."""
    world = ForwardWorld()
    job_id = world.ended("Failed", "InternalError")
    world.ci.finish(job_id)
    world.run(3)
    assert [event["reason"] for event in world.receiver.heard if event["final"]] == ["mismatch"]


def test_a_second_end_supersedes_the_first() -> None:
    """A success after a final failure, and the failure comes first or second."""
    world = ForwardWorld()
    job_id = world.ended("Failed", "InvalidArgument")
    world.ci.finish(job_id)
    assert world.deliver(job_id)[0] == 202
    world.forward()
    first, second = sorted(world.receiver.heard, key=lambda event: event["supersedes"] or "")
    assert (first["supersedes"], second["supersedes"]) == (None, first["id"])
    assert {first["type"], second["type"]} == {"job.failed", "job.succeeded"}


def test_a_failure_after_a_success_announces_no_retry() -> None:
    """The record's end stays: no retry follows, so the event is final, and supersedes."""
    world = ForwardWorld()
    job_id = world.ended()
    world.forward()
    world.ci.finish(job_id, "Failed", "InternalError")
    assert world.deliver(job_id)[0] == 202
    world.forward()
    first, second = world.receiver.heard
    assert (second["type"], second["reason"]) == ("job.failed", "conflict")
    assert second["supersedes"] == first["id"]


def test_the_record_of_a_callback_that_died_is_stored_before_its_event_is_sent() -> None:
    """The event is put first: a crash in between leaves it alone."""
    world = ForwardWorld()
    world.ended()
    (key,) = world.keys("jobs/")
    world.store.delete(key)
    world.forward()
    assert world.keys("jobs/") == [key]
    assert world.receiver.heard[0]["record"] == world.read(key)


def test_types_and_tags_choose_what_is_sent() -> None:
    """Of each destination; what none wants leaves the queue all the same."""
    one, two, three = Receiver(), Receiver("two.example.com"), Receiver("three.example.com")
    world = ForwardWorld(one, two, three)
    options = ("&types=job.failed,workflow.*", "&types=job.*&tags=Translation", "&tags=Transcode")
    urls = zip(world.receivers, options, strict=True)
    world.env["FORWARD_URLS"] = " ".join(receiver.url(option) for receiver, option in urls)
    world.ended()
    world.forward()
    assert [len(receiver.heard) for receiver in world.receivers] == [0, 1, 0]
    assert world.keys("_events/") == []


def test_what_became_of_each_event_is_noted() -> None:
    """By destination, with the code and the time, and without a secret."""
    world = ForwardWorld()
    job_id = world.ended()
    world.forward()
    (key,) = world.keys("_deliveries/")
    assert key.startswith("_deliveries/dt=2026-09-21/")
    (event,) = world.read(key)["events"]
    (sent,) = event["sent"].values()
    assert (event["job_id"], event["type"]) == (job_id, "job.succeeded")
    assert (sent["status"], sent["code"]) == ("delivered", 204)
    assert "whsec" not in json.dumps(world.read(key))


# --- a destination that does not take them -------------------------------------------------


def test_an_event_that_alone_is_refused_is_sent_again_and_holds_up_no_other() -> None:
    """With a longer wait each time."""
    world = ForwardWorld()
    world.receiver.answer = lambda number: Answer(500, b"no") if number == 1 else Answer(200, b"")
    first, second = world.ended(), world.ended()
    line = world.forward()
    assert (line["delivered"], line["failed"]) == (1, 1)
    assert len(world.keys("_pending/")) == 1
    third = world.ended()
    world.run(3)
    assert {job for _, job in world.receiver.types} == {first, second, third}
    assert world.keys("_pending/") == []


def test_a_destination_that_is_down_is_left_alone_and_drained_in_the_order_of_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three deliveries in a row, then one now and then."""
    monkeypatch.setattr("handler.parallel.POOL", 1)  # those of one moment come in any order
    world = ForwardWorld()
    world.receiver.answer = down
    jobs = [world.ended() for _ in range(5)]
    assert world.forward()["waiting"] == 5
    assert world.receiver.asked == 3
    world.now += MINUTE
    jobs += [world.ended() for _ in range(3)]
    world.run(5)
    assert world.receiver.asked < 8
    world.receiver.answer = up
    world.run(20)
    assert [job for _, job in world.receiver.types] == jobs
    assert world.keys("_pending/") == []


def test_a_destination_that_stays_down_is_paused_with_one_alert() -> None:
    """The person is told once, and nothing is lost."""
    world = ForwardWorld()
    world.receiver.answer = down
    world.ended()
    world.run(60)
    paused = [text for text in world.alerts if "not been taken" in text]
    assert len(paused) == 1
    assert "one.example.com" in paused[0]
    world.receiver.answer = up
    world.run(30)
    assert len(world.receiver.heard) == 1


def test_retry_after_is_honoured() -> None:
    """In seconds, or as a date; nothing is sent before."""
    world = ForwardWorld()
    world.receiver.answer = lambda number: Answer(429, b"", "1200")
    world.ended()
    world.forward()
    world.receiver.answer = up
    world.run(19)
    assert world.receiver.asked == 1
    world.run(2)
    assert len(world.receiver.heard) == 1


def test_after_three_days_an_event_is_a_dead_letter_with_an_alert() -> None:
    """The destination is tried to the end."""
    world = ForwardWorld()
    world.receiver.answer = down
    world.ended()
    world.forward()
    world.now += 3 * 86_400 + 60
    world.forward()
    (key,) = world.keys("_dead/")
    assert world.read(key)["content"] == "events"
    world.run(2)
    assert any("events were not taken" in text for text in world.alerts)
    assert world.keys("_pending/") == []
    # `dead replay` puts it back as one that never failed.
    key, line = renewed(base64.b64decode(world.read(key)["body_base64"]), world.now)
    world.store.put(key, line)
    world.receiver.answer = up
    world.run(20)
    assert len(world.receiver.heard) == 1


def test_one_destination_that_is_down_holds_up_no_other() -> None:
    """Nor does one that is slow: what it is not sent in time is pending."""
    good, bad = Receiver(), Receiver("bad.example.com")
    world = ForwardWorld(good, bad)
    bad.answer = lambda number: None
    for _ in range(20):
        world.ended()
    world.forward()
    assert len(good.heard) == 20
    world.now += MINUTE
    job_id = world.ended()
    world.forward()
    assert good.types[-1] == ("job.succeeded", job_id)


def test_a_slow_destination_gets_the_rest_from_the_queue() -> None:
    """A batch waits for it some seconds."""
    good, slow = Receiver(), Receiver("slow.example.com")
    world = ForwardWorld(good, slow)
    for _ in range(40):
        world.ended()

    def answer(number: int) -> Answer:
        world.now += 1.0
        return Answer(200, b"")

    slow.answer = answer
    world.forward()
    assert 5 <= len(slow.heard) < 40
    slow.answer = up
    world.run(3)
    for receiver in world.receivers:
        assert len({event["id"] for event in receiver.heard}) == 40


# --- faults ---------------------------------------------------------------------------------


def test_an_unreadable_event_becomes_a_dead_letter() -> None:
    """It holds up no other."""
    world = ForwardWorld()
    world.store.put("_events/0000000000-j1-failed-19700101-x.json", b"{not json")
    world.store.put("_events/folder-marker", b"")
    world.ended()
    world.forward()
    assert len(world.receiver.heard) == 1
    assert len(world.keys("_dead/")) == 2
    assert world.keys("_events/") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"root_job_id": 5},
        {"job_id": None},
        {"type": ["job.failed"]},
        {"reason": 7, "own_record": False},
        {"record": {}},
    ],
)
def test_an_event_with_values_of_another_type_becomes_a_dead_letter(
    changes: dict[str, Any],
) -> None:
    """As damaged ones do: it stops no run, and those before and behind it are sent."""
    world = ForwardWorld()
    world.ended("Failed", "InputFileFailed")
    (key,) = world.keys("_events/")
    values = json.loads(world.store.get(key) or b"")
    bad = {**values, **changes}
    world.store.put("_events/0000000000-j1-failed-19700101-x.json", json.dumps(bad).encode())
    assert world.forward()["status"] == "done"
    assert len(world.receiver.heard) == 1
    assert world.keys("_events/") == []
    (letter,) = world.keys("_dead/")
    assert b"unreadable" in (world.store.get(letter) or b"")
    assert len([key for key in world.keys("_outbox/") if "alert.dead" in key]) == 1


def test_an_event_whose_lineage_is_damaged_becomes_a_dead_letter() -> None:
    """The fault of an object beside it is its own, too."""
    world = ForwardWorld()
    world.ended("Failed", "InputFileFailed")
    (key,) = world.keys("_events/")
    values = json.loads(world.store.get(key) or b"")
    values["record"]["details"] = {"UserData": "x"}
    values["record"]["retry"] = {}
    world.store.put("_events/0000000000-j1-failed-19700101-x.json", json.dumps(values).encode())
    assert world.forward()["status"] == "done"
    assert world.keys("_events/") == []


def test_of_two_runs_one_withdraws() -> None:
    """Under a lease of its own: a sweep is not in its way."""
    world = ForwardWorld()
    world.ended()
    world.store.put(f"_sweep/{int(world.now):010d}-other", b"{}")
    world.store.put(f"_forward/{int(world.now):010d}-other", b"{}")
    assert world.forward()["status"] == "lease_held"
    assert world.receiver.heard == []
    world.now += 300
    assert world.forward()["delivered"] == 1


def test_a_run_ends_before_its_lease_is_old() -> None:
    """What it sent is noted, and sent once."""
    world = ForwardWorld(LEASE_S="60")
    world.receiver.answer = down
    for _ in range(60):
        world.ended()
    world.forward()
    world.now += 2 * MINUTE

    def answer(number: int) -> Answer:
        world.now += 1.0
        return Answer(200, b"")

    world.receiver.answer = answer
    assert world.forward()["status"] == "done"
    assert 5 < len(world.receiver.heard) < 60
    world.receiver.answer = up
    world.run(5)
    assert len(world.receiver.heard) == len({event["id"] for event in world.receiver.heard}) == 60


def test_a_function_without_time_for_a_delivery_says_so() -> None:
    """At ERROR, with the setting; nothing is lost."""
    world = ForwardWorld()
    world.ended()
    tick = {"Type": "Timer", "TriggerName": "forward", "Message": "forward"}
    world.function().handle(tick, {"request_id": "f", "time_limit_in_ms": 3_000})
    line = next(line for line in reversed(world.lines) if line["event"] == "forward")
    assert (line["level"], line["status"]) == ("ERROR", "failed")
    assert "55 s" in line["reason"]
    assert world.forward()["delivered"] == 1


def test_more_than_a_batch_is_sent_in_one_run() -> None:
    """Below three requests for each event."""
    world = ForwardWorld(Receiver(), Receiver("two.example.com"))
    for _ in range(250):
        world.ended()
    counted = Counting(world.store)
    world.forward(store=counted)
    assert [len(receiver.heard) for receiver in world.receivers] == [250, 250]
    assert counted.count / 250 < 2.2


def test_large_events_are_sent_in_batches_that_fit_into_memory() -> None:
    """Twenty records of a megabyte are two batches."""
    world = ForwardWorld()
    for _ in range(20):
        job_id = world.submit(TRANSLATION, Comment="x" * 1_000_000)
        world.succeed(job_id)
        assert world.deliver(job_id)[0] == 200
    world.forward()
    assert len(world.receiver.heard) == 20
    assert len(world.keys("_deliveries/")) == 2


def test_a_foreign_object_in_the_place_of_a_record_does_not_hide_the_end() -> None:
    """The event's own record is sent."""
    world = ForwardWorld()
    job_id = world.ended()
    world.store.put(world.keys("jobs/")[0], b"{}")
    world.forward()
    assert world.receiver.types == [("job.succeeded", job_id)]


class Counting:
    """Counts the requests to a store."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.count = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        def call(*args: Any, **more: Any) -> Any:
            self.count += 1
            return method(*args, **more)

        return call
