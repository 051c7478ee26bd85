"""A dashboard of CLS over a function's log topic. Pure.

The form of its data is not documented: it is that of Tencent's own deployment tool
(tencent-component-toolkit 2.27.6, lib/modules/cls/dashboard.js), which writes it by the same
action. The ids of regions are those of DescribeDashboards.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from ci_callback.deploy.calls import holds
from ci_callback.texts import Texts
from handler.alerts.texts import Lang

REGION_IDS: Mapping[str, int] = {
    "ap-guangzhou": 1,
    "ap-shanghai": 4,
    "ap-hongkong": 5,
    "ap-shanghai-fsi": 7,
    "ap-beijing": 8,
    "ap-singapore": 9,
    "ap-shenzhen-fsi": 11,
    "na-siliconvalley": 15,
    "ap-chengdu": 16,
    "eu-frankfurt": 17,
    "ap-seoul": 18,
    "ap-chongqing": 19,
    "na-ashburn": 22,
    "ap-bangkok": 23,
    "ap-tokyo": 25,
    "ap-nanjing": 33,
    "ap-beijing-fsi": 46,
    "ap-jakarta": 72,
    "sa-saopaulo": 74,
}
_ID_SPACE = uuid.UUID("5d1d3c6e-8a53-4f0b-9c55-3c1c1f0f7a10")
_TIME = "histogram(cast(__TIMESTAMP__ as timestamp), interval 5 minute) as time"
_WIDTH, _HEIGHT, _COLUMNS = 12, 8, 24


class Chart(NamedTuple):
    """A line for each value of `by`, or one. value: an expression over the lines of the search."""

    key: str
    search: str
    value: str
    by: str = ""

    @property
    def query(self) -> str:
        columns = [_TIME, *([self.by] if self.by else []), f"{self.value} as value"]
        groups = ["time", *([self.by] if self.by else [])]
        sql = f"select {', '.join(columns)} group by {', '.join(groups)} order by time limit 10000"
        return f"{self.search} | {sql}"


CHARTS = (
    Chart("callbacks", 'event:"callback"', "count(*)", "outcome"),
    Chart("retries", 'event:"sweep"', "sum(submitted)"),
    Chart("sweeps", 'event:"sweep"', "max(duration_ms)"),
    Chart("refused", 'event:"request_refused" AND status:"401"', "count(*)"),
)


def panels(region: str, topic: Mapping[str, Any], lang: Lang) -> list[dict[str, Any]]:
    """One for each chart. region: of REGION_IDS. topic: LogsetId and TopicId."""
    texts, row = Texts(lang), _COLUMNS // _WIDTH
    return [
        {
            "id": f"chart-{uuid.uuid5(_ID_SPACE, chart.key)}",
            "title": texts(f"dashboard.{chart.key}"),
            "gridPos": {
                "x": at % row * _WIDTH,
                "y": at // row * _HEIGHT,
                "w": _WIDTH,
                "h": _HEIGHT,
            },
            "type": "graph",
            "target": {
                "RegionId": REGION_IDS[region],
                **topic,
                "Query": chart.query,
                "ChartAxis": {"xAxisKey": "time", "yAxisKey": "value", "aggregateKey": chart.by},
            },
        }
        for at, chart in enumerate(CHARTS)
    ]


def merged(found: str, wanted: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The data that a dashboard is to have; None where it has that. found: what it has.

    A panel that someone added stays, and so does where someone put one of these.
    """
    data = _read(found)
    listed = data.get("panels")
    there = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    by_id = {one.get("id"): one for one in there}
    changed = [
        {**panel, "gridPos": by_id.get(panel["id"], panel).get("gridPos", panel["gridPos"])}
        for panel in wanted
        if not holds(by_id.get(panel["id"]), {key: panel[key] for key in ("title", "target")})
    ]
    if not changed:
        return None
    ids = {panel["id"] for panel in changed}
    return {**data, "panels": [*(one for one in there if one.get("id") not in ids), *changed]}


def _read(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
