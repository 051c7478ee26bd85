"""Everything that a ledger keeps of a job, to be removed. Finds it, and removes it when told to.

A job's retries are its own jobs at CI, of the same input: they are removed with their root. What
holds several jobs (a batch of deliveries, an alert that no channel took) is written again without
this one.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeAlias

from handler.ledger import keys
from handler.ledger.attempts import Attempts
from handler.ledger.store import Store
from handler.parallel import in_parallel

BATCH = 256
REPLAYED = ".replayed.json"


@dataclass(frozen=True)
class Job:
    """The ids of a root job and its retries, the root first."""

    ids: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """As parts of keys."""
        return tuple(map(keys.name, self.ids))

    def is_named_in(self, text: str) -> bool:
        """Whether a text names one of them, and not another whose id begins or ends like it."""
        return self._pattern.search(text) is not None

    @property
    def _pattern(self) -> re.Pattern[str]:
        # Every text has commas and quotes: an id without a letter or digit is found by keys only.
        ids = [one for one in self.ids if any(map(str.isalnum, one))]
        # An id in JSON may be escaped: it is looked for as it would be written there, too.
        sent = {form for one in ids for form in (one, json.dumps(one)[1:-1])}
        # In a key, `-` only separates. In an id it is a character as others are.
        some = [rf"(?<![\w~-]){re.escape(form)}(?![\w~-])" for form in sorted(sent)]
        some += [rf"(?<=[-/]){re.escape(keys.name(one))}(?=[-./])" for one in ids]
        return re.compile("|".join(some) or "(?!)")


@dataclass(frozen=True)
class Kept:
    """What is kept of a job. gone: keys of objects that are removed. rest: of objects that hold
    other jobs too, by key, what stays of them."""

    job: Job
    gone: tuple[str, ...] = ()
    rest: Mapping[str, bytes] = field(default_factory=dict)


def find(store: Store, job_id: str) -> Kept:
    """Everything but what SPILL_URL holds. May raise StoreError."""
    job = _family(store, job_id)
    gone: list[str] = []
    rest: dict[str, bytes] = {}
    # In the order of the table: what would be acted on goes first, what proves an attempt last.
    for prefix, look in WHERE.items():
        for key, stays in look(store, prefix, job):
            if stays is None:
                gone.append(key)
            else:
                rest[key] = stays
    return Kept(job, tuple(gone), rest)


def remove(store: Store, kept: Kept) -> None:
    """Remove it. May raise StoreError: then a second run removes what is left."""
    # A person was asked in between: an alert that was sent by now must not be sent again.
    for key, stays in _entries_of(store, kept.rest, kept.job):
        if stays is None:
            store.delete(key)
        else:
            store.put(key, stays)
    for begin in range(0, len(kept.gone), BATCH):
        store.delete_many(kept.gone[begin : begin + BATCH])


def spilled(store: Store, job: Job) -> list[str]:
    """Callbacks about the job in the store of SPILL_URL. May raise StoreError."""
    return [key for key, _ in _bodies(store, keys.SPILL, job)]


def _family(store: Store, job_id: str) -> Job:
    line = store.get(keys.lineage(job_id))
    try:
        root = json.loads(line)["root_job_id"] if line else job_id
    except (ValueError, KeyError, TypeError, RecursionError):
        root = job_id
    if not isinstance(root, str) or not root:
        root = job_id
    ids = [root, job_id]
    for key in store.list(f"{keys.ATTEMPTS}{keys.name(root)}/"):
        try:
            attempt = Attempts(store).at(key)
        except (ValueError, TypeError):
            continue  # it is removed, whatever it is
        if attempt is not None and attempt.job_id:
            ids.append(attempt.job_id)
    return Job(tuple(dict.fromkeys(ids)))


Found: TypeAlias = Iterator[tuple[str, bytes | None]]
"""Keys, and what stays of the object: None for nothing."""
Look: TypeAlias = Callable[[Store, str, Job], Found]


def _by_day(store: Store, prefix: str, job: Job) -> Found:
    """`dt=DAY/NAME.json`, and `dt=DAY/NAME-….json`."""
    for place in store.folders(f"{prefix}dt="):
        for name in job.names:
            for key in store.list(f"{place}{name}"):
                last = key.rpartition("/")[2]
                if last == f"{name}.json" or last.startswith(f"{name}-"):
                    yield key, None


def _by_part(store: Store, prefix: str, job: Job) -> Found:
    """`…-NAME-….json`."""
    for key in store.list(prefix):
        if any(f"-{name}-" in key for name in job.names):
            yield key, None


def _by_name(store: Store, prefix: str, job: Job) -> Found:
    """`NAME.json`, and `NAME/….json`."""
    for name in job.names:
        if store.get(f"{prefix}{name}.json") is not None:
            yield f"{prefix}{name}.json", None
        for key in store.list(f"{prefix}{name}/"):
            yield key, None


def _entries(store: Store, prefix: str, job: Job) -> Found:
    """JSON with lists: the entries that name the job go, and the object where none is left."""
    return _entries_of(store, store.list(prefix), job)


def _entries_of(store: Store, listed: Iterable[str], job: Job) -> Found:
    for key, data in _objects(store, listed):
        text = data.decode("utf-8", "replace")
        if not job.is_named_in(text):
            continue
        try:
            rest, count = _without(json.loads(text), job)
        except (ValueError, RecursionError):
            continue
        stays = json.dumps(rest, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        yield key, stays if count else None


def _without(value: Any, job: Job) -> tuple[Any, int]:
    """The value without the entries of its outermost lists that name the job, and how many entries
    are left."""
    if isinstance(value, list):
        rest = [item for item in value if not job.is_named_in(json.dumps(item, ensure_ascii=False))]
        return rest, len(rest)
    if not isinstance(value, dict):
        return value, 0
    parts = {name: _without(item, job) for name, item in value.items()}
    return {name: rest for name, (rest, _) in parts.items()}, sum(n for _, n in parts.values())


def _bodies(store: Store, prefix: str, job: Job) -> Found:
    """Dead letters and spilled callbacks: by the body, which is in base64."""
    listed = list(store.list(prefix))
    there = set(listed)
    for key, data in _objects(store, [key for key in listed if not key.endswith(REPLAYED)]):
        try:
            values = json.loads(data)
            body = base64.b64decode(values["body_base64"])
        except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
            body = b""
        text = (data + b"\n" + body).decode("utf-8", "replace")
        if job.is_named_in(text):
            yield key, None
            if key + REPLAYED in there:
                yield key + REPLAYED, None


def _compacted(store: Store, prefix: str, job: Job) -> Found:
    """A day that was folded with the job's record: a copy, which `compact` makes again."""
    names = {f"{name}.json" for name in job.names}
    for place in store.folders(f"{prefix}dt="):
        manifest = store.get(f"{place}_manifest.json")
        try:
            held = set(json.loads(manifest)["names"]) if manifest else set()
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if held & names:
            for key in store.list(place):
                yield key, None


def _nothing(store: Store, prefix: str, job: Job) -> Found:
    """It names no job."""
    return iter(())


def _objects(store: Store, listed: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    waiting = iter(listed)
    while some := list(islice(waiting, BATCH)):
        read: Sequence[bytes | None] = in_parallel(store.get, some)
        for key, data in zip(some, read, strict=True):
            if data is not None:
                yield key, data


WHERE: Mapping[str, Look] = {
    keys.OUTBOX: _by_part,
    keys.EVENTS: _by_part,
    keys.PENDING: _entries,
    keys.DIGESTS: _entries,
    keys.UNDELIVERED: _entries,
    keys.DELIVERIES: _entries,
    keys.DEAD: _bodies,
    keys.COMPACTED: _compacted,
    keys.UNFINISHED: _by_day,
    keys.REVIEWS: _by_day,
    keys.WORKFLOWS: _by_day,
    keys.JOBS: _by_day,
    keys.FINALS: _by_name,
    keys.DONE: _by_part,
    keys.LINEAGE: _by_name,
    keys.ATTEMPTS: _by_name,
    # `spilled` looks there: it is another store.
    keys.SPILL: _nothing,
    keys.LEASES: _nothing,
    keys.DESTINATIONS: _nothing,
    keys.FORWARD_LEASES: _nothing,
    keys.RECONCILE: _nothing,
    keys.DOCTOR: _nothing,
    keys.CODE: _nothing,
    keys.CONNECTIONS: _nothing,
}
"""Each prefix of the ledger, and how a job is found below it."""
