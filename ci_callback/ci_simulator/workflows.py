"""CI's workflows: listed by GET /workflow (436/76857), replaced by PUT /workflow/ID (436/113264).

A PUT takes the whole workflow: nodes that it does not name are removed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

from ci_callback.ci_simulator import wire
from ci_callback.ci_simulator.api import RefusalError

PATH = "/workflow"
_STATES = ("Active", "Paused")
_PAGE = 10


class Workflows:
    """The workflows of one bucket. is_config: whether a NotifyConfig is accepted."""

    def __init__(self, is_config: Callable[[Mapping[str, str]], bool]) -> None:
        self.listed: list[dict[str, Any]] = []
        self._is_config = is_config

    def add(self, name: str, config: Mapping[str, str] | None) -> dict[str, Any]:
        """A workflow of one node; config: its NotifyConfig, None for none of its own."""
        start: dict[str, Any] = {"ObjectPrefix": "input/"}
        if config is not None:
            start["NotifyConfig"] = dict(config)
        operation = {"TemplateId": "t1", "Output": {"Object": "out/${RunId}.mp4"}}
        workflow = {
            "Name": name,
            "WorkflowId": f"w{len(self.listed) + 1:032}",
            "State": "Active",
            "CreateTime": "2026-01-01 00:00:00",
            "Topology": {
                "Dependencies": {"Start": "Transcode_1", "Transcode_1": "End"},
                "Nodes": {
                    "Start": {"Type": "Start", "Input": start},
                    "Transcode_1": {"Type": "Transcode", "Operation": operation},
                },
            },
        }
        self.listed.append(workflow)
        return workflow

    def answer(self, method: str, path: str, params: Mapping[str, str], body: bytes) -> str:
        """The XML below the prolog; "" for any other path.

        Raises:
            RefusalError
        """
        if method == "GET" and path == PATH:
            size, number = int(params.get("pageSize", _PAGE)), int(params.get("pageNumber", "1"))
            shown = self.listed[size * (number - 1) : size * number]
            page = {"TotalCount": str(len(self.listed)), "PageNumber": str(number)}
            return wire.to_xml({"Response": {**page, "MediaWorkflowList": shown}})
        if method == "PUT" and path.startswith(f"{PATH}/"):
            updated = self._update(path.rpartition("/")[2], body)
            return wire.to_xml({"Response": {"MediaWorkflow": updated}})
        return ""

    def _update(self, workflow_id: str, body: bytes) -> dict[str, Any]:
        found = next((one for one in self.listed if one["WorkflowId"] == workflow_id), None)
        if found is None:
            raise RefusalError(404, "WorkflowNotFound")
        try:
            wanted = wire.from_xml(body).get("MediaWorkflow") or {}
            nodes = wanted["Topology"]["Nodes"]
            start = nodes["Start"]["Input"]
        except (ElementTree.ParseError, KeyError, TypeError) as error:
            raise RefusalError(400, "InvalidArgument", "MediaWorkflow") from error
        config = start.get("NotifyConfig") or {}
        if not wanted.get("Name") or wanted.get("State") not in _STATES or "WorkflowId" in wanted:
            raise RefusalError(400, "InvalidArgument")
        if not isinstance(config, dict) or not self._is_config(config):
            raise RefusalError(400, "InvalidArgument", "NotifyConfig")
        found.update(Name=wanted["Name"], State=wanted["State"], Topology=wanted["Topology"])
        return found
