"""One value at a time: from the text that CI sent to what it stands for. Nothing is raised;
what can't be read is None.
"""

from __future__ import annotations

import math

from handler.callback import nodes

MAX_BIT_RATE = 1e15
"""A higher one is no bit rate."""

MAX_KEY_CHARS = 850
"""A key of COS has at most 850 bytes in UTF-8."""


def as_key(name: str | None) -> str | None:
    """The key that a name stands for; None for nothing, for a template such as ${number}, and
    for what is longer than any key.

    A key of COS never begins with a slash: where a name does (Tts, speech recognition,
    workflows), the address beside it in document 460/80039 shows the object without it.
    """
    key = (name or "").lstrip("/")
    return key if key and len(key) <= MAX_KEY_CHARS and "${" not in key else None


def in_seconds(sent: str | None) -> float | None:
    """Milliseconds to seconds, exact to the microsecond."""
    ms = nodes.number(sent)
    return None if ms is None else round(ms / 1000, 6)


def as_boolean(sent: str | None) -> bool | None:
    """The words and numbers that CI sends for yes and no; None for any other."""
    word = (sent or "").strip().lower()
    return {"true": True, "1": True, "false": False, "0": False}.get(word)


def as_ratio(sent: str | None) -> float | None:
    """Frames per second as ffmpeg tells them; None where the divisor is 0."""
    above, slash, below = (sent or "").partition("/")
    dividend, divisor = nodes.number(above), nodes.number(below if slash else "1")
    if dividend is None or not divisor:
        return None
    quotient = round(dividend / divisor, 6)
    return quotient if math.isfinite(quotient) else None


def as_bit_rate(sent: str | None) -> int | None:
    """Bits per second.

    The documents give kbit/s (1045/47228), and their samples hold both: 8867.172000 beside
    a Size and a Duration that make 8,867,172 bit/s (SuperResolution, Animation), and 834736
    beside ones that make 834,736 bit/s (QualityEstimate, speed transcoding). In every
    sample what has a decimal point is kbit/s, and what has none is bit/s.
    """
    value = nodes.number(sent)
    if value is None or not 0 <= value < MAX_BIT_RATE:
        return None
    return round(value * 1000 if "." in str(sent) else value)


def as_moment(sent: str | None) -> str | None:
    """A time as RFC 3339 in UTC; None for "-" and what is unreadable."""
    return nodes.rfc3339(nodes.moment(sent))
