"""CAM: roles, policies, and which is attached to which."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ci_callback.cloud_simulator.errors import ApiError
from ci_callback.cloud_simulator.faults import Faults

CUSTOM = 1
"""The type of a policy that a user wrote."""
MAX_DOCUMENT_CHARS = 6_144


@dataclass
class Role:
    """hidden: reads that do not show it yet."""

    name: str
    trust: str
    role_id: str
    description: str = ""
    policies: list[int] = field(default_factory=list)
    hidden: int = 0


@dataclass
class Policy:
    name: str
    document: str
    policy_id: int
    description: str = ""
    hidden: int = 0


@dataclass
class Cam:
    """One account. app_id, uin: its numbers."""

    faults: Faults
    app_id: int
    uin: str
    roles: dict[str, Role] = field(default_factory=dict)
    policies: dict[int, Policy] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(17_698_703))

    def call(self, action: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out an action whose parameters were checked.

        Raises:
            ApiError
        """
        answer: dict[str, Any] = _ACTIONS[action](self, params)
        return answer

    def user(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"Uin": self.uin, "OwnerUin": self.uin, "AppId": self.app_id}

    def get_role(self, params: Mapping[str, Any]) -> dict[str, Any]:
        role = self._role(params["RoleName"])
        info = {
            "RoleId": role.role_id,
            "RoleName": role.name,
            "PolicyDocument": role.trust,
            "Description": role.description,
        }
        return {"RoleInfo": info}

    def create_role(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name = params["RoleName"]
        if name in self.roles:
            raise ApiError("InvalidParameter.RoleNameInUse", f"{name} is in use.")
        document = _document(params["PolicyDocument"])
        if not all("principal" in part for part in document["statement"]):
            raise ApiError("InvalidParameter.PrincipalError", "The principal is wrong.")
        number = f"4611686018{next(self._numbers)}"
        role = Role(name, params["PolicyDocument"], number, params.get("Description", ""))
        role.hidden = self.faults.read_lag
        self.roles[name] = role
        return {"RoleId": number}

    def delete_role(self, params: Mapping[str, Any]) -> dict[str, Any]:
        del self.roles[self._role(params["RoleName"], is_read=False).name]
        return {}

    def create_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name = params["PolicyName"]
        if any(policy.name == name for policy in self.policies.values()):
            raise ApiError("FailedOperation.PolicyNameInUse", f"{name} is in use.")
        _document(params["PolicyDocument"])
        number = next(self._numbers)
        policy = Policy(name, params["PolicyDocument"], number, params.get("Description", ""))
        policy.hidden = self.faults.read_lag
        self.policies[number] = policy
        return {"PolicyId": number}

    def get_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        policy = self._policy(params)
        return {
            "PolicyName": policy.name,
            "Type": CUSTOM,
            "Description": policy.description,
            "PolicyDocument": policy.document,
        }

    def update_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        policy = self._policy(params)
        if "PolicyDocument" in params:
            _document(params["PolicyDocument"])
            policy.document = params["PolicyDocument"]
        return {"PolicyId": policy.policy_id} if "PolicyName" in params else {}

    def delete_policy(self, params: Mapping[str, Any]) -> dict[str, Any]:
        for number in params["PolicyId"]:
            if self.policies.pop(number, None) is None:
                raise ApiError("InvalidParameter.PolicyIdNotExist", f"{number} does not exist.")
            for role in self.roles.values():
                role.policies = [policy for policy in role.policies if policy != number]
        return {}

    def list_policies(self, params: Mapping[str, Any]) -> dict[str, Any]:
        keyword = params.get("Keyword", "")
        found = [policy for policy in self.policies.values() if keyword in policy.name]
        return self._page([policy for policy in found if _is_seen(policy)], params)

    def attached(self, params: Mapping[str, Any]) -> dict[str, Any]:
        role = self._role(params["RoleName"])
        return self._page([self.policies[number] for number in role.policies], params)

    def attach(self, params: Mapping[str, Any]) -> dict[str, Any]:
        role, policy = self._role(params["AttachRoleName"], is_read=False), self._policy(params)
        if policy.policy_id not in role.policies:
            role.policies.append(policy.policy_id)
        return {}

    def detach(self, params: Mapping[str, Any]) -> dict[str, Any]:
        role, policy = self._role(params["DetachRoleName"], is_read=False), self._policy(params)
        role.policies = [number for number in role.policies if number != policy.policy_id]
        return {}

    def _role(self, name: str, is_read: bool = True) -> Role:
        role = self.roles.get(name)
        if role is None or (is_read and not _is_seen(role)):
            raise ApiError("InvalidParameter.RoleNotExist", f"role {name} does not exist.")
        return role

    def _policy(self, params: Mapping[str, Any]) -> Policy:
        for policy in self.policies.values():
            if policy.policy_id == params.get("PolicyId") or policy.name == params.get(
                "PolicyName"
            ):
                return policy
        raise ApiError("InvalidParameter.PolicyIdNotExist", "the policy does not exist.")

    @staticmethod
    def _page(policies: list[Policy], params: Mapping[str, Any]) -> dict[str, Any]:
        count, page = params.get("Rp", 20), params.get("Page", 1)
        shown = policies[(page - 1) * count : page * count]
        rows = [{"PolicyId": policy.policy_id, "PolicyName": policy.name} for policy in shown]
        return {"List": rows, "TotalNum": len(policies)}


def _is_seen(made: Role | Policy) -> bool:
    made.hidden, is_hidden = max(0, made.hidden - 1), made.hidden > 0
    return not is_hidden


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
        statements = document["statement"]
        if document["version"] != "2.0" or not all(part["effect"] for part in statements):
            raise ValueError
    except (ValueError, KeyError, TypeError) as error:
        code = "InvalidParameter.PolicyDocumentError"
        raise ApiError(code, "The policy document is wrong.") from error
    if len(text) > MAX_DOCUMENT_CHARS:
        raise ApiError("InvalidParameter.PolicyDocumentLengthOverLimit", "It is too long.")
    return dict(document)


_ACTIONS = {
    "AttachRolePolicy": Cam.attach,
    "CreatePolicy": Cam.create_policy,
    "CreateRole": Cam.create_role,
    "DeletePolicy": Cam.delete_policy,
    "DeleteRole": Cam.delete_role,
    "DetachRolePolicy": Cam.detach,
    "GetPolicy": Cam.get_policy,
    "GetRole": Cam.get_role,
    "GetUserAppId": Cam.user,
    "ListAttachedRolePolicies": Cam.attached,
    "ListPolicies": Cam.list_policies,
    "UpdatePolicy": Cam.update_policy,
}
