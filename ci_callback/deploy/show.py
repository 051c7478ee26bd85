"""A plan and its end, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ci_callback.deploy.desired import Desired
from ci_callback.deploy.plan import Plan
from ci_callback.deploy.run import Outcome
from ci_callback.terminal import Styled, json_text, say

MAX_CHARS = 300
_NAMES = {"Description": "bundle"}


def show_plan(desired: Desired, plan: Plan) -> None:
    """What is there, what differs, what stays, and the calls."""
    say(Styled(f"{desired.name} in {desired.description.region}", "bold"))
    for line in plan.there:
        say("  there    ", line)
    for line in plan.kept:
        say("  kept     ", line)
    for what, before, after in plan.differences:
        say("  differs  ", _NAMES.get(what, what))
        for sign, value, style in (("-", before, "red"), ("+", after, "green")):
            if value:
                say(Styled(f"             {sign} {_short(value)}", style))
    if not plan.calls:
        say("  nothing differs: no call is needed")
    for number, call in enumerate(plan.calls, 1):
        say(
            f"  call {number:2}  ", Styled(f"{call.service} {call.action}", "bold"), f": {call.why}"
        )
        say(Styled(f"           {_short(json_text(call.shown))}", "dim"))


def _short(text: str) -> str:
    return text if len(text) <= MAX_CHARS else text[:MAX_CHARS] + "…"


def show_outcome(outcome: Outcome, with_token: bool) -> None:
    """The address. The token is shown when it was made, or where it is asked for."""
    if outcome.is_new:
        say("A token was made. It is shown now and not again; the function keeps it.")
    say("callback address: ", address(outcome, with_token))


def address(outcome: Outcome, with_token: bool) -> str:
    """The address that CI calls."""
    if not outcome.address:
        return "none: the function has no URL that is open to the internet"
    shown = outcome.token if with_token or outcome.is_new else "…"
    return f"{outcome.address}/?token={shown}" if outcome.token else f"{outcome.address}/"


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The plan as data."""
    calls: Sequence[dict[str, Any]] = [
        {"service": call.service, "action": call.action, "params": call.shown, "why": call.why}
        for call in outcome.plan.calls
    ]
    return {
        "function": outcome.desired.name,
        "region": outcome.desired.description.region,
        "there": list(outcome.plan.there),
        "differences": [difference._asdict() for difference in outcome.plan.differences],
        "kept": list(outcome.plan.kept),
        "calls": calls,
        "address": outcome.address,
    }
