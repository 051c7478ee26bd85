"""The alarms of a function's log topic, the group that they notify, and a dashboard. Pure but for
`read` and `removal`.

Each is found by its name, which begins with deploy's mark: CLS keeps no description of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ci_callback.cloud_api import CloudError
from ci_callback.deploy import alarms, dashboard
from ci_callback.deploy.actual import Api
from ci_callback.deploy.alarms import ALARMS, Robots
from ci_callback.deploy.calls import Call, Later, Text, holds
from ci_callback.deploy.logs_plan import Logs
from ci_callback.deploy.triggers_plan import Difference
from handler.alerts.texts import Lang

_PAGE = 100


@dataclass(frozen=True)
class Watched:
    """The state of CLS. alarms: by name."""

    notice: Mapping[str, Any] | None = field(default=None, repr=False)
    alarms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dashboard: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Watching:
    """The desired state and the state of CLS. name: of the function."""

    name: str
    region: str
    logs: Logs
    robots: Robots
    lang: Lang
    found: Watched = field(default_factory=Watched)

    @property
    def topic(self) -> dict[str, Any]:
        """Of alarms and charts."""
        return {"LogsetId": self.logs.logset_id, "TopicId": self.logs.topic_id}

    @property
    def notes(self) -> Iterator[str]:
        """The notes for a person."""
        yield from self.robots.left_out
        if not self.robots.callbacks:
            yield "no alarm: ALERT_URLS names no robot that CLS can notify"
        if self.region not in dashboard.REGION_IDS:
            yield f"no dashboard: its form for {self.region} is not known"


def read(api: Api, name: str) -> Watched:
    """May raise CloudError."""
    title = alarms.title(name)
    names = [alarms.alarm_name(name, alarm) for alarm in ALARMS]
    notices = _by_name(api, "AlarmNotices", ("name", "Name"), [title])
    boards = _by_name(api, "DashboardInfos", ("dashboardName", "DashboardName"), [title])
    found = _by_name(api, "Alarms", ("name", "Name"), names)
    return Watched(notices.get(title), found, boards.get(title))


_ACTIONS = {
    "AlarmNotices": "DescribeAlarmNotices",
    "DashboardInfos": "DescribeDashboards",
    "Alarms": "DescribeAlarms",
}


def _by_name(
    api: Api, member: str, key: tuple[str, str], names: Sequence[str]
) -> dict[str, Mapping[str, Any]]:
    """Some filters find names that only hold the one that is asked for."""
    params = {"Filters": [{"Key": key[0], "Values": list(names)}], "Limit": _PAGE}
    rows = api.call("cls", _ACTIONS[member], params).get(member) or []
    return {row[key[1]]: row for row in rows if row.get(key[1]) in names}


def changes(watching: Watching) -> Iterator[tuple[list[Difference], list[Call]]]:
    """The calls that make them as they are wanted."""
    if watching.robots.callbacks:
        yield from _notice(watching)
        yield from _alarms(watching)
    else:
        gone = [*_alarm_removals(watching.found), *_notice_removals(watching.found)]
        for call in gone:
            yield [Difference("alarm", call.why, "")], [call]
    if watching.region in dashboard.REGION_IDS:
        yield from _dashboard(watching)


def _notice(watching: Watching) -> Iterator[tuple[list[Difference], list[Call]]]:
    found = watching.found.notice
    params = alarms.notice_params(watching.name, watching.robots)
    what, after = "robots that alarms notify", watching.robots.shown
    if found is None:
        call = Call("cls", "CreateAlarmNotice", params, "the robots of ALERT_URLS")
        yield [Difference(what, "", after)], [call]
        return
    listed = found.get("WebCallbacks") or []
    as_listed = sorted(listed, key=lambda one: str(one.get("Url")))
    if not holds({**found, "WebCallbacks": as_listed}, params):
        change = {**params, "AlarmNoticeId": found["AlarmNoticeId"]}
        before = f"{len(listed)} others" if listed else ""
        call = Call("cls", "ModifyAlarmNotice", change, "the robots of ALERT_URLS")
        yield [Difference(what, before, after)], [call]


def _alarms(watching: Watching) -> Iterator[tuple[list[Difference], list[Call]]]:
    notice: str | Later = Later("CreateAlarmNotice", "AlarmNoticeId")
    if watching.found.notice is not None:
        notice = str(watching.found.notice["AlarmNoticeId"])
    for alarm in ALARMS:
        params = alarms.alarm_params(watching.name, alarm, watching.topic, notice, watching.lang)
        found = watching.found.alarms.get(params["Name"])
        why, after = f"an alarm: {alarm.search} {alarm.condition}", alarm.search
        if found is None:
            call = Call("cls", "CreateAlarm", params, why)
            yield [Difference(f"alarm {alarm.key}", "", after)], [call]
        elif not holds(found, params):
            change = {**params, "AlarmId": found["AlarmId"]}
            before = _search(found)
            call = Call("cls", "ModifyAlarm", change, why)
            yield [Difference(f"alarm {alarm.key}", before, after)], [call]


def _search(found: Mapping[str, Any]) -> str:
    targets = found.get("AlarmTargets") or [{}]
    return str(targets[0].get("Query") or "another").partition(" | ")[0]


def _dashboard(watching: Watching) -> Iterator[tuple[list[Difference], list[Call]]]:
    panels = dashboard.panels(watching.region, watching.topic, watching.lang)
    name, found = alarms.title(watching.name), watching.found.dashboard
    why = "callbacks by outcome, retries, sweeps, requests that were refused"
    if found is None:
        params = {"DashboardName": name, "Data": Text({"panels": panels})}
        call = Call("cls", "CreateDashboard", params, why)
        yield [Difference("dashboard", "", f"{len(panels)} charts")], [call]
        return
    data = dashboard.merged(str(found.get("Data") or ""), panels)
    if data is not None:
        params = {"DashboardId": found["DashboardId"], "DashboardName": name, "Data": Text(data)}
        call = Call("cls", "ModifyDashboard", params, why)
        yield [Difference("dashboard", "others", f"{len(panels)} charts")], [call]


def removal(api: Api, name: str, *, is_needed: bool) -> list[Call]:
    """The calls that take all of it away. is_needed: the function has a log topic; else keys that
    may not ask CLS are no fault.

    Raises:
        CloudError
    """
    try:
        found = read(api, name)
    except CloudError as error:
        is_closed = error.is_in("UnauthorizedOperation", "AuthFailure.UnauthorizedOperation")
        if is_closed and not is_needed:
            return []
        raise
    calls = [*_alarm_removals(found), *_notice_removals(found)]
    if found.dashboard is not None:
        params = {"DashboardId": found.dashboard["DashboardId"]}
        calls.append(Call("cls", "DeleteDashboard", params, alarms.title(name)))
    return calls


def _alarm_removals(found: Watched) -> Iterator[Call]:
    for name, alarm in found.alarms.items():
        yield Call("cls", "DeleteAlarm", {"AlarmId": alarm["AlarmId"]}, name)


def _notice_removals(found: Watched) -> Iterator[Call]:
    if found.notice is not None:
        params = {"AlarmNoticeId": found.notice["AlarmNoticeId"]}
        yield Call("cls", "DeleteAlarmNotice", params, str(found.notice["Name"]))
