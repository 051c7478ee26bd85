"""Repeats calls that the platform did not take for a moment: throttled, busy, or without answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ci_callback.cloud_api import CloudError
from ci_callback.deploy.actual import Api

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)

_BUSY = (
    "RequestLimitExceeded",
    "InternalError",
    "FailedOperation.FunctionStatusError",
    "FailedOperation.FunctionNameStatusError",
    "FailedOperation.FunctionVersionStatusNotActive",
    "FailedOperation.OperationConflict",
    # A role takes a moment from CAM to SCF.
    "ResourceNotFound.Role",
    "InvalidParameter.RoleCheck",
)
ALREADY = (
    "ResourceInUse",
    "InvalidParameter.RoleNameInUse",
    "FailedOperation.PolicyNameInUse",
    "InvalidParameter.LogsetConflict",
    "InvalidParameter.TopicConflict",
    "InvalidParameter.IndexConflict",
    "InvalidParameter.AlarmNoticeConflict",
    "InvalidParameter.AlarmConflict",
    "InvalidParameter.DashboardNameConflict",
)
"""What a creation is refused with where the thing is there."""


@dataclass(frozen=True)
class Patient:
    """An Api in front of another. sleep: seconds."""

    api: Api
    sleep: Callable[[float], object]

    def call(self, service: str, action: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """May raise CloudError, once it was repeated often enough.

        A creation whose answer was lost, and that is then refused because the thing is there, has
        been done: its answer is {}.
        """
        is_lost = False
        for pause_s in (*PAUSES_S, None):
            try:
                return self.api.call(service, action, params)
            except CloudError as error:
                if is_lost and error.is_in(*ALREADY):
                    return {}
                if pause_s is None or not (error.code == "" or error.is_in(*_BUSY)):
                    raise
                is_lost = is_lost or error.code == ""
            self.sleep(pause_s)
        raise AssertionError("the last round returns or raises")
