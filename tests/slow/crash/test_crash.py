"""A process is killed before and after every request of the way of a failure: what is begun is
finished by redeliveries and sweeps, nothing is done twice, and nothing goes unheard.

Each step of the story below is run as SCF runs it, on COS, in a process of its own that SIGKILL
ends at its k-th request. The requests of an undisturbed run are written down in STEPS: a request
that the code grows, and that is not there, fails the test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from ci_callback.ci_simulator import CiSimulator
from ci_callback.events import http_event
from ci_callback.scf_runner import Code, from_source, timer_event
from ci_callback.scf_runner.instance import EXITED, OK
from handler.http_client import Answer, HttpClient
from tests.slow.crash.killing import Cloud, CosWorld
from tests.world import MINUTE, World

# The requests of each step, ids and times left out. Tickets of the step are looked at one
# after the other, since there is one of each kind at a time.
LEASE = ["put _sweep/", "list _sweep/", "list _digests/"]
BEGIN = ["list _", "list _outbox/", *LEASE]
LOOK = ["get _outbox/", "get _done/", "get jobs/"]
LOOK_AT_RETRY = ["get _outbox/", "get jobs/"]  # what became of it is below _attempts/
DONE = ["put _done/", "delete _outbox/"]
DIGEST = ["put _digests/", *DONE, "POST /alerts/", "delete _digests/"]
RELEASE = ["delete _sweep/"]
CLOSE = ["delete_many _outbox/"]  # the ticket, and the lease


@dataclass(frozen=True)
class Step:
    """One event of the story. prepare: what has happened before, undisturbed."""

    name: str
    prepare: Callable[[World], str]
    is_callback: bool
    requests: list[str]


def failed(world: World) -> str:
    """A job failed; its callback has not come."""
    job = world.submit()
    world.fail(job)
    return job


def due(world: World) -> str:
    """Its callback came, and its retry is due."""
    job = failed(world)
    world.deliver(job)
    world.now += 3600
    return job


def submitted(world: World) -> str:
    """It was submitted again and that one succeeded; its callback has not come."""
    job = due(world)
    world.sweep()
    again = world.ci.accepted[-1].job_id
    world.succeed(again)
    return job


def recovered(world: World) -> str:
    """That callback came, and a person is to be told."""
    job = submitted(world)
    world.deliver(world.ci.accepted[-1].job_id)
    world.now += MINUTE
    return job


def watched(world: World) -> str:
    """That callback was lost, and the watch is due."""
    job = submitted(world)
    world.now += 21_600
    return job


def unanswered(world: World) -> str:
    """The first submission was accepted, but the sweep died before it knew."""
    job = due(world)
    posts = iter([True])

    class Mute:
        """HTTP that loses the answer to the first POST."""

        def send(
            self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
        ) -> Answer:
            answer = http.send(method, url, headers, body, timeout_s)
            if method == "POST" and next(posts, False):
                raise KeyboardInterrupt
            return answer

    http = HttpClient()
    with pytest.raises(KeyboardInterrupt):
        world.sweep(http=Mute())
    world.now += 1000
    return job


def undelivered(world: World) -> str:
    """A digest is on its way to a channel that was down."""
    job = recovered(world)
    world.phone.refuse_with = 500
    world.sweep()
    world.phone.refuse_with = None
    world.now += MINUTE
    return job


def readdressed(world: World) -> str:
    """A digest is on its way to a channel that ALERT_URLS does not name any more."""
    job = undelivered(world)
    world.env["ALERT_URLS"] = world.phone.url.replace("#", "?changed=1#")
    return job


# Its tickets were marked as done before it was sent first.
AGAIN = [
    *("list _", "list _outbox/", "list _digests/", *LEASE),
    *("get _digests/", "POST /alerts/", "delete _digests/", *RELEASE),
]
RETRY = [
    "GET /jobs/",
    "get _lineage/",
    "get _attempts/",
    "put _attempts/",
    "POST /jobs",
    "put _lineage/",
    "put _attempts/",
    "put _outbox/",
]
STEPS = [
    Step("callback of a failure", failed, True, ["put_new _outbox/", "put_new jobs/"]),
    Step(
        "sweep that submits",
        due,
        False,
        [*BEGIN, *LOOK_AT_RETRY, *RETRY, *CLOSE],
    ),
    Step(
        "sweep that adopts",
        unanswered,
        False,
        [
            *BEGIN[:4],
            "delete _sweep/",  # of the sweep that died
            *BEGIN[4:],
            *LOOK_AT_RETRY,
            "GET /jobs/",
            "get _lineage/",
            "get _attempts/",
            "GET /jobs",
            "put _lineage/",
            "put _attempts/",
            "put _outbox/",
            *CLOSE,
        ],
    ),
    Step(
        "callback of a recovery",
        submitted,
        True,
        ["get _lineage/", "put_new _outbox/", "put_new jobs/"],
    ),
    Step("sweep that tells", recovered, False, [*BEGIN, *LOOK, *DIGEST, *RELEASE]),
    Step("sweep that tells again", undelivered, False, AGAIN),
    Step("sweep that tells another channel", readdressed, False, AGAIN),
    Step(
        "sweep that watches",
        watched,
        False,
        [
            *BEGIN,
            "get _outbox/",
            "get _done/",
            "GET /jobs",
            "get jobs/",
            "put_new _outbox/",
            "put_new jobs/",
            "put _done/",
            *CLOSE,
        ],
    ),
]
SAMPLE = ("sweep that submits", "after", "POST /jobs")
CASES = [
    pytest.param(
        step,
        when,
        number,
        id=f"{step.name}, {when} {number} ({request})",
        marks=[pytest.mark.sample] if (step.name, when, request) == SAMPLE else [],
    )
    for step in STEPS
    for number, request in enumerate(step.requests, 1)
    for when in ("before", "after")
]


@pytest.fixture(scope="module")
def code() -> Iterator[Code]:
    """What the platform has of the function."""
    with from_source() as function_code:
        yield function_code


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """COS and CI."""
    services = Cloud(CiSimulator())
    with services:
        yield services


@pytest.fixture
def world(cloud: Cloud) -> Iterator[CosWorld]:
    """A world with an empty bucket."""
    cloud.reset()
    cos_world = CosWorld(cloud)
    with cos_world:
        yield cos_world


def event_of(world: World, step: Step) -> dict[str, Any]:
    """What the platform is given."""
    if not step.is_callback:
        return timer_event("sweep", world.now)
    return http_event(world.ci.callback_body(world.ci.accepted[-1].job_id))


def made(world: CosWorld) -> list[str]:
    """The requests that the process made, ids and times left out."""
    return [
        re.sub(r"(/|^\w+ )(dt=|[0-9]{10}|[a-z]?[0-9a-f]{32}|0f1e).*", r"\1", line)
        for line in world.point.made
    ]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_the_kill_points_are_all_that_there_are(world: CosWorld, code: Code, step: Step) -> None:
    """An undisturbed run makes just the requests that are written down above."""
    step.prepare(world)
    assert world.run_as_deployed(code, event_of(world, step), "never", 0) == OK
    assert made(world) == step.requests


@pytest.mark.parametrize(("step", "when", "number"), CASES)
def test_whatever_dies_in_between_is_made_up_for(
    world: CosWorld, code: Code, step: Step, when: str, number: int
) -> None:
    """One record a job, one accepted re-submission an attempt, and the alert is told."""
    job = step.prepare(world)
    assert world.run_as_deployed(code, event_of(world, step), when, number) == EXITED

    # What was not answered may come again; then time goes by.
    world.deliver(job)
    world.run(minutes=20)
    assert world.attempts == [(job, 2)]
    again = world.ci.jobs[world.ci.accepted[-1].job_id]
    if again.state != "Success":
        world.succeed(again.job_id)
    world.deliver(again.job_id)
    world.run(minutes=5)
    world.now += 21_600
    world.run(minutes=4)

    assert world.attempts == [(job, 2)]
    records = [world.read(key) for key in world.keys("jobs/")]
    assert sorted((record["job_id"], record["outcome"]) for record in records) == sorted(
        [(job, "failed"), (again.job_id, "succeeded")]
    )
    left = [world.keys(prefix) for prefix in ("_outbox/", "_digests/", "_sweep/", "_dead/")]
    assert left == [[], [], [], []]
    heard = [text for text in world.alerts if again.job_id in text or job in text]
    # Twice only where the crash fell between sending and noting that it was sent.
    twice = (when, step.requests[number - 1]) in (
        ("after", "POST /alerts/"),
        ("before", "delete _digests/"),
    )
    assert len(heard) == (2 if twice else 1)
