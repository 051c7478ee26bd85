"""One function, and what belongs to it: what differs, and the calls that change it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from ci_callback.deploy.actual import Actual
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
from ci_callback.deploy.policy import TRUST
from ci_callback.deploy.triggers_plan import Difference
from handler.ledger import keys

KEPT_VERSIONS = 10
"""Published versions that stay, the newest: `rollback` goes back to them."""

Change: TypeAlias = "tuple[list[Difference], list[Call]]"


def rights(desired: Desired, actual: Actual) -> tuple[list[Change], list[Change]]:
    """The changes that come first, and those that come last: a role that is to lose rights loses
    them once its timers are elsewhere."""
    changes = list(_rights(desired, actual))
    is_late = not desired.description.timers
    late = [one for one in changes if is_late and one[1][0].action == "UpdatePolicy"]
    return [one for one in changes if one not in late], late


def _rights(desired: Desired, actual: Actual) -> Iterator[Change]:
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


def failed(desired: Desired) -> Iterator[Change]:
    params = {"FunctionName": desired.name, "Namespace": "default"}
    why = "it could not be created, and can only be created again"
    yield [], [Call("scf", "DeleteFunction", params, why)]


def function(desired: Desired, actual: Actual) -> Iterator[Change]:
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
    """The call that uploads the code, and the parameter that names it."""
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


def reserved(desired: Desired, actual: Actual, prune: bool) -> Iterator[Change]:
    """A quota of its own memory is one instance: the platform itself keeps two sweeps apart. One
    that someone set in the console would refuse callbacks; it is listed."""
    named: dict[str, Any] = {"FunctionName": desired.name, "Namespace": "default"}
    found, wanted = actual.reserved_mb, desired.reserved_mb
    before = f"{found} MB" if found else ""
    if wanted and found != wanted:
        params = {**named, "ReservedConcurrencyMem": wanted}
        call = Call("scf", "PutReservedConcurrencyConfig", params, "one instance at a time")
        yield [Difference("reserved quota", before, f"{wanted} MB")], [call]
    elif found and not wanted and prune:
        call = Call("scf", "DeleteReservedConcurrencyConfig", named, "serverless.yml has no quota")
        yield [Difference("reserved quota", before, "")], [call]


def asynchronous(desired: Desired, actual: Actual) -> Iterator[Change]:
    if (actual.retries, actual.ttl_s) == (RETRIES, TTL_S):
        return
    config = {"RetryConfig": [{"RetryNum": RETRIES}], "MsgTTL": TTL_S}
    params = {"FunctionName": desired.name, "Namespace": "default", "AsyncTriggerConfig": config}
    before = "" if actual.retries is None else f"{actual.retries} retries, {actual.ttl_s} s"
    difference = Difference("asynchronous runs", before, f"{RETRIES} retries, {TTL_S} s")
    why = "a timer's event is not run again, and waits a minute at most"
    yield [difference], [Call("scf", "UpdateFunctionEventInvokeConfig", params, why)]


def version(desired: Desired, actual: Actual) -> Iterator[Change]:
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


def old_versions(desired: Desired, actual: Actual) -> Iterator[Change]:
    serving = actual.serving.number if actual.serving else ""
    ours = [row for row in actual.versions if row.description.startswith(MARK)]
    for row in ours[: max(0, len(ours) - KEPT_VERSIONS)]:
        if row.number != serving:
            params = {"FunctionName": desired.name, "Namespace": "default"}
            params["Qualifier"] = row.number
            why = f"{KEPT_VERSIONS} newer ones are kept"
            call = Call("scf", "DeleteFunctionVersion", params, why)
            yield [Difference("old version", row.number, "")], [call]
