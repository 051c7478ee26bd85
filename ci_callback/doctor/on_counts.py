"""CI's own count of media jobs against the ledger's: a gap is the first sign of a callback that
never came.

CI counts in Cloud Monitor, namespace QCE/CI, by appid and bucket, whatever the bucket's region in
ap-guangzhou (460/71989, 248/70220). Of a period longer than a minute the service gives the largest
minute (statistic "max" on that page), so minutes are asked for and added. It has no count of jobs
that failed: the ledger is compared with those that succeeded.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import Any, NamedTuple

from ci_callback.cloud_api import Cloud
from ci_callback.deploy.policy import media_buckets
from ci_callback.doctor.case import Case
from ci_callback.doctor.ci_api import NoBucketError, place
from ci_callback.doctor.cloud import Question, ask
from ci_callback.doctor.findings import Finding, ok, skipped, warning
from ci_callback.ledger_reader import records
from ci_callback.newest import Dated
from ci_callback.program import PROGRAM
from handler.callback.families import FAMILIES
from handler.clock import rfc3339_of
from handler.errors import StoreError
from handler.ledger import keys
from handler.ledger.store import Store
from handler.stores import open_store

NAME = "media jobs"
NAMESPACE, METRIC, REGION = "QCE/CI", "MediaSuccessTasks", "ap-guangzhou"
MINUTE_S = 60
WINDOW_S = 24 * 60 * MINUTE_S
LAG_S = 15 * MINUTE_S
"""So long ago the window ends: a metric is late by some minutes, and a callback may be."""
SLACK_S = 5 * MINUTE_S
"""A callback comes after its job was counted."""
INSTANCES = 5
"""Of one request: 1,440 minutes of each, and at most 7,200 points (GetMonitorData)."""
MAX_LISTED = 50_000
MAX_READ = 1_000
TOLERATED = 0.01
"""Of CI's count: a job at either end of the window may be counted on one side alone."""
EARLIER_DAYS = 2
"""A job's record lies under the day of its creation, and it may have ended later."""
SUCCEEDED = ("succeeded", "partial")
_LETTER = FAMILIES["media"].letter or ""


class _Counted(NamedTuple):
    """number: of media jobs. since: epoch seconds, from when on the ledger knows of any. is_exact:
    whether those that failed are left out."""

    number: int
    since: float
    is_exact: bool


def media_jobs(case: Case) -> list[Finding]:
    """The last day, up to a quarter of an hour ago."""
    settings = case.settings
    try:
        place(case)
    except NoBucketError as error:
        return [skipped(NAME, str(error))]
    if settings.cos_endpoint and not case.target.scf_endpoint:
        return [skipped(NAME, "COS_ENDPOINT names a simulator, which CI does not count")]
    end = (case.clock() - LAG_S) // MINUTE_S * MINUTE_S
    try:
        ledger = _in_ledger(open_store(settings), end - WINDOW_S, end)
    except StoreError as error:
        return [skipped(NAME, f"the ledger can't be listed: {error}")]
    if ledger is None:
        what = f"more than {MAX_LISTED:,} records a day: not compared"
        return [skipped(NAME, what, f"compare {METRIC} of Cloud Monitor with `{PROGRAM} query`")]
    buckets = media_buckets(settings)
    question = Question(
        NAME,
        "monitor:GetMonitorData",
        lambda cloud: _counted_by_ci(cloud, buckets, ledger.since, end),
        lambda error: skipped(NAME, f"Cloud Monitor gave no count: {error}"),
        REGION,
    )
    counted = ask(case, question)
    return [counted if isinstance(counted, Finding) else _compared(counted, ledger, end)]


def _compared(counted: int, ledger: _Counted, end: float) -> Finding:
    hours = round((end - ledger.since) / 3_600, 1)
    kind = "" if ledger.is_exact else ", those that failed included"
    what = (
        f"CI counted {counted:,} that succeeded in {hours:g} hours up to {rfc3339_of(end)}, "
        f"and the ledger has {ledger.number:,}{kind}"
    )
    missing = counted - ledger.number
    if missing <= counted * TOLERATED:
        return ok(NAME, what)
    fix = (
        "does each queue call the function (`deploy connect`)? "
        f"`{PROGRAM} reconcile --tag TAG --hours 24` takes in what is missing; jobs of queues that "
        "call something else are counted too"
    )
    return warning(NAME, f"{what}: {missing:,} callbacks may never have come", fix)


def _in_ledger(store: Store, begin: float, end: float) -> _Counted | None:
    """None where there are too many. May raise StoreError."""
    if not isinstance(store, Dated):
        raise AssertionError("both stores say when an object was written")
    first, until = rfc3339_of(begin), rfc3339_of(end + SLACK_S)
    day = date.fromisoformat(first[:10])
    days = [day + timedelta(ahead) for ahead in range(-EARLIER_DAYS, 3)]
    listed = list(islice(_written(store, days), MAX_LISTED + 1))
    if len(listed) > MAX_LISTED:
        return None
    found = [key for key, written in listed if first <= written <= until]
    oldest = min((written for _, written in listed), default=first)
    known = store.folders(f"{keys.JOBS}dt=")
    is_young = not any(keys.NO_DAY < folder[-11:-1] < day.isoformat() for folder in known)
    since = min(max(begin, _epoch(oldest)), end) if is_young else begin
    if len(found) > MAX_READ:
        return _Counted(len(found), since, False)
    read = (stored.record for stored in records(store, found))
    number = sum(record is not None and record.outcome in SUCCEEDED for record in read)
    return _Counted(number, since, True)


def _written(store: Dated, days: Sequence[date]) -> Iterator[tuple[str, str]]:
    """The records of media jobs of these days, with when they were written."""
    for day in days:
        for key, written in store.dated(f"{keys.JOBS}dt={day}/"):
            if key.rpartition("/")[2].startswith(_LETTER):
                yield key, written


def _epoch(written: str) -> float:
    """Of an RFC 3339 time in UTC, without its fraction."""
    return float(calendar.timegm(time.strptime(written[:19], "%Y-%m-%dT%H:%M:%S")))


def _counted_by_ci(cloud: Cloud, buckets: Sequence[str], begin: float, end: float) -> int:
    """May raise CloudError."""
    total = 0.0
    for at in range(0, len(buckets), INSTANCES):
        asked = {
            "Namespace": NAMESPACE,
            "MetricName": METRIC,
            "Instances": [_instance(bucket) for bucket in buckets[at : at + INSTANCES]],
            "Period": MINUTE_S,
            "StartTime": rfc3339_of(begin // MINUTE_S * MINUTE_S).replace("Z", "+00:00"),
            "EndTime": rfc3339_of(end).replace("Z", "+00:00"),
        }
        for points in cloud.call("monitor", "GetMonitorData", asked).get("DataPoints") or []:
            total += sum(_values(points))
    return round(total)


def _instance(bucket: str) -> dict[str, Any]:
    named = {"appid": bucket.rpartition("-")[2], "bucket": bucket}
    return {"Dimensions": [{"Name": name, "Value": value} for name, value in named.items()]}


def _values(points: Mapping[str, Any]) -> Iterator[float]:
    for value in points.get("Values") or []:
        if isinstance(value, (int, float)) and value > 0:
            yield float(value)
