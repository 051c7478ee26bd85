"""Rebuild the description of Tencent Cloud's API 3.0 that the stand-in for it checks requests by:
python -m tools.cloud_api. Needs a package index.

tccli, Tencent's own command line, describes every action with its parameters and their types. It is
165 MB large with what it needs, so its wheel alone is fetched, and an extract of the actions that
are used is kept in ci_callback/cloud_simulator, with tccli's version and licence beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from tools import environment

TCCLI = "3.1.189.1"
FOLDER = environment.ROOT / "ci_callback" / "cloud_simulator"
EXTRACT = FOLDER / "api.json"
LICENCE = FOLDER / "api.LICENSE.txt"

Shape: TypeAlias = "str | list[str]"
"""Of a member: the name of an object or of a plain type; in a list where there are several."""


class Service(NamedTuple):
    """version: of the API. actions: those that are kept."""

    version: str
    actions: Sequence[str]


_ACTIONS = {
    "scf": """
        CreateFunction CreateTrigger DeleteFunction DeleteFunctionVersion
        DeleteReservedConcurrencyConfig DeleteTrigger GetAlias GetFunction GetFunctionAddress
        GetFunctionEventInvokeConfig GetReservedConcurrencyConfig InvokeFunction ListTriggers
        ListVersionByFunction PublishVersion PutReservedConcurrencyConfig UpdateAlias
        UpdateFunctionCode UpdateFunctionConfiguration UpdateFunctionEventInvokeConfig UpdateTrigger
    """,
    "cam": """
        AttachRolePolicy CreatePolicy CreateRole DeletePolicy DeleteRole DetachRolePolicy GetPolicy
        GetRole GetUserAppId ListAttachedRolePolicies ListPolicies UpdatePolicy
    """,
    "cls": """
        CreateAlarm CreateAlarmNotice CreateDashboard CreateIndex CreateLogset CreateTopic
        DeleteAlarm DeleteAlarmNotice DeleteDashboard DescribeAlarmNotices DescribeAlarms
        DescribeDashboards DescribeIndex DescribeLogsets DescribeTopics ModifyAlarm
        ModifyAlarmNotice ModifyDashboard ModifyIndex ModifyTopic SearchLog
    """,
    "monitor": "GetMonitorData",
}
_VERSIONS = {
    "scf": "2018-04-16",
    "cam": "2019-01-16",
    "cls": "2020-10-16",
    "monitor": "2018-07-24",
}

SERVICES: Mapping[str, Service] = {
    name: Service(_VERSIONS[name], actions.split()) for name, actions in _ACTIONS.items()
}


def extract(service: Service, description: Mapping[str, Any]) -> dict[str, Any]:
    """The actions of a service and every object that they reach, from tccli's api.json.

    Raises:
        KeyError: an action is not described any more.
    """
    actions = {name: description["actions"][name] for name in service.actions}
    objects: dict[str, Any] = {}
    wanted = [action[end] for action in actions.values() for end in ("input", "output")]
    while wanted:
        name = wanted.pop()
        if name in objects or name not in description["objects"]:
            continue
        members = description["objects"][name]["members"]
        objects[name] = {
            "required": sorted(member["name"] for member in members if member.get("required")),
            "members": {member["name"]: _shape(member) for member in members},
        }
        wanted += [member["member"] for member in members]
    return {
        "version": service.version,
        "actions": {name: [action["input"], action["output"]] for name, action in actions.items()},
        "objects": {name: objects[name] for name in sorted(objects)},
    }


def _shape(member: Mapping[str, Any]) -> Shape:
    kind = str(member["member"])
    return [kind] if member["type"] == "list" else kind


def read(wheel: zipfile.ZipFile) -> Iterator[tuple[str, dict[str, Any]]]:
    """The extract of each service, from tccli's wheel."""
    for name, service in SERVICES.items():
        folder = f"v{service.version.replace('-', '')}"
        text = wheel.read(f"tccli/services/{name}/{folder}/api.json")
        yield name, extract(service, json.loads(text))


def main() -> None:
    """Fetch tccli's wheel into a temporary folder, and write the extract and the licence."""
    argparse.ArgumentParser(description=main.__doc__).parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        pip: environment.Command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        try:
            environment.run([*pip, "--only-binary=:all:", "--dest", scratch, f"tccli=={TCCLI}"])
        except environment.StepError as error:
            sys.exit(f"cloud-api: {error}")
        (path,) = Path(scratch).glob("*.whl")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with zipfile.ZipFile(path) as wheel:
            source = {
                "package": "tccli",
                "version": TCCLI,
                "sha256": digest,
                "licence": "Apache-2.0",
            }
            whole = {"source": source, "services": dict(read(wheel))}
            (licence,) = (name for name in wheel.namelist() if name.endswith("licenses/LICENSE"))
            LICENCE.write_bytes(wheel.read(licence))
    EXTRACT.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
