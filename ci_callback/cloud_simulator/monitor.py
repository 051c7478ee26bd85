"""Cloud Monitor: the counts that CI keeps of its own jobs, by metric and bucket (248/70220)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ci_callback.cloud_simulator.errors import ApiError
from ci_callback.cloud_simulator.faults import Faults

NAMESPACE = "QCE/CI"
METRICS = ("MediaTasks", "MediaSuccessTasks")
PERIODS_S = (60, 300, 3_600, 86_400)
MAX_POINTS = 7_200
MAX_INSTANCES = 50
MINUTE_S = 60


@dataclass
class Monitor:
    """One account. counted: metric and bucket → start of a minute, in epoch seconds → count."""

    faults: Faults
    app_id: int
    counted: dict[tuple[str, str], dict[int, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )

    def count(self, metric: str, bucket: str, at: float, number: int = 1) -> None:
        """CI counts so many jobs. at: epoch seconds."""
        self.counted[metric, bucket][int(at) // MINUTE_S * MINUTE_S] += number

    def call(self, action: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """GetMonitorData.

        Raises:
            ApiError
        """
        metric, period = params["MetricName"], params.get("Period", 300)
        if params["Namespace"] != NAMESPACE or metric not in METRICS:
            raise ApiError("InvalidParameterValue", "There is no such metric.")
        if period not in PERIODS_S or len(params["Instances"]) > MAX_INSTANCES:
            raise ApiError("InvalidParameterValue", "Period or Instances are out of range.")
        begin, end = (datetime.fromisoformat(params[f"{name}Time"]) for name in ("Start", "End"))
        if begin.tzinfo is None or end.tzinfo is None or end < begin:
            raise ApiError("InvalidParameterValue", "The times are wrong.")
        if (end - begin).total_seconds() / period * len(params["Instances"]) > MAX_POINTS:
            raise ApiError("LimitExceeded", f"It has more than {MAX_POINTS} points.")
        points = [
            self._points(metric, instance["Dimensions"], (begin, end), period)
            for instance in params["Instances"]
        ]
        return {"Period": period, "MetricName": metric, "DataPoints": points}

    def _points(
        self,
        metric: str,
        dimensions: list[Mapping[str, str]],
        window: tuple[datetime, datetime],
        period: int,
    ) -> dict[str, Any]:
        """Of a longer period than a minute it gives the largest of its minutes, as the page of the
        metrics says: max."""
        named = {one["Name"]: one["Value"] for one in dimensions}
        if named.get("appid") != str(self.app_id) or named.keys() != {"appid", "bucket"}:
            raise ApiError("InvalidParameterValue", "The dimensions are appid and bucket.")
        begin, end = (moment.timestamp() for moment in window)
        found: dict[int, int] = {}
        for at, number in self.counted[metric, named["bucket"]].items():
            if begin <= at < end:
                start = at // period * period
                found[start] = max(found.get(start, 0), number)
        moments = sorted(found)
        return {
            "Dimensions": dimensions,
            "Timestamps": [float(at) for at in moments],
            "Values": [float(found[at]) for at in moments],
        }
