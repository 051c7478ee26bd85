"""A log topic of the function's own, with an index of the fields of its lines. Pure but for `read`.

The platform's default topic allows no change of its index, so `event:…` and `level:…` can't be
asked there (583/40705).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ci_callback.cloud_api import CloudError
from ci_callback.deploy.actual import Api
from ci_callback.deploy.calls import Call, Later
from ci_callback.deploy.desired import MARK
from ci_callback.deploy.errors import DeployError
from ci_callback.deploy.triggers_plan import Difference

PERIOD_DAYS = 30
_TOKENIZER = "@&?|#()='\",;:<>[]{}/ \n\t\r\\"
_PAGE = 100

_WORDS = [
    "level",
    "event",
    "status",
    "reason",
    "job_id",
    "tag",
    "outcome",
    "key",
    "action",
    "faas.trigger",
    "faas.invocation_id",
]
_NUMBERS = ["due", "done", "failed", "remaining", "submitted", "alerts_sent", "duration_ms"]
"""Fields of the function's lines (docs/operate.md)."""
_PLATFORM_WORDS = ["SCF_FunctionName", "SCF_RequestId", "SCF_Type", "SCF_Message"]
_PLATFORM_NUMBERS = ["SCF_StatusCode", "SCF_Duration"]


def _field(name: str, kind: str) -> dict[str, Any]:
    tokenizer = _TOKENIZER if kind == "text" else ""
    value = {"Type": kind, "Tokenizer": tokenizer, "SqlFlag": True, "ContainZH": False}
    return {"Key": name, "Value": value}


RULE: Mapping[str, Any] = {
    "FullText": {"CaseSensitive": False, "Tokenizer": _TOKENIZER, "ContainZH": False},
    "KeyValue": {
        "CaseSensitive": False,
        "KeyValues": [
            *(_field(name, "text") for name in (*_WORDS, *_PLATFORM_WORDS)),
            *(_field(name, "double") for name in (*_NUMBERS, *_PLATFORM_NUMBERS)),
        ],
    },
}


@dataclass(frozen=True)
class Logs:
    """The state of CLS under the function's name. ids: None if they do not exist. fields: name →
    type of each indexed field; None without an index. description: of the topic."""

    logset: str | None = None
    topic: str | None = None
    fields: Mapping[str, str] | None = None
    description: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether deploy made the topic, or it does not exist."""
        return self.topic is None or self.description.startswith(MARK)

    @property
    def logset_id(self) -> str | Later:
        """The id, or where it will come from."""
        return self.logset or Later("CreateLogset", "LogsetId")

    @property
    def topic_id(self) -> str | Later:
        """The same of the topic."""
        return self.topic or Later("CreateTopic", "TopicId")

    @property
    def settings(self) -> dict[str, Any]:
        """Of the function."""
        return {"ClsLogsetId": self.logset_id, "ClsTopicId": self.topic_id}


def read(api: Api, name: str) -> Logs:
    """May raise CloudError."""
    asked = {"Filters": [{"Key": "logsetName", "Values": [name]}], "Limit": _PAGE}
    sets = api.call("cls", "DescribeLogsets", asked).get("Logsets") or []
    logset = next((row["LogsetId"] for row in sets if row.get("LogsetName") == name), None)
    if logset is None:
        return Logs()
    filters = [{"Key": "topicName", "Values": [name]}, {"Key": "logsetId", "Values": [logset]}]
    found = api.call("cls", "DescribeTopics", {"Filters": filters, "Limit": _PAGE})
    rows = found.get("Topics") or []
    row = next((row for row in rows if row.get("TopicName") == name), None)
    if row is None:
        return Logs(logset)
    topic = str(row["TopicId"])
    return Logs(logset, topic, _fields(api, topic), str(row.get("Describes") or ""))


def _fields(api: Api, topic: str) -> Mapping[str, str] | None:
    try:
        rule = api.call("cls", "DescribeIndex", {"TopicId": topic}).get("Rule") or {}
    except CloudError as error:
        if error.is_in("ResourceNotFound"):
            return None
        raise
    return fields_of(rule)


def fields_of(rule: Mapping[str, Any]) -> dict[str, str]:
    """Name → type of each indexed field."""
    pairs = (rule.get("KeyValue") or {}).get("KeyValues") or []
    return {str(pair["Key"]): str(pair["Value"]["Type"]) for pair in pairs}


def check(name: str, found: Logs, *, adopts: bool) -> None:
    """
    Raises:
        DeployError: there is a topic of the function's name that deploy did not make.
    """
    if not found.is_ours and not adopts:
        what = f"a log topic {name} exists, and deploy did not make it"
        fix = "give another --name, or --adopt to take it over: its lines and its index's own"
        raise DeployError(what, f"{fix} fields stay")


def changes(name: str, found: Logs) -> Iterator[tuple[list[Difference], list[Call]]]:
    """The calls that make topic and index. A field that someone added to the index stays."""
    description = f"{MARK} {name}"
    if found.logset is None:
        call = Call("cls", "CreateLogset", {"LogsetName": name}, "holds the topic")
        yield [Difference("log set", "", name)], [call]
    if found.topic is None:
        params: dict[str, Any] = {"LogsetId": found.logset_id, "TopicName": name}
        params |= {"Period": PERIOD_DAYS, "Describes": description}
        why = f"the function's log, for {PERIOD_DAYS} days"
        yield [Difference("log topic", "", name)], [Call("cls", "CreateTopic", params, why)]
    elif not found.is_ours:
        params = {"TopicId": found.topic, "Describes": description}
        difference = Difference("description of the log topic", found.description, description)
        yield [difference], [Call("cls", "ModifyTopic", params, "it is deploy's from now on")]
    wanted = fields_of(RULE)
    if found.fields is None:
        create: dict[str, Any] = {"TopicId": found.topic_id, "Rule": RULE}
        call = Call("cls", "CreateIndex", create, "fields that can be asked for")
        yield [Difference("log index", "", f"{len(wanted)} fields")], [call]
    elif missing := {key: kind for key, kind in wanted.items() if found.fields.get(key) != kind}:
        others = {key: kind for key, kind in found.fields.items() if key not in wanted}
        own = [_field(key, kind) for key, kind in others.items()]
        pairs = [*RULE["KeyValue"]["KeyValues"], *own]
        rule = {**RULE, "KeyValue": {**RULE["KeyValue"], "KeyValues": pairs}}
        modify: dict[str, Any] = {"TopicId": found.topic_id, "Rule": rule}
        call = Call("cls", "ModifyIndex", modify, "fields that can be asked for")
        yield [Difference("log index", "", ", ".join(sorted(missing)))], [call]
