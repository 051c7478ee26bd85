"""CLS: log sets, topics, their indexes and their lines; alarms and dashboards are in cls_watch."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ci_callback.cloud_simulator import cls_watch
from ci_callback.cloud_simulator.cls_watch import Watch
from ci_callback.cloud_simulator.errors import ApiError
from ci_callback.cloud_simulator.faults import Faults

PERIOD_DAYS = range(1, 3_601)
MAX_CONTEXT_LINES = 10_000
"""Of a search that is gone on with by Context; by Offset there is no such bound."""
_TERM = re.compile(r'([\w.]+):"([^"\\]*)"')
_WORDS = re.compile(r"\w+(?: OR \w+)*")
_TYPES = ("long", "text", "double", "json")


@dataclass
class Topic:
    """rule: of its index; None without an index."""

    logset: str
    name: str
    period: int
    description: str = ""
    rule: Mapping[str, Any] | None = None
    lines: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    """Epoch milliseconds, and the fields: all texts."""


@dataclass
class Cls:
    """One account in one region. logsets: id → name. topics: by id."""

    faults: Faults
    logsets: dict[str, str] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.watch = Watch(self._count)

    def call(self, action: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out an action whose parameters were checked.

        Raises:
            ApiError
        """
        if action in cls_watch.ACTIONS:
            return cls_watch.ACTIONS[action](self.watch, params)
        answer: dict[str, Any] = _ACTIONS[action](self, params)
        return answer

    def create_logset(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name = params["LogsetName"]
        if name in self.logsets.values():
            raise ApiError("InvalidParameter.LogsetConflict", f"{name} exists.")
        made = str(uuid.uuid4())
        self.logsets[made] = name
        return {"LogsetId": made}

    def describe_logsets(self, params: Mapping[str, Any]) -> dict[str, Any]:
        wanted = _filtered(params, "logsetName")
        rows = [
            {"LogsetId": key, "LogsetName": name}
            for key, name in self.logsets.items()
            if any(part in name for part in wanted)
        ]
        return {"Logsets": rows, "TotalCount": len(rows)}

    def create_topic(self, params: Mapping[str, Any]) -> dict[str, Any]:
        logset, name = params["LogsetId"], params["TopicName"]
        if logset not in self.logsets:
            raise ApiError("ResourceNotFound.LogsetNotExist", "The logset does not exist.")
        if any((topic.logset, topic.name) == (logset, name) for topic in self.topics.values()):
            raise ApiError("InvalidParameter.TopicConflict", f"{name} exists.")
        if params.get("Period", 30) not in PERIOD_DAYS:
            raise ApiError("InvalidParameter", "Period is 1 to 3600.")
        made = str(uuid.uuid4())
        period, description = params.get("Period", 30), params.get("Describes", "")
        self.topics[made] = Topic(logset, name, period, description)
        return {"TopicId": made}

    def modify_topic(self, params: Mapping[str, Any]) -> dict[str, Any]:
        topic = self._topic(params)
        topic.description = params.get("Describes", topic.description)
        topic.period = params.get("Period", topic.period)
        return {}

    def describe_topics(self, params: Mapping[str, Any]) -> dict[str, Any]:
        wanted, logsets = _filtered(params, "topicName"), _filtered(params, "logsetId")
        rows = [
            {
                "TopicId": key,
                "TopicName": topic.name,
                "LogsetId": topic.logset,
                "Index": topic.rule is not None,
                "Period": topic.period,
                "Describes": topic.description,
            }
            for key, topic in self.topics.items()
            if any(part in topic.name for part in wanted) and topic.logset in logsets
        ]
        return {"Topics": rows, "TotalCount": len(rows)}

    def create_index(self, params: Mapping[str, Any]) -> dict[str, Any]:
        topic = self._topic(params)
        if topic.rule is not None:
            raise ApiError("InvalidParameter.IndexConflict", "The topic has an index.")
        topic.rule = _checked(params["Rule"])
        return {}

    def modify_index(self, params: Mapping[str, Any]) -> dict[str, Any]:
        topic = self._topic(params)
        if topic.rule is None:
            raise ApiError("ResourceNotFound.IndexNotExist", "The topic has no index.")
        topic.rule = _checked(params["Rule"])
        return {}

    def describe_index(self, params: Mapping[str, Any]) -> dict[str, Any]:
        topic = self._topic(params)
        if topic.rule is None:
            raise ApiError("ResourceNotFound.IndexNotExist", "The topic has no index.")
        return {"TopicId": params["TopicId"], "Status": True, "Rule": topic.rule}

    def append(self, topic_id: str, at: float, fields: Mapping[str, str]) -> None:
        """A line of a function; nothing where the topic is not there. at: epoch seconds."""
        topic = self.topics.get(topic_id)
        if topic is not None:
            topic.lines.append((int(at * 1000), fields))

    def search(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Of CQL only FIELD:"VALUE" of indexed fields, joined by AND, or words joined by OR."""
        topic = self._topic(params)
        found = _found(topic, params.get("QueryString", ""), params["From"], params["To"])
        if params.get("Sort", "desc") == "desc":
            found.reverse()
        if "Context" in params and "Offset" in params:
            raise ApiError("InvalidParameter", "Context and Offset exclude each other.")
        begin, count = int(params.get("Context") or 0), params.get("Limit", 100)
        if begin + count > MAX_CONTEXT_LINES:
            raise ApiError("LimitExceeded", "By Context there are 10,000 lines.")
        begin = params.get("Offset", begin)
        shown = found[begin : begin + count]
        rows = [{"Time": at, "LogJson": json.dumps(fields)} for at, fields in shown]
        is_over = begin + count >= len(found)
        return {"Results": rows, "Context": str(begin + count), "ListOver": is_over}

    def _count(self, target: Mapping[str, Any], begin_ms: int, end_ms: int) -> int:
        """Of an alarm: the lines that its search finds, whatever its SQL makes of them."""
        search = target["Query"].partition("|")[0].strip()
        return len(_found(self._topic(target), search, begin_ms, end_ms))

    def _topic(self, params: Mapping[str, Any]) -> Topic:
        topic = self.topics.get(params.get("TopicId", ""))
        if topic is None:
            raise ApiError("ResourceNotFound.TopicNotExist", "The topic does not exist.")
        return topic


def _found(
    topic: Topic, search: str, begin_ms: int, end_ms: int
) -> list[tuple[int, Mapping[str, str]]]:
    matches = _query(search, topic)
    return [
        (at, fields)
        for at, fields in sorted(topic.lines, key=lambda line: line[0])
        if begin_ms <= at < end_ms and matches(fields)
    ]


def _query(text: str, topic: Topic) -> Callable[[Mapping[str, str]], bool]:
    """Which lines a search finds."""
    if text not in ("", "*") and _WORDS.fullmatch(text):
        words = text.split(" OR ")
        return lambda fields: any(word in value for value in fields.values() for word in words)
    pairs = (topic.rule or {}).get("KeyValue", {}).get("KeyValues", [])
    indexed = {pair["Key"] for pair in pairs}
    wanted = []
    for part in text.split(" AND ") if text not in ("", "*") else []:
        match = _TERM.fullmatch(part)
        if match is None or match[1] not in indexed:
            raise ApiError("FailedOperation.SyntaxError", f"{part} can't be asked for.")
        wanted.append((match[1], match[2]))
    return lambda fields: all(fields.get(name) == value for name, value in wanted)


def _filtered(params: Mapping[str, Any], key: str) -> Sequence[str]:
    for one in params.get("Filters", []):
        if one["Key"] == key:
            values: Sequence[str] = one["Values"]
            return values
    return ("",)


def _checked(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """A number has no tokenizer, and no field begins with an underscore."""
    for pair in rule.get("KeyValue", {}).get("KeyValues", []):
        kind, tokenizer = pair["Value"]["Type"], pair["Value"].get("Tokenizer", "")
        is_number = kind in ("long", "double")
        if kind not in _TYPES or pair["Key"].startswith("_") or (is_number and tokenizer):
            raise ApiError("InvalidParameter.InvalidIndexRuleForSearchLog", "The rule is wrong.")
    return rule


_ACTIONS = {
    "CreateIndex": Cls.create_index,
    "CreateLogset": Cls.create_logset,
    "CreateTopic": Cls.create_topic,
    "DescribeIndex": Cls.describe_index,
    "DescribeLogsets": Cls.describe_logsets,
    "DescribeTopics": Cls.describe_topics,
    "ModifyIndex": Cls.modify_index,
    "ModifyTopic": Cls.modify_topic,
    "SearchLog": Cls.search,
}
