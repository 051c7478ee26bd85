"""event.py and queue.py: the event that a record calls for, and the name under which it waits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from referencing import Registry, Resource

import ci_callback
from handler.callback.envelope import Kind, Notice
from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord, Source, normalise
from handler.events.event import (
    NOT_FINAL,
    NOTES,
    Event,
    Type,
    of_failure,
    of_missing_callback,
    of_record,
)
from handler.events.queue import OWN, EventQueue, Queued, name_of
from handler.ledger import keys
from handler.ledger.attempts import Attempts
from handler.policy import Policy
from handler.settings.destinations import TYPES
from tests.callback.test_record import job
from tests.stores import MemoryStore

POLICY = Policy(3, 60, 3600)
FOLDER = Path(ci_callback.__file__).parent
SCHEMA: dict[str, Any] = json.loads((FOLDER / "job-event-1.schema.json").read_text())
RECORD = json.loads((FOLDER / "job-record-1.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA,
    registry=Registry().with_resource("job-record-1.schema.json", Resource.from_contents(RECORD)),
)
FAILED = job(State="Failed", Code="InternalError", Tag="Translation")
SUCCEEDED = job(State="Success", Code="Success", Tag="Translation", UserData="mine")


def other(kind: Kind, **detail: Any) -> JobRecord:
    """A record of a workflow's run or of a review."""
    source = Source("http", "xml", "2026-11-21T08:00:00Z", "r1")
    return normalise(Notice(kind, None, "w1", detail, None), source)


def event_of(record: JobRecord) -> Event:
    made = of_record(record, POLICY)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("record", "kind", "reason"),
    [
        (SUCCEEDED, "job.succeeded", ""),
        (SUCCEEDED.with_lineage(Lineage("j0", 2)), "job.recovered", ""),
        (FAILED, "job.retrying", ""),
        (FAILED.with_lineage(Lineage("j0", 2)), "job.retrying", ""),
        (FAILED.with_lineage(Lineage("j0", 3)), "job.failed", "gave-up"),
        (job(State="Failed", Code="InvalidArgument"), "job.failed", "failed"),
        (job(State="Cancel"), "job.cancelled", ""),
        (job(State="Odd"), "job.failed", "unknown"),
        (
            job(State="Success", Operation={"PicProcessResult": {"State": "Failed"}}),
            "job.partial",
            "",
        ),
        (other("workflow", State="Success", RunId="w1"), "workflow.finished", ""),
        (other("workflow", State="Failed", RunId="w1"), "workflow.finished", ""),
        (other("review", State="Success", JobId="w1"), "review.finished", ""),
    ],
)
def test_each_end_is_an_event_of_its_type(record: JobRecord, kind: str, reason: str) -> None:
    """Whose body is as the schema says."""
    event = event_of(record)
    assert (event.type, event.reason) == (kind, reason)
    assert event.is_final is (kind not in NOT_FINAL)
    body = json.loads(event.to_json())
    VALIDATOR.validate(body)
    assert body["record"] == json.loads(record.to_json())
    assert Event.from_queue(event.to_queue()) == event


@pytest.mark.parametrize(
    "record",
    [
        job(State="Running"),
        job(State="Submitted"),
        other("workflow", State="Odd", RunId="w1"),
        other("review", State="Auditing", JobId="w1"),
    ],
)
def test_what_is_no_end_is_no_event(record: JobRecord) -> None:
    """A start, and a state that is not known of what is no job."""
    assert of_record(record, POLICY) is None


def test_a_retry_says_when() -> None:
    """The back-off of its ticket, and not before its callback came."""
    ended = FAILED._replace(ended_at="2026-11-21T07:59:59Z")
    at = event_of(ended).retry_at
    assert at is not None
    assert "2026-11-21T08:00:00Z" <= at <= "2026-11-21T08:00:59Z"
    assert event_of(FAILED).retry_at == "2026-11-21T08:00:00Z"


def test_the_id_is_a_function_of_root_job_type_and_reason() -> None:
    """The same for a redelivery in another form; another one for each of them."""
    again = SUCCEEDED._replace(source={**SUCCEEDED.source, "digest": "f" * 64, "format": "json"})
    assert event_of(again).id == event_of(SUCCEEDED).id
    events = [
        event_of(SUCCEEDED),
        event_of(SUCCEEDED._replace(job_id="j2", retry={"root_job_id": "j2", "attempt": 1})),
        event_of(SUCCEEDED.with_lineage(Lineage("j0", 2))),
        event_of(FAILED),
        of_missing_callback(SUCCEEDED),
        *(of_failure(FAILED, reason, "why") for reason in NOTES),
    ]
    assert len({event.id for event in events}) == len(events)


def test_each_report_of_a_review_is_an_event_of_its_own() -> None:
    """A live one is reported with each batch of pictures."""
    first = other("review", State="Success", JobId="w1")
    second = other("review", State="Success", JobId="w1", Label="Porn")
    assert event_of(first).id != event_of(second).id
    assert name_of(event_of(first)) != name_of(event_of(second))


def test_the_types_of_the_schema_are_those_of_the_code() -> None:
    """And the reasons that the page names."""
    assert tuple(SCHEMA["properties"]["type"]["enum"]) == TYPES
    assert get_args(Type) == TYPES
    assert set(TYPES) > NOT_FINAL
    page = (FOLDER.parent / "docs" / "events.md").read_text()
    assert all(f"| `{word}` |" in page for word in TYPES)
    assert all(f"| `{word}` |" in page for word in SCHEMA["properties"]["reason"]["enum"] if word)


# --- the queue ------------------------------------------------------------------------------


@pytest.mark.parametrize("job_id", ["j1", "J-1/..", "x" * 300])
def test_a_name_leads_to_the_record(job_id: str) -> None:
    """Of an end that the record alone tells; any name of a job is one segment."""
    record = SUCCEEDED._replace(job_id=job_id, retry={"root_job_id": job_id, "attempt": 1})
    queued = Queued.of(name_of(event_of(record)))
    assert queued is not None
    assert (queued.kind, queued.outcome) == (OWN, "succeeded")
    assert queued.record_key == keys.record(record)


def test_the_name_is_the_same_for_a_redelivery_and_sorts_by_the_end_of_the_job() -> None:
    """And is at the front where the job has no time that is believed."""
    again = SUCCEEDED._replace(source={**SUCCEEDED.source, "received_at": "2026-12-01T00:00:00Z"})
    assert name_of(event_of(again)) == name_of(event_of(SUCCEEDED))
    later = SUCCEEDED._replace(ended_at="2090-01-01T00:00:00Z")
    none = SUCCEEDED._replace(ended_at=None, created_at=None)
    names = [name_of(event_of(record)) for record in (none, SUCCEEDED, later)]
    assert names == sorted(names)


@pytest.mark.parametrize(
    "name", ["", "folder-marker", "1-j-x-20260101-own.json", "../x", "0000000000-j-x-2026-own.json"]
)
def test_what_is_no_name_of_an_event_is_none(name: str) -> None:
    """Such as the marker of a folder."""
    assert Queued.of(name) is None


def test_a_failure_is_put_under_the_root_that_is_proven() -> None:
    """By the ledger, whatever the record says."""
    store = MemoryStore()
    marker = "/ci-retry:j0:2:00c0ffee00c0ffee"
    marked = job(State="Failed", Operation={"UserData": f"mine{marker}"}, Tag="Translation")
    Attempts(store).note_lineage(marked.job_id, Lineage("j0", 2))
    EventQueue(store, POLICY).put_failure(marked, "refused", "CI refused it")
    (key,) = store.list("_events/")
    event = Event.from_queue(store.get(key) or b"")
    assert (event.root_job_id, event.attempt, event.reason) == ("j0", 2, "refused")
    assert not event.own_record


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{}", b'{"schema": "queued-event/1"}', b"[" * 99_999]
)
def test_what_is_no_queued_event_is_an_error(line: bytes) -> None:
    """Must raise: it becomes a dead letter."""
    with pytest.raises(ValueError, match=r"\S"):
        Event.from_queue(line)
