"""Whether sweeps drain what is due: the real sweep in virtual time.

    python -m benchmarks --only backlog

A minute of the play: callbacks come, of failures and of what was submitted again; then the timer
runs a sweep. 80 % of the re-submissions succeed, 60 s after they were submitted.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from benchmarks.made_up import made_up_record
from benchmarks.sweep_world import (
    BUCKET,
    MadeUpChannel,
    MadeUpCi,
    MadeUpStore,
    World,
    due_names,
    settings,
    sweep,
)
from benchmarks.virtual_time import VirtualTime
from handler.alerts.stored import Digest
from handler.callback.lineage import Lineage, detach
from handler.callback.record import JobRecord
from handler.clock import rfc3339_of
from handler.ingest.recorder import Recorder
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.keys import DIGESTS, OUTBOX
from handler.ledger.keys import record as record_key
from handler.ledger.outbox import about

BEGIN = 1_790_000_040.0
"""A whole minute."""

MINUTE = 60.0
RUN_S = 60.0
"""Of a job that is submitted again."""

RECOVERS = 0.8


class Burst(NamedTuple):
    """What a burst of failures takes.

    minutes: from the last failure until all were told. cos, ci: requests for each failure.
    killed: sweeps that the platform ended. refused: by CI, for its limit. busy_s: of all sweeps.
    """

    minutes: float
    cos: float
    ci: float
    killed: int
    refused: int
    busy_s: float


@dataclass
class Play:
    """A ledger with its timer. env: settings that differ from those of a deployment.

    sent: how often each alert ticket was in a digest that was delivered. told_at: when the first
    alert about a job, by its root, was. due_since: of each ticket that is due, since which minute.
    """

    latency_s: float
    env: Mapping[str, str] = field(default_factory=dict)
    killed: int = 0
    busy_s: float = 0.0
    longest_s: float = 0.0
    sent: Counter[str] = field(default_factory=Counter)
    begun_at: dict[str, float] = field(default_factory=dict)
    told_at: dict[str, float] = field(default_factory=dict)
    due_since: dict[str, float] = field(default_factory=dict)
    longest_due_s: float = 0.0

    def __post_init__(self) -> None:
        self.world = World(self.latency_s, VirtualTime(BEGIN))
        self.store = Telling(self.world, self)
        self.ci = MadeUpCi(self.world)
        self.channel = MadeUpChannel(self.world)
        self._settings = settings(self.env)
        self._recorder = Recorder.of(self._settings, self.store)
        self._delivered = 0

    def minute(self, failures: int = 0) -> None:
        """Callbacks of a minute, then its sweep; then the time of the next one."""
        begun = self.world.time.now
        self._deliver_again(begun)
        for _ in range(failures):
            job_id = f"j{len(self.begun_at):032x}"
            self.begun_at[job_id] = begun
            ended = begun - _share(job_id) * MINUTE
            self.store_callback(_record(job_id, Lineage(job_id, 1), "failed", ended))
        summary = sweep(self.world, self._settings, self.store, self.ci, self.channel)
        took = self.world.time.now - begun
        self.killed += summary is None
        self.busy_s += took
        self.longest_s = max(self.longest_s, took)
        self.world.time.now = max(begun + MINUTE, self.world.time.now)
        self._note_waits(begun)

    def told(self, digest: Digest) -> None:
        """A digest was delivered to its channel."""
        self.sent.update(digest.tickets)
        for name in digest.tickets:
            job_id = name.split("-")[1]
            marker = detach(self.ci.user_data.get(job_id))[1]
            root = marker.lineage.root_job_id if marker else job_id
            self.told_at.setdefault(root, self.world.time.now)

    def _deliver_again(self, now: float) -> None:
        """The callbacks of what was submitted again and has ended."""
        submitted = self.ci.submitted
        while self._delivered < len(submitted) and submitted[self._delivered][0] + RUN_S <= now:
            at, job_id, user_data = submitted[self._delivered]
            self._delivered += 1
            marker = detach(user_data)[1]
            if marker is None:
                raise AssertionError("each re-submission has a marker")
            outcome = "succeeded" if _share(f"{marker.lineage}") < RECOVERS else "failed"
            self.ci.states[job_id] = "Success" if outcome == "succeeded" else "Failed"
            self.store_callback(_record(job_id, marker.lineage, outcome, at + RUN_S))

    def store_callback(self, record: JobRecord) -> None:
        """A callback that CI sent."""

        def no_conflict() -> DeadLetter:
            raise AssertionError("no job has two ends here")

        self._recorder.store(record, no_conflict)

    def _note_waits(self, now: float) -> None:
        """How long each ticket is due already; those that are gone wait no more."""
        due = due_names(self.store, now)
        self.due_since = {name: self.due_since.get(name, now) for name in due}
        oldest = min(self.due_since.values(), default=now)
        self.longest_due_s = max(self.longest_due_s, now - oldest)


class Telling(MadeUpStore):
    """Notes each digest that is deleted, which is when every channel has taken it."""

    def __init__(self, world: World, play: Play) -> None:
        super().__init__(world)
        self._play = play

    def delete(self, key: str) -> None:
        line = self._data.get(key)
        if key.startswith(DIGESTS) and line is not None:
            self._play.told(Digest.from_json(line))
        super().delete(key)


def burst(latency_s: float, failures: int, minutes: int) -> Burst:
    """So many failures within so many minutes; how long until a person was told of the last."""
    play = Play(latency_s)
    for number in range(minutes):
        play.minute(failures * (number + 1) // minutes - failures * number // minutes)
    last = play.world.time.now
    while len(play.told_at) < failures and play.world.time.now < last + 3600:
        play.minute()
    told = max(play.told_at.values(), default=float("inf"))
    is_all = len(play.told_at) >= failures
    requests = play.world.time.requests
    ci = sum(count for kind, count in requests.items() if kind.startswith("CI"))
    return Burst(
        (told - last) / MINUTE if is_all else float("inf"),
        (requests.total() - ci - play.channel.messages) / failures,
        ci / failures,
        play.killed,
        play.ci.refused.total(),
        play.busy_s,
    )


class Day(NamedTuple):
    """minutes: for how long the oldest ticket was due, at worst. refused: by CI, for its limit."""

    minutes: float
    refused: int


def day(latency_s: float, a_minute: float, minutes: int) -> Day:
    """So many failures a minute, for so many minutes.

    What was submitted again is watched ten minutes later, so that watches are a part of it.
    """
    play = Play(latency_s, {"MISSING_CALLBACK_CHECK_S": "600"})
    for number in range(minutes):
        play.minute(int(a_minute * (number + 1)) - int(a_minute * number))
    return Day(play.longest_due_s / MINUTE, play.ci.refused.total())


class Due(NamedTuple):
    """cos: requests to COS for each submission. submits: of the first sweep. seconds: it took."""

    cos: float
    submits: int
    seconds: float


def due(latency_s: float, count: int) -> Due:
    """One sweep over so many retries that are due."""
    play = Play(latency_s)
    for number in range(count):
        job_id = f"j{number:032x}"
        play.store_callback(_record(job_id, Lineage(job_id, 1), "failed", BEGIN - 7200))
    play.minute()
    requests = play.world.time.requests
    cos = sum(count for kind, count in requests.items() if not kind.startswith(("CI", "channel")))
    submits = requests["CI create"]
    return Due(cos / submits if submits else float("inf"), submits, play.longest_s)


class Alerted(NamedTuple):
    """seconds: of the longest sweep. killed: sweeps. twice, never: alerts."""

    seconds: float
    killed: int
    twice: int
    never: int


def alerts(latency_s: float, count: int) -> Alerted:
    """Sweeps over so many alerts, until none is left."""
    play = Play(latency_s)
    names = []
    for number in range(count):
        job_id = f"j{number:032x}"
        failed = _record(job_id, Lineage(job_id, 1), "failed", BEGIN - 7200)
        ticket = about(failed, "alert.failed")
        play.store.put(record_key(failed), failed.to_json())
        play.store.put(OUTBOX + ticket.name, ticket.to_json())
        names.append(ticket.name)
    for _ in range(10):
        play.minute()
    twice = sum(times > 1 for times in play.sent.values())
    return Alerted(play.longest_s, play.killed, twice, sum(not play.sent[name] for name in names))


def _share(of: str) -> float:
    """From 0 to 1: evenly, and the same in each run."""
    return zlib.crc32(of.encode()) / 2**32


def _record(job_id: str, lineage: Lineage, outcome: str, ended: float) -> JobRecord:
    failed, record = outcome == "failed", made_up_record(job_id)
    return record._replace(
        state="Failed" if failed else "Success",
        outcome="failed" if failed else "succeeded",
        code="InternalError" if failed else "Success",
        created_at=rfc3339_of(ended - MINUTE)[:19] + "Z",
        ended_at=rfc3339_of(ended)[:19] + "Z",
        retry={"root_job_id": lineage.root_job_id, "attempt": lineage.attempt},
        input={"bucket": BUCKET, "region": "ap-guangzhou", "object": "in/x.mp4"},
        source={**record.source, "received_at": rfc3339_of(ended + 1)[:19] + "Z"},
    )
