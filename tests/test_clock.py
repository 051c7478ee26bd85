"""clock.py: a clock's reading as it is written."""

from __future__ import annotations

from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

from handler.callback.converters import rfc3339
from handler.clock import rfc3339_of


def test_a_reading_is_written_in_utc_with_milliseconds_where_it_has_any() -> None:
    """Cut off, not rounded."""
    assert rfc3339_of(0) == "1970-01-01T00:00:00Z"
    assert rfc3339_of(1_790_000_000.25) == "2026-09-21T14:13:20.250Z"
    assert rfc3339_of(1_790_000_000.9999) == "2026-09-21T14:13:20.999Z"


@given(st.floats(0, 4_102_444_799, allow_nan=False))
def test_it_is_what_a_moment_of_callbacks_is_written_as(epoch_s: float) -> None:
    """So that times of both kinds can be compared as text."""
    assert rfc3339_of(epoch_s) == rfc3339(datetime.fromtimestamp(epoch_s, timezone.utc))
