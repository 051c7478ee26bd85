"""How long a sweep may go on, and what a step of it may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

RESERVE_S = 5.0
"""A sweep ends with that much of its time left. A fifth of its time where that is short."""

STEP_S = 15.0
"""What one step may take where CI and COS are slow: it is not begun with less time left. Two
fifths of the time where that is short."""

MIN_STEP_S = 3.0
"""Less would end each request of a step before CI answers it."""

REQUESTS_OF_A_STEP = 3
"""A step's time is that of so many requests to CI, each at its time-out."""

TIME_LIMIT = "the function's time limit"


@dataclass(frozen=True)
class Budget:
    """The time of one sweep, shared out when its work begins. All in seconds.

    left: until the platform ends the sweep, or its lease may not be used any more. limited_by:
    the setting that decides which.
    """

    left: Callable[[], float]
    reserve_s: float
    step_s: float
    limited_by: str

    @classmethod
    def of(cls, time_left: Callable[[], float], lease_left: Callable[[], float]) -> Budget:
        """Share out what is left now."""

        def left() -> float:
            return min(time_left(), lease_left())

        now = max(left(), 0.0)
        limited_by = TIME_LIMIT if time_left() <= lease_left() else "LEASE_S"
        return cls(left, min(RESERVE_S, now / 5), min(STEP_S, now * 2 / 5), limited_by)

    @property
    def fits_a_step(self) -> bool:
        """Whether one step can be made at all."""
        return self.step_s >= MIN_STEP_S

    @property
    def request_s(self) -> float:
        """The time-out of a request to CI."""
        return self.step_s / REQUESTS_OF_A_STEP

    def allows_step(self) -> bool:
        """Whether there is time for one more step."""
        return self.fits_a_step and self.left() >= self.reserve_s + self.step_s


def too_short(budget: Budget) -> str:
    """Why nothing can be done: the setting, and what to set it to."""
    setting = budget.limited_by
    advice = "set it to 55 s" if setting == TIME_LIMIT else "set it to 120, or LEASE_WAIT_S lower"
    return f"{budget.left():.0f} s are not enough for one step: {setting} is too short; {advice}"
