"""forwarded.py: what a job's time line tells of events."""

from __future__ import annotations

from ci_callback.console.events import RANK, SendStatus, in_order
from ci_callback.console.forwarded import forwarded
from handler.http_client import Answer
from tests.forwarding.receivers import ForwardWorld
from tests.stores import MemoryStore


def test_each_delivery_is_a_line_with_its_answer() -> None:
    """Final or not, taken or refused."""
    world = ForwardWorld()
    job_id = world.ended("Failed", "InternalError")
    world.forward()
    world.receiver.answer = lambda number: Answer(404, b"no hook")
    world.ci.finish(job_id)
    world.run(3)
    lines = in_order(forwarded(world.store, job_id))
    assert [(line.name, line.tone, line.sent) for line in lines[:2]] == [
        ("other_event", "good", (SendStatus("delivered", text="204"),)),
        ("final_event", "odd", (SendStatus("failed", text="404 no hook"),)),
    ]
    assert lines[1].values["type"] == "job.failed"
    assert {line.name for line in lines} <= set(RANK)


def test_a_ledger_without_events_has_no_such_lines() -> None:
    """Nor has a job that nothing was sent about."""
    assert list(forwarded(MemoryStore(), "j1")) == []
    world = ForwardWorld()
    world.ended()
    world.forward()
    assert list(forwarded(world.store, "other")) == []
