"""Stores that misbehave, requests that go wrong at will, and a world without sockets and disks.

`MemoryStore` keeps the promises of a Store; the others wrap a store and break what COS does
not promise. `Trouble` lets the requests of an invocation go wrong, to the store and over HTTP,
or ends the process at one of them. `QuickWorld` is `World` with all of CI's face but its
sockets, so that thousands of invocations can be played in seconds.
"""

from __future__ import annotations

import builtins
import io
import itertools
import json
import threading
from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar
from urllib.parse import unquote, urlsplit

from ci_callback.ci_simulator import BUCKET, REGION, CiSimulator, Job
from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.ci_simulator.jobs import Jobs
from ci_callback.ci_simulator.server import ResetError, Seen
from handler.app import Function
from handler.callback.catalogue import family_of
from handler.callback.families import Family
from handler.ci_api.client import Ci, CiAddress
from handler.errors import NoAnswerError, StoreError
from handler.http_client import Answer, Http
from handler.ledger.bucket import Credentials
from handler.ledger.store import Store
from handler.log import Log
from tests.alert_services import AlertService, Received
from tests.world import START, TRANSLATION, World

T = TypeVar("T")


class Change(NamedTuple):
    """One write. data: None where the key was deleted. at: epoch seconds."""

    at: float
    key: str
    data: bytes | None


class MemoryStore:
    """A Store in memory: atomic, listed in the order of keys, and safe among threads.

    `journal` has every change since the beginning, by the clock that it is given.
    """

    def __init__(self, clock: Callable[[], float] = lambda: START) -> None:
        self.clock = clock
        self.journal: list[Change] = []
        self._data: dict[str, bytes] = {}
        self._keys: list[str] = []
        self._lock = threading.RLock()

    def put_new(self, key: str, data: bytes) -> bool:
        with self._lock:
            if key in self._data:
                return False
            self.put(key, data)
            return True

    def put(self, key: str, data: bytes) -> None:
        with self._lock:
            if key not in self._data:
                insort(self._keys, key)
            self._data[key] = data
            self.journal.append(Change(self.clock(), key, data))

    def get(self, key: str) -> bytes | None:
        return self._data.get(key)

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        with self._lock:
            return iter(_listed(self._keys, prefix, stop, after))

    def folders(self, prefix: str) -> Sequence[str]:
        return _folders(self.list(prefix), prefix)

    def delete_many(self, names: Sequence[str]) -> None:
        for name in names:
            self.delete(name)

    def delete(self, key: str) -> None:
        with self._lock:
            if self._data.pop(key, None) is not None:
                del self._keys[bisect_left(self._keys, key)]
                self.journal.append(Change(self.clock(), key, None))

    def keys_at(self, moment: float) -> builtins.list[str]:
        """The keys that were there at a moment, in order."""
        with self._lock:
            last = {change.key: change.data for change in self.journal if change.at <= moment}
        return sorted(key for key, data in last.items() if data is not None)


class Wrapped:
    """A store that does what another one does. Subclasses misbehave."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner

    def put_new(self, key: str, data: bytes) -> bool:
        return self.inner.put_new(key, data)

    def put(self, key: str, data: bytes) -> None:
        self.inner.put(key, data)

    def get(self, key: str) -> bytes | None:
        return self.inner.get(key)

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        return self.inner.list(prefix, stop, after)

    def folders(self, prefix: str) -> Sequence[str]:
        return self.inner.folders(prefix)

    def delete(self, key: str) -> None:
        self.inner.delete(key)

    def delete_many(self, names: Sequence[str]) -> None:
        self.inner.delete_many(names)


class LaggingStore(Wrapped):
    """Listings show what was there up to `lag()` seconds ago: what was deleted since is still
    listed, and what was put since is not."""

    def __init__(self, inner: MemoryStore, lag: Callable[[], float]) -> None:
        super().__init__(inner)
        self._memory = inner
        self._lag = lag

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        keys = self._memory.keys_at(self._memory.clock() - self._lag())
        return iter(_listed(keys, prefix, stop, after))

    def folders(self, prefix: str) -> Sequence[str]:
        return _folders(self.list(prefix), prefix)


class LeakyStore(Wrapped):
    """Two writers of a new key at one instant are both let through, as on COS: between the look
    whether it is there and the write stands a gate."""

    def __init__(self, inner: Store, gate: Callable[[], object]) -> None:
        super().__init__(inner)
        self._gate = gate

    def put_new(self, key: str, data: bytes) -> bool:
        is_there = self.inner.get(key) is not None
        self._gate()
        if is_there:
            return False
        self.inner.put(key, data)
        return True


# --- requests that go wrong ---------------------------------------------------------------


class SimulatedCrash(BaseException):
    """The process ends here. No `except Exception` of the function can hold it."""


How: TypeAlias = Literal["fine", "lost before", "lost after", "dies before", "dies after"]
"""What becomes of a request: its answer is lost, or the process ends, before or after it was
carried out."""


class Trouble:
    """Lets requests go wrong, to the store and over HTTP, numbered together from 1.

    how: from a request's number and what it is ("put _outbox/…", "POST /jobs") to what becomes
    of it. Once the process has died nothing more is carried out, in none of its threads.
    """

    def __init__(self, how: Callable[[int, str], How] = lambda number, what: "fine") -> None:
        self._how = how
        self._is_dead = False
        self._lock = threading.Lock()
        self.asked: list[str] = []

    def ask(self, what: str, request: Callable[[], T], lost: Callable[[int], Exception]) -> T:
        """Carry a request out, or not. lost: the error, by the request's number."""
        with self._lock:
            if self._is_dead:
                raise SimulatedCrash
            self.asked.append(what)
            number = len(self.asked)
        how = self._how(number, what)
        self._is_dead = self._is_dead or how.startswith("dies")
        if how.endswith("before"):
            raise SimulatedCrash if self._is_dead else lost(number)
        result = request()
        if how.endswith("after"):
            raise SimulatedCrash if self._is_dead else lost(number)
        return result

    def store(self, inner: Store) -> TroubledStore:
        """A store whose requests this has the say over."""
        return TroubledStore(inner, self)

    def http(self, inner: Http) -> TroubledHttp:
        """The same for HTTP."""
        return TroubledHttp(inner, self)


class TroubledStore(Wrapped):
    """A store whose answers are 503s, time-outs and resets where `Trouble` says so."""

    def __init__(self, inner: Store, trouble: Trouble) -> None:
        super().__init__(inner)
        self._trouble = trouble

    def put_new(self, key: str, data: bytes) -> bool:
        return self._ask("put_new", key, lambda: self.inner.put_new(key, data))

    def put(self, key: str, data: bytes) -> None:
        self._ask("put", key, lambda: self.inner.put(key, data))

    def get(self, key: str) -> bytes | None:
        return self._ask("get", key, lambda: self.inner.get(key))

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        yield from self._ask("list", prefix, lambda: [*self.inner.list(prefix, stop, after)])

    def folders(self, prefix: str) -> Sequence[str]:
        return self._ask("list", prefix, lambda: self.inner.folders(prefix))

    def delete(self, key: str) -> None:
        self._ask("delete", key, lambda: self.inner.delete(key))

    def delete_many(self, names: Sequence[str]) -> None:
        self._ask("delete_many", names[0], lambda: self.inner.delete_many(names))

    def _ask(self, operation: str, key: str, request: Callable[[], T]) -> T:
        kinds: tuple[tuple[str, int | None, str], ...] = (
            ("COS refused it", 503, "ServiceUnavailable"),
            ("COS gave no answer in time", None, ""),
            ("COS's answer broke off", None, ""),
        )
        return self._trouble.ask(
            f"{operation} {key}",
            request,
            lambda number: StoreError(operation, key, *kinds[number % len(kinds)]),
        )


class TroubledHttp:
    """HTTP whose answers are lost where `Trouble` says so."""

    def __init__(self, inner: Http, trouble: Trouble) -> None:
        self._inner = inner
        self._trouble = trouble

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        return self._trouble.ask(
            f"{method} {urlsplit(url).path}",
            lambda: self._inner.send(method, url, headers, body, timeout_s),
            lambda number: NoAnswerError("somewhere", "the connection was reset", True),
        )


# --- a world without sockets --------------------------------------------------------------


class Phone(AlertService):
    """A person's webhook without its server. taken: the ids of the messages that it took."""

    def __init__(self) -> None:
        # Not AlertService's own, which opens a port.
        self.service, self.secret, self.now = "webhook", "", START
        self.received: list[Received] = []
        self.texts: list[str] = []
        self.taken: list[str] = []
        self.refuse_with: int | str | None = None

    @property
    def port(self) -> int:
        return 1

    def take(self, request: Received) -> tuple[int, bytes]:
        self.received.append(request)
        status, body = super().take(request)
        if status < 300:
            self.taken.append(request.headers["webhook-id"])
        return status, body


class Wires:
    """`Http` straight to CI's face and to the phone: all of them but their sockets."""

    def __init__(self, ci: CiSimulator, phone: Phone) -> None:
        self._ci = ci
        self._phone = phone

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        parts = urlsplit(url)
        named = {name.lower(): value for name, value in headers.items()}
        if parts.path == urlsplit(self._phone.bare_url).path:
            return Answer(*self._phone.take(Received(method, parts.path, named, body)))
        uri = f"{parts.path}?{parts.query}" if parts.query else parts.path
        seen = Seen(method, uri, unquote(parts.path), parts.query, named, body)
        try:
            reply = self._ci.answer(seen)
        except ResetError as error:
            raise NoAnswerError("ci", "the connection was reset", True) from error
        return Answer(reply.status, reply.body)


class NumberedJobs(Jobs):
    """CI's jobs, with ids that are the same in every run: order and jitter hang on them."""

    def __init__(self) -> None:
        super().__init__()
        self._ids = itertools.count(1)

    def add(
        self, family: Family, tag: str, request: dict[str, Any], place: tuple[str, str], at: float
    ) -> Job:
        job = super().add(family, tag, request, place, at)
        del self.by_id[job.job_id]
        job.job_id = f"{family.letter or 'i'}{next(self._ids):032x}"
        self.by_id[job.job_id] = job
        return job


class QuickWorld(World):
    """`World` in memory. Needs no with statement. store: in place of a MemoryStore."""

    def __init__(self, store: Store | None = None, **env: str) -> None:
        # Not World's own, which opens ports.
        self.now = START
        self.timer = self.clock  # how long the machine takes plays no part
        self.memory = MemoryStore(self.clock)
        self.store = store or self.memory
        self.output = io.StringIO()
        self.ci = CiSimulator(self.clock)
        self.ci.api.jobs = NumberedJobs()
        self.phone: Phone = Phone()
        self.http: Http = Wires(self.ci, self.phone)
        self._lines: list[dict[str, Any]] = []
        self.env = {
            "LEDGER_URL": "file:nowhere",
            "COS_ENDPOINT": "http://127.0.0.1:1",
            "COS_REGION": REGION,
            "CI_BUCKET": BUCKET,
            "TENCENTCLOUD_SECRETID": SECRET_ID,
            "TENCENTCLOUD_SECRETKEY": SECRET_KEY,
            "ALERT_URLS": self.phone.url,
        } | env

    def submit(self, request: dict[str, Any] = TRANSLATION, **operation: Any) -> str:
        asked = request | {"Operation": request["Operation"] | operation}
        family = family_of(asked["Tag"], "")
        assert family is not None
        ci = Ci(self.http, Credentials(SECRET_ID, SECRET_KEY, ""), CiAddress(BUCKET, REGION))
        result = ci.create(family, asked)
        assert result.job_id, result
        self.now += 10
        return result.job_id

    def function(
        self,
        store: Store | None = None,
        http: Http | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> Function:
        """The function, with this world's clock. sleep: where waiting does not move the clock."""
        opened = store or self.store
        log = Log(self.output, self.clock)
        return Function(
            self.env,
            self.clock,
            log,
            sleep or self.sleep,
            lambda settings, time_left: opened,
            http or self.http,
            timer=self.timer,
        )

    def digests_of(self) -> dict[str, set[str]]:
        """Which digests there ever were of each alert ticket, by its name. In memory alone."""
        digests: dict[str, set[str]] = defaultdict(set)
        for _, key, data in self.memory.journal:
            if key.startswith("_digests/") and data is not None:
                for name in json.loads(data)["tickets"]:
                    digests[name].add(key.removeprefix("_digests/").removesuffix(".json"))
        return digests

    def times_alerted(self) -> Counter[str]:
        """How often the person was told of each alert ticket, by its name. In memory alone."""
        taken = Counter(self.phone.taken)
        return Counter(
            {name: sum(taken[digest] for digest in ids) for name, ids in self.digests_of().items()}
        )

    def keys(self, prefix: str = "") -> list[str]:
        return list(self.store.list(prefix))

    def read(self, key: str) -> Any:
        return json.loads(self.store.get(key) or b"null")


def _listed(keys: list[str], prefix: str, stop: str | None, after: str) -> list[str]:
    """Of keys in order, those that begin with prefix, behind after and up to stop."""
    end = bisect_left(keys, prefix + "\U0010ffff")
    if stop is not None:
        end = min(end, bisect_left(keys, stop))
    return keys[max(bisect_left(keys, prefix), bisect_right(keys, after)) : end]


def _folders(listed: Iterator[str], prefix: str) -> list[str]:
    """The first part of each of these keys behind the prefix, up to a slash."""
    parts = (key[len(prefix) :].partition("/") for key in listed)
    return sorted({f"{prefix}{head}/" for head, separator, _ in parts if separator})
