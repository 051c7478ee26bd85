"""A store and a network that fail: what was answered 2xx is kept, and nothing is lost silently."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.log_recovery import recover
from handler.ledger.bucket import BucketAddress, Credentials
from handler.ledger.cos import CosStore
from handler.ledger.store import Store
from tests.fake_cos import BUCKET, NO_PAUSES, REGION, FakeCos, Fault, Seen
from tests.stores import How, QuickWorld, Trouble
from tests.world import TRANSLATION

DAY_S = 24 * 3600


# --- many callbacks, and a store of which 30 % of the answers fail -------------------------


class End(NamedTuple):
    """How a job ends: as CI says it, and as its record does. follows: whether that calls for a
    ticket."""

    state: str
    code: str
    outcome: str
    follows: bool = False
    result: Mapping[str, Any] = {}


ENDS = {
    "retried": End("Failed", "InternalError", "failed", True),
    "alerted": End("Failed", "InvalidArgument", "failed", True),
    "partial": End(
        "Success",
        "Success",
        "partial",
        True,
        {"DigitalWatermark": {"State": "Failed", "IgnoreError": "true"}},
    ),
    "succeeded": End("Success", "Success", "succeeded"),
    "cancelled": End("Cancel", "Success", "cancelled"),
}


@dataclass(frozen=True)
class Sent:
    """One delivery of a callback. job_id and end are None where the body is no callback."""

    body: str
    job_id: str | None = None
    end: End | None = field(default=None, hash=False)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body.encode()).hexdigest()


@dataclass(frozen=True)
class Plan:
    """How many jobs end in which way, and how many bodies nobody understands. Of jobs that call
    for a ticket the callback comes in both formats, and of every other one of the rest."""

    retried: int
    alerted: int
    partial: int
    succeeded: int
    cancelled: int
    garbage: int

    def play(self, world: QuickWorld, chance: random.Random) -> list[Sent]:
        """Let the jobs end, and give all callbacks in no order."""
        model = world.submit()
        sent = []
        for kind, end in ENDS.items():
            world.ci.finish(model, end.state, end.code, "", dict(end.result))
            for number in range(getattr(self, kind)):
                subject, job = model, f"a{kind}{number}"
                if kind == "retried":
                    # Of what is submitted again CI must know more than the callback says.
                    job = world.submit(TRANSLATION | {"Input": {"Object": f"{number}.pdf"}})
                    world.ci.finish(job, end.state, end.code, "")
                    subject = job
                for form in ("XML", "JSON") if end.follows or number % 2 else ("XML",):
                    body = world.ci.callback_body(subject, form).decode().replace(model, job)
                    sent.append(Sent(body, job, end))
        sent += [Sent(f"<Response>garbage {number}") for number in range(self.garbage)]
        chance.shuffle(sent)
        return sent


def thirty_percent(chance: random.Random) -> Callable[[int, str], How]:
    """Of ten answers three are lost; of half of those the request was carried out."""
    return lambda number, what: chance.choices(
        ("fine", "lost before", "lost after"), (0.70, 0.15, 0.15)
    )[0]


def deliver_all(world: QuickWorld, sent: list[Sent], store: Store) -> dict[Sent, int]:
    """Each callback once; the status of each answer."""
    return {callback: world.post(callback.body, store)[0] for callback in sent}


def logged_bodies(world: QuickWorld) -> dict[str, bytes]:
    """The bodies that stand whole in the log's last-resort lines, by their SHA-256."""
    recovered = recover([json.dumps(line) for line in world.lines])
    assert recovered.lost == ()
    return {hashlib.sha256(entry.body).hexdigest(): entry.body for entry in recovered.bodies}


def assert_nothing_is_lost(world: QuickWorld, answers: dict[Sent, int]) -> None:
    """Answered 2xx: the record is there, and the ticket it calls for. Not: the log has the body."""
    records = {key.split("/")[-1]: key for key in world.keys("jobs/")}
    tickets = world.keys("_outbox/") + world.keys("_done/")
    followed = {part for key in tickets for part in key.split("-")}
    dead_letters = {key.split("/")[-1].removesuffix(".json") for key in world.keys("_dead/")}
    bodies = logged_bodies(world)
    for sent, status in answers.items():
        if status == 503:
            assert bodies[sent.sha256] == sent.body.encode()
        elif sent.job_id is None or sent.end is None:
            assert (status, sent.sha256 in dead_letters) == (202, True)
            assert sent.sha256[:32] in followed
        else:
            record = world.read(records[f"{sent.job_id}.json"])
            assert (status, record["outcome"]) == (200, sent.end.outcome)
            assert (sent.job_id in followed) == sent.end.follows


def assert_all_is_done_with(world: QuickWorld, sent: list[Sent], plan: Plan) -> None:
    """Once the store works again and the jobs have been tried again."""
    ids = {callback.job_id for callback in sent if callback.job_id}
    for _ in range(30):
        world.run(minutes=1)
    roots = [root for root, _ in world.attempts]
    assert len(roots) == len(set(roots)) == plan.retried
    for accepted in world.ci.accepted:
        if accepted.marker:
            world.succeed(accepted.job_id)  # its callback never comes: the watch must ask
    world.now += DAY_S
    for _ in range(5):
        world.run(minutes=1)
    assert world.keys("_outbox/") == world.keys("_digests/") == []
    assert len(world.keys("jobs/")) == len(ids) + plan.retried
    assert len(world.keys("_dead/")) == plan.garbage
    alerted = [key for key in world.keys("_done/") if "-alert." in key]
    assert len(alerted) == plan.alerted + plan.partial + plan.garbage + plan.retried
    for kind, count in (
        ("alert.failed", plan.alerted),
        ("alert.partial", plan.partial),
        ("alert.dead", plan.garbage),
        ("alert.recovered", plan.retried),
    ):
        assert sum(key.endswith(f"-{kind}.json") for key in alerted) == count


@pytest.mark.parametrize(
    ("count", "plan"),
    [
        pytest.param(200, Plan(2, 26, 8, 76, 4, 8), marks=pytest.mark.sample),
        (
            10_000,
            Plan(100, alerted=1_300, partial=400, succeeded=3_800, cancelled=200, garbage=400),
        ),
    ],
    ids=["200", "10,000"],
)
def test_of_many_callbacks_to_a_failing_store_none_is_lost(count: int, plan: Plan) -> None:
    """Nearly a third of the store's answers are 503s, time-outs or resets, and half of those come
    after the write landed: every callback is kept or stands whole in the log."""
    world = QuickWorld(SWEEP_MAX_SUBMITS="10000")
    chance = random.Random(1)
    sent = plan.play(world, chance)
    assert len(sent) == count
    store = Trouble(thirty_percent(chance)).store(world.store)

    answers = deliver_all(world, sent, store)
    assert 0.3 * count < list(answers.values()).count(503) < 0.6 * count
    assert_nothing_is_lost(world, answers)
    for _ in range(30):
        world.now += 60
        assert world.sweep(store)["status"] in ("done", "in_progress", "aborted", "lease_held")

    refused = [callback for callback, status in answers.items() if status == 503]
    again = deliver_all(world, refused, world.store)
    assert 503 not in again.values()
    assert_nothing_is_lost(world, answers | again)
    assert_all_is_done_with(world, sent, plan)


def test_of_two_hundred_callbacks_to_a_failing_cos_none_is_lost(cos: FakeCos) -> None:
    """The same with the real SDK and the requests that it really sends, which are repeated."""
    store = CosStore(
        BucketAddress(BUCKET, "ci/", REGION, ("127.0.0.1", cos.port)),
        Credentials(SECRET_ID, SECRET_KEY, ""),
        NO_PAUSES,
    )
    world = QuickWorld(store, SWEEP_MAX_SUBMITS="10000")
    chance = random.Random(2)
    plan = Plan(6, alerted=30, partial=4, succeeded=66, cancelled=8, garbage=9)
    sent = plan.play(world, chance)
    assert len(sent) == 200

    def fault(seen: Seen) -> Fault | None:
        if chance.random() > 0.5:
            return None
        return chance.choice(
            (
                Fault(before=(503, "ServiceUnavailable")),
                Fault(after=(503, "ServiceUnavailable")),
                Fault(reset_before=True),
                Fault(reset_after=True),
                Fault(cut_answer=True),
            )
        )

    with cos.faulty(fault):
        answers = deliver_all(world, sent, store)
    lost = [callback for callback, status in answers.items() if status == 503]
    assert lost
    assert_nothing_is_lost(world, answers)
    again = deliver_all(world, lost, store)
    assert 503 not in again.values()
    assert_nothing_is_lost(world, answers | again)
    assert_all_is_done_with(world, sent, plan)


# --- one request at a time ----------------------------------------------------------------


def at(numbers: Container[int], how: How) -> Callable[[int, str], How]:
    """The requests with these numbers go wrong."""
    return lambda number, what: how if number in numbers else "fine"


class Timeline:
    """A failure's whole way, in which some request may go wrong. The end is always the same."""

    def __init__(self, trouble: Trouble, **env: str) -> None:
        self.world = QuickWorld(None, **env)
        self._store = trouble.store(self.world.store)
        self._http = trouble.http(self.world.http)

    def deliver(self, body: str) -> None:
        """CI sends a callback until it is taken."""
        statuses = [503]
        while statuses[-1] == 503:
            statuses.append(self.world.post(body, self._store)[0])
        assert statuses[-1] in (200, 202)

    def until(self, is_so: Callable[[], object]) -> None:
        """The timer ticks each minute until something is so."""
        for _ in range(60):
            if is_so():
                return
            self.world.now += 60
            self.world.sweep(self._store, self._http)
        raise AssertionError("an hour later it is still not so")

    def fail(self, code: str = "InternalError") -> str:
        """A user's job fails."""
        job = self.world.submit()
        self.world.fail(job, code)
        return job

    def tried_again(self, attempt: int) -> str:
        """The new job, once it is submitted."""
        self.until(lambda: len(self.world.attempts) == attempt - 1)
        return self.world.ci.accepted[-1].job_id

    def callback(self, job: str, form: str = "XML") -> str:
        """What CI says of a job."""
        return self.world.ci.callback_body(job, form).decode()

    def all_is_done(self) -> None:
        """Everything that is due now, and the watches much later."""
        waiting = ("_outbox/", "_digests/")
        self.until(
            lambda: (
                not [key for at in waiting for key in self.world.keys(at) if "-watch" not in key]
            )
        )
        self.world.now += DAY_S
        self.until(lambda: not self.world.keys("_outbox/") + self.world.keys("_digests/"))


def recovers(story: Timeline) -> None:
    """A job fails twice, and then succeeds."""
    job = story.fail()
    story.deliver(story.callback(job))
    for attempt in (2, 3):
        job = story.tried_again(attempt)
        story.world.fail(job) if attempt == 2 else story.world.succeed(job)
        story.deliver(story.callback(job, "JSON"))
    story.all_is_done()


def is_given_up(story: Timeline) -> None:
    """A job fails, its re-submission too, and that one's callback never comes."""
    job = story.fail()
    story.deliver(story.callback(job))
    story.world.fail(story.tried_again(2))
    story.all_is_done()


def is_alerted(story: Timeline) -> None:
    """A failure that no retry helps, a body that nobody understands, and two ends of one job."""
    job = story.fail("InvalidArgument")
    story.deliver(story.callback(job))
    story.deliver("garbage")
    story.deliver(story.callback(job, "JSON").replace('"Failed"', '"Success"'))
    story.all_is_done()


def is_refused(story: Timeline) -> None:
    """CI will not have the job again."""
    job = story.fail()
    story.deliver(story.callback(job))
    story.world.ci.gone.add(("ai", "/jobs"))
    story.world.ci.gone.add(("ai", "/ai_jobs"))
    story.all_is_done()


def end_of(world: QuickWorld) -> dict[str, object]:
    """All that must not depend on faults."""
    return {
        "records": {key: world.read(key)["outcome"] for key in world.keys("jobs/")},
        "attempts": world.attempts,
        "notes": {key: _note(world.read(key)) for key in world.keys("_attempts/")},
        "alerted": {name for name, times in world.times_alerted().items() if times},
        "dead": len(world.keys("_dead/")),
        "left": world.keys("_outbox/") + world.keys("_digests/") + world.keys("_undelivered/"),
        "faults": [line for line in world.lines if line["event"] == "internal_error"],
    }


def _note(attempt: dict[str, object]) -> tuple[object, object]:
    return attempt["state"], attempt["job_id"]


@pytest.mark.parametrize("how", ["lost before", "lost after"])
@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize("play", [recovers, is_given_up, is_alerted, is_refused])
def test_whichever_requests_fail_the_end_is_the_same(
    play: Callable[[Timeline], None], length: int, how: How, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request to the store, to CI and to the channel, alone or with those that follow,
    before or after it was carried out: one accepted re-submission an attempt, everything told,
    nothing stuck, nothing raised."""
    monkeypatch.setattr("handler.parallel.POOL", 1)  # so that a number always means one request
    env = {"RETRY_MAX_ATTEMPTS": "2"} if play is is_given_up else {}
    calm = Trouble()
    expected = Timeline(calm, **env)
    play(expected)
    assert set(expected.world.times_alerted().values()) == {1}
    for first, what in enumerate(calm.asked, 1):
        wrong = range(first, first + length)
        trouble = Trouble(at(wrong, how))
        story = Timeline(trouble, **env)
        play(story)
        assert trouble.asked[first - 1].split("-")[0] == what.split("-")[0]
        assert end_of(story.world) == end_of(expected.world), f"{how}: {first} {what}"
        # Told again only where the channel's answer, or the note of it, was lost.
        noting = ("POST /alerts", "put _digests", "delete _digests")
        lost = [trouble.asked[number - 1] for number in wrong if number <= len(trouble.asked)]
        limit = 1 + sum(request.startswith(noting) for request in lost)
        assert max(story.world.times_alerted().values()) <= limit, f"{how}: {first} {what}"
        assert max(map(len, story.world.digests_of().values())) == 1, f"{how}: {first} {what}"
