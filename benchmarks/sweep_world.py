"""What a sweep meets in virtual time: a store, CI and a channel, with latencies and limits.

The sweep is the real code. Made up is what it asks: each request takes the latency and the CPU of
one core that it is charged, CI refuses what is over its limit, and the platform ends a sweep at its
time limit, wherever it is. Threads are as in virtual_time.py.
"""

from __future__ import annotations

import io
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from benchmarks.virtual_time import VirtualTime
from handler.callback.families import Family
from handler.callback.tree import Tree
from handler.ci_api.client import CiError
from handler.ci_api.locate import CiLocator
from handler.ci_api.responses import CreateResult, Described
from handler.http_client import Answer
from handler.ledger.keys import OUTBOX
from handler.ledger.store import Store
from handler.log import Log
from handler.retries.context import Invocation, SweepContext
from handler.retries.sweep import Summary, Sweep
from handler.settings import Settings

LIMIT_S = 55.0
"""The function's own, as deployed."""

COS_CPU_S, CI_CPU_S, KEY_CPU_S = 0.001, 0.003, 0.000_012
"""Of one core: a request to COS and to CI, signed, sent and read; a key in a listing. Twice
to three times what the sweep and the reconciliation of this benchmark take for theirs."""

CI_PER_S = 50
"""The lower of CI's documented limits (460/36620): of asynchronous requests."""

COS_PER_S = 3_000
"""The lower of COS's documented limits: of a bucket outside mainland China."""

BUCKET = "records-1250000000"


class KilledError(BaseException):
    """The platform ended the function: no handler of the code sees it."""


@dataclass
class World:
    """Time, and what passes in it. latency_s: of every request. begun: of the sweep that runs."""

    latency_s: float
    time: VirtualTime
    begun: float | None = None
    in_second: Counter[tuple[str, int]] = field(default_factory=Counter)

    def charge(self, kind: str, cpu_s: float) -> None:
        """One request of a sweep; those of callbacks are another function's, and free here."""
        if self.begun is None:
            return
        self.time.charge(kind, self.latency_s, cpu_s)
        if self.time.now - self.begun > LIMIT_S:
            raise KilledError

    def is_over(self, service: str, limit: int) -> bool:
        """Whether a service has had as many requests within this second as it takes."""
        second = (service, int(self.time.now))
        self.in_second[second] += 1
        return self.in_second[second] > limit


class MadeUpStore:
    """Objects by key, as on COS."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._data: dict[str, bytes] = {}
        self._keys: list[str] = []

    def put_new(self, key: str, data: bytes) -> bool:
        self._charge("PUT")
        if key in self._data:
            return False
        self._write(key, data)
        return True

    def put(self, key: str, data: bytes) -> None:
        self._charge("PUT")
        self._write(key, data)

    def get(self, key: str) -> bytes | None:
        self._charge("GET")
        return self._data.get(key)

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        listed = self.keys(prefix, stop, after)
        self._charge("LIST", KEY_CPU_S * min(len(listed), 1000))
        for number, key in enumerate(listed):
            if number and number % 1000 == 0:
                self._charge("LIST", KEY_CPU_S * 1000)
            yield key

    def folders(self, prefix: str) -> Sequence[str]:
        self._charge("LIST")
        found = []
        at = bisect_left(self._keys, prefix)
        while at < len(self._keys) and self._keys[at].startswith(prefix):
            end = self._keys[at].find("/", len(prefix)) + 1
            if end:
                found.append(self._keys[at][:end])
            at = bisect_left(self._keys, found[-1] + "\U0010ffff") if end else at + 1
        return found

    def delete(self, key: str) -> None:
        self._charge("DELETE")
        self._remove(key)

    def delete_many(self, names: Sequence[str]) -> None:
        for at in range(0, len(names), 1000):
            batch = names[at : at + 1000]
            self._charge("DELETE" if len(batch) == 1 else "POST", KEY_CPU_S * len(batch))
            for name in batch:
                self._remove(name)

    def keys(self, prefix: str, stop: str | None = None, after: str = "") -> Sequence[str]:
        """The keys in a range, without a request."""
        end = bisect_left(self._keys, prefix + "\U0010ffff")
        if stop is not None:
            end = min(end, bisect_left(self._keys, stop))
        return self._keys[bisect_left(self._keys, max(prefix, after + "\0" if after else "")) : end]

    def _write(self, key: str, data: bytes) -> None:
        if key not in self._data:
            insort(self._keys, key)
        self._data[key] = data

    def _remove(self, key: str) -> None:
        if self._data.pop(key, None) is not None:
            self._keys.pop(bisect_left(self._keys, key))

    def _charge(self, kind: str, more_cpu_s: float = 0.0) -> None:
        if self._world.begun is not None and self._world.is_over("COS", COS_PER_S):
            raise AssertionError("more requests a second than COS takes")
        self._world.charge(kind, COS_CPU_S + more_cpu_s)


@dataclass
class MadeUpCi:
    """CI's job API. states: how a job ended, where it did not fail.

    submitted: when, the job's id and its UserData. refused: requests over CI's limit.
    """

    world: World
    timeout_s: float = 5.0
    user_data: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    submitted: list[tuple[float, str, str]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    def of(self, record: object) -> MadeUpCi:
        return self

    def describe(self, family: Family, job_id: str) -> Described:
        if self._is_over("describe"):
            raise CiError("describe", "SlowDown", retryable=True)
        state = self.states.get(job_id, "Failed")
        return Described(state, "InternalError", "", self._detail(job_id, state))

    def create(self, family: Family, request: Mapping[str, Tree]) -> CreateResult:
        if self._is_over("create"):
            return CreateResult("not_taken", code="SlowDown")
        job_id = f"jnew{len(self.submitted):010d}"
        operation = cast(dict[str, Any], request["Operation"])
        self.user_data[job_id] = str(operation["UserData"])
        self.submitted.append((self.world.time.now, job_id, self.user_data[job_id]))
        return CreateResult("accepted", job_id, detail=self._detail(job_id, "Submitted"))

    def list_jobs(
        self, family: Family, tag: str, since: float, input_object: str | None = None
    ) -> Iterator[dict[str, Tree]]:
        if self._is_over("list"):
            raise CiError("list", "SlowDown", retryable=True)
        yield from ()

    def _is_over(self, kind: str) -> bool:
        self.world.charge(f"CI {kind}", CI_CPU_S)
        is_over = self.world.is_over("CI", CI_PER_S)
        self.refused[kind] += is_over
        return is_over

    def _detail(self, job_id: str, state: str) -> dict[str, Tree]:
        return {
            "JobId": job_id,
            "State": state,
            "Code": "InternalError",
            "CreationTime": "2026-09-21T14:12:00+0000",
            "EndTime": "2026-09-21T14:13:05+0000",
            "QueueId": "p1",
            "Tag": "Transcode",
            "Input": {"Object": "in/x.mp4"},
            "Operation": {
                "TemplateId": "t1",
                "Output": {"Bucket": BUCKET, "Region": "ap-guangzhou", "Object": "o"},
                "UserData": self.user_data.get(job_id, "u"),
            },
        }


class MadeUpChannel:
    """A webhook that takes every message."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.messages = 0

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        self._world.charge("channel", CI_CPU_S)
        self.messages += 1
        return Answer(200, b"ok")


def sweep(
    world: World, with_settings: Settings, store: Store, ci: MadeUpCi, channel: MadeUpChannel
) -> Summary | None:
    """One sweep of the real code; None where the platform ended it."""
    begun = world.begun = world.time.now
    log = Log(io.StringIO(), world.time.clock)
    invocation = Invocation(
        world.time.clock,
        world.time.sleep,
        log,
        "r1",
        channel,
        world.time.clock,
        world.time.parallel,
    )
    context = SweepContext.of(with_settings, store, invocation)
    context.ci = cast(CiLocator, ci)
    try:
        return Sweep(context, lambda: begun + LIMIT_S - world.time.now).run()
    except KilledError:
        return None
    finally:
        world.begun = None


def settings(env: Mapping[str, str]) -> Settings:
    """As deployed by default, with a channel, and what is given."""
    return Settings.from_env(
        {
            "LEDGER_URL": f"cos://{BUCKET}/ci",
            "COS_REGION": "ap-guangzhou",
            "TENCENTCLOUD_SECRETID": "id",
            "TENCENTCLOUD_SECRETKEY": "key",
            "CALLBACK_TOKENS": "none",
            "ALERT_URLS": "https://example.com/hook",
            **env,
        }
    )


def due_names(store: MadeUpStore, now: float) -> set[str]:
    """The names of the tickets that are due."""
    return {key.removeprefix(OUTBOX) for key in store.keys(OUTBOX, f"{OUTBOX}{int(now) + 1:010d}")}
