"""Ledgers that are made up for a measurement."""

from __future__ import annotations

from benchmarks.stub_objects import Range
from handler.callback.record import JobRecord
from handler.ledger import keys
from handler.ledger.keys import OUTBOX
from handler.ledger.outbox import Ticket

DUE = 100
"""Tickets that are due in each of the backlogs."""


def due_tickets() -> dict[str, bytes]:
    """100 alerts about failed jobs, and the jobs' records."""
    objects = {}
    for number in range(DUE):
        record = made_up_record(f"jdue{number:03d}")
        ticket = Ticket("alert.failed", record.job_id, record.outcome, record=record)
        objects[OUTBOX + ticket.name] = ticket.to_json()
        objects[keys.record(record)] = record.to_json()
    return objects


def made_up_record(job_id: str) -> JobRecord:
    """A job that failed."""
    day = "2026-09-20"
    return JobRecord(
        kind="job",
        event="TaskFinish",
        job_id=job_id,
        tag="Transcode",
        sub_tag=None,
        state="Failed",
        outcome="failed",
        code="InternalError",
        message="",
        queue_id="p1",
        queue_type=None,
        progress_percent=None,
        created_at=f"{day}T08:00:00Z",
        started_at=f"{day}T08:00:05Z",
        ended_at=f"{day}T08:01:05Z",
        wait_s=5,
        run_s=60,
        input=None,
        outputs=[],
        user_data=None,
        custom_id=None,
        job_level=0,
        workflow=None,
        result=None,
        details={"JobId": job_id},
        retry={"root_job_id": job_id, "attempt": 1},
        source={
            "trigger": "http",
            "format": "xml",
            "digest": "0" * 64,
            "received_at": f"{day}T08:01:06Z",
            "request_id": "request-1",
            "verified": None,
        },
    )


def day_of_records(day: str, count: int, prefix: str = "") -> Range:
    """The keys and records of a day: 1.6 kB each, of which ids, names, sizes and times differ.

    prefix: what keys begin with.
    """
    begin = "j" + day.replace("-", "")
    job = f"{begin}@KEY@"
    place = {"bucket": "videos-1250000000", "region": "ap-guangzhou"}
    record = made_up_record(job)._replace(
        state="Success",
        outcome="succeeded",
        code="Success",
        created_at=f"{day}T@TIME@Z",
        started_at=f"{day}T@TIME@Z",
        ended_at=f"{day}T@TIME@Z",
        input={**place, "object": "in/@HASH@.mp4", "url": None, "headers": None},
        outputs=[{**place, "object": "out/@HASH@.m3u8"}],
        details={
            "JobId": job,
            "Tag": "Transcode",
            "State": "Success",
            "CreationTime": f"{day}T@TIME@+0800",
            "Input": {**place, "Object": "in/@HASH@.mp4"},
            "Operation": {
                "TemplateId": "t1460606b9752148c4ab182f55163ba7cd",
                "Output": {**place, "Object": "out/@HASH@.m3u8"},
                "MediaInfo": {
                    "Format": {"Size": "1@KEY@", "Duration": "9@KEY@.25"},
                    "Stream": {"Video": [{"CodecName": "h264", "Width": "1280", "Height": "720"}]},
                },
            },
        },
    )
    return Range(f"{prefix}jobs/dt={day}/{begin}", ".json", 8, count, record.to_json())
