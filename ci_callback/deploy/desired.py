"""The desired state of the account, as data. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ci_callback.deploy.bundle import Bundle
from ci_callback.deploy.description import Description, Url
from ci_callback.deploy.errors import EXIT_SETTINGS, DeployError
from handler import __version__

DEFAULT, LATEST = "$DEFAULT", "$LATEST"

MARK = "ci callback handler"
"""Begins the description of every function and version that deploy makes. A description may hold
letters, digits, blanks, commas and full stops (CreateFunction)."""

RETRIES, TTL_S = 0, 60
"""Of the timers' events: the next tick is a minute away, and a sweep that failed is not to run
beside it. Without them a throttled function finds six hours of old ticks
(UpdateFunctionEventInvokeConfig)."""

MAX_ENVIRONMENT_BYTES = 4_096
"""Names and values together (583/11637)."""


def describe(bundle: Bundle) -> str:
    """The description of a function that holds this bundle."""
    return f"{MARK} {__version__}, bundle {bundle.sha256}"


@dataclass(frozen=True)
class Desired:
    """The desired state of one deployment. variables: all of the function's, those that are kept
    included.

    role: its name. is_managed: deploy makes the role and its policy; is_shared: with another
    function, whose plan makes them. policy: the document, of a managed role. logs: settings of the
    function's own log topic, {} where none is asked for. reserved_mb: its quota, None for none.
    elsewhere: timers that another function of the deployment has.
    """

    description: Description
    bundle: Bundle
    variables: Mapping[str, str] = field(repr=False)
    role: str
    is_managed: bool
    policy: Mapping[str, Any]
    logs: Mapping[str, Any] = field(default_factory=dict)
    is_shared: bool = False
    reserved_mb: int | None = None
    elsewhere: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.description.name

    @property
    def policy_name(self) -> str:
        return policy_name(self.name)

    @property
    def settings(self) -> dict[str, Any]:
        """Of the function, as GetFunction names them, but with the environment as a mapping."""
        wanted = self.description
        return {
            "Handler": wanted.handler,
            "MemorySize": wanted.memory_mb,
            "Timeout": wanted.timeout_s,
            "InitTimeout": wanted.init_timeout_s,
            "Role": self.role,
            "PublicNetStatus": "ENABLE" if wanted.is_public else "DISABLE",
            "Environment": dict(self.variables),
            "Description": describe(self.bundle),
            **self.logs,
        }

    @property
    def params(self) -> dict[str, Any]:
        """The settings as CreateFunction and UpdateFunctionConfiguration take them."""
        settings = self.settings
        variables = [
            {"Key": name, "Value": value} for name, value in sorted(self.variables.items())
        ]
        del settings["Handler"], settings["PublicNetStatus"]
        net = {"PublicNetStatus": self.settings["PublicNetStatus"]}
        return {
            **settings,
            "Environment": {"Variables": variables},
            "PublicNetConfig": {**net, "EipConfig": {"EipStatus": "DISABLE"}},
        }


def role_name(function: str) -> str:
    """Of the role that deploy makes for a function."""
    return f"{function}-role"


def policy_name(function: str) -> str:
    """Of the policy that deploy makes for a function."""
    return f"{function}-policy"


def url_settings(url: Url) -> dict[str, Any]:
    """A URL's TriggerDesc, as an object."""
    net = {"EnableIntranet": url.intranet, "EnableExtranet": url.extranet}
    return {"AuthType": url.auth, "NetConfig": net}


def as_json(document: Mapping[str, Any]) -> str:
    """On one line, and the same for the same document."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True)


def check_environment(variables: Mapping[str, str]) -> None:
    """
    Raises:
        DeployError: SCF would refuse it.
    """
    size = sum(len(f"{name}{value}".encode()) for name, value in variables.items())
    if size > MAX_ENVIRONMENT_BYTES:
        longest = max(variables, key=lambda name: len(variables[name].encode()))
        raise DeployError(
            f"the environment takes {size:,} bytes, and SCF allows {MAX_ENVIRONMENT_BYTES:,}",
            f"shorten {longest}, which takes {len(variables[longest].encode()):,}",
            EXIT_SETTINGS,
        )
