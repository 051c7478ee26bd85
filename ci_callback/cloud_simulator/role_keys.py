"""The credentials of execution roles, and what each may do, by the policies that it has.

Only what the function's policy names is judged: objects of COS by their keys, and the verb of a
request to CI.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from ci_callback.cloud_simulator.cam import Cam

PREFIX = "AKIDrole"
_VERBS = {"POST": "Create", "GET": "Describe", "PUT": "Update"}


class RoleKeys:
    """secrets: secret id → secret key of all that may sign; those of roles are added."""

    def __init__(self, cam: Cam, secrets: dict[str, str]) -> None:
        self.cam = cam
        self._secrets = secrets
        self._roles: dict[str, str] = {}

    def of(self, role: str) -> tuple[str, str]:
        """Secret id and secret key."""
        digest = hashlib.sha256(role.encode()).hexdigest()
        secret_id, secret_key = f"{PREFIX}{digest[:20]}", digest[20:52]
        self._secrets[secret_id] = secret_key
        self._roles[secret_id] = role
        return secret_id, secret_key

    def may_cos(self, secret_id: str, action: str, bucket: str, key: str) -> bool:
        """action: without its service. key: or the prefix of a listing. Who is no role may all."""
        if secret_id not in self._roles:
            return True
        return any(
            f"name/cos:{action}" in part["action"]
            and any(fnmatchcase(f"{bucket}/{key}", _place(one)) for one in part["resource"])
            for part in self._statements(secret_id)
        )

    def may_ci(self, secret_id: str, method: str) -> bool:
        """Whether it has any action of CI with the verb of this method."""
        if secret_id not in self._roles:
            return True
        verb = f"ci:{_VERBS.get(method, method)}"
        actions = (action for part in self._statements(secret_id) for action in part["action"])
        return any(action.startswith(verb) for action in actions)

    def _statements(self, secret_id: str) -> Iterator[dict[str, Any]]:
        role = self.cam.roles.get(self._roles[secret_id])
        for policy_id in role.policies if role else ():
            yield from json.loads(self.cam.policies[policy_id].document)["statement"]


def _place(resource: str) -> str:
    """Bucket and key of a resource: qcs::cos:REGION:uid/APPID:BUCKET/KEY."""
    return resource.split(":", 5)[-1]
