"""Numbers as people read them, and the scales of the charts. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeAlias

from ci_callback.texts import Texts

Step: TypeAlias = Literal["day", "week", "month", "year"]

_MAX_COLUMNS = 62
_STEPS: tuple[tuple[Step, int], ...] = (("day", 1), ("week", 7), ("month", 28))

_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))
_TICKS_S = (0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 36000.0, 86400.0, 864000.0, 8640000.0)
"""Where a scale of run times may have its ticks, in seconds."""

DASH = "–"

_ALL = 100
_LITTLE = 0.1
"""Per cent: the least that is written out."""

_THREE_FIGURES = 99.95
"""From here on a number is written without a fraction: with one it would have four figures."""


def duration(seconds: float | None, texts: Texts) -> str:
    """42 s, 3.5 min, 2 h; two or three figures that count."""
    if seconds is None:
        return DASH
    for size, unit in _UNITS:
        # 59.96 s would be written as 60 s.
        if seconds >= size * 0.9995:
            return texts(f"unit.{unit}", n=_short(seconds / size))
    return texts("unit.s", n=_short(seconds))


def size(count: int | None) -> str:
    """Bytes in powers of 1,000: 1.9 MB."""
    if count is None:
        return DASH
    for power, unit in ((5, "PB"), (4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if count >= 1000**power * 0.9995:
            return f"{_short(count / 1000**power)} {unit}"
    return f"{count} B"


def share(part: float, whole: float) -> str:
    """Per cent; a little is not written as nothing, and almost all not as all."""
    if not whole:
        return DASH
    percent = _ALL * part / whole
    if 0 < percent < _LITTLE:
        return f"< {_LITTLE} %"
    if _ALL - _LITTLE < percent < _ALL:
        return f"> {_ALL - _LITTLE} %"
    return f"{_short(percent)} %"


def count(number: int) -> str:
    """1,234."""
    return f"{number:,}"


def _short(number: float) -> str:
    digits = 0 if number >= _THREE_FIGURES else 1 if number >= 1 else 2
    text = f"{number:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def ticks(maximum: int) -> list[int]:
    """0 and up to four round numbers, the last of them at least `most`."""
    rough = max(maximum, 1) / 4
    power = 10 ** math.floor(math.log10(rough)) if rough >= 1 else 1
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return [step * at for at in range(math.ceil(max(maximum, 1) / step) + 1)]


@dataclass(frozen=True)
class Log:
    """A logarithmic scale of seconds onto 0 to 1."""

    low: float
    high: float

    @classmethod
    def around(cls, seconds: Sequence[float]) -> Log:
        """The scale, from tick to tick, that holds all of these."""
        low = max((tick for tick in _TICKS_S if tick <= min(seconds)), default=_TICKS_S[0])
        high = min((tick for tick in _TICKS_S if tick >= max(seconds)), default=_TICKS_S[-1])
        return cls(low, high if high > low else low * 10)

    def __call__(self, seconds: float) -> float:
        held = min(max(seconds, self.low), self.high)
        return math.log(held / self.low) / math.log(self.high / self.low)

    @property
    def ticks(self) -> list[float]:
        """Where it has its ticks."""
        return [tick for tick in _TICKS_S if self.low <= tick <= self.high]


@dataclass(frozen=True)
class Column:
    """The jobs of one step of time by outcome; day: its first."""

    day: date
    outcomes: Mapping[str, int]


def columns(
    days: Mapping[str, Mapping[str, int]], since: date, until: date
) -> tuple[Step, list[Column]]:
    """Days, weeks (from Monday), months or years, so that they are few enough to draw; those
    without a job too. A long period is drawn from the first day with a job to the last."""
    seen = [date.fromisoformat(day) for day in days] or [since]
    if (until - since).days >= _MAX_COLUMNS:
        since, until = max(since, min(seen)), min(until, max(seen))
    length = (until - since).days + 1
    step: Step = next((name for name, of in _STEPS if length / of <= _MAX_COLUMNS), "year")
    summed: dict[date, Counter[str]] = {}
    at = _first(since, step)
    while at <= until:
        summed[at] = Counter()
        at = _first(at + timedelta(_LEAP[step]), step)
    for day, outcomes in days.items():
        summed.setdefault(_first(date.fromisoformat(day), step), Counter()).update(outcomes)
    return step, [Column(day, dict(summed[day])) for day in sorted(summed)]


_LEAP: Mapping[Step, int] = {"day": 1, "week": 7, "month": 31, "year": 366}
"""Days from the first day of a step that lead into the next one, and not beyond it."""


def last_day(day: date, step: Step) -> date:
    """The last day of a step that begins on a day."""
    return _first(day + timedelta(_LEAP[step]), step) - timedelta(1)


def _first(day: date, step: Step) -> date:
    if step == "week":
        return day - timedelta(day.weekday())
    if step == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if step == "year" else day
