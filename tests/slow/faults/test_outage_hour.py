"""COS is down for an hour while callbacks come: everything arrives in the end.

    minute   0 ──── 30 ════ COS is down ════ 90 ── 100 ───── 120 ──── 180 ── 240
    jobs     end, one after the other ──────────────────────► │
    sweeps   each minute ───────────────────────────────────────────────────►
    replay                                          the log (without a spill)
    spill                 fills            ── emptied by the sweeps
    reconcile                     60 (fails)                  120      180    240

It is played with SPILL_URL and without: with it no callback of the outage needs to be sent again,
or to be looked for in a log.

CI's own re-delivery is documented nowhere. So there are senders that send again soon, some that
do so after hours, some that never do, and callbacks that are never sent at all.
"""

from __future__ import annotations

import heapq
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.commands.registry import app
from ci_callback.log_recovery import recover
from handler.ledger.bucket import BucketAddress, Credentials
from handler.ledger.cos import CosStore
from handler.ledger.store import Store
from handler.run import Run
from handler.settings import Settings
from handler.stores import open_spill
from handler.triggers import Delivery
from tests.fake_cos import BUCKET, NO_PAUSES, REGION, FakeCos, Fault
from tests.stores import MemoryStore, QuickWorld, Trouble
from tests.world import MINUTE, START, TRANSLATION

DOWN, UP = 30, 90
REPLAYED = 100
LOG_ENDS = 85
"""The log of the outage's last minutes never reached the log service."""
JOBS_END = 120
RECONCILED = (60, 120, 180, 240)
END = 241
SOON = 5
LATE = 150
"""Minutes until a callback is sent again."""

FAMILIES = {"retried": "InternalError", "alerted": "InvalidArgument", "well": ""}
SENDERS = ("soon", "late", "never", "never at all")


class Job(NamedTuple):
    """A job that ends. minute: when. fate: a name in FAMILIES. sender: one of SENDERS."""

    minute: float
    fate: str
    sender: str

    def way(self, has_spill: bool) -> str:
        """By which way it must arrive."""
        if self.sender == "never at all":
            return "reconciliation"
        if not DOWN <= self.minute < UP:
            return "direct"
        if has_spill:
            return "spill"
        if self.sender == "soon":
            return "redelivery"
        return "log replay" if self.minute < LOG_ENDS else "reconciliation"


def plan(number: int) -> list[Job]:
    """So many jobs, evenly over two hours: of ten one is retried and one told, of each kind some
    of every sender."""
    fates = itertools.cycle(("well",) * 4 + ("retried",) + ("well",) * 4 + ("alerted",))
    senders = itertools.cycle(("soon", "never", "soon", "late", "never", "soon", "never at all"))
    return [Job(JOBS_END * n / number + 0.05, next(fates), next(senders)) for n in range(number)]


@dataclass
class Hours:
    """The play. Events happen at their minute; the clock only goes on."""

    world: QuickWorld
    replay: Callable[[list[str]], dict[str, int]]
    """Takes in what a log holds; how many jobs by status."""
    events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    answers: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    """Per job the statuses of its deliveries, and what became of it at each."""
    sweeps: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """How sweeps ended, and whether that was while COS was down."""
    replayed: dict[str, int] = field(default_factory=dict)
    emptied: float = 0.0
    """The minute of the sweep that left the spill empty."""
    jobs: dict[str, Job] = field(default_factory=dict)
    _number: Iterator[int] = field(default_factory=itertools.count)
    _followed: set[str] = field(default_factory=set)

    @property
    def minute(self) -> float:
        """Since the beginning."""
        return (self.world.now - START) / MINUTE

    @property
    def is_down(self) -> bool:
        """Whether COS is."""
        return DOWN <= self.minute < UP

    @property
    def spill(self) -> Store | None:
        """The spill, where the play has one."""
        return open_spill(Settings.from_env(self.world.env))

    def at(self, minute: float, do: Callable[[], None]) -> None:
        """Let something happen."""
        heapq.heappush(self.events, (minute, next(self._number), do))

    def play(self, jobs: list[Job]) -> None:
        """All of it."""
        for job in jobs:
            self.at(job.minute, partial(self._ends, job))
        for minute in range(END + 1):
            self.at(minute, self._sweep)
        for minute in RECONCILED:
            self.at(minute, self._reconcile)
        if self.spill is None:
            self.at(REPLAYED, self._replay)
        while self.events:
            due, _, do = heapq.heappop(self.events)
            self.world.now = max(self.world.now, START + due * MINUTE)
            do()
        self.world.now += 12 * 60 * MINUTE  # the watches
        self.world.run(minutes=5)

    def _ends(self, job: Job) -> None:
        world, now = self.world, self.world.now
        name = f"{len(self.jobs)}.pdf"
        job_id = world.submit(TRANSLATION | {"Input": {"Object": name}})
        world.now = now  # it was submitted earlier
        world.ci.jobs[job_id].created_at = now - 30
        code = FAMILIES[job.fate]
        world.ci.finish(job_id, "Failed" if code else "Success", code or None)
        self.jobs[job_id] = job
        if job.sender != "never at all":
            self._deliver(job_id, job.sender)

    def _deliver(self, job_id: str, sender: str) -> None:
        body = self.world.ci.callback_body(job_id, "JSON").decode()
        event = {"httpMethod": "POST", "path": "/", "body": body}
        answer = self.world.function().handle(event, {"request_id": f"r{self.minute:.2f}"})
        status = answer["statusCode"]
        (job_result,) = json.loads(answer["body"])["jobs"]
        self.answers.setdefault(job_id, []).append((job_result["status"], status))
        is_refused = self.is_down and self.spill is None
        assert (status == 503) == is_refused
        assert ("Retry-After" in answer["headers"]) == is_refused
        assert (job_result["status"] == "spilled") == (self.is_down and not is_refused)
        again = {"soon": SOON, "late": LATE}.get(sender)
        if status == 503 and again:
            self.at(self.minute + again, lambda: self._deliver(job_id, sender))

    def _sweep(self) -> None:
        down = self.is_down
        self.sweeps[self.world.sweep()["status"], down] += 1
        if self.spill and not down and not self.emptied and self.minute >= UP:
            assert list(self.spill.list("_spill/")) == []
            self.emptied = self.minute
        for submission in self.world.ci.accepted:
            if submission.marker and submission.job_id not in self._followed:
                self._followed.add(submission.job_id)
                self.world.ci.finish(submission.job_id)
                self.at(self.minute + 1, partial(self._deliver, submission.job_id, "soon"))

    def _reconcile(self) -> None:
        tick = {"Type": "Timer", "TriggerName": "reconcile", "Message": "reconcile"}
        assert self.world.function().handle(tick, {"request_id": "c"}) == {"status": "done"}

    def _replay(self) -> None:
        until = START + LOG_ENDS * MINUTE
        last = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))
        log = [json.dumps(line) for line in self.world.lines if line["time"] < last]
        self.replayed = self.replay(log)

    # --- what there is to see ---

    def records(self) -> dict[str, list[Any]]:
        """The records of each job."""
        by_job: dict[str, list[Any]] = {}
        for key in self.world.keys("jobs/"):
            record = self.world.read(key)
            by_job.setdefault(record["job_id"], []).append(record)
        return by_job

    def way(self, record: Any) -> str:
        """By which way a record arrived."""
        trigger = record["source"]["trigger"]
        if self.answers.get(record["job_id"], [("", 0)])[0][0] == "spilled":
            return "spill"
        if trigger != "http":
            return {"replay": "log replay", "reconcile": "reconciliation"}[trigger]
        return "direct" if len(self.answers[record["job_id"]]) == 1 else "redelivery"


# --- two ledgers ---------------------------------------------------------------------------


def in_memory(env: Mapping[str, str]) -> Hours:
    """A ledger in memory, and the log taken in as `replay` does it."""
    world = QuickWorld(None, RECONCILE_TAGS="Translation:6", **env)

    def replay(log: list[str]) -> dict[str, int]:
        recovered = recover(log)
        assert recovered.lost == ()
        function = world.function()
        outcomes = function.process(
            [Delivery(entry.body) for entry in recovered.bodies],
            "replay",
            Settings.from_env(world.env),
            Run("by hand", time.perf_counter()),
        )
        return dict(Counter(outcome.status for outcome in outcomes))

    hours = Hours(world, replay)
    trouble = Trouble(lambda number, what: "lost before" if hours.is_down else "fine")
    world.store = trouble.store(world.memory)
    return hours


def on_cos(
    cos: FakeCos, env: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Hours:
    """COS behind sockets, and the log taken in by the command itself."""
    place = BucketAddress(BUCKET, "ci/", REGION, ("127.0.0.1", cos.port))
    store = CosStore(place, Credentials(SECRET_ID, SECRET_KEY, ""), NO_PAUSES)
    world = QuickWorld(store, RECONCILE_TAGS="Translation:6", **env)

    def replay(log: list[str]) -> dict[str, int]:
        for name, value in cos.env.items():
            monkeypatch.setenv(name, value)
        path = tmp_path / "scf.log"
        path.write_text("\n".join(log))
        result = CliRunner().invoke(app, ["replay", "--from-log", str(path), "--json", "--yes"])
        assert result.exit_code == 0, result.output
        jobs: dict[str, int] = json.loads(result.stdout)["jobs"]
        return jobs

    hours = Hours(world, replay)
    down = Fault(before=(503, "ServiceUnavailable"))
    cos.fault = lambda seen: down if hours.is_down else None
    return hours


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("memory", 70, False), marks=pytest.mark.sample),
        pytest.param(("memory", 70, True), marks=pytest.mark.sample),
        ("memory", 600, False),
        ("memory", 600, True),
        ("cos", 70, False),
        ("cos", 70, True),
    ],
    ids=lambda param: "{}-{}{}".format(*param[:2], "-spill" if param[2] else ""),
)
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hours]:
    """The play, on a ledger in memory with many jobs and on COS with fewer; its ledger is copied,
    since what is behind COS is everybody's."""
    kind, number, has_spill = request.param
    env = {"SPILL_URL": f"file:{tmp_path_factory.mktemp('spill')}"} if has_spill else {}
    if kind == "memory":
        hours = in_memory(env)
        hours.play(plan(number))
    else:
        with FakeCos() as cos, pytest.MonkeyPatch.context() as monkeypatch:
            hours = on_cos(cos, env, tmp_path_factory.mktemp("log"), monkeypatch)
            hours.play(plan(number))
            copy = MemoryStore()
            for key in hours.world.keys(""):
                copy.put(key, hours.world.store.get(key) or b"")
            hours.world.store = copy
    yield hours
    hours.world.output.close()


def test_everything_arrives_in_the_end(played: Hours) -> None:
    """Each job has one record, which tells what CI tells; each came by the way that it must."""
    records = played.records()
    assert {job: len(kept) for job, kept in records.items() if len(kept) != 1} == {}
    assert records.keys() == played.world.ci.jobs.keys()
    for job_id, (record,) in records.items():
        job = played.world.ci.jobs[job_id]
        assert job.end is not None
        assert (record["state"], record["code"], record["tag"]) == (
            job.end.state,
            job.end.code,
            job.tag,
        )

    ways = Counter(played.way(records[job_id][0]) for job_id in played.jobs)
    has_spill = played.spill is not None
    assert ways == Counter(job.way(has_spill) for job in played.jobs.values())
    assert sum(ways.values()) == len(played.jobs)
    of_outage = {"spill"} if has_spill else {"redelivery", "log replay"}
    assert ways.keys() == {"direct", "reconciliation"} | of_outage
    print(f"{len(played.jobs)} jobs: {dict(ways)}")


def test_failures_among_them_are_followed_once(played: Hours) -> None:
    """Each that can be retried is submitted again once and its recovery told; each other is
    told; and nothing waits any more."""
    fates = Counter(job.fate for job in played.jobs.values())
    world = played.world
    roots = {job_id for job_id, job in played.jobs.items() if job.fate == "retried"}
    assert Counter(world.attempts) == {(root, 2): 1 for root in roots}
    assert world.keys("_outbox/") == world.keys("_digests/") == world.keys("_undelivered/") == []
    assert world.keys("_dead/") == []
    done = [key for key in world.keys("_done/") if "-alert." in key]
    kinds = Counter(key.rpartition("-alert.")[2] for key in done)
    assert kinds == {
        "failed.json": fates["alerted"],
        "recovered.json": fates["retried"],
        "absent.json": 1,
    }
    if world.memory.journal:  # of a ledger in memory
        assert set(world.times_alerted().values()) == {1}
    absent = [text for text in world.alerts if "Missing callbacks" in text]
    assert len(absent) == 1


def test_while_cos_is_down_nothing_is_raised(played: Hours) -> None:
    """A sweep a minute says that it broke off, and so does a pass of reconciliation."""
    assert played.sweeps["aborted", True] == UP - DOWN
    assert {status for status, down in played.sweeps if not down} == {"done"}
    lines = played.world.lines
    assert {line["event"] for line in lines} & {"internal_error", "ticket_failed"} == set()
    passes = [line["status"] for line in lines if line["event"] == "reconcile"]
    assert passes == ["aborted", "done", "done", "done"]


def test_without_a_spill_all_is_in_the_log(played: Hours) -> None:
    """A callback is whole there; what comes again later is a duplicate."""
    lines = played.world.lines
    if played.spill is not None:
        assert "callback_not_stored" not in {line["event"] for line in lines}
        return
    refused = [job for job, answers in played.answers.items() if answers[0][1] == 503]
    logged = {line["sha256"] for line in lines if line["event"] == "callback_not_stored"}
    assert (
        len(logged)
        == len(refused)
        == sum(
            DOWN <= job.minute < UP and job.sender != "never at all" for job in played.jobs.values()
        )
    )
    late = [job for job in refused if played.jobs[job].sender == "late"]
    assert late
    assert {played.answers[job][-1] for job in late} == {("duplicate", 200)}
    by_reconciliation = [job for job in late if played.jobs[job].way(False) == "reconciliation"]
    assert by_reconciliation
    # The bodies of those that send again soon and often are in the log as well.
    before = [job for job in refused if played.jobs[job].minute < LOG_ENDS]
    assert sum(played.replayed.values()) == len(before)
    assert played.replayed["duplicate"] == sum(played.jobs[job].sender == "soon" for job in before)


def test_with_a_spill_the_first_sweep_after_the_outage_takes_all_of_it_in(played: Hours) -> None:
    """Each callback of the outage was answered 200, and none was sent again."""
    if played.spill is None:
        assert "spilled" not in {line["event"] for line in played.world.lines}
        return
    during = [job for job, answers in played.answers.items() if answers[0][0] == "spilled"]
    assert len(during) == sum(
        DOWN <= job.minute < UP and job.sender != "never at all" for job in played.jobs.values()
    )
    assert {played.answers[job][0][1] for job in during} == {200}
    assert {len(played.answers[job]) for job in during} == {1}
    assert int(played.emptied) == UP
    (taken,) = [line for line in played.world.lines if line["event"] == "spilled" and line["done"]]
    assert (taken["status"], taken["done"]) == ("done", len(during))
