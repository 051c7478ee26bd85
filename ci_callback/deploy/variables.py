"""Variables of a deployed function that change by themselves, without a new bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ci_callback.deploy import actual, layout
from ci_callback.deploy.actual import Api, FunctionVersion
from ci_callback.deploy.calls import Call, Later
from ci_callback.deploy.desired import DEFAULT, LATEST, check_environment
from ci_callback.deploy.errors import DeployError


def calls(api: Api, name: str, changes: Mapping[str, str], why: str) -> Sequence[Call]:
    """What gives each function of a deployment these variables, in a version that callbacks and
    timers reach; [] where they have them. A variable whose new value is "" goes. A run that died
    between its calls is finished.

    Raises:
        CloudError
        DeployError: there is no function of that name, or the environment would be too large.
    """
    members = layout.members(api, name)
    return [call for one in members for call in _of_one(api, one, changes, why)]


def _of_one(api: Api, name: str, changes: Mapping[str, str], why: str) -> Sequence[Call]:
    latest = actual.function_version(api, name)
    serving = actual.function_version(api, name, DEFAULT)
    if latest is None or serving is None:
        raise DeployError(f"there is no function {name}", "deploy it first")
    variables = changed(latest.variables, changes)
    is_set = variables == latest.variables
    if is_set and has(serving.variables, changes):
        return []
    check_environment(variables)
    named: Mapping[str, Any] = {"FunctionName": name, "Namespace": "default"}
    pairs = [{"Key": key, "Value": value} for key, value in sorted(variables.items())]
    settings = {**named, "Environment": {"Variables": pairs}}
    update = [] if is_set else [Call("scf", "UpdateFunctionConfiguration", settings, why)]
    # Where the alias is on $LATEST, as Terraform leaves it, that is all; it stays there.
    return update if serving.number == LATEST else [*update, *_published(named, latest)]


def _published(named: Mapping[str, Any], latest: FunctionVersion) -> list[Call]:
    described = {**named, "Description": str(latest.answer.get("Description") or "")}
    alias = {**named, "Name": DEFAULT}
    alias["FunctionVersion"] = Later("PublishVersion", "FunctionVersion")
    return [
        Call("scf", "PublishVersion", described, "as it is now"),
        Call("scf", "UpdateAlias", alias, "callbacks reach it"),
    ]


def has(variables: Mapping[str, str], changes: Mapping[str, str]) -> bool:
    """Whether the variables are as the changes make them."""
    return all(variables.get(key, "") == value for key, value in changes.items())


def changed(variables: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """Variables after the changes."""
    left = {key: value for key, value in variables.items() if key not in changes}
    return left | {key: value for key, value in changes.items() if value}
