"""`cost`: the use that a month of callbacks makes, and what it costs at the published prices."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, NamedTuple

import typer

from ci_callback import cost_model
from ci_callback.common import AsJson
from ci_callback.cost_model import PUBLISHED, PUBLISHED_CURRENCY, Load, Prices
from ci_callback.listing import Form, say_rows
from ci_callback.record_filter import known
from ci_callback.terminal import print_json, say

MAX_COUNT = 1e12

_SHARE = re.compile(r"(\d+(?:\.\d+)?)(%?)")

ROWS: Mapping[str, tuple[str, str, str]] = {
    "invocations": ("invocations", "invocations_10k", "10,000"),
    "gb_seconds": ("GB-seconds", "gb_second", "1"),
    "cos_requests": ("COS requests", "cos_requests_10k", "10,000"),
    "stored_gb": ("GB stored in COS", "cos_gb_month", "1"),
    "egress_gb": ("GB outbound", "egress_gb", "1"),
}
"""Each unit: its title, its price, and of how many the price is."""


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


def number(text: str) -> float:
    """A number from 0 on.

    Raises:
        typer.BadParameter: it is not such a number.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= MAX_COUNT:
        raise typer.BadParameter(f"{text!r}: write a number such as 0.5")
    return value


class Assumption(NamedTuple):
    """What --set changes. field: of Load, or of Prices where it is a price."""

    field: str
    read: Callable[[str], float]
    default: float
    is_price: bool = False


ASSUMPTIONS: Mapping[str, Assumption] = {
    "duplicates": Assumption("duplicates", share, 0.0),
    "refused": Assumption("refused", share, 0.0),
    "memory-mb": Assumption("memory_mb", count, 256),
    "callback-ms": Assumption("callback_ms", number, cost_model.CALLBACK_MS),
    "failed-ms": Assumption("failed_ms", number, cost_model.FAILED_MS),
    "record-bytes": Assumption("record_bytes", count, cost_model.RECORD_BYTES),
    "retention-days": Assumption("retention_days", count, 365),
    "sweeps": Assumption("sweeps", count, cost_model.SWEEPS),
    "reconciles": Assumption("reconciles", count, cost_model.RECONCILES),
    "forwards": Assumption("forwards", count, cost_model.FORWARDS),
    **{
        f"price-{field.replace('_', '-')}": Assumption(field, number, price, is_price=True)
        for field, price in asdict(PUBLISHED).items()
    },
}
"""By name. docs/costs.md says what each is."""
CURRENCY = "currency"


def cost(
    callbacks: Annotated[
        int, typer.Option(parser=count, metavar="N", help="Callbacks per month.")
    ] = "1e6",  # type: ignore[assignment]  # Typer parses defaults too
    failed: Annotated[
        float,
        typer.Option(parser=share, metavar="SHARE", help="Share of failed jobs: 2% or 0.02."),
    ] = "2%",  # type: ignore[assignment]  # as above
    destinations: Annotated[
        int, typer.Option(min=0, max=100, help="Addresses of FORWARD_URLS; 0: no events.")
    ] = 0,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            allow_from_autoenv=False,
            metavar="NAME=VALUE",
            help="Another value for an assumption or a price; may be given again: "
            f"{', '.join(ASSUMPTIONS)}; {CURRENCY}.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Calculate what a month of callbacks uses, and its cost at the published prices.

    The prices are in USD and differ by region and contract. With --set currency=CNY only those
    that are set count.
    """
    values, currency = _assumptions(sets or ())
    fields = {a.field: values[name] for name, a in ASSUMPTIONS.items() if not a.is_price}
    load = Load(callbacks=callbacks, failed=failed, destinations=destinations, **fields)  # type: ignore[arg-type]  # each is read as its field is declared
    prices = Prices(**{a.field: values[name] for name, a in ASSUMPTIONS.items() if a.is_price})
    used = cost_model.use(load)
    costs = cost_model.cost_of(used, prices)
    total = cost_model.total_of(costs)
    if as_json:
        print_json(
            {
                "load": asdict(load),
                "use": asdict(used),
                "currency": currency,
                "prices": asdict(prices),
                "cost": costs,
                "total": total,
            }
        )
        return
    events = f", events to {destinations} destinations" if destinations else ""
    say(f"{callbacks:,} callbacks per month, {failed:.1%} failed{events}")
    names = ("per month", "units", f"price in {currency}", f"cost in {currency}")
    rows = [
        (
            title,
            _amount(getattr(used, name)),
            _price(getattr(prices, price), per),
            _cost(costs[name]),
        )
        for name, (title, price, per) in ROWS.items()
    ]
    missing = [ROWS[name][0] for name, value in costs.items() if value is None]
    say_rows(names, [*rows, ("total", "", "", _cost(total))], Form(header=True))
    if missing:
        say(f"Not in the total, for want of a price: {', '.join(missing)}. See docs/costs.md.")


def _assumptions(sets: Sequence[str]) -> tuple[dict[str, float | None], str]:
    """The value of each assumption, None for a price that is not known, and the currency.

    Raises:
        typer.BadParameter: a text of --set is not one.
    """
    given: dict[str, str] = {}
    for text in sets:
        name, sign, value = text.partition("=")
        if not sign:
            raise typer.BadParameter(f"--set {text}: write NAME=VALUE")
        known("name for --set", name, {*ASSUMPTIONS, CURRENCY})
        given[name] = value
    currency = given.get(CURRENCY, PUBLISHED_CURRENCY)
    if not re.fullmatch("[A-Z]{3}", currency):
        raise typer.BadParameter("--set currency: three letters such as CNY")
    values: dict[str, float | None] = {}
    for name, assumption in ASSUMPTIONS.items():
        is_known = not assumption.is_price or currency == PUBLISHED_CURRENCY
        values[name] = assumption.default if is_known else None
        if name in given:
            values[name] = _read(name, assumption, given[name])
    return values, currency


def _read(name: str, assumption: Assumption, text: str) -> float:
    try:
        return assumption.read(text)
    except typer.BadParameter as error:
        raise typer.BadParameter(f"--set {name}: {error.message}") from error


def _amount(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _price(value: float | None, per: str) -> str:
    return "–" if value is None else f"{value:.7f}".rstrip("0").rstrip(".") + f" per {per}"


def _cost(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}"
