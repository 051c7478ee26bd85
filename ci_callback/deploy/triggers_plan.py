"""Compares the desired triggers with those of the account. Pure.

A timer is found by its name and qualifier, the URL by its qualifier: SCF gives it a name of its
own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ci_callback.deploy.actual import Trigger
from ci_callback.deploy.calls import Call
from ci_callback.deploy.description import Timer, Url
from ci_callback.deploy.desired import Desired, as_json, url_settings


class Difference(NamedTuple):
    """One thing that is not as it should be. before, after: "" for nothing; no secrets."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class TriggersPlan:
    """kept: those that are not wanted, and stay."""

    changes: tuple[tuple[list[Difference], list[Call]], ...]
    kept: tuple[str, ...]


def compare(desired: Desired, found: Sequence[Trigger], prune: bool) -> TriggersPlan:
    """prune: remove what is not wanted. Timers that another function of the deployment has go."""
    named = {"FunctionName": desired.name, "Namespace": "default"}
    wanted = desired.description
    used: list[Trigger] = []
    changes = []
    if wanted.url:
        url = _find(found, "http", "", wanted.url.qualifier)
        changes += list(_of_url(named, wanted.url, url))
        used += [url] if url else []
    for timer in wanted.timers:
        there = _find(found, "timer", timer.name, timer.qualifier)
        changes += list(_of_timer(named, timer, there))
        used += [there] if there else []
    others = [trigger for trigger in found if trigger not in used]
    moved = [one for one in others if one.kind == "timer" and one.name in desired.elsewhere]
    changes += [_removed(named, one, "another function of the deployment has it") for one in moved]
    others = [trigger for trigger in others if trigger not in moved]
    if prune:
        changes += [_removed(named, one, "serverless.yml does not have it") for one in others]
    shown = [f"trigger {other.kind} {other.name}, which is not in it" for other in others]
    return TriggersPlan(tuple(changes), () if prune else tuple(shown))


def _find(found: Sequence[Trigger], kind: str, name: str, qualifier: str) -> Trigger | None:
    for trigger in found:
        if (trigger.kind, trigger.qualifier) == (kind, qualifier) and name in ("", trigger.name):
            return trigger
    return None


def _of_url(
    named: Mapping[str, Any], url: Url, there: Trigger | None
) -> Iterator[tuple[list[Difference], list[Call]]]:
    wanted = url_settings(url)
    params = {**named, "Type": "http", "Qualifier": url.qualifier, "Enable": "OPEN"}
    params["TriggerDesc"] = as_json(wanted)
    after = _url_shown(wanted, True)
    if there is None:
        why = "the address that CI calls"
        call = Call("scf", "CreateTrigger", {**params, "TriggerName": "url-trigger"}, why)
        yield [Difference("trigger http", "", after)], [call]
        return
    before = _url_shown(there.settings, there.is_on)
    if before != after:
        call = Call(
            "scf", "UpdateTrigger", {**params, "TriggerName": there.name}, "its address stays"
        )
        yield [Difference(f"trigger http {there.name}", before, after)], [call]


def _url_shown(settings: Mapping[str, Any], is_on: bool) -> str:
    net = settings.get("NetConfig")
    net = net if isinstance(net, Mapping) else {}
    words = [
        f"sign-in {settings.get('AuthType', '?')}",
        "open to the internet" if net.get("EnableExtranet") else "closed to the internet",
        *(["open to the intranet"] if net.get("EnableIntranet") else []),
        *([] if is_on else ["switched off"]),
    ]
    return ", ".join(words)


def _of_timer(
    named: Mapping[str, Any], timer: Timer, there: Trigger | None
) -> Iterator[tuple[list[Difference], list[Call]]]:
    params = {
        **named,
        "TriggerName": timer.name,
        "Type": "timer",
        "Qualifier": timer.qualifier,
        "TriggerDesc": timer.cron,
        "CustomArgument": timer.argument,
        "Enable": "OPEN",
    }
    after = _timer_shown(timer.cron, timer.argument, True)
    before = ""
    action, why = "CreateTrigger", f"runs {timer.argument}"
    if there is not None:
        cron = str(there.settings.get("cron", "?"))
        before = _timer_shown(cron, there.argument, there.is_on)
        action = "UpdateTrigger"
    if before != after:
        yield (
            [Difference(f"trigger timer {timer.name}", before, after)],
            [Call("scf", action, params, why)],
        )


def _timer_shown(cron: str, argument: str, is_on: bool) -> str:
    return f"{cron}, argument {argument or 'none'}{'' if is_on else ', switched off'}"


def _removed(
    named: Mapping[str, Any], trigger: Trigger, why: str
) -> tuple[list[Difference], list[Call]]:
    params = {**named, "TriggerName": trigger.name, "Type": trigger.kind}
    params["Qualifier"] = trigger.qualifier
    call = Call("scf", "DeleteTrigger", params, why)
    return [Difference(f"trigger {trigger.kind}", trigger.name, "")], [call]
