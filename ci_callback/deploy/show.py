"""A plan and its end, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ci_callback.command_language import localised
from ci_callback.deploy.actual import Trigger
from ci_callback.deploy.calls import Call
from ci_callback.deploy.desired import Desired
from ci_callback.deploy.plan import Plan
from ci_callback.deploy.run import Outcome
from ci_callback.deploy.versions import Status
from ci_callback.doctor.findings import Finding
from ci_callback.terminal import Styled, json_text, say

MAX_CHARS = 300
_NAMES = {"Description": "bundle"}


def show_plan(desired: Desired, plan: Plan) -> None:
    """Prints the state, the differences, the values that stay, and the calls."""
    say(Styled(f"{desired.name} in {desired.description.region}", "bold"))
    for line in plan.there:
        say(f"  there     {line}")
    for line in plan.kept:
        say(f"  kept      {line}")
    for line in plan.notes:
        say(f"  note      {line}")
    for what, before, after in plan.differences:
        say(f"  differs   {_NAMES.get(what, what)}")
        for sign, value, style in (("-", before, "red"), ("+", after, "green")):
            if value:
                say(Styled(f"             {sign} {localised(_short(value))}", style))
    if not plan.calls:
        say("  nothing differs: no call is needed")
    show_calls(plan.calls)


def show_calls(calls: Sequence[Call]) -> None:
    """Each with its parameters, secrets masked."""
    for number, call in enumerate(calls, 1):
        what = Styled(f"{call.service} {call.action}", "bold")
        say(f"  call {number:2} ", what, f"({call.why})")
        say(Styled(f"           {_short(json_text(call.shown))}", "dim"))


def _short(text: str) -> str:
    return text if len(text) <= MAX_CHARS else text[:MAX_CHARS] + "…"


def show_outcome(outcome: Outcome, with_token: bool) -> None:
    """The address. The token is shown when it was made, or where it is asked for."""
    if outcome.is_new:
        say("A token was made. It is shown only now; the function keeps it.")
    say("callback address: ", address(outcome, with_token))


def address(outcome: Outcome, with_token: bool) -> str:
    """The address that CI calls."""
    if not outcome.address:
        return "none: the function has no URL that is open to the internet"
    shown = outcome.token if with_token or outcome.is_new else "…"
    return f"{outcome.address}/?token={shown}" if outcome.token else f"{outcome.address}/"


def show_status(status: Status, local: str) -> None:
    """local: the SHA-256 of the bundle that is here, "" for none."""
    for name, value in status_as_json(status, local).items():
        for line in value if isinstance(value, list) else [value]:
            say(f"{name:9}", line)


def status_as_json(status: Status, local: str) -> dict[str, Any]:
    """What runs, as data."""
    same = "the one that is here" if status.bundle == local else f"here is {local or 'none'}"
    role = status.role or "none: every callback is answered 503"
    missing = "" if not status.role or status.role_exists else ", which is not there"
    attached = ", with deploy's policy" if status.policy_attached else ", without deploy's policy"
    return {
        "function": f"{status.name}: {status.state}, {status.runtime}",
        "version": status.serving,
        "bundle": f"{status.bundle or 'not one that deploy sent'} ({same})",
        "role": f"{role}{missing or (attached if status.role else '')}",
        "address": status.address or "none",
        "trigger": [_trigger(trigger) for trigger in status.triggers],
        "versions": [f"{row.number}: {row.description}" for row in status.versions],
    }


def _trigger(trigger: Trigger) -> str:
    what = trigger.settings.get("cron") or trigger.settings.get("AuthType") or ""
    argument = f", argument {trigger.argument}" if trigger.argument else ""
    state = "on" if trigger.is_on else "switched off"
    return f"{trigger.kind} {trigger.name} ({trigger.qualifier}): {what}{argument}, {state}"


def findings_as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """What `--verify` found, as data."""
    names = ("name", "status", "what", "fix")
    rows = [{name: getattr(finding, name) for name in names} for finding in findings]
    return {"verified": rows}


def show_findings(findings: Sequence[Finding]) -> None:
    """What `--verify` found."""
    for finding in findings:
        say(f"  {finding.status:8} {finding.name}:", finding.what)
        if finding.fix:
            say(f"           fix: {finding.fix}")


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
        "notes": list(outcome.plan.notes),
        "calls": calls,
        "address": outcome.address,
    }
