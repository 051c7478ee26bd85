"""What runs, going back to an earlier version, and taking away what deploy made."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ci_callback.deploy import actual, layout, watch_plan
from ci_callback.deploy.actual import Actual, Api, Trigger
from ci_callback.deploy.calls import Call
from ci_callback.deploy.desired import DEFAULT, MARK, policy_name, role_name
from ci_callback.deploy.errors import DeployError
from ci_callback.deploy.plan import is_ours

_BUNDLE = re.compile(r"bundle ([0-9a-f]{64})")


@dataclass(frozen=True)
class Status:
    """The function that runs under one name. serving: the version that callbacks reach. bundle: the
    SHA-256 that its description names, "" where it names none. topic: of its log, "" for none."""

    name: str
    state: str
    topic: str
    variables: Mapping[str, str] = field(repr=False)
    serving: str
    bundle: str
    role: str
    role_exists: bool
    policy_attached: bool
    runtime: str
    triggers: tuple[Trigger, ...]
    versions: tuple[actual.PublishedVersion, ...]

    @property
    def address(self) -> str:
        return next((trigger.address for trigger in self.triggers if trigger.address), "")


def status(api: Api, name: str) -> Status:
    """
    Raises:
        CloudError
        DeployError: there is no such function.
    """
    found = _read(api, name)
    latest, serving = found.latest, found.serving
    if latest is None:
        raise DeployError(f"there is no function {name}", "deploy it, or give its --name")
    runs = serving or latest
    return Status(
        name,
        latest.status,
        str(latest.answer.get("ClsTopicId") or ""),
        latest.variables,
        runs.number,
        bundle_of(str(runs.answer.get("Description") or "")),
        str(latest.answer.get("Role") or ""),
        found.role_exists,
        found.is_attached,
        str(latest.answer.get("Runtime") or ""),
        found.triggers,
        found.versions,
    )


def bundle_of(description: str) -> str:
    """The SHA-256 that a description names; "" where it names none."""
    match = _BUNDLE.search(description)
    return match[1] if match else ""


def _read(api: Api, name: str) -> Actual:
    latest = actual.function_version(api, name)
    role = str(latest.answer.get("Role") or "") if latest else ""
    return actual.read(api, name, role or role_name(name), actual.owner(api))


def rollback(api: Api, name: str, to: str = "") -> tuple[str, Sequence[Call]]:
    """The version that callbacks reach now, and the calls that let them reach the one before it, or
    the version `to`. The other functions of a split deployment go to the newest version that has
    the same bundle.

    Raises:
        CloudError
        DeployError: there is none to go back to.
    """
    found = status(api, name)
    ours = [row for row in found.versions if row.description.startswith(MARK)]
    if to:
        wanted = [row for row in ours if row.number == to]
    else:
        current = int(found.serving) if found.serving.isdecimal() else 0
        wanted = [row for row in ours if int(row.number) < current]
    if not wanted:
        what = f"{name} serves version {found.serving}, and there is no version {to or 'before it'}"
        numbers = ", ".join(row.number for row in ours)
        raise DeployError(what, f"its versions: {numbers or 'none'}")
    target = wanted[-1]
    calls = [_alias(name, target.number)]
    for other in layout.members(api, name)[1:]:
        calls += _to_bundle(status(api, other), bundle_of(target.description))
    return found.serving, calls


def refuses_token(api: Api, name: str, number: str) -> bool:
    """Whether a version does not accept the newest token of the one that callbacks reach.

    Raises:
        CloudError
    """
    serving, target = (actual.function_version(api, name, one) for one in (DEFAULT, number))
    if serving is None or target is None:
        return False
    newest, known = _tokens(serving)[0], _tokens(target)
    return newest not in known and known != ["none"]


def _tokens(version: actual.FunctionVersion) -> list[str]:
    return [one.strip() for one in version.variables.get("CALLBACK_TOKENS", "").split(",")]


def _to_bundle(found: Status, bundle: str) -> list[Call]:
    """The calls by which a function runs a bundle; [] if it does, or has no such version."""
    fitting = [row.number for row in found.versions if bundle_of(row.description) == bundle]
    if not fitting or found.bundle == bundle:
        return []
    return [_alias(found.name, fitting[-1])]


def _alias(name: str, number: str) -> Call:
    params = {"FunctionName": name, "Namespace": "default", "Name": DEFAULT}
    why = "callbacks and timers reach it"
    return Call("scf", "UpdateAlias", {**params, "FunctionVersion": number}, why)


def removal(api: Api, name: str) -> Sequence[Call]:
    """The calls that take away what deploy made under a name; never anything of the ledger.

    Raises:
        CloudError
        DeployError: there is a function of that name that deploy did not make.
    """
    latest = actual.function_version(api, name)
    if latest is not None and not is_ours(latest):
        what = f"deploy did not make {name}"
        raise DeployError(what, "to remove it, use the console")
    has_topic = latest is not None and bool(latest.answer.get("ClsTopicId"))
    # First, since without sweeps an alarm would be raised.
    calls = watch_plan.removal(api, name, is_needed=has_topic)
    calls += removal_of_others(api, name)
    if latest is not None:
        calls.append(_delete(name))
    return [*calls, *_removal_of_rights(api, name)]


def removal_of_others(api: Api, name: str) -> Sequence[Call]:
    """The same for the functions that a split deployment has besides. May raise CloudError."""
    others = [f"{name}{suffix}" for suffix in layout.SUFFIXES]
    calls = [_delete(other) for other in layout.made_others(api, name)]
    return [*calls, *(call for other in others for call in _removal_of_rights(api, other))]


def _delete(name: str) -> Call:
    params = {"FunctionName": name, "Namespace": "default"}
    return Call("scf", "DeleteFunction", params, "with its versions and triggers")


def _removal_of_rights(api: Api, name: str) -> list[Call]:
    calls: list[Call] = []
    role, policy = role_name(name), policy_name(name)
    found = actual.read_rights(api, role, policy)
    if found.policy_is_ours and found.is_attached:
        params = {"DetachRoleName": role, "PolicyName": policy}
        calls.append(Call("cam", "DetachRolePolicy", params, "before either can go"))
    if found.policy_is_ours:
        numbers: dict[str, Any] = {"PolicyId": [found.policy_id]}
        calls.append(Call("cam", "DeletePolicy", numbers, policy))
    if found.role_is_ours:
        calls.append(Call("cam", "DeleteRole", {"RoleName": role}, "nothing acts as it any more"))
    return calls
