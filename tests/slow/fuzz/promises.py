"""What must hold of every answer, log line and stored object. Each check raises AssertionError."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema

from ci_callback import record_schema as schema
from ci_callback.log_recovery import recover
from handler.callback.record import JobRecord
from handler.callback.redacted import REDACTED
from handler.callback.redaction import SECRET_NAMES
from handler.ledger.outbox import Ticket
from tests.slow.fuzz.events import TOKEN

STATUSES = frozenset({200, 202, 400, 401, 403, 404, 405, 413, 503})
"""Of the README's table of answers."""

NOTHING_KEPT = frozenset({400, 401, 404, 405, 413})
STORED = frozenset({"kept", "duplicate", "unverified", "dead_letter"})
JOB_STATUSES = STORED | {"ignored", "rejected", "retry_later"}

FAULTS_OF_CODE = frozenset({"internal_error", "ticket_failed"})
"""Events of the log that tell of a fault in this code: no input may call one forth."""

_ONE = "[a-z0-9A-F~]{1,81}"
_DAY = r"dt=\d{4}-\d\d-\d\d"
_KEY = re.compile(
    rf"(?:jobs|workflows)/{_DAY}/{_ONE}\.json"
    rf"|reviews/{_DAY}/{_ONE}-{_ONE}-[0-9a-f]{{12}}\.json"
    rf"|_unfinished/{_DAY}/{_ONE}-{_ONE}\.json"
    rf"|_dead/{_DAY}/[0-9a-f]{{64}}\.json"
    rf"|_(?:outbox|done)/\d{{10}}-{_ONE}-{_ONE}-[a-z.-]+\.json"
    rf"|_(?:attempts/{_ONE}/\d\d|lineage/{_ONE})\.json"
    r"|_(?:digests|sweep|undelivered)/[A-Za-z0-9._~-]+"
)
_RECORDS = ("jobs/", "workflows/", "reviews/", "_unfinished/")
_NO_CONTROLS = re.compile(r"[\x20-\x7e]*")
_SECRETS = SECRET_NAMES | {
    re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name in SECRET_NAMES
}


def of_log(written: str) -> list[dict[str, Any]]:
    """Every line is one flat JSON object of printable ASCII, and none tells of a fault in the
    code; what the lines hold."""
    assert not written or written.endswith("\n")
    lines = []
    for line in written.split("\n")[:-1]:
        assert _NO_CONTROLS.fullmatch(line), f"a control character in a log line: {line!r}"
        values = json.loads(line)
        assert {"time", "level", "event"} <= set(values)
        assert all(isinstance(value, (str, int, float)) for value in values.values())
        assert values["event"] not in FAULTS_OF_CODE, values.get("traceback", values)
        lines.append(values)
    assert TOKEN not in written
    return lines


def body_in(lines: Iterable[Mapping[str, Any]]) -> bytes | None:
    """The body that the log kept for want of a store; None where it kept none."""
    recovered = recover([json.dumps(line) for line in lines])
    assert recovered.lost == ()
    bodies = {entry.body for entry in recovered.bodies}
    assert len(bodies) <= 1
    return next(iter(bodies), None)


def of_http_answer(answer: Any) -> tuple[int, list[dict[str, Any]]]:
    """It is in SCF's form and of a documented status; the status, and what became of each job."""
    assert set(answer) == {"isBase64Encoded", "statusCode", "headers", "body"}
    assert answer["isBase64Encoded"] is False
    assert answer["statusCode"] in STATUSES
    for name, value in answer["headers"].items():
        assert _NO_CONTROLS.fullmatch(name + value)
    assert _NO_CONTROLS.fullmatch(answer["body"])
    assert TOKEN not in json.dumps(answer)
    answered = json.loads(answer["body"])
    if "jobs" not in answered:
        assert set(answered) <= {"status", "reason"}
        return answer["statusCode"], []
    assert answered["jobs"]
    for job in answered["jobs"]:
        assert {"job_id", "tag", "outcome", "status", "key"} <= set(job)
    return answer["statusCode"], answered["jobs"]


def of_jobs(jobs: Iterable[Mapping[str, Any]], store: Mapping[str, bytes]) -> None:
    """What is said to be kept is there, and nothing else is said to have a key."""
    for job in jobs:
        assert job["status"] in JOB_STATUSES
        assert (job["status"] in STORED) == (job["key"] in store), job


def of_store(store: Mapping[str, bytes]) -> None:
    """Keys are of a known form, and each object is read back as it was written."""
    for key, data in store.items():
        assert _KEY.fullmatch(key), f"a key of no known form: {key!r}"
        assert max(map(len, key.split("/"))) <= 255, key
        assert TOKEN.encode() not in data, key
        if key.startswith(_RECORDS):
            of_record(data)
        elif key.startswith("_dead/"):
            dead_letter = json.loads(data)
            digest = hashlib.sha256(base64.b64decode(dead_letter["body_base64"])).hexdigest()
            assert dead_letter["sha256"] == digest == key[-69:-5]
        elif key.startswith("_outbox/"):
            ticket = Ticket.from_json(data)
            assert f"_outbox/{ticket.name}" == key
            assert ticket.to_json() == data


def of_record(line: bytes) -> None:
    """It is one line, reads back as it was written, fits the schema and holds no secret."""
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert JobRecord.from_json(line).to_json() == line
    values = json.loads(line)
    error = jsonschema.exceptions.best_match(_validator().iter_errors(values))
    assert error is None, f"{error.json_path}: {error.message[:300]}"
    for name, value in _pairs(values):
        if name in _SECRETS:
            assert value in (None, "", REDACTED, [], {}) or not str(value).strip(), name


def _pairs(tree: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict):
        yield from tree.items()
    if isinstance(tree, (dict, list)):
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from _pairs(value)


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema.build())
