"""log_recovery.py: bodies out of whatever form the log is exported in."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable

import pytest

from ci_callback.log_recovery import RecoveredBody, recover
from ci_callback.scf_runner.log_service import LogService
from handler.log import Log

BODIES = [
    b"<Response><JobsDetail><JobId>j1</JobId></JobsDetail></Response>",
    '{"JobsDetail": {"JobId": "\u8bd1", "Text": "a,b\\n[{"}}'.encode(),
    random.Random(2).randbytes(40_000),
]
BIG = BODIES[2]
FORMS: dict[str, Callable[[LogService], str]] = {
    "stdout": lambda log: "".join(row.text + "\n" for row in log.rows),
    "stdout with a prefix": lambda log: "".join(
        f"2026-11-21 08:00:00 [INFO] {row.text}\n" for row in log.rows
    ),
    "JSON lines": LogService.json_lines,
    "JSON lines with a field per value": lambda log: log.json_lines(parsed=True),
    "JSON array": LogService.json_array,
    "JSON array over lines": lambda log: log.json_array(indent=2),
    "JSON array with a field per value, over lines": lambda log: log.json_array(2, parsed=True),
    "CSV": LogService.csv,
    "CSV with a column per value": lambda log: log.csv(parsed=True),
    "CSV with Windows line ends": lambda log: log.csv().replace("\r\n", "\n").replace("\n", "\r\n"),
}


@pytest.fixture
def service() -> LogService:
    """The log of three invocations; beside the bodies are lines of other kinds."""
    log = LogService(lambda: 0.25)
    for number, body in enumerate(BODIES):
        lines = Log(log.request(f"r{number}"), lambda: 0.25).bind(faas_invocation_id=f"r{number}")
        log.write(f"START RequestId: r{number}\n")
        lines.error("callback", status="retry_later", reason='{broken [ , "')
        lines.last_resort(body, "store", authenticated=True)
        log.write('{"statusCode": 503, "body": "{}"}\n')
    return log


def lines_of(text: str) -> list[str]:
    """As a file yields them."""
    return text.removeprefix("\ufeff").splitlines(keepends=True)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_an_export_is_read(service: LogService, form: Callable[..., str]) -> None:
    """All values may be text, and our line may stand in SCF_Message."""
    recovery = recover(lines_of(form(service)))
    assert recovery.bodies == tuple(RecoveredBody(body, True) for body in BODIES)
    assert recovery.lost == ()


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_lines_may_come_in_any_order_and_several_times(
    service: LogService, form: Callable[..., str]
) -> None:
    """An export is sorted by time at best, and lines of one moment by nothing."""
    service.rows = service.rows[::-1] + service.rows[3:]
    random.Random(3).shuffle(service.rows)
    assert {recovered.body for recovered in recover(lines_of(form(service))).bodies} == set(BODIES)


def test_missing_parts_are_named(service: LogService) -> None:
    """By the SHA-256 of the body and by number; the other bodies are there."""
    gone = ('"part":2,', '"part":5,')
    service.rows = [row for row in service.rows if not any(part in row.text for part in gone)]
    recovery = recover(lines_of(service.json_lines()))
    (lost,) = recovery.lost
    assert lost.sha256 == hashlib.sha256(BIG).hexdigest()
    assert lost.why == "2 of 8 parts are missing: 2, 5"
    assert len(recovery.bodies) == 2


def test_a_body_that_came_twice_is_put_together_of_both(service: LogService) -> None:
    """CI delivered it again: what is missing of the one is in the other."""
    first = [row for row in service.rows if '"part":2,' not in row.text]
    again = LogService(lambda: 9.0)
    Log(again.request("r9"), lambda: 9.0).bind(faas_invocation_id="r9").last_resort(
        BIG, "store", authenticated=True
    )
    rest = [row for row in again.rows if '"part":3,' not in row.text]
    recovery = recover(lines_of("".join(row.text + "\n" for row in [*first, *rest])))
    assert (recovery.lost, len(recovery.bodies)) == ((), 3)


def test_a_line_that_was_cut_is_a_missing_part(service: LogService) -> None:
    """As with the longer lines that SCF cuts."""
    text = service.json_lines().replace('"part\\":4,', '"part\\":4')
    lines = [row.text[:7000] if '"part":4,' in row.text else row.text for row in service.rows]
    assert recover(lines).lost[0].why == "1 of 8 parts are missing: 4"
    assert text.count("SCF_Message") == len(service.rows)


@pytest.mark.parametrize("text", ["eA==", "%%%", "eJxLAgAAYgBi", ""])
def test_a_changed_part_is_not_taken(text: str) -> None:
    """Its digest does not fit, or it is no base64, or not compressed as it says."""
    digest = "a" * 64
    recovery = recover([json.dumps(part(sha256=digest, body_base64=text))])
    assert [lost.sha256 for lost in recovery.lost] == [digest]
    assert "SHA-256" in recovery.lost[0].why


def test_a_part_that_expands_without_end_is_not_taken() -> None:
    """A forged one: what it expands to is bounded."""
    service = LogService(lambda: 0.0)
    Log(service, lambda: 0.0).last_resort(bytes(40_000_000), "store", authenticated=True)
    recovery = recover(row.text for row in service.rows)
    assert (recovery.bodies, len(recovery.lost)) == ((), 1)


def part(**more: object) -> dict[str, object]:
    """A line about a body."""
    return {
        "event": "callback_not_stored",
        "sha256": "b" * 64,
        "encoding": "zlib+base64",
        "body_base64": "eA==",
        "part": 1,
        "parts": 1,
        "authenticated": "true",
    } | more


@pytest.mark.parametrize(
    "line",
    [
        {"event": "callback_not_stored"},
        part(sha256="\x1b[31m"),
        part(sha256=5),
        part(part="one"),
        part(part=-1),
        part(parts="9" * 5000),
        part(parts=None),
        part(body_base64=None),
        {"event": "callback", "job_id": json.dumps(part())},
        {"jobs": [{"job_id": json.dumps(part())}]},
        {"SCF_Message": json.dumps({"event": "callback", "reason": json.dumps(part())})},
        {"SCF_Message": json.dumps({"statusCode": 200, "body": json.dumps(part())})},
    ],
)
def test_what_is_no_part_is_passed_over(line: object) -> None:
    """A text from outside that looks like a line of ours among them."""
    recovery = recover([json.dumps(line)])
    assert (recovery.bodies, recovery.lost) == ((), ())


@pytest.mark.parametrize(
    "line",
    [
        f'1.2.3.4 "GET /?{json.dumps(part())} HTTP/1.1" 200',
        f'1.2.3.4 "GET / HTTP/1.1" 200 "{json.dumps(part())}"',
        f"reason={json.dumps(part())} status=401",
        f'1.2.3.4 "GET / HTTP/1.1" 200 {json.dumps(part())}',
        f'GET /\u2028{json.dumps(part())} "agent"',
    ],
)
def test_a_part_within_another_line_is_passed_over(line: str) -> None:
    """The address or the agent of a request, in the access log of something else, in whichever
    form that is exported."""
    cell = line.replace('"', '""')
    exports = (line, json.dumps({"message": line}), json.dumps([{"content": line}]))
    for lines in ([exports[0]], [exports[1]], [exports[2]], ["time,message\n", f'1,"{cell}"\n']):
        recovery = recover(lines)
        assert (recovery.bodies, recovery.lost) == ((), ())


def test_words_of_a_log_service_before_a_line_do_not_hide_it() -> None:
    """Nor do other lines of the same message."""
    message = f"START RequestId: 1\n2026-11-27 INFO {json.dumps(part())}\nEND RequestId: 1"
    for lines in (message.split("\n"), [json.dumps({"SCF_Message": message})]):
        assert len(recover(lines).lost) == 1


def test_a_part_in_another_column_is_passed_over() -> None:
    """Where a table has the column that the platform writes the function's lines to."""
    cell = json.dumps(part()).replace('"', '""')
    recovery = recover(["SCF_Message,agent\n", f'"x","{cell}"\n'])
    assert (recovery.bodies, recovery.lost) == ((), ())


def test_a_body_is_as_sure_as_the_least_sure_of_its_parts(service: LogService) -> None:
    """A line that only says so makes no body of a stranger an authenticated one."""
    log = LogService(lambda: 0.0)
    Log(log, lambda: 0.0).last_resort(BIG, "settings_invalid", authenticated=False)
    lines = [row.text for row in log.rows]
    forged = json.loads(lines[1]) | {"authenticated": "true"}
    for added in (forged, forged | {"body_base64": "eA=="}, forged | {"faas.invocation_id": "x"}):
        recovery = recover([*lines, json.dumps(added)])
        assert recovery.bodies == (RecoveredBody(BIG, authenticated=False),)
    both = recover([*lines, *(row.text for row in service.rows)])
    assert RecoveredBody(BIG, authenticated=True) in both.bodies


@pytest.mark.parametrize(
    "lines", [[], [""], ["callback_not_stored"], ["{" * 8000], ['{"a":' * 5000, "a,b\n", "\0,1\n"]]
)
def test_a_file_that_is_something_else_holds_nothing(lines: list[str]) -> None:
    """Neither JSON nor CSV, or nested without end."""
    recovery = recover(lines)
    assert (recovery.bodies, recovery.lost) == ((), ())
