"""The process ends at each request of a callback, a sweep and the task, before or after it, or its
answer is lost: every end is heard of all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from handler.http_client import Answer
from tests.forwarding.receivers import ForwardWorld, Receiver
from tests.stores import How, SimulatedCrash, Trouble

HOWS: tuple[How, ...] = ("dies before", "dies after", "lost before", "lost after")
MANY = 60
"""More requests than any of the plays makes."""


def at(number: int, how: How) -> Callable[[int, str], How]:
    """One request goes wrong."""
    return lambda asked, what: how if asked == number else "fine"


def played(trouble: Trouble, state: str, code: str) -> ForwardWorld:
    """A job ends, and its callback comes until it is answered 200; meanwhile one request goes
    wrong, and later none does."""
    two = Receiver("two.example.com")
    two.answer = lambda number: Answer(503, b"") if number < 3 else Answer(200, b"")
    world = ForwardWorld(Receiver(), two, RETRY_MAX_ATTEMPTS="1")
    job_id = world.submit()
    world.now += 10
    world.ci.finish(job_id, state, code)
    troubled = trouble.store(world.store)
    steps: list[Callable[[], object]] = [
        lambda: world.deliver(job_id, store=troubled),
        lambda: world.forward(store=troubled),
        lambda: world.sweep(troubled),
        lambda: world.deliver(job_id, "JSON"),
        lambda: world.run(10),
        lambda: world.run(10),
    ]
    for step in steps:
        try:
            step()
        except SimulatedCrash:
            world.now += 300  # until what it left behind is old
    return world


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(
    ("state", "code", "kind"),
    [
        ("Success", "Success", "job.succeeded"),
        ("Failed", "InternalError", "job.failed"),
    ],
)
def test_an_end_is_heard_whatever_request_goes_wrong(
    how: How, state: str, code: str, kind: str
) -> None:
    """At each destination, under one id, and nothing is left."""
    reached = 0
    for number in range(1, MANY):
        trouble = Trouble(at(number, how))
        world = played(trouble, state, code)
        for receiver in world.receivers:
            assert {event["type"] for event in receiver.heard} == {kind}, (number, trouble.asked)
            assert len({event["id"] for event in receiver.heard}) == 1
            assert {event["supersedes"] for event in receiver.heard} == {None}
        for prefix in ("_events/", "_pending/", "_forward/"):
            assert world.keys(prefix) == [], (number, trouble.asked[number - 1 :][:1])
        assert len(world.keys("jobs/")) == 1
        if len(trouble.asked) < number:
            break
        reached = number
    assert reached > 10
