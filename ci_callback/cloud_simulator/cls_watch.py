"""CLS: alarms, the groups that they notify, and dashboards."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ci_callback.cloud_simulator.errors import ApiError

MINUTES = range(1, 1_441)
MAX_OFFSET_MIN = 1_440
MAX_NAME_BYTES = 255
MAX_URL_BYTES = 1_024
_CALLBACKS = ("Http", "WeCom", "DingTalk", "Lark")
_COUNT = re.compile(r"select count\(\*\) as (\w+)")
_CONDITION = re.compile(r"\$1\.(\w+) ([<>]) (\d+)")

Count = Callable[[Mapping[str, Any], int, int], int]
"""How many lines an alarm's target finds from a moment on and before another, in epoch
milliseconds. Raises ApiError where its topic is not there or its search can't be asked."""


@dataclass
class Watch:
    """The alarms and dashboards of an account. By id: the parameters of each."""

    count: Count
    alarms: dict[str, dict[str, Any]] = field(default_factory=dict)
    notices: dict[str, dict[str, Any]] = field(default_factory=dict)
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict)

    def create_alarm(self, params: Mapping[str, Any]) -> dict[str, Any]:
        _check_name(self.alarms, params["Name"], "Name", "InvalidParameter.AlarmConflict")
        self._check_alarm(params)
        return {"AlarmId": _made(self.alarms, "alarm", params)}

    def modify_alarm(self, params: Mapping[str, Any]) -> dict[str, Any]:
        found = _found(self.alarms, params["AlarmId"], "AlarmNotExist")
        self._check_alarm({**found, **params})
        found |= {name: value for name, value in params.items() if name != "AlarmId"}
        return {}

    def describe_alarms(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return _listed(self.alarms, params, ("name", "Name"), ("Alarms", "AlarmId"))

    def delete_alarm(self, params: Mapping[str, Any]) -> dict[str, Any]:
        _found(self.alarms, params["AlarmId"], "AlarmNotExist")
        del self.alarms[params["AlarmId"]]
        return {}

    def create_notice(self, params: Mapping[str, Any]) -> dict[str, Any]:
        conflict = "InvalidParameter.AlarmNoticeConflict"
        _check_name(self.notices, params["Name"], "Name", conflict)
        _check_callbacks(params.get("WebCallbacks", []))
        return {"AlarmNoticeId": _made(self.notices, "notice", params)}

    def modify_notice(self, params: Mapping[str, Any]) -> dict[str, Any]:
        found = _found(self.notices, params["AlarmNoticeId"], "AlarmNoticeNotExist")
        _check_callbacks(params.get("WebCallbacks", []))
        found |= {name: value for name, value in params.items() if name != "AlarmNoticeId"}
        return {}

    def describe_notices(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return _listed(self.notices, params, ("name", "Name"), ("AlarmNotices", "AlarmNoticeId"))

    def delete_notice(self, params: Mapping[str, Any]) -> dict[str, Any]:
        notice = params["AlarmNoticeId"]
        _found(self.notices, notice, "AlarmNoticeNotExist")
        if any(notice in alarm.get("AlarmNoticeIds", []) for alarm in self.alarms.values()):
            raise ApiError("OperationDenied.NoticeHasAlarm", "An alarm notifies it.")
        del self.notices[notice]
        return {}

    def create_dashboard(self, params: Mapping[str, Any]) -> dict[str, Any]:
        conflict = "InvalidParameter.DashboardNameConflict"
        _check_name(self.dashboards, params["DashboardName"], "DashboardName", conflict)
        _check_data(params.get("Data", "{}"))
        return {"DashboardId": _made(self.dashboards, "dashboard", params)}

    def modify_dashboard(self, params: Mapping[str, Any]) -> dict[str, Any]:
        found = _found(self.dashboards, params["DashboardId"], "DashboardRecordNotExist")
        _check_data(params.get("Data", "{}"))
        found |= {name: value for name, value in params.items() if name != "DashboardId"}
        return {}

    def describe_dashboards(self, params: Mapping[str, Any]) -> dict[str, Any]:
        key = ("dashboardName", "DashboardName")
        return _listed(self.dashboards, params, key, ("DashboardInfos", "DashboardId"))

    def delete_dashboard(self, params: Mapping[str, Any]) -> dict[str, Any]:
        _found(self.dashboards, params["DashboardId"], "DashboardRecordNotExist")
        del self.dashboards[params["DashboardId"]]
        return {}

    def firing(self, at: float) -> list[str]:
        """The names of the alarms that would notify. at: epoch seconds. Of SQL it knows
        count(*), of conditions `$1.NAME < N` and `$1.NAME > N`."""
        return [alarm["Name"] for alarm in self.alarms.values() if self._is_firing(alarm, at)]

    def _is_firing(self, alarm: Mapping[str, Any], at: float) -> bool:
        (target,) = alarm["AlarmTargets"]
        _, sign, limit = _condition(alarm)
        for period in range(alarm["TriggerCount"]):
            end = at - period * alarm["MonitorTime"]["Time"] * 60
            begin, until = (end + 60 * target[f"{name}TimeOffset"] for name in ("Start", "End"))
            lines = self.count(target, int(begin * 1000), int(until * 1000))
            if not (lines > limit if sign == ">" else lines < limit):
                return False
        return True

    def _check_alarm(self, params: Mapping[str, Any]) -> None:
        if ("Condition" in params) == ("MultiConditions" in params):
            raise ApiError("InvalidParameter", "One of Condition and MultiConditions is given.")
        if params["MonitorTime"].get("Time") not in MINUTES or params["TriggerCount"] < 1:
            raise ApiError("InvalidParameter", "Time is 1 to 1440, TriggerCount at least 1.")
        for target in params["AlarmTargets"]:
            if not -MAX_OFFSET_MIN <= target["StartTimeOffset"] < target["EndTimeOffset"] <= 0:
                raise ApiError("InvalidParameter", "The offsets are wrong.")
            self.count(target, 0, 0)
            counted = _COUNT.search(target["Query"])
            if counted is None or counted[1] != _condition(params)[0]:
                raise ApiError("FailedOperation.InvalidAlarm", "It is not modelled.")
        for notice in params.get("AlarmNoticeIds", []):
            _found(self.notices, notice, "AlarmNoticeNotExist")


def _condition(alarm: Mapping[str, Any]) -> tuple[str, str, int]:
    match = _CONDITION.fullmatch(alarm.get("Condition", ""))
    if match is None:
        raise ApiError("FailedOperation.InvalidAlarm", "The condition is not modelled.")
    return match[1], match[2], int(match[3])


def _check_callbacks(callbacks: Sequence[Mapping[str, Any]]) -> None:
    for callback in callbacks:
        kind, url = callback["CallbackType"], callback["Url"]
        if kind not in _CALLBACKS or not 0 < len(url.encode()) <= MAX_URL_BYTES:
            raise ApiError("InvalidParameter", "A web callback is wrong.")
        if kind == "Http" and callback.get("Method") not in ("POST", "PUT"):
            raise ApiError("InvalidParameter", "Http needs a method.")


def _check_data(text: str) -> None:
    try:
        json.loads(text)
    except ValueError as error:
        raise ApiError("InvalidParameter", "Data is not JSON.") from error


def _check_name(held: Mapping[str, Mapping[str, Any]], name: str, member: str, code: str) -> None:
    if "|" in name or not 0 < len(name.encode()) <= MAX_NAME_BYTES:
        raise ApiError("InvalidParameter", "The name is wrong.")
    if any(one[member] == name for one in held.values()):
        raise ApiError(code, f"{name} exists.")


def _made(held: dict[str, dict[str, Any]], kind: str, params: Mapping[str, Any]) -> str:
    made = f"{kind}-{uuid.uuid4()}"
    held[made] = dict(params)
    return made


def _found(held: Mapping[str, dict[str, Any]], key: str, code: str) -> dict[str, Any]:
    if key not in held:
        raise ApiError(f"ResourceNotFound.{code}", f"{key} does not exist.")
    return held[key]


def _listed(
    held: Mapping[str, Mapping[str, Any]],
    params: Mapping[str, Any],
    by: tuple[str, str],
    members: tuple[str, str],
) -> dict[str, Any]:
    """by: the key of the filter, and the member that it looks at. members: of the answer."""
    wanted = [value for one in params.get("Filters", []) for value in one["Values"]]
    if any(one["Key"] != by[0] for one in params.get("Filters", [])):
        raise ApiError("InvalidParameter", "The filter is not modelled.")
    rows = [
        {**one, members[1]: key}
        for key, one in held.items()
        if not wanted or any(part in one[by[1]] for part in wanted)
    ]
    begin = int(params.get("Offset", 0))
    shown = rows[begin : begin + int(params.get("Limit", 20))]
    return {members[0]: shown, "TotalCount": len(rows)}


ACTIONS: Mapping[str, Callable[[Watch, Mapping[str, Any]], dict[str, Any]]] = {
    "CreateAlarm": Watch.create_alarm,
    "CreateAlarmNotice": Watch.create_notice,
    "CreateDashboard": Watch.create_dashboard,
    "DeleteAlarm": Watch.delete_alarm,
    "DeleteAlarmNotice": Watch.delete_notice,
    "DeleteDashboard": Watch.delete_dashboard,
    "DescribeAlarmNotices": Watch.describe_notices,
    "DescribeAlarms": Watch.describe_alarms,
    "DescribeDashboards": Watch.describe_dashboards,
    "ModifyAlarm": Watch.modify_alarm,
    "ModifyAlarmNotice": Watch.modify_notice,
    "ModifyDashboard": Watch.modify_dashboard,
}
