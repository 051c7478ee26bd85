"""`cost`: what a month of callbacks uses, from measured figures, and what it costs where prices
are given. docs/costs.md explains it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

from ci_callback.common import AsJson
from ci_callback.terminal import Table, print_json, say, say_table

REQUESTS: Mapping[str, int] = {
    "kept": 1,
    "duplicate": 2,
    "failed": 2,
    "failed_duplicate": 3,
    "recovered": 3,
    "dead_letter": 2,
    "refused": 0,
    "idle_sweep": 2,
}
"""COS requests of each, as `make bench` counts them (rows "COS requests")."""

FOLLOW_UP_REQUESTS = 21
"""COS requests that a failed job adds to sweeps until it has recovered and was told of: ticket,
marks, claim, lineage, watch, alert (tests/ci_callback/test_cost.py plays it and counts)."""
FOLLOW_UP_CI_REQUESTS = 3
"""Questions to CI and the submission, counted there as well."""
ACTIVE_SWEEP_REQUESTS = 4
"""COS requests of a sweep with something to do, beyond an idle one's and those of its tickets:
lease, second listings, a part of the digest. Rounded up from 11 for three sweeps."""
ACTIVE_SWEEPS_FOR_A_FAILURE = 3
"""It is submitted again; it is told of; it is watched."""

CALLBACK_MS = 23.0
"""Wall time of a warm callback with 20 ms a COS answer (`make bench`: kept, wall with 20 ms)."""
FAILED_MS = 47.0
"""The same of one that failed (`make bench`: failed, wall with 20 ms)."""
REQUEST_MS = 22.0
"""A request to COS or CI of a sweep, where each answer takes 20 ms."""
REFUSED_MS = 1.0
"""A request without the token, warm: no request to COS."""
SETTLE_MS = 2_000.0
"""What an active sweep waits for its lease (LEASE_WAIT_S): paid for as time."""

RECORD_BYTES = 2_000
"""Of a record: the documented Translation makes 1,643 bytes, SplitVideoParts 2,446."""
ANSWER_BYTES = 300
"""What a callback is answered with, headers included: outbound where CI calls from outside."""
TICKET_BYTES = 2_000
"""A record and what stands around it."""
TICKETS = 4
"""Written for a job that failed and recovered: retry, its later ones, recovered, watch."""
REQUEST_OVERHEAD_BYTES = 800
"""Of one request to COS: method, headers and signature."""

SWEEPS = 43_200
"""A month of 30 days with one each minute (serverless.yml)."""
RECONCILES = 1_440
"""A month of 30 days with one each half hour."""

GB = 1_000_000_000.0

COS_REQUEST_PRICE = 0.002
"""USD for 10,000 requests to STANDARD: the example in "Request Fees" (436/40100, 2025-10-28). It
differs by region; every other price has no default, since no page with a figure was found."""

_SHARE = re.compile(r"(\d+(?:\.\d+)?)(%?)")


def count(text: str) -> int:
    """A number of things, as people write it: 1e6, 1,000,000 or 1000000.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        value = float(text.replace(",", "").replace("_", ""))
        if value != int(value) or not 0 <= value <= 1e12:
            raise ValueError
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text!r}: write 1e6 or 1000000") from error
    return int(value)


def share(text: str) -> float:
    """A share from 0 to 1: 2% or 0.02.

    Raises:
        typer.BadParameter: it is none.
    """
    found = _SHARE.fullmatch(text.strip())
    value = float(found[1]) / (100 if found[2] else 1) if found else 2.0
    if value > 1:
        raise typer.BadParameter(f"{text!r}: write 2% or 0.02")
    return value


@dataclass(frozen=True)
class Load:
    """What a month brings. Shares are of the callbacks; bytes, milliseconds and MB."""

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


@dataclass(frozen=True)
class Use:
    """What it uses in the units that are paid for."""

    invocations: int
    gb_seconds: float
    cos_requests: int
    stored_gb: float
    """On average once the retention is over: what comes in a month, times how long it stays."""
    egress_gb: float
    """Out of the function: to COS over its public name, and answers."""


@dataclass(frozen=True)
class Prices:
    """Of one unit each; None where it is not known here."""

    gb_second: float | None
    invocations_10k: float | None
    egress_gb: float | None
    cos_requests_10k: float | None
    cos_gb_month: float | None


def use(load: Load) -> Use:
    """What a month uses. Requests are counted as COS counts them: failed ones too."""
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
    idle = (load.sweeps + load.reconciles) * REQUESTS["idle_sweep"]
    sweeping = failed * FOLLOW_UP_REQUESTS + active * ACTIVE_SWEEP_REQUESTS
    requests = callbacks + idle + sweeping
    waited_for = idle + sweeping + failed * FOLLOW_UP_CI_REQUESTS
    seconds = (
        (load.callbacks - failed + again) * load.callback_ms
        + failed * 2 * load.failed_ms
        + refused * REFUSED_MS
        + waited_for * REQUEST_MS
        + active * SETTLE_MS
    ) / 1000
    came = (load.callbacks + failed) * load.record_bytes + failed * TICKETS * TICKET_BYTES
    sent = came + requests * REQUEST_OVERHEAD_BYTES + (load.callbacks + again) * ANSWER_BYTES
    return Use(
        invocations=load.callbacks + failed + again + refused + load.sweeps + load.reconciles,
        gb_seconds=seconds * load.memory_mb / 1024,
        cos_requests=requests,
        stored_gb=came * load.retention_days / 30 / GB,
        egress_gb=sent / GB,
    )


def cost_of(used: Use, prices: Prices) -> dict[str, float | None]:
    """What each unit costs; None where its price is not given."""

    def times(amount: float, price: float | None) -> float | None:
        return None if price is None else amount * price

    return {
        "invocations": times(used.invocations / 10_000, prices.invocations_10k),
        "gb_seconds": times(used.gb_seconds, prices.gb_second),
        "cos_requests": times(used.cos_requests / 10_000, prices.cos_requests_10k),
        "stored_gb": times(used.stored_gb, prices.cos_gb_month),
        "egress_gb": times(used.egress_gb, prices.egress_gb),
    }


ROWS: Mapping[str, str] = {
    "invocations": "invocations",
    "gb_seconds": "GB-seconds",
    "cos_requests": "COS requests",
    "stored_gb": "GB kept in COS",
    "egress_gb": "GB outbound",
}

Price = float | None


def cost(
    callbacks: Annotated[
        int, typer.Option(parser=count, metavar="N", help="Callbacks a month.")
    ] = "1e6",  # type: ignore[assignment]  # Typer parses defaults too
    failed: Annotated[
        float, typer.Option(parser=share, metavar="SHARE", help="Of them failed: 2% or 0.02.")
    ] = "2%",  # type: ignore[assignment]  # as above
    duplicates: Annotated[
        float, typer.Option(parser=share, metavar="SHARE", help="Sent twice, as a share.")
    ] = "0%",  # type: ignore[assignment]  # as above
    refused: Annotated[
        float, typer.Option(parser=share, metavar="SHARE", help="Of strangers, as a share.")
    ] = "0%",  # type: ignore[assignment]  # as above
    memory: Annotated[int, typer.Option(min=64, help="memorySize in MB.")] = 256,
    ms: Annotated[float, typer.Option(min=0, help="Wall time of a warm callback.")] = CALLBACK_MS,
    failed_ms: Annotated[float, typer.Option(min=0, help="Of one that failed.")] = FAILED_MS,
    record_bytes: Annotated[int, typer.Option(min=0, help="Of one record.")] = RECORD_BYTES,
    retention_days: Annotated[int, typer.Option(min=1, help="How long records stay.")] = 365,
    sweeps: Annotated[int, typer.Option(min=0, help="Sweeps a month.")] = SWEEPS,
    reconciles: Annotated[int, typer.Option(min=0, help="Reconciliations a month.")] = RECONCILES,
    price_gb_second: Annotated[Price, typer.Option(min=0, help="Of a GB-second.")] = None,
    price_invocations: Annotated[Price, typer.Option(min=0, help="Of 10,000.")] = None,
    price_egress: Annotated[Price, typer.Option(min=0, help="Of a GB outbound.")] = None,
    price_requests: Annotated[
        Price, typer.Option(min=0, help="Of 10,000 requests to COS (436/40100).")
    ] = COS_REQUEST_PRICE,
    price_storage: Annotated[Price, typer.Option(min=0, help="Of a GB and month in COS.")] = None,
    as_json: AsJson = False,
) -> None:
    """What a month of callbacks uses, and what it costs at the prices that are given."""
    load = Load(
        callbacks,
        failed,
        duplicates,
        refused,
        record_bytes,
        retention_days,
        memory,
        ms,
        failed_ms,
        sweeps,
        reconciles,
    )
    prices = Prices(price_gb_second, price_invocations, price_egress, price_requests, price_storage)
    used = use(load)
    costs = cost_of(used, prices)
    if as_json:
        print_json(
            {"load": asdict(load), "use": asdict(used), "prices": asdict(prices), "cost": costs}
        )
        return
    made = Table(
        ("a month", "units", "cost"), title=f"{callbacks:,} callbacks, {failed:.1%} failed"
    )
    for name, title in ROWS.items():
        made.add(title, _amount(getattr(used, name)), _price(costs[name]))
    say_table(made)
    missing = [ROWS[name] for name, value in costs.items() if value is None]
    if missing:
        say(f"No price is given for: {', '.join(missing)}. See docs/costs.md.")


def _amount(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _price(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}"
