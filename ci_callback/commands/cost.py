"""`cost`: the use that a month of callbacks makes, and its cost where prices are given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer

from ci_callback import cost_model
from ci_callback.common import AsJson
from ci_callback.cost_model import Load, Prices
from ci_callback.listing import Form, say_rows
from ci_callback.terminal import print_json, say

MAX_COUNT = 1e12

_SHARE = re.compile(r"(\d+(?:\.\d+)?)(%?)")

ROWS: Mapping[str, str] = {
    "invocations": "invocations",
    "gb_seconds": "GB-seconds",
    "cos_requests": "COS requests",
    "stored_gb": "GB stored in COS",
    "egress_gb": "GB outbound",
}

Price = float | None


def count(text: str) -> int:
    """A number of things, as people write it: 1e6, 1,000,000 or 1000000.

    Raises:
        typer.BadParameter: it is no such number.
    """
    try:
        value = float(text.replace(",", "").replace("_", ""))
        if value != int(value) or not 0 <= value <= MAX_COUNT:
            raise ValueError
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text!r}: write 1e6 or 1000000") from error
    return int(value)


def share(text: str) -> float:
    """A share from 0 to 1: 2% or 0.02.

    Raises:
        typer.BadParameter: it is no such share.
    """
    match = _SHARE.fullmatch(text.strip())
    value = float(match[1]) / (100 if match[2] else 1) if match else 2.0
    if value > 1:
        raise typer.BadParameter(f"{text!r}: write 2% or 0.02")
    return value


def cost(
    callbacks: Annotated[
        int, typer.Option(parser=count, metavar="N", help="Callbacks per month.")
    ] = "1e6",  # type: ignore[assignment]  # Typer parses defaults too
    failed: Annotated[
        float,
        typer.Option(parser=share, metavar="SHARE", help="Share of failed jobs: 2% or 0.02."),
    ] = "2%",  # type: ignore[assignment]  # as above
    duplicates: Annotated[
        float, typer.Option(parser=share, metavar="SHARE", help="Share of callbacks sent twice.")
    ] = "0%",  # type: ignore[assignment]  # as above
    refused: Annotated[
        float,
        typer.Option(parser=share, metavar="SHARE", help="Requests without the token, as a share."),
    ] = "0%",  # type: ignore[assignment]  # as above
    memory: Annotated[int, typer.Option(min=64, help="memorySize in MB.")] = 256,
    ms: Annotated[
        float, typer.Option(min=0, help="Milliseconds of a warm callback.")
    ] = cost_model.CALLBACK_MS,
    failed_ms: Annotated[
        float, typer.Option(min=0, help="Milliseconds of a failed job's callback.")
    ] = cost_model.FAILED_MS,
    record_bytes: Annotated[
        int, typer.Option(min=0, help="Bytes per record.")
    ] = cost_model.RECORD_BYTES,
    retention_days: Annotated[int, typer.Option(min=1, help="Days that records stay.")] = 365,
    sweeps: Annotated[int, typer.Option(min=0, help="Sweeps per month.")] = cost_model.SWEEPS,
    reconciles: Annotated[
        int, typer.Option(min=0, help="Reconciliations per month.")
    ] = cost_model.RECONCILES,
    price_gb_second: Annotated[Price, typer.Option(min=0, help="Per GB-second.")] = None,
    price_invocations: Annotated[Price, typer.Option(min=0, help="Per 10,000 invocations.")] = None,
    price_egress: Annotated[Price, typer.Option(min=0, help="Per GB outbound.")] = None,
    price_requests: Annotated[
        Price, typer.Option(min=0, help="Per 10,000 requests to COS (436/40100).")
    ] = cost_model.COS_REQUEST_PRICE,
    price_storage: Annotated[Price, typer.Option(min=0, help="Per GB and month in COS.")] = None,
    as_json: AsJson = False,
) -> None:
    """Calculate what a month of callbacks uses, and its cost at the given prices."""
    load = Load(
        callbacks=callbacks,
        failed=failed,
        duplicates=duplicates,
        refused=refused,
        record_bytes=record_bytes,
        retention_days=retention_days,
        memory_mb=memory,
        callback_ms=ms,
        failed_ms=failed_ms,
        sweeps=sweeps,
        reconciles=reconciles,
    )
    prices = Prices(price_gb_second, price_invocations, price_egress, price_requests, price_storage)
    used = cost_model.use(load)
    costs = cost_model.cost_of(used, prices)
    if as_json:
        print_json(
            {"load": asdict(load), "use": asdict(used), "prices": asdict(prices), "cost": costs}
        )
        return
    say(f"{callbacks:,} callbacks, {failed:.1%} failed")
    rows = [
        (title, _amount(getattr(used, name)), _price(costs[name])) for name, title in ROWS.items()
    ]
    say_rows(("per month", "units", "cost"), rows, Form(header=True))
    missing = [ROWS[name] for name, value in costs.items() if value is None]
    if missing:
        say(f"No price is given for: {', '.join(missing)}. See docs/costs.md.")


def _amount(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _price(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}"
