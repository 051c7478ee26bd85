"""Reconciliation of ten million jobs a day, in virtual time: the real code, a CI and a ledger that
are made up as they are asked.

    python -m benchmarks.reconcile_backlog [JOBS_A_DAY]

Each look is ten minutes behind when it begins, at the end of a day, when the day's listing is
longest. A pass is made each minute, six at most, until no look is behind. What is charged for a
request: the latency, and the CPU of one core that reading such an answer takes, measured when it
begins.
"""

from __future__ import annotations

import io
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from math import gcd
from typing import Any, NamedTuple, cast

from benchmarks.virtual_time import VirtualTime
from handler.callback.families import Family
from handler.ci_api.job_page import JobPage, ListedJob, Window, page_of
from handler.ci_api.locate import CiLocator
from handler.clock import rfc3339_of
from handler.http_client import Answer
from handler.ledger import keys
from handler.ledger.list_page import read_page
from handler.log import Log
from handler.retries.ci_window import LANES, PAGES_PER_S
from handler.retries.context import Invocation, SweepContext
from handler.retries.cursors import Cursors, ages_of
from handler.retries.reconcile import Reconcile, Summary
from handler.settings import Settings

TAG, HOURS = "Transcode", 24
DAY_S = 86_400
BEGIN = 1_790_031_600.0
"""2026-09-21T23:00:00Z: the day's listing is as good as whole."""

MAX_PASSES = 6
"""However far they come: what matters is how far they came in their time."""

BEHIND_S = 600
"""A third of half an hour: larger rounds would only be faster."""

PASS_S = 55.0
REQUEST_CPU_S = 0.0015
"""Signing, sending and receiving, of one core: what a GET of a record takes beside its parsing."""

LONG_EVERY, LONG_S, SHORT_S = 50, 3 * 3600, 30
"""Each 50th job runs for three hours, the others half a minute."""

LOST_EVERY = 20_011
"""Of one job in so many the callback never comes."""


class Job(NamedTuple):
    """number: since 1970, at an even rate."""

    number: int
    created_at: int
    ended_at: int


@dataclass
class Jobs:
    """All jobs there ever were. The order of the ids of a day has nothing to do with that of their
    creation, and each can be computed from the other."""

    a_day: int

    def __post_init__(self) -> None:
        step = int(self.a_day * 0.618)
        while gcd(step, self.a_day) != 1:
            step += 1
        self._step, self._back = step, pow(step, -1, self.a_day)

    def at(self, number: int) -> Job:
        created = number * DAY_S // self.a_day
        return Job(number, created, created + (SHORT_S if number % LONG_EVERY else LONG_S))

    def first_since(self, second: int) -> int:
        return -(-second * self.a_day // DAY_S)

    def id_of(self, job: Job) -> str:
        return f"j{job.number % self.a_day * self._step % self.a_day:08d}"

    def of_rank(self, day: int, rank: int) -> int:
        """The number of the job whose id has a rank among those of its day."""
        return day * self.a_day + rank * self._back % self.a_day

    def xml(self, job: Job) -> str:
        created, ended = (
            datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+0000")
            for at in (job.created_at, job.ended_at)
        )
        return (
            f"<JobsDetail><Code>Success</Code><Message/><JobId>{self.id_of(job)}</JobId>"
            f"<State>Success</State><CreationTime>{created}</CreationTime>"
            f"<StartTime>{created}</StartTime><EndTime>{ended}</EndTime><QueueId>p1</QueueId>"
            f"<Tag>{TAG}</Tag><Input><Object>in/{job.number}.mp4</Object></Input><Operation>"
            "<Output><Bucket>b-1250000000</Bucket><Region>ap-guangzhou</Region><Object>o</Object>"
            "</Output></Operation></JobsDetail>"
        )


class Costs(NamedTuple):
    """Of one request, seconds: latency of COS and of CI, CPU of a page of each."""

    cos_s: float
    ci_s: float
    list_cpu_s: float
    page_cpu_s: float

    @classmethod
    def measured(cls, cos_s: float) -> Costs:
        """CPU as it is here and now; CI takes twice as long as COS for a page."""
        jobs = Jobs(1_000_003)
        inner = "".join(jobs.xml(jobs.at(number)) for number in range(100))
        answer = Answer(200, f"<Response>{inner}<NextToken>1</NextToken></Response>".encode())
        row = (
            "<Contents><Key>records/jobs/dt=2026-09-21/j{:08d}.json</Key><LastModified>"
            "2026-09-21T00:00:00.000Z</LastModified><ETag>&quot;0123456789abcdef&quot;</ETag>"
            "<Size>1643</Size><Owner><ID>1</ID></Owner><StorageClass>STANDARD</StorageClass>"
            "</Contents>"
        )
        rows = "".join(row.format(number) for number in range(1000))
        listing = f"<ListBucketResult>{rows}</ListBucketResult>".encode()
        list_cpu_s = _cpu_of(lambda: read_page(listing)) + REQUEST_CPU_S
        page_cpu_s = _cpu_of(lambda: page_of("list", answer)) + REQUEST_CPU_S
        return cls(cos_s, 2 * cos_s, list_cpu_s, page_cpu_s)


def _cpu_of(call: Callable[[], object], times: int = 20) -> float:
    call()
    begun = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - begun) / times


@dataclass
class MadeUpCi:
    """CI's list. It is a CiLocator too: there is one bucket."""

    jobs: Jobs
    time: VirtualTime
    costs: Costs

    def of_bucket(self) -> MadeUpCi:
        return self

    def list_page(self, family: Family, tag: str, window: Window, token: str | None) -> JobPage:
        number = int(token) if token else self.jobs.first_since(window.begin)
        end = self.jobs.first_since(window.end)
        now = self.time.now
        # The pace of all lanes, shared out among them: they are played one after another.
        latency_s = max(self.costs.ci_s, LANES / PAGES_PER_S)
        self.time.charge("CI", latency_s, self.costs.page_cpu_s)
        listed: list[Job] = []
        while number < end and len(listed) < 100:
            job = self.jobs.at(number)
            if job.ended_at <= now:
                listed.append(job)
            number += 1
        packed = b""
        if any(job.number % LOST_EVERY == 0 for job in listed):
            inner = "".join(map(self.jobs.xml, listed))
            packed = zlib.compress(f"<Response>{inner}</Response>".encode())
        page = [
            ListedJob(self.jobs.id_of(job), _utc(job.created_at), _utc(job.ended_at))
            for job in listed
        ]
        return JobPage(page, str(number) if number < end else None, packed)


def _utc(second: int) -> datetime:
    return datetime.fromtimestamp(second, timezone.utc)


@dataclass
class MadeUpLedger:
    """A store that holds the record of each job that ended, but for those whose callbacks were
    lost, and what is written."""

    jobs: Jobs
    time: VirtualTime
    costs: Costs
    written: dict[str, bytes] = field(default_factory=dict)

    def put_new(self, key: str, data: bytes) -> bool:
        self._charge("PUT")
        if key in self.written:
            return False
        self.written[key] = data
        return True

    def put(self, key: str, data: bytes) -> None:
        self._charge("PUT")
        self.written[key] = data

    def get(self, key: str) -> bytes | None:
        self._charge("GET")
        if key in self.written or not key.startswith(keys.JOBS):
            return self.written.get(key)
        day, rank = _day_of(key), int(key[-13:-5])
        has = self._has()
        return b"{}" if has(self.jobs.of_rank(day, rank)) else None

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        day = _day_of(prefix)
        rank = int(after[len(prefix) + 1 :][:8]) if after else 0
        listed = 0
        self._charge("LIST", self.costs.list_cpu_s)
        has, of_rank, end = self._has(), self.jobs.of_rank, self.jobs.a_day
        while rank < end:
            key = f"{prefix}j{rank:08d}.json"
            if stop is not None and key >= stop:
                return
            if has(of_rank(day, rank)) and key > after:
                listed += 1
                if listed % 1000 == 0:
                    self._charge("LIST", self.costs.list_cpu_s)
                yield key
            rank += 1

    def folders(self, prefix: str) -> Sequence[str]:
        raise AssertionError("reconciliation asks for no folders")

    def delete(self, key: str) -> None:
        raise AssertionError("reconciliation deletes nothing")

    def delete_many(self, names: Sequence[str]) -> None:
        raise AssertionError("reconciliation deletes nothing")

    def _has(self) -> Callable[[int], bool]:
        """Whether the record of a job by its number is there, as of now."""
        now, jobs = self.time.now, self.jobs
        surely_ended = jobs.first_since(int(now) - LONG_S)

        def has(number: int) -> bool:
            is_there = number < surely_ended or jobs.at(number).ended_at <= now
            return is_there and number % LOST_EVERY != 0

        return has

    def _charge(self, kind: str, cpu_s: float = REQUEST_CPU_S) -> None:
        self.time.charge(kind, self.costs.cos_s, cpu_s)


def _day_of(key: str) -> int:
    """Days since 1970, of `jobs/dt=2026-09-21/…`."""
    written = key[len(keys.JOBS) + 3 :][:10]
    return int(datetime.fromisoformat(written).replace(tzinfo=timezone.utc).timestamp()) // DAY_S


class Result(NamedTuple):
    """busy_s: of all passes. minutes: until the last one ended. lost: the jobs whose callbacks were
    lost and that the first look came by, and how many of them were taken in. compared_s: by how
    much the slowest look came on: seconds of creation."""

    minutes: float
    busy_s: float
    cpu_s: float
    passes: int
    requests: dict[str, int]
    lost: tuple[int, int]
    compared_s: int

    @property
    def load(self) -> float:
        """How long it took to compare jobs, by how long they took to come. At 1 it is never
        whole."""
        return self.minutes * 60 / self.compared_s


def play(a_day: int, cos_s: float, costs: Costs | None = None) -> Result:
    """The work of ten minutes' jobs."""
    virtual = VirtualTime(BEGIN)
    costs = costs or Costs.measured(cos_s)
    jobs = Jobs(a_day)
    ledger = MadeUpLedger(jobs, virtual, costs)
    ci = MadeUpCi(jobs, virtual, costs)
    behind = {age: int(BEGIN) - age - BEHIND_S for age in ages_of(HOURS)}
    Cursors(TAG, cursors=behind, lag_s=BEHIND_S).save(ledger, BEGIN)
    virtual.requests.clear()
    passes = busy_s = 0.0
    summary = Summary(TAG, "in_progress")
    while summary.status == "in_progress" and passes < MAX_PASSES:
        begun = virtual.now
        summary = _one_pass(ledger, ci, virtual)
        passes += 1
        busy_s += virtual.now - begun
        ended = virtual.now
        virtual.now = max(begun + 60, virtual.now)
    requests = dict(virtual.requests)
    reached = Cursors.load(ledger, TAG, by_hand=False).cursors
    first = ages_of(HOURS)[0]
    lost = [
        job
        for number in range(jobs.first_since(behind[first]), jobs.first_since(reached[first]))
        if (job := jobs.at(number)).number % LOST_EVERY == 0 and job.ended_at <= BEGIN - 600
    ]
    taken_in = sum(_key(jobs, job) in ledger.written for job in lost)
    return Result(
        (ended - BEGIN) / 60,
        busy_s,
        virtual.cpu_s,
        int(passes),
        requests,
        (len(lost), taken_in),
        min(reached[age] - behind[age] for age in reached),
    )


def _key(jobs: Jobs, job: Job) -> str:
    return keys.job(jobs.id_of(job), rfc3339_of(job.created_at))


def _one_pass(ledger: MadeUpLedger, ci: MadeUpCi, virtual: VirtualTime) -> Summary:
    begun = virtual.now
    settings = Settings.from_env(
        {
            "LEDGER_URL": "cos://records-1250000000",
            "COS_REGION": "ap-guangzhou",
            "TENCENTCLOUD_SECRETID": "id",
            "TENCENTCLOUD_SECRETKEY": "key",
            "RECONCILE_TAGS": f"{TAG}:{HOURS}",
        }
    )
    log = Log(io.StringIO(), virtual.clock)
    invocation = Invocation(
        virtual.clock, lambda seconds: None, log, "r1", cast(Any, None), virtual.clock
    )
    context = SweepContext.of(settings, ledger, invocation)
    context.ci = cast(CiLocator, ci)
    reconciliation = Reconcile(
        context, lambda: begun + PASS_S - virtual.now, parallel=virtual.parallel
    )
    (summary,) = reconciliation.run()
    return summary


def main() -> None:
    """Print the rows."""
    a_day = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    for cos_s in (0.02, 0.05):
        result = play(a_day, cos_s)
        print(f"{a_day:,} jobs a day, {cos_s * 1000:g} ms a COS request:")
        print(f"  work / time {result.load:.2f}, {result}")


if __name__ == "__main__":
    main()
