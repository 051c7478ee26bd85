"""What differs, and the calls that change it. Pure.

The order is that of dependence: role and policy, function, what belongs to it, a published
version, the alias that callbacks reach it by, and the triggers last, since SCF refuses them until
the function is active.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ci_callback.deploy import logs_plan, triggers_plan, watch_plan
from ci_callback.deploy.actual import Actual, FunctionVersion
from ci_callback.deploy.calls import Call, Later, Zip, variable_shown
from ci_callback.deploy.desired import (
    DEFAULT,
    LATEST,
    MARK,
    RETRIES,
    TTL_S,
    Desired,
    as_json,
)
from ci_callback.deploy.errors import DeployError
from ci_callback.deploy.policy import TRUST
from ci_callback.deploy.triggers_plan import Difference
from ci_callback.deploy.watch_plan import Watching
from handler.ledger import keys

KEPT_VERSIONS = 10
"""Published versions that stay, the newest: `rollback` goes back to them."""
CONSOLE = "https://console.cloud.tencent.com/scf/list"


@dataclass(frozen=True)
class Plan:
    """kept: what the account holds, serverless.yml does not name, and stays. notes: what can't be
    made."""

    there: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    kept: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    calls: tuple[Call, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Choices:
    """prune: triggers and variables that serverless.yml does not name are removed. adopt: a
    function that deploy did not make is taken over. logs: a log topic of its own, watched."""

    prune: bool = False
    adopt: bool = False
    logs: bool = False


def plan(
    desired: Desired, actual: Actual, choices: Choices, watching: Watching | None = None
) -> Plan:
    """watching: the log topic and what watches it, where a topic is asked for.

    Raises:
        DeployError: what is there can't become what is wanted.
    """
    check_possible(desired, actual, choices)
    if watching:
        logs_plan.check(desired.name, watching.logs, adopts=choices.adopt)
    there = tuple(_there(desired, actual))
    failed = actual.latest is not None and actual.latest.status == "CreateFailed"
    if failed:
        actual = actual.without_function
    triggers = triggers_plan.compare(desired, actual.triggers, choices.prune)
    found = [
        *_role(desired, actual),
        *(logs_plan.changes(desired.name, watching.logs) if watching else ()),
        *(_failed(desired) if failed else ()),
        *_function(desired, actual),
        *_invoke(desired, actual),
        *_version(desired, actual),
        *triggers.changes,
        *(watch_plan.changes(watching) if watching else ()),
        *_old_versions(desired, actual),
    ]
    return Plan(
        there,
        tuple(difference for differences, _ in found for difference in differences),
        (*_kept_variables(desired, actual), *_kept_settings(desired, actual), *triggers.kept),
        tuple(watching.notes) if watching else (),
        tuple(call for _, calls in found for call in calls),
    )


Change = tuple[list[Difference], list[Call]]


def check_possible(desired: Desired, actual: Actual, choices: Choices) -> None:
    """
    Raises:
        DeployError
    """
    if not desired.is_managed and not actual.role_exists:
        fix = "create it, or unset SCF_EXEC_ROLE: deploy then makes one"
        raise DeployError(f"SCF_EXEC_ROLE names {desired.role}, and there is no such role", fix)
    if desired.is_managed and actual.foreign and not choices.adopt:
        what = f"{' and '.join(actual.foreign)} is there, and deploy did not make it"
        fix = "give another --name, or --adopt to take it over; SCF_EXEC_ROLE names a role of yours"
        raise DeployError(what, fix)
    latest = actual.latest
    if latest is None:
        return
    for member, wanted in (("Runtime", desired.description.runtime), ("Type", "Event")):
        found = latest.answer.get(member)
        if found != wanted:
            what = f"{desired.name} is there with {member.lower()} {found}, not {wanted}"
            fix = "a function's runtime and type can't be changed: give another --name"
            raise DeployError(what, fix)
    if not is_ours(latest) and not choices.adopt:
        what = f"{desired.name} is there, and deploy did not make it"
        raise DeployError(what, "give another --name, or --adopt to replace its code and settings")


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


def _role(desired: Desired, actual: Actual) -> Iterator[Change]:
    if not desired.is_managed:
        return
    role, name, document = desired.role, desired.policy_name, as_json(desired.policy)
    if not actual.role_exists:
        params = {
            "RoleName": role,
            "PolicyDocument": as_json(TRUST),
            "Description": f"{MARK} {desired.name}",
        }
        yield [Difference("role", "", role)], [Call("cam", "CreateRole", params, "SCF acts as it")]
    if actual.policy_id is None:
        params = {
            "PolicyName": name,
            "PolicyDocument": document,
            "Description": f"{MARK} {desired.name}",
        }
        call = Call("cam", "CreatePolicy", params, "docs/cam-policy.json, filled in")
        yield [Difference("policy", "", name)], [call]
    elif actual.policy != desired.policy:
        params = {"PolicyName": name, "PolicyDocument": document}
        call = Call("cam", "UpdatePolicy", params, "docs/cam-policy.json, filled in")
        yield [Difference(f"policy {name}", as_json(actual.policy or {}), document)], [call]
    if not actual.is_attached:
        params = {"AttachRoleName": role, "PolicyName": name}
        call = Call("cam", "AttachRolePolicy", params, "the role gets the policy's rights")
        yield [Difference("policy of the role", "", name)], [call]


def _failed(desired: Desired) -> Iterator[Change]:
    params = {"FunctionName": desired.name, "Namespace": "default"}
    why = "it could not be created, and can only be created again"
    yield [], [Call("scf", "DeleteFunction", params, why)]


def _function(desired: Desired, actual: Actual) -> Iterator[Change]:
    latest, named = actual.latest, {"FunctionName": desired.name, "Namespace": "default"}
    upload, code = _code(desired)
    if latest is None:
        own = {
            "Runtime": desired.description.runtime,
            "Handler": desired.description.handler,
            "Type": "Event",
            "InstallDependency": "FALSE",
            "Code": code,
        }
        call = Call("scf", "CreateFunction", named | own | desired.params, "code and settings")
        yield [Difference("function", "", desired.name)], [*upload, call]
        return
    changed = list(_differences(desired.settings, latest.settings))
    names = {difference.what for difference in changed}
    if names & {"Description", "Handler"}:
        params = {**named, "Handler": desired.description.handler, "Code": code}
        yield [], [*upload, Call("scf", "UpdateFunctionCode", params, "the bundle")]
    if changed:
        params = named | desired.params
        why = "settings, after the code: the description then names the bundle that is there"
        yield changed, [Call("scf", "UpdateFunctionConfiguration", params, why)]


def _code(desired: Desired) -> tuple[list[Call], dict[str, Any]]:
    """What uploads the code, and the parameter that names it."""
    bundle = desired.bundle
    if bundle.is_inline:
        return [], {"ZipFile": Zip(bundle)}
    from handler.settings.readers import store_url

    ledger = store_url(desired.variables["LEDGER_URL"])
    key = f"{keys.CODE}{bundle.sha256}.zip"
    put = Call("cos", "PutObject", {"Key": key, "Body": Zip(bundle)}, "too large for a request")
    return [put], {
        "CosBucketName": ledger.bucket.rpartition("-")[0],
        "CosBucketRegion": desired.description.region,
        "CosObjectName": f"/{ledger.prefix}{key}",
    }


def _differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Difference]:
    for name, value in wanted.items():
        if name == "Environment":
            yield from _variable_differences(value, found[name])
        elif found[name] != value:
            after = value.shown if isinstance(value, Later) else str(value)
            yield Difference(name, str(found[name] or ""), after)


def _variable_differences(
    wanted: Mapping[str, str], found: Mapping[str, str]
) -> Iterator[Difference]:
    for name in sorted(wanted.keys() | found.keys()):
        before, after = found.get(name, ""), wanted.get(name, "")
        if before != after:
            shown = [variable_shown(name, value) if value else "" for value in (before, after)]
            yield Difference(f"variable {name}", *shown)


def _invoke(desired: Desired, actual: Actual) -> Iterator[Change]:
    if (actual.retries, actual.ttl_s) == (RETRIES, TTL_S):
        return
    config = {"RetryConfig": [{"RetryNum": RETRIES}], "MsgTTL": TTL_S}
    params = {"FunctionName": desired.name, "Namespace": "default", "AsyncTriggerConfig": config}
    before = "" if actual.retries is None else f"{actual.retries} retries, {actual.ttl_s} s"
    difference = Difference("asynchronous runs", before, f"{RETRIES} retries, {TTL_S} s")
    why = "a timer's event is not run again, and waits a minute at most"
    yield [difference], [Call("scf", "UpdateFunctionEventInvokeConfig", params, why)]


def _version(desired: Desired, actual: Actual) -> Iterator[Change]:
    """Callbacks reach a published version: an update of $LATEST changes nothing for them."""
    wanted = desired.settings
    serving, newest = actual.serving, actual.newest
    if serving and serving.number != LATEST and serving.has(wanted):
        return
    before = f"version {serving.number}" if serving else ""
    named = {"FunctionName": desired.name, "Namespace": "default"}
    alias: dict[str, object] = {**named, "Name": DEFAULT}
    alias["FunctionVersion"] = Later("PublishVersion", "FunctionVersion")
    if newest and newest.has(wanted):
        alias["FunctionVersion"] = newest.number
        calls, after = [], f"version {newest.number}"
    else:
        params = {**named, "Description": wanted["Description"]}
        calls = [Call("scf", "PublishVersion", params, "code and settings as they are now")]
        after = "a new version"
    calls.append(Call("scf", "UpdateAlias", alias, "callbacks and timers reach it"))
    yield [Difference(f"alias {DEFAULT}", before, after)], calls


def _old_versions(desired: Desired, actual: Actual) -> Iterator[Change]:
    serving = actual.serving.number if actual.serving else ""
    ours = [row for row in actual.versions if row.description.startswith(MARK)]
    for row in ours[: max(0, len(ours) - KEPT_VERSIONS)]:
        if row.number != serving:
            params = {"FunctionName": desired.name, "Namespace": "default"}
            params["Qualifier"] = row.number
            why = f"{KEPT_VERSIONS} newer ones are kept"
            call = Call("scf", "DeleteFunctionVersion", params, why)
            yield [Difference("old version", row.number, "")], [call]


def _kept_variables(desired: Desired, actual: Actual) -> Iterator[str]:
    known = actual.latest.variables.keys() if actual.latest else set()
    kept = known & desired.variables.keys()
    for name in sorted(kept - desired.description.variables.keys()):
        where = "has no value here" if name in desired.description.unset else "is not in it"
        yield f"variable {name}, which {where}"


def _kept_settings(desired: Desired, actual: Actual) -> Iterator[str]:
    answer: Mapping[str, Any] = actual.latest.answer if actual.latest else {}
    if answer.get("Layers"):
        yield "layers"
    if (answer.get("VpcConfig") or {}).get("VpcId"):
        yield "private network"
    if answer.get("ClsTopicId") and not desired.logs:
        yield f"log topic {answer['ClsTopicId']}"
