"""Many at once: one record, one ticket, one accepted re-submission an attempt.

Where threads are real, the tests hold whatever the order in which they run. Where the order
matters, a `Stage` makes it: of its actors one at a time goes on, and a seed decides which.
"""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from handler.http_client import Answer, Http
from handler.ledger.bucket import BucketAddress, Credentials
from handler.ledger.cos import CosStore
from handler.ledger.folder import FolderStore
from handler.ledger.store import Store
from tests.fake_cos import BUCKET, REGION
from tests.stores import (
    How,
    LaggingStore,
    LeakyStore,
    QuickWorld,
    SimulatedCrash,
    Trouble,
    Wrapped,
)
from tests.world import TRANSLATION

T = TypeVar("T")

CROWD = 64
SETTLE_S = 2.0
"""LEASE_WAIT_S by default: listings lag by less."""

TICK = {"Type": "Timer", "TriggerName": "sweep", "Message": "sweep"}


def failed_job(world: QuickWorld, name: str = "en", code: str = "InternalError") -> str:
    """A job of a user's that has failed, so long ago that its retry would be due."""
    job = world.submit(TRANSLATION | {"Input": {"Object": f"{name}.pdf"}})
    world.fail(job, code)
    world.now += 120
    return job


def kept(world: QuickWorld, prefix: str) -> list[str]:
    """The names below a prefix, without the days."""
    return [key.split("/")[-1] for key in world.keys(prefix)]


def retries(world: QuickWorld) -> list[str]:
    """The retry tickets that are there or were."""
    return sorted({key.split("/")[1] for at in ("_outbox/", "_done/") for key in world.keys(at)})


# --- real threads, on each store ----------------------------------------------------------


@pytest.fixture(params=["folder", "cos"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> QuickWorld:
    """A world whose ledger is in a folder, or on COS through the real SDK."""
    if request.param == "folder":
        return QuickWorld(FolderStore(tmp_path / "ledger"))
    cos = request.getfixturevalue("cos")
    place = BucketAddress(BUCKET, "ci/", REGION, ("127.0.0.1", cos.port))
    return QuickWorld(CosStore(place, Credentials(SECRET_ID, SECRET_KEY, "")))


def at_once(count: int, do: Callable[[int], Any]) -> list[Any]:
    """Do it in so many threads that all begin at the same moment; the results."""
    together = threading.Barrier(count)

    def start_together(number: int) -> Any:
        together.wait(30)
        return do(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start_together, range(count)))


def deliver_in_a_crowd(world: QuickWorld, job: str, store: Store | None = None) -> Counter[str]:
    """One callback delivered 64 times at once, in both formats; how often each status."""

    def deliver(thread_number: int) -> Any:
        body = world.ci.callback_body(job, ("XML", "JSON")[thread_number % 2]).decode()
        event = {"httpMethod": "POST", "path": "/", "body": body}
        return world.function(store).handle(event, {"request_id": f"r{thread_number}"})

    answers = at_once(CROWD, deliver)
    assert {answer["statusCode"] for answer in answers} == {200}
    return Counter(json.loads(answer["body"])["jobs"][0]["status"] for answer in answers)


def test_a_crowd_of_deliveries_makes_one_record_and_one_ticket(world: QuickWorld) -> None:
    """One of them is the first, the others find its record; the job is submitted again once."""
    job = failed_job(world)
    assert deliver_in_a_crowd(world, job) == {"kept": 1, "duplicate": CROWD - 1}
    assert kept(world, "jobs/") == [f"{job}.json"]
    assert len(retries(world)) == 1
    world.run(minutes=2)
    assert world.attempts == [(job, 2)]


def test_a_crowd_that_put_new_lets_through_makes_one_record_and_one_ticket() -> None:
    """All look before the first one writes, and all are told that theirs is new."""
    world = QuickWorld()
    job = failed_job(world)
    leaky = LeakyStore(world.store, threading.Barrier(CROWD, timeout=30).wait)
    assert deliver_in_a_crowd(world, job, leaky) == {"kept": CROWD}
    assert kept(world, "jobs/") == [f"{job}.json"]
    assert len(retries(world)) == 1
    world.run(minutes=2)
    assert world.attempts == [(job, 2)]


def test_a_crowd_of_sweeps_submits_once(world: QuickWorld) -> None:
    """Whichever of them goes on, and however many withdraw, also while it is delivered again."""
    jobs = []
    for number in range(3):
        jobs.append(failed_job(world, str(number)))
        world.deliver(jobs[-1])

        def act(thread_number: int) -> None:
            if thread_number % 4 == 3:
                world.deliver(jobs[-1])
            else:
                # The world's clock stands still, so that all may think to be the first.
                world.function(sleep=lambda seconds: time.sleep(0.02)).handle(TICK, {})

        at_once(8, act)
        assert max(Counter(world.attempts).values(), default=0) <= 1
    world.run(minutes=3)
    assert Counter(world.attempts) == {(job, 2): 1 for job in jobs}
    assert [key for key in world.keys("_sweep/") if "held" not in key] == []
    assert world.alerts == []


# --- made interleavings -------------------------------------------------------------------


class Stage:
    """Actors in threads of their own, of which one at a time goes on: until its next request or
    wait, where a seed decides who is next and how much time goes by."""

    def __init__(self, world: QuickWorld, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.turn = threading.Semaphore(0)
        self._actors: list[Actor] = []

    def add(self, play: Callable[[Actor], None]) -> None:
        """One more actor."""
        self._actors.append(Actor(self, play))

    def play(self) -> None:
        """Until all are through. Raises what an actor raised."""
        for actor in self._actors:
            actor.thread.start()
        while left := [actor for actor in self._actors if not actor.is_over]:
            self.world.now = max(self.world.now, min(actor.wakes_at for actor in left))
            awake = [actor for actor in left if actor.wakes_at <= self.world.now]
            self.chance.choice(awake).go.release()
            assert self.turn.acquire(timeout=30), "an actor waits for something else"
        for actor in self._actors:
            actor.thread.join()
            if actor.error:
                raise actor.error


class Actor:
    """One process: a sweep or a delivery. Its store and its HTTP are where it may be halted."""

    def __init__(self, stage: Stage, play: Callable[[Actor], None]) -> None:
        self.chance = stage.chance
        self.world = stage.world
        self.go = threading.Semaphore(0)
        self.wakes_at = 0.0
        self.is_over = False
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self._stage = stage
        self._play = play

    def sleep(self, seconds: float) -> None:
        """Let the others go on, at least for so long."""
        self.wakes_at = self.world.now + seconds
        self._stage.turn.release()
        self.go.acquire()

    def reads(self) -> None:
        """Before a request that changes nothing. Here a process may stall for minutes."""
        stalls = self.chance.random() < 0.04
        self.sleep(self.chance.uniform(0, 200 if stalls else 0.5))

    def writes(self) -> None:
        """Before a request that changes something: it is on its way for less than the lease's
        reserve, as the promise demands."""
        self.sleep(self.chance.uniform(0, 2))

    def sweep(self, store: Store, trouble: Trouble | None = None) -> None:
        """The timer ticks."""
        trouble = trouble or Trouble()
        halting = trouble.store(HaltingStore(store, self))
        http = trouble.http(HaltingHttp(self.world.http, self))
        self.world.function(halting, http, self.sleep).handle(TICK, {})

    def deliver(self, job: str, form: str, store: Store, trouble: Trouble | None = None) -> int:
        """CI sends the callback of a job; the answer's status."""
        halting = (trouble or Trouble()).store(HaltingStore(store, self))
        return self.world.deliver(job, form, halting)[0]

    def _run(self) -> None:
        self.go.acquire()
        try:
            self._play(self)
        except BaseException as error:  # raised again in the thread of the test
            self.error = error
        finally:
            self.is_over = True
            self._stage.turn.release()


class HaltingStore(Wrapped):
    """A store before each of whose requests an actor is halted."""

    def __init__(self, inner: Store, actor: Actor) -> None:
        super().__init__(inner)
        self._actor = actor

    def put_new(self, key: str, data: bytes) -> bool:
        self._actor.writes()
        return super().put_new(key, data)

    def put(self, key: str, data: bytes) -> None:
        self._actor.writes()
        super().put(key, data)

    def get(self, key: str) -> bytes | None:
        self._actor.reads()
        return super().get(key)

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        self._actor.reads()
        return super().list(prefix, stop, after)

    def folders(self, prefix: str) -> Sequence[str]:
        self._actor.reads()
        return super().folders(prefix)

    def delete(self, key: str) -> None:
        self._actor.writes()
        super().delete(key)

    def delete_many(self, names: Sequence[str]) -> None:
        self._actor.writes()
        super().delete_many(names)


class HaltingHttp:
    """The same for CI and the channels."""

    def __init__(self, inner: Http, actor: Actor) -> None:
        self._inner = inner
        self._actor = actor

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        if method == "GET":
            self._actor.reads()
        else:
            self._actor.writes()
        return self._inner.send(method, url, headers, body, timeout_s)


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within an actor requests follow each other, so that a seed always gives the same play."""
    monkeypatch.setattr("handler.parallel.POOL", 1)


seeds = pytest.mark.parametrize("seed", [pytest.param(0, marks=pytest.mark.sample), *range(1, 40)])


def sweeps_now_and_then(store: Callable[[Actor], Store]) -> Callable[[Actor], None]:
    """An actor's part: four sweeps, at moments that are not far from each other's."""

    def play(actor: Actor) -> None:
        for _ in range(4):
            actor.sleep(actor.chance.uniform(0, 20))
            actor.sweep(store(actor))

    return play


def delivers(job: str, form: str, store: Callable[[Actor], Store]) -> Callable[[Actor], None]:
    """An actor's part: one callback, three times."""

    def play(actor: Actor) -> None:
        for _ in range(3):
            actor.sleep(actor.chance.uniform(0, 20))
            assert actor.deliver(job, form, store(actor)) == 200

    return play


def assert_all_once(world: QuickWorld, retried: list[str], alerted: list[str]) -> None:
    """After an hour of calm sweeps: one record a job, one re-submission, everybody told."""
    world.run(minutes=60)
    assert sorted(kept(world, "jobs/")) == sorted(f"{job}.json" for job in retried + alerted)
    assert Counter(world.attempts) == {(job, 2): 1 for job in retried}
    assert all(key.endswith("-watch.json") for key in world.keys("_outbox/"))
    assert list(world.keys("_dead/") + world.keys("_digests/")) == []
    heard = "\n".join(world.alerts)
    assert all(job in heard for job in alerted)
    assert not any(job in heard for job in retried)
    assert {line["level"] for line in world.lines if line["event"] == "internal_error"} == set()


@seeds
def test_two_sweeps_at_once_submit_once_and_alert_once(seed: int, one_by_one: None) -> None:
    """Three, in fact, that stall now and then for longer than their lease."""
    world = QuickWorld()
    retried = [failed_job(world, name) for name in ("a", "b")]
    alerted = [failed_job(world, name, "InvalidArgument") for name in ("c", "d")]
    for job in retried + alerted:
        world.deliver(job)
    stage = Stage(world, seed)
    for _ in range(3):
        stage.add(sweeps_now_and_then(lambda actor: world.store))
    stage.play()
    assert_all_once(world, retried, alerted)
    assert set(world.times_alerted().values()) == {1}


@seeds
def test_where_listings_lag_two_sweeps_at_once_submit_once(seed: int, one_by_one: None) -> None:
    """By less than LEASE_WAIT_S: a new lease is missing at first, a deleted one still there."""
    world = QuickWorld()
    retried = [failed_job(world, name) for name in ("a", "b")]
    alerted = [failed_job(world, "c", "InvalidArgument")]
    for job in retried + alerted:
        world.deliver(job)
    stage = Stage(world, seed)

    def lagging(actor: Actor) -> Store:
        return LaggingStore(world.memory, lambda: actor.chance.uniform(0, SETTLE_S * 0.99))

    for _ in range(3):
        stage.add(sweeps_now_and_then(lagging))
    stage.play()
    assert_all_once(world, retried, alerted)


@seeds
def test_a_sweep_and_a_redelivery_at_once_submit_once(seed: int, one_by_one: None) -> None:
    """The first delivery too, whose ticket a sweep may find before its record."""
    world = QuickWorld()
    retried = [failed_job(world, "a")]
    alerted = [failed_job(world, "b", "InvalidArgument")]
    world.deliver(retried[0])
    stage = Stage(world, seed)
    for _ in range(2):
        stage.add(sweeps_now_and_then(lambda actor: world.store))
    for job, form in ((retried[0], "JSON"), (alerted[0], "XML"), (alerted[0], "JSON")):
        stage.add(delivers(job, form, lambda actor: world.store))
    stage.play()
    assert_all_once(world, retried, alerted)
    assert set(world.times_alerted().values()) == {1}


@seeds
def test_on_a_store_as_bad_as_cos_may_be_deliveries_and_sweeps_submit_once(
    seed: int, one_by_one: None
) -> None:
    """Two writers of a new key are both let through, and listings lag."""
    world = QuickWorld()
    retried = [failed_job(world, "a")]
    alerted = [failed_job(world, "b", "InvalidArgument")]
    stage = Stage(world, seed)

    def bad(actor: Actor) -> Store:
        lagging = LaggingStore(world.memory, lambda: actor.chance.uniform(0, SETTLE_S * 0.99))
        return LeakyStore(lagging, actor.writes)

    for _ in range(2):
        stage.add(sweeps_now_and_then(bad))
    for job in retried + alerted:
        for form in ("XML", "JSON"):
            stage.add(delivers(job, form, bad))
    stage.play()
    assert_all_once(world, retried, alerted)


@seeds
@pytest.mark.parametrize("lag_s", [0, SETTLE_S * 0.99])
def test_crashes_and_lost_answers_besides_change_nothing(
    seed: int, lag_s: float, one_by_one: None
) -> None:
    """Sweeps and deliveries at once, of whose requests every tenth fails or is the last one."""
    world = QuickWorld()
    retried = [failed_job(world, name) for name in ("a", "b")]
    alerted = [failed_job(world, name, "InvalidArgument") for name in ("c", "d")]
    stage = Stage(world, seed)

    def base(actor: Actor) -> Store:
        return LaggingStore(world.memory, lambda: actor.chance.uniform(0, lag_s))

    def sweeps(actor: Actor) -> None:
        for _ in range(6):
            actor.sleep(actor.chance.uniform(0, 40))
            with contextlib.suppress(SimulatedCrash):
                actor.sweep(base(actor), one_in_ten(actor.chance))

    def delivers_until_taken(job: str) -> Callable[[Actor], None]:
        def play(actor: Actor) -> None:
            for _ in range(3):
                actor.sleep(actor.chance.uniform(0, 100))
                with contextlib.suppress(SimulatedCrash):
                    actor.deliver(job, "XML", base(actor), one_in_ten(actor.chance))
            assert actor.deliver(job, "JSON", base(actor)) == 200

        return play

    for _ in range(3):
        stage.add(sweeps)
    for job in retried + alerted:
        stage.add(delivers_until_taken(job))
    stage.play()
    assert_all_once(world, retried, alerted)
    if not lag_s:
        assert max(map(len, world.digests_of().values())) == 1


def one_in_ten(chance: random.Random) -> Trouble:
    """An invocation of whose requests one in ten is lost, or is the last."""
    ways: tuple[How, ...] = ("lost before", "lost after", "dies before", "dies after")
    return Trouble(lambda number, what: chance.choice(ways) if chance.random() < 0.1 else "fine")


class Stall(Trouble):
    """One request takes longer than the lease is good for, and meanwhile something else happens:
    before what only reads, after what writes, as the promise demands."""

    def __init__(self, number: int, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self._number = number
        self._meanwhile = meanwhile

    def ask(self, what: str, request: Callable[[], T], lost: Callable[[int], Exception]) -> T:
        self.asked.append(what)
        stalls = len(self.asked) == self._number
        if stalls and what.startswith(("get", "list", "GET")):
            self._meanwhile()
            return request()
        result = request()
        if stalls:
            self._meanwhile()
        return result


def test_a_sweep_that_stalls_past_its_lease_does_nothing_more(one_by_one: None) -> None:
    """At any of its requests, while another sweep does all that it was about to do."""
    limit = number = 0
    while number <= limit:
        number += 1
        world = QuickWorld()
        retried = [failed_job(world, name) for name in ("a", "b")]
        alerted = [failed_job(world, name, "InvalidArgument") for name in ("c", "d")]
        for job in retried + alerted:
            world.deliver(job)

        def another_sweep(world: QuickWorld = world) -> None:
            world.now += 130
            world.sweep()

        stall = Stall(number, another_sweep)
        world.sweep(stall.store(world.store), stall.http(world.http))
        limit = max(limit, len(stall.asked))
        assert_all_once(world, retried, alerted)
        # Between the sending and the note of it a stall looks like a crash.
        last = stall.asked[number - 1] if number <= len(stall.asked) else ""
        assert max(world.times_alerted().values()) == 1 + last.startswith("POST /alerts"), last
    assert limit > 35


class Interrupted(Wrapped):
    """A store before whose first put below a prefix something else happens."""

    def __init__(self, inner: Store, prefix: str, happens: Callable[[], object]) -> None:
        super().__init__(inner)
        self._prefix = prefix
        self._happens: list[Callable[[], object]] = [happens]

    def put(self, key: str, data: bytes) -> None:
        if key.startswith(self._prefix) and self._happens:
            self._happens.pop()()
        super().put(key, data)


def test_what_another_sweep_did_since_the_listing_is_not_done_again() -> None:
    """Between a sweep's listing and its lease another one does everything."""
    world = QuickWorld()
    retried, alerted = failed_job(world, "a"), failed_job(world, "b", "InvalidArgument")
    world.deliver(retried)
    world.deliver(alerted)
    summary = world.sweep(Interrupted(world.store, "_sweep/", world.sweep))
    assert (summary["status"], summary["submitted"], summary["alerts_sent"]) == ("done", 0, 0)
    assert_all_once(world, [retried], [alerted])
    assert set(world.times_alerted().values()) == {1}


def test_a_digest_that_another_sweep_left_since_the_listing_is_not_alerted_twice() -> None:
    """Between a sweep's listing and its lease another one puts a digest, gets no answer, breaks
    off and gives its lease back: the tickets are in that digest, and in no other."""
    world = QuickWorld()
    job = failed_job(world, "b", "InvalidArgument")
    world.deliver(job)

    def breaks_off() -> None:
        trouble = Trouble(
            lambda number, what: "lost after" if what.startswith("put _digests/") else "fine"
        )
        assert world.sweep(trouble.store(world.store))["status"] == "aborted"

    world.sweep(Interrupted(world.store, "_sweep/", breaks_off))
    assert_all_once(world, [], [job])
    assert set(world.times_alerted().values()) == {1}
