"""A record as a row of the index. Pure."""

from __future__ import annotations

from typing import NamedTuple

from ci_callback.ledger_reader import StoredRecord, may_follow, received_at
from ci_callback.report.tally import amount, clean, day_of, job_of, known_outcome
from handler.callback import converters
from handler.callback.record import JobRecord
from handler.ledger import keys

UNREADABLE = "unreadable"
"""In place of an outcome: the object can't be read as a record."""

MAX_CHARS = 4_000
"""Of one text that is searched. CI takes no longer UserData."""


MAX_ATTEMPT = 1_000_000
"""No setting allows more; a record that the function did not write may say any number."""


class Row(NamedTuple):
    """The columns of a record. at: when its callback came, epoch seconds. is_final: whether the
    object is never replaced. stamp: when it was written, where the listing says so."""

    key: str
    name: str
    dt: str
    kind: str
    job_id: str
    tag: str
    outcome: str
    code: str
    root: str
    attempt: int
    day: str
    at: float | None
    run_s: float | None
    wait_s: float | None
    input_bytes: int | None
    result_bytes: int | None
    bytes: int | None
    media_s: float | None
    object: str
    created_at: str
    request_id: str
    may_follow: bool
    is_final: bool
    stamp: str


def row_of(stored: StoredRecord, stamp: str = "") -> tuple[Row, str]:
    """The row of an object, and the text in which is searched."""
    _, folder, last = stored.key.split("/", 2)
    name, dt = last.removesuffix(".json"), folder.removeprefix("dt=")
    record = stored.record
    if record is None:
        job_id = clean(keys.sent(name))
        row = Row(
            stored.key, name, dt, "", job_id, "", UNREADABLE, "", "", 0, dt,
            *(None,) * 7, "", "", "", False, False, stamp,
        )  # fmt: skip
        return row, job_id.casefold()
    return _row(record, (stored.key, name, dt, stamp)), searched(record)


def _row(record: JobRecord, place: tuple[str, str, str, str]) -> Row:
    key, name, dt, stamp = place
    job = job_of(record)
    moment = converters.moment(received_at(record))
    return Row(
        key=key,
        name=name,
        dt=dt,
        kind=record.kind,
        job_id=_storable(record.job_id),
        tag=job.tag,
        outcome=known_outcome(record),
        code=clean(record.code),
        root=_storable(record.lineage.root_job_id),
        attempt=min(record.lineage.attempt, MAX_ATTEMPT),
        day=day_of(record),
        at=moment.timestamp() if moment else None,
        run_s=job.run_s,
        wait_s=amount(record.wait_s),
        input_bytes=job.input_bytes,
        result_bytes=job.result_bytes,
        bytes=job.bytes or None,
        media_s=job.media_s,
        object=job.object,
        created_at=job.created_at,
        request_id=_storable(str(record.source.get("request_id") or "")),
        may_follow=may_follow(record),
        is_final=keys.is_written_once(record),
        stamp=stamp,
    )


def searched(record: JobRecord) -> str:
    """All texts by which a record is found, without regard to case."""
    texts = dict.fromkeys(
        (record.job_id, record.lineage.root_job_id, record.tag, record.code, record.message,
         record.user_data, record.job_input.object, record.job_input.url)
    )  # fmt: skip
    return _storable("\n".join(text[:MAX_CHARS] for text in texts if text).casefold())


def _storable(text: str) -> str:
    """As SQLite takes it: UTF-8 has no lone surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8")
