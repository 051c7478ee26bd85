"""Reads the state of the account."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from ci_callback.cloud_api import CloudError
from ci_callback.deploy.desired import DEFAULT, LATEST, MARK, policy_name
from ci_callback.deploy.policy import Owner

NAMESPACE = "default"
PAGE = 20
MAX_PAGES = 50
_POLICIES_PAGE = 200
_COMPARED = (
    "Handler",
    "MemorySize",
    "Timeout",
    "InitTimeout",
    "Role",
    "Description",
    "ClsLogsetId",
    "ClsTopicId",
)


class Api(Protocol):
    """`Cloud`, or what repeats its calls."""

    def call(self, service: str, action: str, params: Mapping[str, Any]) -> dict[str, Any]: ...


class Trigger(NamedTuple):
    """kind: timer, http, …; of a URL the name is its id. settings: its TriggerDesc as an object."""

    kind: str
    name: str
    qualifier: str
    is_on: bool
    argument: str
    settings: Mapping[str, Any]

    @property
    def address(self) -> str:
        """The https address of a URL, "" where it has none. The plain-http one would carry the
        token in the clear."""
        net = self.settings.get("NetConfig")
        found = str(net.get("ExtranetUrl") or "") if isinstance(net, dict) else ""
        return found if found.startswith("https://") else ""


class PublishedVersion(NamedTuple):
    """number: as SCF counts them."""

    number: str
    description: str


@dataclass(frozen=True)
class FunctionVersion:
    """GetFunction's answer for one qualifier."""

    answer: Mapping[str, Any] = field(repr=False)

    @property
    def number(self) -> str:
        return str(self.answer.get("FunctionVersion") or LATEST)

    @property
    def status(self) -> str:
        return str(self.answer.get("Status") or "")

    @property
    def reason(self) -> str:
        """Why it could not be created, in the platform's words."""
        reasons = self.answer.get("StatusReasons") or [{}]
        return str(reasons[0].get("ErrorMessage") or self.answer.get("StatusDesc") or "")

    @property
    def variables(self) -> dict[str, str]:
        pairs = (self.answer.get("Environment") or {}).get("Variables") or []
        return {str(pair["Key"]): str(pair["Value"]) for pair in pairs}

    def has(self, wanted: Mapping[str, Any]) -> bool:
        """Whether these settings are its own."""
        found = self.settings
        return all(found.get(name) == value for name, value in wanted.items())

    @property
    def settings(self) -> dict[str, Any]:
        """As `Desired.settings` has them, and more."""
        net = self.answer.get("PublicNetConfig") or {}
        return {
            **{name: self.answer.get(name) for name in _COMPARED},
            "PublicNetStatus": net.get("PublicNetStatus"),
            "Environment": self.variables,
        }


@dataclass(frozen=True)
class Actual:
    """latest: None where there is no function. serving: the version that $DEFAULT points to.
    newest: the newest published one. retries, ttl_s: of asynchronous runs. reserved_mb: its quota,
    0 for none. policy: its document,
    None where there is no policy of that name. foreign: the role or policy that bears the name and
    that deploy did not make, as a person needs it."""

    owner: Owner
    role_exists: bool
    policy_id: int | None = None
    policy: Mapping[str, Any] | None = None
    is_attached: bool = False
    latest: FunctionVersion | None = None
    serving: FunctionVersion | None = None
    newest: FunctionVersion | None = None
    versions: tuple[PublishedVersion, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    retries: int | None = None
    ttl_s: int | None = None
    reserved_mb: int = 0
    foreign: tuple[str, ...] = ()

    @property
    def without_function(self) -> Actual:
        """The same account once the function is deleted, and with it all that belongs to it."""
        return Actual(self.owner, self.role_exists, self.policy_id, self.policy, self.is_attached)


def owner(api: Api) -> Owner:
    """Whose the credentials are. May raise CloudError."""
    answer = api.call("cam", "GetUserAppId", {})
    return Owner(str(answer["AppId"]), str(answer["OwnerUin"]))


def function_version(api: Api, name: str, qualifier: str = LATEST) -> FunctionVersion | None:
    """None where there is no such function. May raise CloudError."""
    asked = {"FunctionName": name, "Namespace": "default", "Qualifier": qualifier}
    try:
        return FunctionVersion(api.call("scf", "GetFunction", asked))
    except CloudError as error:
        if error.is_in("ResourceNotFound"):
            return None
        raise


class Rights(NamedTuple):
    """The role and the policy of a function. policy: its document; None without one."""

    role_exists: bool
    policy_id: int | None
    policy: Mapping[str, Any] | None
    policy_description: str
    is_attached: bool
    role_description: str

    @property
    def role_is_ours(self) -> bool:
        """Whether deploy made it."""
        return self.role_exists and self.role_description.startswith(MARK)

    @property
    def policy_is_ours(self) -> bool:
        """Whether deploy made it."""
        return self.policy_id is not None and self.policy_description.startswith(MARK)


def read_rights(api: Api, role: str, policy: str) -> Rights:
    """By their names. May raise CloudError."""
    info = _role(api, role)
    role_exists, made_by = info is not None, str((info or {}).get("Description") or "")
    policy_id = _policy_id(api, policy)
    if policy_id is None:
        return Rights(role_exists, None, None, "", False, made_by)
    answer = api.call("cam", "GetPolicy", {"PolicyId": policy_id})
    return Rights(
        role_exists,
        policy_id,
        json.loads(answer["PolicyDocument"]),
        str(answer.get("Description") or ""),
        role_exists and policy_id in _attached(api, role),
        made_by,
    )


def read(api: Api, name: str, role: str, whose: Owner) -> Actual:
    """Everything that bears the function's name. May raise CloudError."""
    policy = policy_name(name)
    rights = read_rights(api, role, policy)
    actual = Actual(
        whose,
        rights.role_exists,
        rights.policy_id,
        rights.policy,
        rights.is_attached,
        foreign=(
            *([f"role {role}"] if rights.role_exists and not rights.role_is_ours else []),
            *([f"policy {policy}"] if rights.policy and not rights.policy_is_ours else []),
        ),
    )
    latest = function_version(api, name)
    return actual if latest is None else _with_function(api, name, latest, actual)


def _with_function(api: Api, name: str, latest: FunctionVersion, actual: Actual) -> Actual:
    asked = {"FunctionName": name, "Namespace": "default"}
    invoke = api.call("scf", "GetFunctionEventInvokeConfig", asked).get("AsyncTriggerConfig") or {}
    retry = (invoke.get("RetryConfig") or [{}])[0]
    reserved = api.call("scf", "GetReservedConcurrencyConfig", asked)
    published = tuple(versions(api, name))
    return replace(
        actual,
        latest=latest,
        serving=function_version(api, name, DEFAULT),
        newest=function_version(api, name, published[-1].number) if published else None,
        versions=published,
        triggers=tuple(triggers(api, name)),
        retries=retry.get("RetryNum"),
        ttl_s=invoke.get("MsgTTL"),
        reserved_mb=int(reserved.get("ReservedMem") or 0),
    )


def _role(api: Api, role: str) -> Mapping[str, Any] | None:
    """A role as CAM describes it; None if it does not exist."""
    try:
        info = api.call("cam", "GetRole", {"RoleName": role}).get("RoleInfo")
    except CloudError as error:
        if error.is_in("InvalidParameter.RoleNotExist", "ResourceNotFound"):
            return None
        raise
    return info if isinstance(info, dict) else {}


def _policy_id(api: Api, name: str) -> int | None:
    asked = {"Scope": "Local", "Keyword": name, "Rp": _POLICIES_PAGE, "Page": 1}
    for row in api.call("cam", "ListPolicies", asked).get("List") or []:
        if row.get("PolicyName") == name:
            return int(row["PolicyId"])
    return None


def _attached(api: Api, role: str) -> set[int]:
    asked = {"RoleName": role, "Page": 1, "Rp": _POLICIES_PAGE}
    answer = api.call("cam", "ListAttachedRolePolicies", asked)
    return {int(row["PolicyId"]) for row in answer.get("List") or []}


def versions(api: Api, name: str) -> Iterator[PublishedVersion]:
    """The published versions, the oldest first. May raise CloudError."""
    rows = _pages(api, "ListVersionByFunction", _Asked(name), "Versions")
    numbered = [row for row in rows if str(row.get("Version", "")).isdecimal()]
    for row in sorted(numbered, key=lambda row: int(row["Version"])):
        yield PublishedVersion(str(row["Version"]), str(row.get("Description") or ""))


def triggers(api: Api, name: str, namespace: str = NAMESPACE) -> Iterator[Trigger]:
    """The triggers of all qualifiers. May raise CloudError."""
    for row in _pages(api, "ListTriggers", _Asked(name, namespace), "Triggers"):
        yield Trigger(
            str(row.get("Type") or "").lower(),
            str(row.get("TriggerName") or ""),
            str(row.get("Qualifier") or LATEST),
            # What was set as OPEN or CLOSE is returned as 1 or 0, and a cron as {"cron": "…"}.
            row.get("Enable") in (1, True, "1", "OPEN"),
            str(row.get("CustomArgument") or ""),
            _settings(row.get("TriggerDesc")),
        )


def _settings(text: object) -> Mapping[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return {"cron": str(text)}
    return found if isinstance(found, dict) else {}


class _Asked(NamedTuple):
    name: str
    namespace: str = NAMESPACE


def _pages(api: Api, action: str, asked: _Asked, member: str) -> Iterator[dict[str, Any]]:
    seen = 0
    for _ in range(MAX_PAGES):
        named = {"FunctionName": asked.name, "Namespace": asked.namespace}
        answer = api.call("scf", action, {**named, "Offset": seen, "Limit": PAGE})
        listed = answer.get(member)
        rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
        yield from rows
        seen += len(rows)
        if not rows or seen >= int(answer.get("TotalCount") or 0):
            return
