"""The use that a month of callbacks makes of SCF and COS, from measured figures. Pure.

docs/costs.md explains each figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

REQUESTS: Mapping[str, int] = {
    "kept": 1,
    "duplicate": 2,
    "failed": 2,
    "failed_duplicate": 3,
    "recovered": 3,
    "dead_letter": 2,
    "refused": 0,
    "idle_sweep": 1,
}
"""COS requests of each, as `make bench` counts them (rows "COS requests")."""

WAITING_REQUESTS = 1
"""More of a sweep that finds later tickets: each failure leaves one for six hours."""
RECONCILE_REQUESTS = 2
"""COS requests of a reconciliation that finds nothing to compare."""

FOLLOW_UP_REQUESTS = 16
"""COS requests that a failed job adds to sweeps until it has recovered and its alert is sent:
ticket, marks, claim, lineage, watch, alert (tests/ci_callback/test_cost.py plays and counts it)."""
EARLY_REQUESTS = 5
"""Of these: made while a sweep waits for its lease, so that they take no time of their own. Ticket
and record of the retry and of the alert, and the watch's ticket."""
FOLLOW_UP_CI_REQUESTS = 3
"""Questions to CI and the submission, counted there as well."""
ACTIVE_SWEEP_REQUESTS = 4
"""COS requests of a sweep with something to do, beyond an idle one's and those of its tickets:
lease, second listings, a part of the digest. Rounded up from 11 for three sweeps."""
ACTIVE_SWEEPS_FOR_A_FAILURE = 3
"""One submits the job again, one sends the alert, one watches the new job."""

CALLBACK_MS = 22.5
"""Wall time of a warm callback where COS answers in 20 ms (`make bench`: kept, wall with 20 ms)."""
FAILED_MS = 44.0
"""The same for the callback of a failed job (`make bench`: failed, wall with 20 ms)."""
REQUEST_MS = 22.0
"""One request of a sweep to COS or CI, where each answer takes 20 ms."""
REFUSED_MS = 1.0
"""A warm request without the token, which makes no request to COS."""
LEASE_WAIT_MS = 2_000.0
"""An active sweep waits that long for its lease (LEASE_WAIT_S), and the time is paid for."""

RECORD_BYTES = 2_000
"""Of one record: the documented Translation makes 1,643 bytes, SplitVideoParts 2,446."""
ANSWER_BYTES = 300
"""Of the answer to a callback, headers included: outbound where CI calls from outside."""
TICKET_BYTES = 2_000
"""A record and the fields around it."""
TICKETS = 4
"""Written for a job that failed and recovered: retry, its later ones, recovered, watch."""
REQUEST_OVERHEAD_BYTES = 800
"""Of one request to COS: method, headers and signature."""

SWEEPS = 43_200
"""One each minute of a month of 30 days (serverless.yml)."""
RECONCILES = 1_440
"""One each half hour of a month of 30 days."""

FORWARDS = 43_200
"""Runs of the timer `forward`, one each minute of a month of 30 days (serverless.yml)."""
FORWARD_REQUESTS = 1
"""COS requests of a run that finds nothing (`make bench`: idle forward). Without FORWARD_URLS a run
asks nothing."""
EVENT_REQUESTS = 3.03
"""COS requests of an event: one as it is stored with its record (`make bench`: kept forwarded), and
2.03 as it is sent in a batch of 100 to two destinations (`make bench`: COS requests per event)."""
EVENT_MS = 7.6
"""Time of a run for each event: 7.25 s for the 694 of a minute, the wait for the lease left out
(`make bench`: 1 M events a day, two destinations, 20 ms)."""
EVENT_BYTES = 2_000
"""Of one event: its head and its answers below `_deliveries/` and `_finals/`."""
EVENT_DAYS = 30
"""Days that events stay, as docs/events.md suggests."""

GB = 1_000_000_000.0


@dataclass(frozen=True)
class Load:
    """The callbacks of a month. Shares are of the callbacks; bytes, milliseconds and MB."""

    callbacks: int
    failed: float
    duplicates: float
    refused: float
    record_bytes: int
    retention_days: int
    memory_mb: int
    callback_ms: float
    failed_ms: float
    sweeps: int
    reconciles: int
    forwards: int
    destinations: int = 0
    """Of FORWARD_URLS."""


@dataclass(frozen=True)
class Use:
    """The use of a month, in the units that are paid for."""

    invocations: int
    gb_seconds: float
    cos_requests: int
    stored_gb: float
    """On average once the retention is over: what comes in a month, times how long it stays."""
    egress_gb: float
    """Out of the function: to COS over its public name, and answers."""


@dataclass(frozen=True)
class Prices:
    """Of one unit each; None where no price is given."""

    gb_second: float | None = None
    invocations_10k: float | None = None
    egress_gb: float | None = None
    cos_requests_10k: float | None = None
    cos_gb_month: float | None = None


PUBLISHED = Prices(
    gb_second=0.0000167,
    invocations_10k=0.002,
    egress_gb=0.1203,
    cos_requests_10k=0.002,
    cos_gb_month=0.024,
)
"""In USD, in mainland China. SCF: its product pricing of basic features (2022-05). COS: the
examples of "Request Fees" (436/40100, 2025-10-28) and of "Storage Usage Fees" (436/40099) for
STANDARD in Guangzhou and Beijing. They differ by region and by contract."""
PUBLISHED_CURRENCY = "USD"


def use(load: Load) -> Use:
    """The use of a month. Requests are counted as COS counts them: failed ones too."""
    failed = round(load.callbacks * load.failed)
    again = round(load.callbacks * load.duplicates)
    refused = round(load.callbacks * load.refused)
    active = min(load.sweeps, failed * ACTIVE_SWEEPS_FOR_A_FAILURE)
    # A job that failed comes once more, recovered: a callback with its own ticket and record.
    callbacks = (
        (load.callbacks - failed) * REQUESTS["kept"]
        + failed * (REQUESTS["failed"] + REQUESTS["recovered"])
        + again * REQUESTS["duplicate"]
    )
    idle_sweep = REQUESTS["idle_sweep"] + (WAITING_REQUESTS if failed else 0)
    idle = load.sweeps * idle_sweep + load.reconciles * RECONCILE_REQUESTS
    sweeping = failed * FOLLOW_UP_REQUESTS + active * ACTIVE_SWEEP_REQUESTS
    requests = callbacks + idle + sweeping
    events = _events(load, load.callbacks + failed)
    requests += events.requests
    waited_for = idle + sweeping + failed * (FOLLOW_UP_CI_REQUESTS - EARLY_REQUESTS)
    seconds = (
        (load.callbacks - failed + again) * load.callback_ms
        + failed * 2 * load.failed_ms
        + refused * REFUSED_MS
        + waited_for * REQUEST_MS
        + active * LEASE_WAIT_MS
        + events.ms
    ) / 1000
    came = (load.callbacks + failed) * load.record_bytes + failed * TICKETS * TICKET_BYTES
    answered_bytes = (load.callbacks + again) * ANSWER_BYTES
    sent_bytes = came + requests * REQUEST_OVERHEAD_BYTES + answered_bytes + events.sent_bytes
    timers = load.sweeps + load.reconciles + load.forwards
    return Use(
        invocations=load.callbacks + failed + again + refused + timers,
        gb_seconds=seconds * load.memory_mb / 1024,
        cos_requests=requests,
        stored_gb=(came * load.retention_days + events.kept_bytes * EVENT_DAYS) / 30 / GB,
        egress_gb=sent_bytes / GB,
    )


class _Events(NamedTuple):
    """The additional use by events. kept_bytes: stored in a month. sent_bytes: outbound."""

    requests: int = 0
    ms: float = 0
    kept_bytes: float = 0
    sent_bytes: float = 0


def _events(load: Load, ends: int) -> _Events:
    """Each callback of an end makes an event. ends: how many there are."""
    if not load.destinations:
        return _Events()
    requests = ends * EVENT_REQUESTS + load.forwards * FORWARD_REQUESTS
    active = min(load.forwards, ends)
    ms = ends * EVENT_MS + active * LEASE_WAIT_MS + load.forwards * REQUEST_MS
    kept = ends * EVENT_BYTES
    posted = ends * load.destinations * (load.record_bytes + REQUEST_OVERHEAD_BYTES)
    return _Events(round(requests), ms, kept, kept + posted)


def total_of(costs: Mapping[str, float | None]) -> float:
    """The sum of the costs that are known."""
    return sum(cost for cost in costs.values() if cost is not None)


def cost_of(used: Use, prices: Prices) -> dict[str, float | None]:
    """The cost of each unit; None where its price is not given."""

    def times(amount: float, price: float | None) -> float | None:
        return None if price is None else amount * price

    return {
        "invocations": times(used.invocations / 10_000, prices.invocations_10k),
        "gb_seconds": times(used.gb_seconds, prices.gb_second),
        "cos_requests": times(used.cos_requests / 10_000, prices.cos_requests_10k),
        "stored_gb": times(used.stored_gb, prices.cos_gb_month),
        "egress_gb": times(used.egress_gb, prices.egress_gb),
    }
