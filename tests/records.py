"""Hand-made records, and stores whose listings do what COS's may do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from handler.callback.record import JobRecord
from handler.ledger import keys
from handler.ledger.store import Store

DAY = "2026-09-20"


def record(job_id: str, day: str = DAY, **fields: Any) -> JobRecord:
    """A Transcode job of that day that succeeded; fields: what is otherwise."""
    values: dict[str, Any] = {
        "kind": "job",
        "event": "TaskFinish",
        "job_id": job_id,
        "tag": "Transcode",
        "sub_tag": None,
        "state": "Success",
        "outcome": "succeeded",
        "code": "Success",
        "message": "",
        "queue_id": "p1",
        "queue_type": None,
        "progress_percent": None,
        "created_at": f"{day}T08:00:00Z",
        "started_at": f"{day}T08:00:05Z",
        "ended_at": f"{day}T08:01:05.250Z",
        "wait_s": 5,
        "run_s": 60.25,
        "input": None,
        "outputs": [],
        "user_data": None,
        "custom_id": None,
        "job_level": 0,
        "workflow": None,
        "result": None,
        "details": {"JobId": job_id},
        "retry": {"root_job_id": job_id, "attempt": 1},
        "source": {
            "trigger": "http",
            "format": "json",
            "digest": "0" * 64,
            "received_at": f"{day}T08:01:06Z",
            "request_id": "request-1",
            "verified": None,
        },
    }
    return JobRecord(**values | fields)


def keep(store: Store, *records: JobRecord) -> list[str]:
    """Put records where they belong; their keys."""
    for job_record in records:
        store.put(keys.record(job_record), job_record.to_json())
    return [keys.record(job_record) for job_record in records]


class Listing:
    """A store whose listings leave out what is `hidden` and still show what is `gone`."""

    def __init__(
        self, inner: Store, hidden: Collection[str] = (), gone: Collection[str] = ()
    ) -> None:
        self.inner = inner
        self.hidden = set(hidden)
        self.gone = set(gone)

    def put_new(self, key: str, data: bytes) -> bool:
        return self.inner.put_new(key, data)

    def put(self, key: str, data: bytes) -> None:
        self.inner.put(key, data)

    def get(self, key: str) -> bytes | None:
        return self.inner.get(key)

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        shown = {*self.inner.list(prefix, stop, after), *self.gone} - self.hidden
        return iter(sorted(key for key in shown if key.startswith(prefix)))

    def folders(self, prefix: str) -> Sequence[str]:
        return self.inner.folders(prefix)

    def delete(self, key: str) -> None:
        self.inner.delete(key)

    def delete_many(self, names: Sequence[str]) -> None:
        self.inner.delete_many(names)
