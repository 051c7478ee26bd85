"""One deployment from end to end: read, plan, carry out, until nothing differs."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ci_callback.cloud_api import CloudError
from ci_callback.deploy import (
    actual,
    alarms,
    carry_out,
    layout,
    lifecycle,
    logs_plan,
    policy,
    reconciled,
    target,
    versions,
    watch_plan,
)
from ci_callback.deploy.actual import Actual, Api
from ci_callback.deploy.advice import advised
from ci_callback.deploy.bundle import Bundle
from ci_callback.deploy.calls import Call
from ci_callback.deploy.description import Description
from ci_callback.deploy.desired import Desired, check_environment
from ci_callback.deploy.errors import EXIT_SETTINGS, DeployError
from ci_callback.deploy.layout import Part
from ci_callback.deploy.patience import Patient
from ci_callback.deploy.plan import Choices, Plan, joined, plan
from ci_callback.deploy.policy import Owner
from ci_callback.deploy.target import Operator
from ci_callback.deploy.watch_plan import Watching
from handler.settings import Settings

ROUNDS = 3
"""A read that did not show what is there makes a plan that meets it; a moment later it is shown."""
STALE_S = 15.0


@dataclass(frozen=True)
class Job:
    """The deployment. template: docs/cam-policy.json. new_token: used if the function has none."""

    description: Description
    bundle: Bundle
    template: str
    operator: Operator
    new_token: str = field(repr=False)
    choices: Choices = field(default_factory=Choices)


@dataclass(frozen=True)
class View:
    """Where a deployment reports. plan: called with each plan before it is carried out. done: with
    the place of each call that was made."""

    plan: Callable[[Desired, Plan], object]
    done: Callable[[int], object]
    sleep: Callable[[float], object] = time.sleep


@dataclass(frozen=True)
class Outcome:
    """plan: the last that was made. address: of the function with no token; "" where it has none.
    token: the first that opens it. is_new: whether it was generated now."""

    desired: Desired
    plan: Plan
    address: str = ""
    token: str = field(default="", repr=False)
    is_new: bool = False


def look(job: Job, cloud: Api, sleep: Callable[[float], object] = time.sleep) -> Outcome:
    """The plan, and nothing else.

    Raises:
        DeployError, SettingsError
    """
    try:
        return _look(job, Patient(cloud, sleep))
    except CloudError as error:
        raise advised(error) from error


def deploy(job: Job, cloud: Api, view: View) -> Outcome:
    """Make it so. A run that is interrupted is finished by the next.

    Raises:
        DeployError, SettingsError, StoreError
    """
    try:
        return _deploy(job, Patient(cloud, view.sleep), view)
    except CloudError as error:
        raise advised(error) from error


def carry_out_alone(calls: Sequence[Call], cloud: Api) -> None:
    """Calls that no plan asked for: going back, taking away.

    Raises:
        DeployError
    """
    patient = Patient(cloud, time.sleep)
    hands = carry_out.Hands(patient, time.sleep, lambda key, data: None, lambda at: None)
    try:
        carry_out.carry_out(calls, hands)
    except CloudError as error:
        raise advised(error) from error


def _deploy(job: Job, api: Patient, view: View) -> Outcome:
    expire = functools.partial(lifecycle.put, job.operator)
    hands = carry_out.Hands(api, view.sleep, job.operator.put, view.done, expire)
    is_new = False
    for _ in range(ROUNDS):
        outcome = _look(job, api)
        is_new = is_new or outcome.is_new
        view.plan(outcome.desired, outcome.plan)
        try:
            carry_out.carry_out(outcome.plan.calls, hands)
        except carry_out.AlreadyThereError:
            view.sleep(STALE_S)
            continue
        address = outcome.address or _address(api, outcome.desired)
        return Outcome(outcome.desired, outcome.plan, address, outcome.token, is_new)
    raise DeployError("the account does not show its state yet", "run it again in a minute")


def _look(job: Job, api: Patient) -> Outcome:
    description, choices = job.description, job.choices
    check_environment(description.variables)
    whose = actual.owner(api)
    is_split = layout.is_split(api, description.name)
    wanted = is_split if choices.split is None else choices.split
    parts = layout.parts(description, wanted)
    found = {part.description.name: _read(api, part, whose) for part in parts}
    public = found[description.name]
    variables, is_new = _variables(job, public.latest.variables if public.latest else {})
    settings = target.check_settings(job.operator, variables)
    _check_stage(api, description, variables)
    target.check_bucket(job.operator, settings, whose)
    document = target.policy_of(job.template, settings, whose)
    watching = _watching(job, api, settings) if choices.logs else None
    own = watching.logs.settings if watching else {}
    aimed = [_desired(job, part, (variables, settings, document), own) for part in parts]
    # The log topic is there before the first function that writes to it.
    plans = {
        one.name: plan(one, found[one.name], choices, watching if one is aimed[0] else None)
        for one in aimed
    }
    # Asked for, it also takes away what a run that died left of the others: their role.
    is_merged = choices.split is False
    gone = versions.removal_of_others(api, description.name) if is_merged else ()
    made = joined(plans, gone) if wanted or gone else plans[description.name]
    if choices.expire_days:
        made = lifecycle.added(made, lifecycle.look(job.operator, choices.expire_days))
    address = next((trigger.address for trigger in public.triggers if trigger.address), "")
    token = next(iter(settings.callback_tokens), "")
    return Outcome(aimed[-1], made, address, token, is_new)


def _read(api: Patient, part: Part, whose: Owner) -> Actual:
    name = part.description.name
    return _settled(api, name, lambda: actual.read(api, name, part.role, whose))


def _desired(
    job: Job,
    part: Part,
    known: tuple[Mapping[str, str], Settings, Mapping[str, Any]],
    logs: Mapping[str, Any],
) -> Desired:
    """known: the variables, the settings that they make, and the policy of all rights."""
    variables, settings, document = known
    if part.rights == "public":
        document = policy.public(document, settings.confirms_before_storing)
    return Desired(
        part.description,
        job.bundle,
        variables,
        part.role,
        part.rights != "shared" and not part.description.role,
        document,
        logs,
        is_shared=part.rights == "shared",
        reserved_mb=part.description.memory_mb if part.is_one else None,
        elsewhere=part.elsewhere,
    )


def _watching(job: Job, api: Patient, settings: Settings) -> Watching:
    name, lang = job.description.name, settings.alert_lang
    robots = alarms.robots(settings.alert_urls, lang)
    logs, found = logs_plan.read(api, name), watch_plan.read(api, name)
    return Watching(name, job.description.region, logs, robots, lang, found)


def _check_stage(api: Patient, description: Description, variables: Mapping[str, str]) -> None:
    """Two functions that sweep one ledger take each other's tickets.

    Raises:
        DeployError
    """
    if not description.stage_of:
        return
    other = actual.function_version(api, description.stage_of)
    if other and other.variables.get("LEDGER_URL") == variables.get("LEDGER_URL"):
        what = f"{description.stage_of} has the same LEDGER_URL"
        fix = "give this stage another prefix or bucket, in .env.STAGE"
        raise DeployError(what, fix, EXIT_SETTINGS)


def _settled(api: Patient, name: str, read: Callable[[], Actual]) -> Actual:
    """The state once every change is complete: a run that was interrupted may have left the
    function or a version on the way to being active."""
    for _ in range(carry_out.MAX_POLLS):
        found = read()
        versions = (found.latest, found.newest)
        if not any(version and version.status.endswith("ing") for version in versions):
            return found
        api.sleep(carry_out.POLL_S)
    raise DeployError(f"{name} does not become active", "run it again, or look at the console")


def _variables(job: Job, known: Mapping[str, str]) -> tuple[dict[str, str], bool]:
    """All that the functions get, and whether the token among them is new. Existing variables
    without a name in the file stay, unless they are to be pruned."""
    described = job.description.variables
    kept = {} if job.choices.prune else dict(known)
    # To lose the token means that CI is answered 401; the queues are noted by `connect`.
    kept |= {
        name: known[name] for name in ("CALLBACK_TOKENS", reconciled.VARIABLE) if name in known
    }
    variables = kept | dict(described)
    is_new = "CALLBACK_TOKENS" not in variables
    if is_new:
        variables["CALLBACK_TOKENS"] = job.new_token
    check_environment(variables)
    return variables, is_new


def _address(api: Api, desired: Desired) -> str:
    found = actual.triggers(api, desired.name)
    return next((trigger.address for trigger in found if trigger.address), "")
