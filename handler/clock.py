"""How a moment is written. Reading times (callback/converters.py) needs datetime, which a refused
request should not have to import."""

from __future__ import annotations

import time

BELIEVED_YEARS = ("2015", "2100")
"""The first and the last: CI is younger than the one, and no job was created in the future."""


def is_believed(written: str | None) -> bool:
    """Whether an RFC 3339 time, or a day, is one at which a job may have been created or ended."""
    first, last = BELIEVED_YEARS
    return written is not None and first <= written[:4] <= last


def rfc3339_of(epoch_s: float) -> str:
    """Seconds since 1970 as RFC 3339 in UTC; milliseconds, cut off, where it has any fraction."""
    seconds, rest = divmod(round(epoch_s * 1_000_000), 1_000_000)
    written = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{written}.{rest // 1000:03d}Z" if rest else f"{written}Z"
