"""log.py: one JSON object a line, whatever the values hold."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_callback.log_recovery import RecoveredBody, recover
from ci_callback.scf_runner.log_service import LogService
from handler.log import MAX_LINE_BYTES, MAX_VALUE_CHARS, Log


def logged(log_of: io.StringIO) -> list[dict[str, object]]:
    """The lines as objects."""
    return [json.loads(line) for line in log_of.getvalue().splitlines()]


@pytest.fixture
def stream() -> io.StringIO:
    """What stands in for stdout."""
    return io.StringIO()


@pytest.fixture
def log(stream: io.StringIO) -> Log:
    """A log whose clock stands at 2026-09-21T14:13:20.5Z."""
    return Log(stream, lambda: 1_790_000_000.5, ["s3cret", "s3cret-longer"])


def test_a_line_is_flat_and_has_time_level_and_event(log: Log, stream: io.StringIO) -> None:
    """CLS keeps numbers and texts of the first level alone."""
    log.bind(faas_coldstart=True, nothing=None).info("callback", n=1, share=0.5)
    assert logged(stream) == [
        {
            "time": "2026-09-21T14:13:20.500Z",
            "level": "INFO",
            "event": "callback",
            "faas.coldstart": "true",
            "n": 1,
            "share": 0.5,
        }
    ]


@given(st.text())
def test_any_text_stays_in_its_line(text: str) -> None:
    """Line breaks, ANSI sequences and lone surrogates are escaped."""
    stream = io.StringIO()
    Log(stream, lambda: 0.0).warning("x", text=text + "\n\x1b[31m\ud800\u2028")
    assert stream.getvalue().isascii()
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


def test_secrets_are_redacted_in_every_value(log: Log, stream: io.StringIO) -> None:
    """The longest first, so that no rest of one remains; bound ones too."""
    log.bind(["another"], url="https://x/?t=s3cret-longer").error("x", a="(s3cret)(another)")
    assert logged(stream)[0]["url"] == "https://x/?t=[redacted]"
    assert logged(stream)[0]["a"] == "([redacted])([redacted])"


@pytest.mark.parametrize("written", ["a/b+c&1", "a%2Fb%2bc%261", "a/b+c&amp;1", "a/b+c\\u00261"])
def test_a_secret_is_redacted_however_it_is_escaped(stream: io.StringIO, written: str) -> None:
    """As a service quotes an address back, percent-encoded or in its XML or JSON."""
    log = Log(stream, lambda: 0.0, ["a/b+c&1"])
    log.error("x", reason=f"CallBack https://f.example.com/{written}/x is refused")
    assert logged(stream)[0]["reason"] == "CallBack https://f.example.com/[redacted]/x is refused"


def test_a_stack_trace_shows_no_secret_of_a_body(log: Log, stream: io.StringIO) -> None:
    """An exception may quote what it could not read."""
    try:
        raise ValueError('could not read {"DocPassword":"hunter2"}')
    except ValueError:
        log.failure("internal_error")
    assert "could not read" in str(logged(stream)[0]["traceback"])
    assert "hunter2" not in stream.getvalue()


def test_a_long_value_is_cut_and_says_so(log: Log, stream: io.StringIO) -> None:
    """1 MB of text makes no line of 1 MB."""
    log.info("x", text="y" * 1_000_000)
    assert logged(stream)[0]["text"] == "y" * MAX_VALUE_CHARS + "… (1000000 characters)"


@given(st.dictionaries(st.sampled_from("abcdefghij"), st.text('x\U0001f600\0"', max_size=3000)))
def test_a_whole_line_is_shorter_than_what_scf_keeps(fields: dict[str, str]) -> None:
    """However many long values it has, and whatever their escapes cost."""
    stream = io.StringIO()
    log = Log(stream, lambda: 0.0).bind(faas_invocation_id="\U0001f600" * 100)
    log.error("x", **fields)
    assert len(stream.getvalue()) <= MAX_LINE_BYTES
    assert logged(stream)[0]["event"] == "x"


@pytest.mark.parametrize("size", [0, 1, 4_000, 30_000, 300_000])
def test_a_body_of_last_resort_is_whole_in_the_log_service(size: int) -> None:
    """In numbered parts of which SCF cuts none, whatever is bound to each line."""
    body = random.Random(size).randbytes(size)
    service = LogService(lambda: 0.5)
    log = Log(service.request("r1"), lambda: 0.5).bind(faas_invocation_id="\u8bd1" * 100)
    log.last_resort(body, "store", authenticated=True)
    assert (service.cut, service.dropped) == (0, 0)
    parts = [json.loads(row.text) for row in service.rows]
    assert [part["part"] for part in parts] == list(range(1, len(parts) + 1))
    assert {part["parts"] for part in parts} == {len(parts)}
    assert {part["sha256"] for part in parts} == {hashlib.sha256(body).hexdigest()}
    assert recover(row.text for row in service.rows).bodies == (RecoveredBody(body, True),)


def test_a_body_is_compressed_before_it_is_encoded() -> None:
    """5 MB of XML are far below what SCF takes of one request."""
    body = b"<Response><JobsDetail><JobId>j1</JobId></JobsDetail></Response>" * 80_000
    service = LogService(lambda: 0.0)
    Log(service, lambda: 0.0).last_resort(body, "store", authenticated=True)
    assert len(service.rows) < 10
    assert recover(row.text for row in service.rows).bodies[0].body == body


def test_a_body_that_the_log_cannot_hold_is_cut_and_a_line_says_where() -> None:
    """What is there of it can be read, and the lines of other bodies are not lost for it."""
    body = random.Random(1).randbytes(5_000_000)
    service = LogService(lambda: 0.0)
    log = Log(service, lambda: 0.0)
    log.last_resort(b"<a/>", "store", authenticated=True)
    log.bind(faas_trigger="http").last_resort(body, "store", authenticated=True)
    assert (service.cut, service.dropped) == (0, 0)
    assert sum(len(row.text) + 1 for row in service.rows) < 700_000
    last = json.loads(service.rows[-1].text)
    assert (last["event"], last["bytes"]) == ("callback_truncated", 5_000_000)
    assert last["part"] == len(service.rows) - 1
    texts = [json.loads(row.text)["body_base64"] for row in service.rows[1:-1]]
    start = zlib.decompressobj().decompress(base64.b64decode("".join(texts)))
    assert body.startswith(start)
    assert last["cut_at"] == len(start) > 400_000
    recovered = recover(row.text for row in service.rows)
    assert recovered.bodies == (RecoveredBody(b"<a/>", True),)
    assert f"{len(start)} of its 5000000 bytes" in recovered.lost[0].why


def test_the_bodies_of_a_large_batch_are_all_whole() -> None:
    """Their lines are counted by size: a hundred small ones are no more than one large body."""
    service = LogService(lambda: 0.0)
    log = Log(service, lambda: 0.0)
    bodies = [b"<a>%d</a>" % number for number in range(500)]
    for number, body in enumerate(bodies):
        log.bind(number=number).last_resort(body, "store", authenticated=True)
    assert service.dropped == 0
    recovered = recover(row.text for row in service.rows)
    assert [entry.body for entry in recovered.bodies] == bodies


def test_a_closed_stdout_fails_no_callback(stream: io.StringIO, log: Log) -> None:
    """A line that can't be written is worth less than the callback that it is about."""
    stream.close()
    log.error("x")
    log.last_resort(b"<a/>", "store", authenticated=True)


def test_a_stack_trace_keeps_its_end(log: Log, stream: io.StringIO) -> None:
    """What went wrong stands in its last line."""
    try:
        raise RuntimeError("x" * 3000 + " and s3cret at the very end")
    except RuntimeError:
        log.failure("broken", job_id="j1")
    (line,) = logged(stream)
    assert (line["level"], line["job_id"]) == ("ERROR", "j1")
    assert "[redacted] at the very end" in str(line["traceback"])
    assert str(line["traceback"]).startswith("…x")
