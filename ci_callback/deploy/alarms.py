"""The alarms of a function's log topic, and which robots CLS can notify. Pure.

What a search counts is compared with `$1.NAME`; a count is there where no line is found, too
(614/56145, 614/44061).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ci_callback.deploy.calls import Later, Secret
from ci_callback.deploy.desired import MARK
from ci_callback.texts import Texts
from handler.alerts.channels import Channel, channels
from handler.alerts.texts import WORDS, Lang

PERIOD_MIN = 5
"""An alarm's search runs so often, over the lines since the search before it."""
REPEAT_MIN = 60
"""Between two notifications of an alarm that stays."""
MANY_REFUSED = 20
"""Requests with a wrong token in PERIOD_MIN: CI with an old address, or someone who guesses."""
CQL = 1
MAX_URL_BYTES = 1_024
"""Of a robot's address (CreateAlarmNotice)."""


class Alarm(NamedTuple):
    """search: of CQL. condition: on `lines`, how many it finds. periods: so many in a row."""

    key: str
    search: str
    condition: str
    periods: int = 1


ALARMS = (
    Alarm("errors", 'level:"ERROR"', "$1.lines > 0"),
    Alarm("no sweep", 'event:"sweep"', "$1.lines < 1", 2),
    Alarm("refused", 'event:"request_refused" AND status:"401"', f"$1.lines > {MANY_REFUSED}"),
)
"""Nothing else would show these: a digest is sent by a sweep."""

_CALLBACK_TYPES = {
    "wecom": "WeCom",
    "dingtalk": "DingTalk",
    "feishu": "Lark",
    "lark": "Lark",
    "webhook": "Http",
}
"""Services of alert channels that CLS can notify (CreateAlarmNotice, CallbackType)."""


class Robots(NamedTuple):
    """callbacks: as CreateAlarmNotice takes them, in the order of their addresses. shown: the same
    for people. left_out: channels that CLS can't notify, and why."""

    callbacks: Sequence[Mapping[str, Any]]
    shown: str
    left_out: Sequence[str]


def title(function: str) -> str:
    """The name of what watches a function; that of an alarm has its key behind it."""
    return f"{MARK} {function}"


def alarm_name(function: str, alarm: Alarm) -> str:
    """Unique in an account and region."""
    return f"{title(function)}: {alarm.key}"


def alarm_params(
    function: str, alarm: Alarm, topic: Mapping[str, Any], notice: str | Later, lang: Lang
) -> dict[str, Any]:
    """As CreateAlarm takes them. topic: LogsetId and TopicId."""
    texts = Texts(lang)
    # Robots with a keyword accept only messages that have it.
    message = WORDS[lang]["title"].format(texts(f"watch.{alarm.key}"))
    target = {
        **topic,
        "Query": f"{alarm.search} | select count(*) as lines",
        "Number": 1,
        "StartTimeOffset": -PERIOD_MIN,
        "EndTimeOffset": 0,
        "SyntaxRule": CQL,
    }
    return {
        "Name": alarm_name(function, alarm),
        "AlarmTargets": [target],
        "MonitorTime": {"Type": "Period", "Time": PERIOD_MIN},
        "TriggerCount": alarm.periods,
        "AlarmPeriod": REPEAT_MIN,
        "Condition": alarm.condition,
        "AlarmLevel": 0,
        "Status": True,
        "MessageTemplate": f"{message} ({function})",
        "AlarmNoticeIds": [notice],
    }


def notice_params(function: str, robots: Robots) -> dict[str, Any]:
    """As CreateAlarmNotice takes them."""
    return {"Name": title(function), "Type": "All", "WebCallbacks": list(robots.callbacks)}


def robots(alert_urls: Sequence[str], lang: Lang) -> Robots:
    """The channels of ALERT_URLS that CLS can notify, and the others."""
    taken: list[tuple[str, str, dict[str, Any]]] = []
    left_out = []
    for channel in channels(alert_urls):
        shown = f"{channel.service} at {channel.label}"
        why = _why_not(channel)
        if why:
            left_out.append(f"alarms do not go to {shown}: {why}")
            continue
        url = channel.url.partition("#")[0]
        callback: dict[str, Any] = {
            "CallbackType": _CALLBACK_TYPES[channel.service],
            "Url": Secret(url, f"<{shown}>"),
            "NoticeContentId": f"Default-{lang}",
        }
        if channel.service == "webhook":
            callback["Method"] = "POST"
        taken.append((url, shown, callback))
    taken.sort(key=lambda row: row[0])
    callbacks = [callback for _, _, callback in taken]
    return Robots(callbacks, ", ".join(shown for _, shown, _ in taken), left_out)


def _why_not(channel: Channel) -> str:
    """Why CLS can't notify a channel; "" where it can."""
    if channel.service not in _CALLBACK_TYPES:
        return "CLS has no such channel"
    url, _, fragment = channel.url.partition("#")
    if any(pair.startswith("secret=") for pair in fragment.split("&")):
        return "its messages must be signed, and CLS signs none"
    if len(url.encode()) > MAX_URL_BYTES:
        return f"its address has more than {MAX_URL_BYTES:,} bytes"
    return ""
