"""Faults of the simulator, on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from ci_callback.cloud_simulator.errors import ApiError


@dataclass
class _Refusal:
    action: str
    code: str
    times: int


@dataclass
class Faults:
    """Use by its methods and attributes.

    Attributes:
        activation_reads: how many times GetFunction shows a new or changed function as Creating,
            Updating or Publishing before it is Active.
        role_lag: how many times CreateFunction does not find a role that was made a moment ago.
        read_lag: how many reads do not show a resource that was made a moment ago.
        cls_activated: without it CreateFunction ends in CreateFailed.
        before, after: called with the name of an action before and after it is carried out.
            A ResetError that they raise cuts the connection.
    """

    activation_reads: int = 2
    role_lag: int = 0
    read_lag: int = 0
    cls_activated: bool = True
    before: Callable[[str], object] = field(default=lambda action: None)
    after: Callable[[str], object] = field(default=lambda action: None)
    _refusals: list[_Refusal] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refuse(self, action: str, code: str, times: int = 1) -> None:
        """Answer so many of the next requests for an action with a code, and do nothing."""
        with self._lock:
            self._refusals.append(_Refusal(action, code, times))

    def stop_refusing(self) -> None:
        """Forget what was to be refused."""
        with self._lock:
            self._refusals.clear()

    def check(self, action: str) -> None:
        """
        Raises:
            ApiError: this request was to be refused.
        """
        with self._lock:
            for refusal in self._refusals:
                if refusal.action in (action, "*") and refusal.times > 0:
                    refusal.times -= 1
                    raise ApiError(refusal.code, f"{action} was refused.")
