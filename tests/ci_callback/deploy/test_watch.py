"""`deploy --logs`: alarms over the log topic, the robots that they notify, and a dashboard."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ci_callback.ci_simulator.server import ResetError
from ci_callback.cloud_api import CloudError
from ci_callback.deploy import dashboard
from ci_callback.deploy.alarms import ALARMS, MANY_REFUSED, robots
from ci_callback.deploy.calls import Call, Secret
from ci_callback.deploy.logs_plan import Logs
from ci_callback.deploy.plan import Choices
from ci_callback.deploy.versions import removal
from ci_callback.deploy.watch_plan import Watching, changes
from tests.ci_callback.deploy.world import NAME, World

LOGS = Choices(logs=True)
WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a-secret-key"
DINGTALK = "https://oapi.dingtalk.com/robot/send?access_token=another-secret"
FEISHU = "https://open.feishu.cn/open-apis/bot/v2/hook/third-secret"
HOOK = "https://hook.example.com/alerts"
MAIL = "smtps://me:word@mail.example.com/?to=a@example.com"
WATCH = ["CreateAlarmNotice", *["CreateAlarm"] * len(ALARMS), "CreateDashboard"]
AT = 1_800_000_000.0


def deploy(world: World, *alert_urls: str) -> list[str]:
    """With logs, and so many robots; what was then made in CLS to watch the topic."""
    world.env["ALERT_URLS"] = " ".join(alert_urls)
    world.forget()
    world.deploy(world.job(choices=LOGS))
    return [action for action in world.made if "Alarm" in action or "Dashboard" in action]


def only(held: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The one that is there."""
    (found,) = held.values()
    return found


def test_alarms_their_robots_and_a_dashboard_are_made_and_a_second_run_changes_nothing(
    world: World,
) -> None:
    """After the function and its triggers: without sweeps an alarm would be raised at once."""
    assert deploy(world, WECOM) == WATCH
    assert world.made.index("CreateAlarmNotice") > world.made.index("CreateTrigger")
    watch = world.account.cls.watch
    assert {one["Name"] for one in watch.alarms.values()} == {
        f"ci callback handler {NAME}: {alarm.key}" for alarm in ALARMS
    }
    (notice,) = watch.notices
    assert all(one["AlarmNoticeIds"] == [notice] for one in watch.alarms.values())
    world.forget()
    assert deploy(world, WECOM) == []
    assert world.made == []


def test_each_robot_that_cls_can_notify_is_named_to_it(world: World) -> None:
    """A webhook gets what CLS posts, in its own form."""
    deploy(world, WECOM, DINGTALK, FEISHU, HOOK)
    callbacks = only(world.account.cls.watch.notices)["WebCallbacks"]
    assert {(one["CallbackType"], one["Url"], one.get("Method")) for one in callbacks} == {
        ("WeCom", WECOM, None),
        ("DingTalk", DINGTALK, None),
        ("Lark", FEISHU, None),
        ("Http", HOOK, "POST"),
    }


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"{DINGTALK}#secret=SECsecret", "must be signed"),
        (MAIL, "no such channel"),
        ("https://hooks.slack.com/services/T/B/word", "no such channel"),
        ("apprise:tgram://word/1", "no such channel"),
        (f"https://hook.example.com/{'a' * 1_024}", "1,024 bytes"),
    ],
)
def test_what_cls_cannot_notify_is_listed_without_a_secret(
    world: World, url: str, why: str
) -> None:
    """And the others are notified."""
    deploy(world, WECOM, url)
    assert len(only(world.account.cls.watch.notices)["WebCallbacks"]) == 1
    world.env["ALERT_URLS"] = f"{WECOM} {url}"
    (note,) = world.look(world.job(choices=LOGS)).plan.notes
    assert why in note
    assert not any(secret in note for secret in ("secret=", "SECsecret", "word", "aaaa"))


def test_the_address_of_a_robot_is_not_shown(world: World) -> None:
    """Its key opens it."""
    world.env["ALERT_URLS"] = WECOM
    plan = world.look(world.job(choices=LOGS)).plan
    shown = json.dumps([call.shown for call in plan.calls]) + repr(plan)
    assert "a-secret-key" not in shown
    assert "<wecom at qyapi.weixin.qq.com>" in shown
    assert Call("cls", "x", {"Url": Secret("a", "b")}, "").filled({}) == {"Url": "a"}


def test_without_a_robot_there_is_no_alarm_and_that_is_said(world: World) -> None:
    """An alarm that notifies no one is none. One that is there goes with the last robot."""
    assert deploy(world) == ["CreateDashboard"]
    (note,) = world.look(world.job(choices=LOGS)).plan.notes
    assert "names no robot" in note
    deploy(world, WECOM)
    gone = deploy(world, MAIL)
    assert gone == [*["DeleteAlarm"] * len(ALARMS), "DeleteAlarmNotice"]
    assert world.account.cls.watch.alarms == world.account.cls.watch.notices == {}


def test_a_changed_robot_alarm_or_chart_is_put_right(world: World) -> None:
    """In place: nothing is made twice."""
    deploy(world, WECOM)
    watch = world.account.cls.watch
    assert deploy(world, DINGTALK) == ["ModifyAlarmNotice"]
    assert only(watch.notices)["WebCallbacks"][0]["Url"] == DINGTALK
    alarm = next(iter(watch.alarms.values()))
    alarm["Condition"], alarm["Status"] = "$1.lines > 7", False
    assert deploy(world, DINGTALK) == ["ModifyAlarm"]
    assert alarm["Status"] is True
    world.env["ALERT_LANG"] = "zh"
    board = only(watch.dashboards)
    board["Data"] = board["Data"].replace("max(duration_ms)", "min(duration_ms)")
    assert deploy(world, DINGTALK) == ["ModifyDashboard"]
    assert "max(duration_ms)" in board["Data"]


def test_a_panel_of_others_and_where_the_own_ones_are_stay(world: World) -> None:
    """Someone arranged the dashboard."""
    deploy(world)
    board = only(world.account.cls.watch.dashboards)
    data = json.loads(board["Data"])
    moved = {"x": 12, "y": 40, "w": 6, "h": 6}
    data["panels"][0]["gridPos"] = moved
    data["panels"].append({"id": "theirs", "title": "mine"})
    data["templating"] = {"list": []}
    board["Data"] = json.dumps(data)
    assert deploy(world) == []
    data["panels"][0]["title"] = "another"
    board["Data"] = json.dumps(data)
    assert deploy(world) == ["ModifyDashboard"]
    after = json.loads(board["Data"])
    by_id = {one["id"]: one for one in after["panels"]}
    assert len(after["panels"]) == len(dashboard.CHARTS) + 1
    assert by_id[data["panels"][0]["id"]]["gridPos"] == moved
    assert (by_id["theirs"]["title"], after["templating"]) == ("mine", {"list": []})


@pytest.mark.parametrize("data", ["", "not JSON", "[]", '{"panels": 1}', '{"panels": [1]}'])
def test_a_dashboard_of_any_form_becomes_what_it_is_to_be(data: str) -> None:
    """Whatever stood there."""
    panels = dashboard.panels("ap-guangzhou", {"TopicId": "t", "LogsetId": "l"}, "zh")
    merged = dashboard.merged(data, panels)
    assert merged is not None
    assert merged["panels"] == panels


def test_a_region_that_the_form_does_not_know_has_no_dashboard() -> None:
    """And says so."""
    nowhere = Watching(NAME, "af-nowhere", Logs(), robots((), "en"), "en")
    assert list(changes(nowhere)) == []
    assert any("no dashboard" in note for note in nowhere.notes)


def test_an_alarm_fires_for_what_it_is_about(world: World) -> None:
    """Errors; ten minutes without a sweep; many refused requests. Not for a single one."""
    deploy(world, WECOM)
    cls = world.account.cls
    (topic,) = cls.topics
    for minute in range(15):
        cls.append(topic, AT + 60 * minute, {"event": "sweep", "level": "INFO"})
    end = AT + 15 * 60
    refused = {"event": "request_refused", "status": "401", "level": "WARNING"}
    cls.append(topic, end - 1, refused)
    assert cls.watch.firing(end) == []
    assert cls.watch.firing(end + 7 * 60) == []
    assert [name.partition(": ")[2] for name in cls.watch.firing(end + 11 * 60)] == ["no sweep"]
    for _ in range(MANY_REFUSED):
        cls.append(topic, end - 1, refused)
    cls.append(topic, end - 1, {"event": "callback", "level": "ERROR"})
    fired = {name.partition(": ")[2] for name in cls.watch.firing(end)}
    assert fired == {"errors", "refused"}


def test_an_alarm_says_what_to_do_in_the_language_of_alerts(world: World) -> None:
    """With the keyword that robots may ask for."""
    deploy(world, WECOM)
    texts = [one["MessageTemplate"] for one in world.account.cls.watch.alarms.values()]
    assert all(text.startswith("[Cloud Infinite] ") and NAME in text for text in texts)


def test_destroy_takes_them_away_before_the_function_and_leaves_the_log(world: World) -> None:
    """Without sweeps an alarm would be raised."""
    deploy(world, WECOM)
    calls = removal(world.cloud, NAME)
    taken = [*["DeleteAlarm"] * len(ALARMS), "DeleteAlarmNotice", "DeleteDashboard"]
    assert [call.action for call in calls][: len(taken) + 1] == [*taken, "DeleteFunction"]
    for call in calls:
        world.cloud.call(call.service, call.action, call.filled({}))
    watch = world.account.cls.watch
    assert (watch.alarms, watch.notices, watch.dashboards) == ({}, {}, {})
    assert len(world.account.cls.topics) == 1


def test_destroy_needs_no_right_to_cls_where_there_is_no_topic(world: World) -> None:
    """Where there is one it does: an alarm would stay."""
    world.deploy()
    world.account.faults.refuse("DescribeAlarmNotices", "UnauthorizedOperation")
    assert next(iter(removal(world.cloud, NAME))).action == "DeleteFunction"
    deploy(world, WECOM)
    world.account.faults.refuse("DescribeAlarmNotices", "UnauthorizedOperation")
    with pytest.raises(CloudError, match="UnauthorizedOperation"):
        removal(world.cloud, NAME)


@pytest.mark.parametrize("at", ["CreateLogset", "CreateTopic", *dict.fromkeys(WATCH)])
@pytest.mark.parametrize("hook", ["before", "after"])
def test_a_lost_answer_is_made_good_in_the_same_run(world: World, at: str, hook: str) -> None:
    """Whether the service did it or not: an id that was lost is read."""
    lost: list[str] = []

    def cut(action: str) -> None:
        if action == at and not lost:
            lost.append(action)
            raise ResetError

    setattr(world.account.faults, hook, cut)
    deploy(world, WECOM)
    watch = world.account.cls.watch
    assert lost == [at]
    sizes = [len(held) for held in (watch.alarms, watch.notices, watch.dashboards)]
    assert sizes == [len(ALARMS), 1, 1]
    assert deploy(world, WECOM) == []


def test_a_run_that_ends_between_them_is_finished_by_the_next(world: World) -> None:
    """At each call."""
    for at in dict.fromkeys(WATCH):
        world.account.faults.refuse(at, "AuthFailure")
        with pytest.raises(Exception, match="credentials"):
            deploy(world, WECOM)
    deploy(world, WECOM)
    assert deploy(world, WECOM) == []
    assert len(world.account.cls.watch.alarms) == len(ALARMS)


@pytest.mark.parametrize(
    ("action", "params", "code"),
    [
        ("CreateAlarm", {"Name": "a|b"}, "InvalidParameter"),
        ("CreateAlarm", {"TriggerCount": 0}, "InvalidParameter"),
        ("CreateAlarm", {"AlarmNoticeIds": ["gone"]}, "ResourceNotFound.AlarmNoticeNotExist"),
        ("CreateAlarm", {"Condition": "x"}, "FailedOperation.InvalidAlarm"),
        ("CreateAlarm", {"MultiConditions": [{"Condition": "x"}]}, "InvalidParameter"),
        ("CreateAlarm", {}, "InvalidParameter.AlarmConflict"),
        ("DeleteAlarmNotice", {}, "OperationDenied.NoticeHasAlarm"),
        ("DeleteDashboard", {"DashboardId": "gone"}, "ResourceNotFound.DashboardRecordNotExist"),
        ("DeleteAlarm", {"AlarmId": "gone"}, "ResourceNotFound.AlarmNotExist"),
        ("CreateDashboard", {"DashboardName": "x", "Data": "{"}, "InvalidParameter"),
        ("CreateAlarmNotice", {"Name": "x", "WebCallbacks": [{"Url": ""}]}, "InvalidParameter"),
    ],
)
def test_the_stand_in_refuses_what_the_service_refuses(
    world: World, action: str, params: dict[str, Any], code: str
) -> None:
    """Names that are taken, what is not there, what is in use."""
    deploy(world, WECOM)
    watch = world.account.cls.watch
    if action == "CreateAlarm":
        params = {**next(iter(watch.alarms.values())), **params}
        if code != "InvalidParameter.AlarmConflict":
            params = {**params, "Name": params["Name"].replace("errors", "others")}
    if action == "DeleteAlarmNotice":
        params = {"AlarmNoticeId": next(iter(watch.notices))}
    for callback in params.get("WebCallbacks", []):
        callback["CallbackType"] = "Http"
    with pytest.raises(CloudError) as raised:
        world.cloud.call("cls", action, params)
    assert raised.value.code == code


def test_a_search_of_a_field_that_is_not_indexed_is_refused(world: World) -> None:
    """So the alarms' own searches can be asked."""
    deploy(world, WECOM)
    alarm = dict(next(iter(world.account.cls.watch.alarms.values())))
    alarm["Name"] = "another"
    alarm["AlarmTargets"] = [{**alarm["AlarmTargets"][0], "Query": 'nothing:"x" | select 1'}]
    with pytest.raises(CloudError, match="SyntaxError"):
        world.cloud.call("cls", "CreateAlarm", alarm)


def test_a_chart_asks_for_fields_that_are_indexed(world: World) -> None:
    """For their SQL too."""
    deploy(world)
    (topic,) = world.account.cls.topics.values()
    indexed = {pair["Key"] for pair in (topic.rule or {})["KeyValue"]["KeyValues"]}
    assert {"outcome", "submitted", "duration_ms", "event", "status"} <= indexed
    for panel in json.loads(only(world.account.cls.watch.dashboards)["Data"])["panels"]:
        assert panel["target"]["TopicId"] in world.account.cls.topics
        assert panel["target"]["RegionId"] == 1
