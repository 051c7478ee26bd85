"""Times as the reader chose to see them. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

Zone: TypeAlias = Literal["local", "utc", "ci"]
ZONES: tuple[Zone, ...] = get_args(Zone)
"""local: of the reader's browser. ci: as CI writes the times of callbacks, which is at +08:00."""

FIRST, LAST = date(1971, 1, 1), date(8999, 12, 31)
"""Days beyond them are at no time in some zone."""

CI_OFFSET = timezone(timedelta(hours=8))


def tz_of(zone: Zone, browser: str) -> tzinfo:
    """A zone. browser: what its script says its own is, such as Asia/Shanghai; where that is "",
    or no zone that this machine knows, it is UTC."""
    if zone == "ci":
        return CI_OFFSET
    try:
        return ZoneInfo(browser) if zone == "local" and browser else timezone.utc
    except (ValueError, OSError, LookupError):
        return timezone.utc  # a cookie may hold anything: also ../x, or a folder of the database


def moment(epoch_s: float, zone: tzinfo) -> datetime:
    """A time in a zone."""
    return datetime.fromtimestamp(epoch_s, zone)


def clock(epoch_s: float, zone: tzinfo = timezone.utc, now: float | None = None) -> str:
    """A time as the clock on the wall shows it; with its day unless it is today's."""
    at = moment(epoch_s, zone)
    today = datetime.now(at.tzinfo) if now is None else moment(now, zone)
    return at.strftime("%H:%M:%S" if at.date() == today.date() else "%Y-%m-%d %H:%M:%S")


def whole(epoch_s: float, zone: tzinfo) -> str:
    """Day, time and offset: 2026-11-27 16:05:09 +08:00."""
    return f"{moment(epoch_s, zone):%Y-%m-%d %H:%M:%S} {offset(epoch_s, zone)}"


def utc(epoch_s: float) -> str:
    """For machines: 2022-07-25T08:35:39Z."""
    return datetime.fromtimestamp(epoch_s, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def offset(epoch_s: float, zone: tzinfo) -> str:
    """How far a zone is from UTC at a time: UTC, UTC+08:00."""
    ahead = moment(epoch_s, zone).strftime("%z")
    return "UTC" if ahead == "+0000" else f"UTC{ahead[:3]}:{ahead[3:5]}"


def day_begins(day: date, zone: tzinfo) -> float:
    """When a day begins in a zone, in epoch seconds."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def day_ends(day: date, zone: tzinfo) -> float:
    """When the day after it begins."""
    return day_begins(day + timedelta(1), zone) if day < date.max else float("inf")


def day_of(text: str) -> date | None:
    """A day that a form sent, YYYY-MM-DD; None for anything else, and for a day beyond reason."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST <= day <= LAST else None
