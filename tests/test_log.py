"""log.py: one JSON object a line, whatever the values hold."""

from __future__ import annotations

import base64
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.log import BODY_PART_CHARS, MAX_VALUE_CHARS, Log


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


def test_a_long_value_is_cut_and_says_so(log: Log, stream: io.StringIO) -> None:
    """1 MB of text makes no line of 1 MB."""
    log.info("x", text="y" * 1_000_000)
    assert logged(stream)[0]["text"] == "y" * MAX_VALUE_CHARS + "… (1000000 characters)"


@pytest.mark.parametrize("size", [0, 1, 12_000, 12_001, 100_000])
def test_a_body_of_last_resort_can_be_put_together_again(
    log: Log, stream: io.StringIO, size: int
) -> None:
    """Numbered parts, each within a line that log services keep whole."""
    body = bytes(number % 256 for number in range(size))
    log.last_resort(body, "store")
    lines = logged(stream)
    assert [line["part"] for line in lines] == list(range(1, len(lines) + 1))
    assert {line["parts"] for line in lines} == {len(lines)}
    parts = [str(line["body_base64"]) for line in lines]
    assert base64.b64decode("".join(parts)) == body
    assert max(map(len, parts)) <= BODY_PART_CHARS


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
