"""How a moment is written. Reading times (callback/converters.py) needs datetime, which a refused
request should not have to import."""

from __future__ import annotations

import time


def rfc3339_of(epoch_s: float) -> str:
    """Seconds since 1970 as RFC 3339 in UTC; milliseconds, cut off, where it has any fraction."""
    seconds, rest = divmod(round(epoch_s * 1_000_000), 1_000_000)
    written = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{written}.{rest // 1000:03d}Z" if rest else f"{written}Z"
