"""CI's queues: listed by kind (436/86276), changed by PUT (436/54046 and the page of each kind).

A bucket has one of each kind, and a second one of media for speed transcoding.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from ci_callback.ci_simulator import wire, workflows
from ci_callback.ci_simulator.api import RefusalError

PATHS = ("/queue", "/picqueue", "/ai_queue", "/asrqueue", "/docqueue", "/file_queue")
_OFF = dict.fromkeys(
    ("Url", "Event", "Type", "ResultFormat", "MqMode", "MqRegion", "MqName"), ""
) | {"State": "Off"}
_STATES, _SWITCH, _TYPES = ("Active", "Paused"), ("On", "Off"), ("Url", "TDMQ")
_EVENTS = {"TaskFinish", "WorkflowFinish"}
_FORMATS = ("", "XML", "JSON")


class Queues:
    """The queues of one bucket. by_path: the queues that each path lists. workflows: its
    workflows."""

    def __init__(self, bucket: str) -> None:
        self.workflows = workflows.Workflows(_is_config)
        numbers: Iterator[int] = itertools.count(1)
        self.by_path: dict[str, list[dict[str, Any]]] = {
            path: [_queue(next(numbers), bucket)] for path in PATHS
        }
        self.by_path["/queue"].append(
            _queue(next(numbers), bucket) | {"Category": "SpeedTranscoding"}
        )

    def answer(self, method: str, path: str, params: Mapping[str, str], body: bytes) -> str:
        """The XML below the prolog; "" for any other path.

        Raises:
            RefusalError
        """
        if path == workflows.PATH or path.startswith(f"{workflows.PATH}/"):
            return self.workflows.answer(method, path, params, body)
        folder, _, queue_id = path.rpartition("/")
        if method == "GET" and path in PATHS:
            every = path != "/queue" or params.get("category") == "CateAll"
            listed = self.by_path[path] if every else self.by_path[path][:1]
            page = {"TotalCount": str(len(listed)), "PageNumber": "1", "PageSize": "10"}
            return wire.to_xml({"Response": {**page, "QueueList": listed}})
        if method == "PUT" and folder in PATHS:
            return wire.to_xml({"Response": {"Queue": self._update(folder, queue_id, body)}})
        return ""

    def _update(self, path: str, queue_id: str, body: bytes) -> dict[str, Any]:
        queue = next((one for one in self.by_path[path] if one["QueueId"] == queue_id), None)
        if queue is None:
            raise RefusalError(404, "QueueNotFound")
        try:
            request = wire.from_xml(body)
        except ElementTree.ParseError as error:
            raise RefusalError(400, "MalformedXML") from error
        config = request.get("NotifyConfig")
        if not request.get("Name") or not isinstance(config, dict):
            raise RefusalError(400, "InvalidArgument", "Name and NotifyConfig are required")
        if path == "/docqueue" and request.get("QueueID") != queue_id:
            raise RefusalError(400, "InvalidArgument", "QueueID is required")
        if request.get("State") not in _STATES or not _is_config(config):
            raise RefusalError(400, "InvalidArgument")
        queue.update(Name=request["Name"], State=request["State"], NotifyConfig=_OFF | config)
        return queue


def _queue(number: int, bucket: str) -> dict[str, Any]:
    return {
        "QueueId": f"p{number:032}",
        "Name": f"queue-{number}",
        "State": "Active",
        "NotifyConfig": dict(_OFF),
        "MaxSize": "10000",
        "MaxConcurrent": "10",
        "Category": "Transcoding",
        "BucketId": bucket,
    }


def _is_config(config: Mapping[str, str]) -> bool:
    """Url must not be an intranet address; Event, Type and Url are needed where it is on."""
    if config.get("State", "Off") == "Off":
        return True
    events = set(config.get("Event", "").split(","))
    host = urlsplit(config.get("Url", "")).hostname or ""
    rules: tuple[Callable[[], bool], ...] = (
        lambda: config.get("State") in _SWITCH,
        lambda: events <= _EVENTS and bool(events),
        lambda: config.get("Type") in _TYPES,
        lambda: config.get("ResultFormat", "") in _FORMATS,
        lambda: config.get("Type") != "Url" or bool(host and ".in." not in host),
    )
    return all(rule() for rule in rules)
