"""What differs, and the calls that change it. Pure.

The order is that of dependence: role and policy, function, what belongs to it, a published
version, the alias that callbacks reach it by, and the triggers last, since SCF refuses them until
the function is active.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ci_callback.deploy import function_plan, logs_plan, triggers_plan, watch_plan
from ci_callback.deploy.actual import Actual, FunctionVersion
from ci_callback.deploy.calls import Call
from ci_callback.deploy.desired import (
    LATEST,
    MARK,
    Desired,
)
from ci_callback.deploy.errors import DeployError
from ci_callback.deploy.triggers_plan import Difference
from ci_callback.deploy.watch_plan import Watching

CONSOLE = "https://console.cloud.tencent.com/scf/list"


@dataclass(frozen=True)
class Plan:
    """kept: parts of the account that serverless.yml does not name, and that stay. notes: parts
    that can't be made."""

    there: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    kept: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    calls: tuple[Call, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Choices:
    """prune: triggers and variables that serverless.yml does not name are removed. adopt: a
    function that deploy did not make is taken over. logs: a log topic of its own, watched. split:
    one function for callbacks, and others for the timers; None: as it is. expire_days: until what
    is not needed any more expires; 0: as it is."""

    prune: bool = False
    adopt: bool = False
    logs: bool = False
    split: bool | None = None
    expire_days: int = 0


def plan(
    desired: Desired, actual: Actual, choices: Choices, watching: Watching | None = None
) -> Plan:
    """watching: the log topic with its alarms and dashboard, if a topic is requested.

    Raises:
        DeployError: what is there can't become what is wanted.
    """
    check_possible(desired, actual, choices)
    if watching:
        logs_plan.check(watching.name, watching.logs, adopts=choices.adopt)
    there = tuple(_there(desired, actual))
    failed = actual.latest is not None and actual.latest.status == "CreateFailed"
    if failed:
        actual = actual.without_function
    triggers = triggers_plan.compare(desired, actual.triggers, choices.prune)
    rights, narrowed = function_plan.rights(desired, actual)
    found = [
        *rights,
        *(logs_plan.changes(watching.name, watching.logs) if watching else ()),
        *(function_plan.failed(desired) if failed else ()),
        *function_plan.function(desired, actual),
        *function_plan.reserved(desired, actual, choices.prune),
        *function_plan.asynchronous(desired, actual),
        *function_plan.version(desired, actual),
        *triggers.changes,
        *(watch_plan.changes(watching) if watching else ()),
        *narrowed,
        *function_plan.old_versions(desired, actual),
    ]
    return Plan(
        there,
        tuple(difference for differences, _ in found for difference in differences),
        (*_kept(desired, actual, choices.prune), *triggers.kept),
        tuple(watching.notes) if watching else (),
        tuple(call for _, calls in found for call in calls),
    )


def check_possible(desired: Desired, actual: Actual, choices: Choices) -> None:
    """
    Raises:
        DeployError
    """
    if not (desired.is_managed or desired.is_shared or actual.role_exists):
        fix = "create it, or unset SCF_EXEC_ROLE: deploy then makes one"
        raise DeployError(f"SCF_EXEC_ROLE names {desired.role}, and there is no such role", fix)
    if desired.is_managed and actual.foreign and not choices.adopt:
        what = f"{' and '.join(actual.foreign)} exists, and deploy did not make it"
        fix = "give another --name, or --adopt to take it over; SCF_EXEC_ROLE names a role of yours"
        raise DeployError(what, fix)
    latest = actual.latest
    if latest is None:
        return
    for member, wanted in (("Runtime", desired.description.runtime), ("Type", "Event")):
        found = latest.answer.get(member)
        if found != wanted:
            what = f"{desired.name} exists with {member.lower()} {found}, not {wanted}"
            fix = "a function's runtime and type can't be changed: give another --name"
            raise DeployError(what, fix)
    if not is_ours(latest) and not choices.adopt:
        what = f"{desired.name} exists, and deploy did not make it"
        raise DeployError(what, "give another --name, or --adopt to replace its code and settings")


def joined(plans: Mapping[str, Plan], removal: Sequence[Call] = ()) -> Plan:
    """The plans of several functions as one, each difference with the name of its function.
    removal: of functions that are not wanted any more, after all else."""
    differences = [
        Difference(f"{name}: {what}", before, after)
        for name, made in plans.items()
        for what, before, after in made.differences
    ]
    gone = [call for call in removal if call.action in ("DeleteFunction", "DeleteRole")]
    differences += [Difference(call.service, _named(call), "") for call in gone]
    return Plan(
        tuple(line for made in plans.values() for line in made.there),
        tuple(differences),
        tuple(f"{name}: {line}" for name, made in plans.items() for line in made.kept),
        tuple(line for made in plans.values() for line in made.notes),
        (*(call for made in plans.values() for call in made.calls), *removal),
    )


def _named(call: Call) -> str:
    return str(call.params.get("FunctionName") or call.params.get("RoleName"))


def is_ours(latest: FunctionVersion) -> bool:
    """Whether deploy made it."""
    return str(latest.answer.get("Description") or "").startswith(MARK)


def _there(desired: Desired, actual: Actual) -> Iterator[str]:
    if actual.role_exists:
        yield f"role {desired.role}"
    if actual.policy_id is not None:
        yield f"policy {desired.policy_name}"
    if actual.latest is not None:
        serving = actual.serving.number if actual.serving else LATEST
        yield f"function {desired.name}: {actual.latest.status}, callbacks reach version {serving}"
    for trigger in actual.triggers:
        yield f"trigger {trigger.kind} {trigger.name}"


def _kept(desired: Desired, actual: Actual, prune: bool) -> Iterator[str]:
    yield from _kept_variables(desired, actual)
    yield from _kept_settings(desired, actual, prune)


def _kept_variables(desired: Desired, actual: Actual) -> Iterator[str]:
    known = actual.latest.variables.keys() if actual.latest else set()
    kept = known & desired.variables.keys()
    for name in sorted(kept - desired.description.variables.keys()):
        where = "has no value here" if name in desired.description.unset else "is not in it"
        yield f"variable {name}, which {where}"


def _kept_settings(desired: Desired, actual: Actual, prune: bool) -> Iterator[str]:
    if actual.reserved_mb and not desired.reserved_mb and not prune:
        yield f"reserved quota of {actual.reserved_mb} MB: callbacks beyond it are refused"
    answer: Mapping[str, Any] = actual.latest.answer if actual.latest else {}
    if answer.get("Layers"):
        yield "layers"
    if (answer.get("VpcConfig") or {}).get("VpcId"):
        yield "private network"
    if answer.get("ClsTopicId") and not desired.logs:
        yield f"log topic {answer['ClsTopicId']}"
