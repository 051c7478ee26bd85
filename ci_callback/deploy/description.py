"""The description of a deployment, from serverless.yml and the environment. Pure.

The same file is checked at length by `make check-deploy`. Each value that is read here is checked
for its type, so a call never gets another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ci_callback.cloud_api import SdkMissingError
from ci_callback.deploy.errors import EXIT_SETTINGS, DeployError

_ENV = re.compile(r"\$\{env:([\w.-]+)\}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,58}[A-Za-z0-9]")
PRODUCTION = "production"
STAGES_TAKEN = ("sweep", "tasks")


class Url(NamedTuple):
    """The function's URL. auth: NONE or CAM."""

    qualifier: str
    auth: str
    extranet: bool
    intranet: bool


class Timer(NamedTuple):
    """A timer that is on. cron: seven fields, seconds first."""

    name: str
    qualifier: str
    cron: str
    argument: str


@dataclass(frozen=True)
class Description:
    """What serverless.yml says, with the environment's values.

    stage_of: the name of the production's function, "" where this is it. role: "" where the
    environment names none. url: None for a function that is not called. variables: those that have
    a value. unset: those whose ${env:NAME} has none.
    """

    name: str
    stage_of: str
    region: str
    runtime: str
    handler: str
    role: str
    memory_mb: int
    timeout_s: int
    init_timeout_s: int
    is_public: bool
    variables: Mapping[str, str]
    unset: tuple[str, ...]
    url: Url | None
    timers: tuple[Timer, ...]


@dataclass(frozen=True)
class Names:
    """The names of the command line. name: "" for that of serverless.yml."""

    name: str = ""
    stage: str = PRODUCTION


def read(text: str, env: Mapping[str, str], names: Names) -> Description:
    """
    Raises:
        DeployError: the file is no description of this function, or the environment lacks a value
            that it needs.
    """
    inputs = _Node("inputs", _resolved(_load(text), env)).mapping("inputs")
    production = names.name or inputs.text("name")
    name = _name(production, names.stage)
    events = [
        _Node(f"inputs.events[{at}]", event) for at, event in enumerate(inputs.list("events"))
    ]
    urls = [
        _url(event.mapping("http").mapping("parameters")) for event in events if event.has("http")
    ]
    if len(urls) != 1:
        raise _wrong("inputs.events", f"{len(urls)} http triggers", "exactly one")
    variables = inputs.mapping("environment").mapping("variables").values
    return Description(
        name=name,
        stage_of="" if name == production else production,
        region=inputs.text("region", "set COS_REGION to the bucket's region, or give --region"),
        runtime=inputs.text("runtime"),
        handler=inputs.text("handler"),
        role=inputs.text("role") if inputs.has("role") else "",
        memory_mb=inputs.whole("memorySize"),
        timeout_s=inputs.whole("timeout"),
        init_timeout_s=inputs.whole("initTimeout"),
        is_public=inputs.values.get("publicAccess") is True,
        variables={key: str(value) for key, value in variables.items() if value is not None},
        unset=tuple(key for key, value in variables.items() if value is None),
        url=urls[0],
        timers=tuple(
            _timer(event.mapping("timer").mapping("parameters"))
            for event in events
            if event.has("timer")
        ),
    )


def _name(name: str, stage: str) -> str:
    whole = name if stage == PRODUCTION else f"{name}-{stage}"
    if stage in STAGES_TAKEN:
        raise _wrong("--stage", stage, "another word: `--split` names its functions so")
    if not _NAME.fullmatch(whole):
        raise _wrong("name", whole, "2 to 60 letters, digits, - and _, beginning with a letter")
    return whole


def _url(parameters: _Node) -> Url:
    net = parameters.mapping("netConfig").values
    return Url(
        parameters.text("qualifier"),
        parameters.text("authType"),
        net.get("enableExtranet") is True,
        net.get("enableIntranet") is True,
    )


def _timer(parameters: _Node) -> Timer:
    return Timer(
        parameters.text("name"),
        parameters.text("qualifier"),
        parameters.text("cronExpression"),
        parameters.text("argument"),
    )


def _load(text: str) -> Any:
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise SdkMissingError from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise _wrong("the file", f"no YAML{where}", "one YAML document") from error


def _resolved(node: Any, env: Mapping[str, str]) -> Any:
    """With the environment's values; None in place of ${env:NAME} without a value."""
    if isinstance(node, dict):
        return {key: _resolved(value, env) for key, value in node.items()}
    if isinstance(node, list):
        return [_resolved(value, env) for value in node]
    match = _ENV.fullmatch(node) if isinstance(node, str) else None
    return (env.get(match[1], "").strip() or None) if match else node


class _Node:
    """A mapping of the file, and its place in it."""

    def __init__(self, place: str, values: Any) -> None:
        if not isinstance(values, dict):
            raise _wrong(place, _shown(values), "a mapping")
        self.place = place
        self.values: Mapping[str, Any] = values

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def mapping(self, name: str) -> _Node:
        place = name if name == self.place else f"{self.place}.{name}"
        return _Node(place, self.values.get(name))

    def text(self, name: str, fix: str = "") -> str:
        return str(self._get(name, "a text", lambda value: isinstance(value, str) and value, fix))

    def whole(self, name: str) -> int:
        value = self._get(name, "a whole number", lambda value: type(value) is int)
        return int(value)

    def list(self, name: str) -> Sequence[Any]:
        found: Sequence[Any] = self._get(name, "a list", lambda value: isinstance(value, list))
        return found

    def _get(self, name: str, expected: str, holds: Callable[[Any], object], fix: str = "") -> Any:
        value = self.values.get(name)
        if not holds(value):
            error = _wrong(f"{self.place}.{name}", _shown(value), expected)
            raise DeployError(error.what, fix or error.fix, EXIT_SETTINGS)
        return value


def _shown(value: Any) -> str:
    """A value of the wrong type; never its text, which may be a secret."""
    return "nothing" if value is None else f"a {type(value).__name__}"


def _wrong(place: str, found: str, expected: str) -> DeployError:
    what = f"serverless.yml: {place}: found {found}, expected {expected}"
    return DeployError(what, "make check-deploy lists all faults", EXIT_SETTINGS)
