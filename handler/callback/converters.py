"""Converts one value at a time from the text that CI sent. Raises nothing; an unreadable value
becomes None.
"""

from __future__ import annotations

import functools
import math
import re
from datetime import datetime, timedelta, timezone

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(\.\d{1,6})?\d*(Z|[+-]\d\d:?\d\d)", re.ASCII
)
_MAX_DIGITS = 18
_WORD = r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+|[^A-Za-z0-9]+"

MAX_BIT_RATE = 1e15
"""A higher one is no bit rate."""

_MAX_CACHED_CHARS = 64
"""Longer names are none of CI's, and are not kept in memory."""

MAX_KEY_CHARS = 850
"""A key of COS has at most 850 bytes in UTF-8."""


def as_key(name: str | None) -> str | None:
    """The key that a name means; None for nothing, for a template such as ${number}, and
    for what is longer than any key.

    A key of COS never begins with a slash: where a name does (Tts, speech recognition,
    workflows), the address beside it in document 460/80039 shows the object without it.
    """
    key = (name or "").lstrip("/")
    return key if key and len(key) <= MAX_KEY_CHARS and "${" not in key else None


def unquoted(sent: str | None) -> str | None:
    """A text without the quotes around it; None for nothing."""
    return (sent or "").strip('"') or None


def in_seconds(sent: str | None) -> float | None:
    """Milliseconds to seconds, exact to the microsecond."""
    ms = number(sent)
    return None if ms is None else round(ms / 1000, 6)


def as_boolean(sent: str | None) -> bool | None:
    """The words and numbers that CI sends for yes and no; None for any other."""
    word = (sent or "").strip().lower()
    return {"true": True, "1": True, "false": False, "0": False}.get(word)


def as_verdict(sent: str | None) -> int | None:
    """The number of a verdict; virus detection has words for it: normal (nomal on one page)
    and block."""
    word = (sent or "").strip().lower()
    return {"normal": 0, "nomal": 0, "block": 1, "review": 2}.get(word, integer(sent))


def as_ratio(sent: str | None) -> float | None:
    """Frames per second as ffmpeg writes them; None where the divisor is 0."""
    above, slash, below = (sent or "").partition("/")
    dividend, divisor = number(above), number(below if slash else "1")
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
    value = number(sent)
    if value is None or not 0 <= value < MAX_BIT_RATE:
        return None
    return round(value * 1000 if "." in str(sent) else value)


def as_moment(sent: str | None) -> str | None:
    """A time as RFC 3339 in UTC; None for "-" and what is unreadable."""
    return rfc3339(moment(sent))


def integer(sent: str | None) -> int | None:
    """A whole number; None for any other text, and for more than 18 digits."""
    sent = sent.strip() if sent is not None else ""
    digits = sent[1:] if sent[:1] in ("+", "-") else sent
    is_number = digits.isdigit() and digits.isascii() and len(digits) <= _MAX_DIGITS
    return int(sent) if is_number else None


def number(sent: str | None) -> float | None:
    """A finite number; None for anything else."""
    try:
        value = float(sent) if sent is not None and sent.isascii() and "_" not in sent else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def moment(sent: str | None) -> datetime | None:
    """A time with its offset, in UTC. None for "-", for no offset, and for what is unreadable.

    CI writes 2022-07-25T16:35:39+0800, and in workflows a space for the T or +08:00
    (documents 436/54028 and 460/80039).
    """
    match = _TIME.fullmatch(sent.strip()) if sent is not None else None
    if not match:
        return None
    year, month, day, hour, minute, second = map(int, match.group(1, 2, 3, 4, 5, 6))
    microsecond = round(float(match[7]) * 1_000_000) if match[7] else 0
    try:
        zone = _zone(match[8])
        local = datetime(year, month, day, hour, minute, second, microsecond, zone)
        return local.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


@functools.lru_cache(maxsize=64)
def _zone(offset: str) -> timezone:
    """The zone of Z, +0800 or +08:00. Raises ValueError: no zone is that far away."""
    if offset == "Z":
        return timezone.utc
    away = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
    return timezone(-away if offset[0] == "-" else away)


def rfc3339(at: datetime | None) -> str | None:
    """A moment as RFC 3339 in UTC, such as 2022-07-25T08:35:39Z; milliseconds where it has any."""
    if at is None:
        return None
    in_utc = at if at.tzinfo is timezone.utc else at.astimezone(timezone.utc)
    written = in_utc.isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return written.replace("+00:00", "Z")


def seconds_between(start: datetime | None, end: datetime | None) -> float | int | None:
    """Whole seconds as an int, others rounded to milliseconds; None without both ends."""
    if start is None or end is None:
        return None
    seconds = round((end - start).total_seconds(), 3)
    return int(seconds) if seconds == int(seconds) else seconds


def snake_case(name: str) -> str:
    """BasicType → basic_type, CIRoleID → ci_role_id."""
    return _snake_case(name) if len(name) <= _MAX_CACHED_CHARS else _in_snake_case(name)


def _in_snake_case(name: str) -> str:
    words = (word for word in re.findall(_WORD, name) if word.isalnum())
    return "_".join(word.lower() for word in words) or name


_snake_case = functools.lru_cache(maxsize=512)(_in_snake_case)
"""CI has some hundred names in an Input."""
