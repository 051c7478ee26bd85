"""docs/operator-policy.json lists just the actions that the tool's calls need.

Calls of API 3.0 are found in the code by their names, as tccli describes them; those of a command
are played, and compared with the statements that docs/deploy.md names for it.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ci_callback.cloud_simulator import contract
from ci_callback.commands import registry
from ci_callback.deploy.bundle import MAX_INLINE_BYTES, Bundle
from ci_callback.deploy.plan import Choices
from ci_callback.devserver.local_cloud import LocalCloud
from ci_callback.doctor import on_ci
from ci_callback.doctor.on_queues import KINDS
from tests.ci_callback.deploy.clouds import local_cloud
from tests.ci_callback.deploy.test_run import stored
from tests.ci_callback.deploy.world import World
from tests.ci_callback.doctor_services import Services
from tests.fake_cos import Seen

ROOT = Path(__file__).parents[1]
POLICY = json.loads((ROOT / "docs" / "operator-policy.json").read_text("utf-8"))
STATEMENTS: list[set[str]] = [
    {action.removeprefix("name/") for action in part["action"]} for part in POLICY["statement"]
]
SERVICES = ("scf", "cam", "cls", "monitor")
SPEED = {
    "ci:DescribeSpeedTranscodingProcessQueues",
    "ci:UpdateSpeedTranscodingProcessQueue",
}
"""Of the second queue of media, which is at the same path: CI's page of actions has both."""


def granted(*services: str) -> set[str]:
    """All actions of some services."""
    return {action for part in STATEMENTS for action in part if action.split(":")[0] in services}


def texts() -> Iterator[str]:
    """Each text in the code of the tool that may be the name of an action."""
    for path in sorted((ROOT / "ci_callback").rglob("*.py")):
        if "cloud_simulator" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_each_call_of_the_code_is_granted_and_nothing_else() -> None:
    """By the names of API 3.0. PassRole is no call: it is checked where a role is given away."""
    known = {
        f"{service}:{action}"
        for service in SERVICES
        for action in contract.services()[service]["actions"]
    }
    names = set(texts())
    called = {action for action in known if action.split(":")[1] in names}
    assert granted(*SERVICES) - {"cam:PassRole"} == called


def test_questions_and_changes_of_queues_and_workflows_are_granted() -> None:
    """By doctor's tables; an update is named like the question."""
    asked = {kind.action for kind in KINDS.values()} | {"ci:DescribeMediaWorkflows"}
    changed = {re.sub(r"^ci:Describe(.*)s$", r"ci:Update\1", action) for action in asked}
    tried = {trial.action for trial in on_ci.trials(0.0)} | {"ci:DescribeMediaBuckets"}
    assert granted("ci") == asked | changed | tried | SPEED


def action_of(seen: Seen) -> str:
    """What a request to COS needs."""
    if "lifecycle" in seen.params:
        return f"cos:{seen.method.capitalize()}BucketLifecycle"
    for name, action in (("location", "Location"), ("versioning", "Versioning")):
        if name in seen.params:
            return f"cos:GetBucket{action}"
    if seen.method == "GET" and not seen.key:
        return "cos:GetBucket"
    return f"cos:{seen.method.capitalize()}Object"


def test_requests_to_the_bucket_are_granted() -> None:
    """Of a deployment whose bundle goes through it, and of doctor."""
    with World() as world:
        padded = Bundle(stored(MAX_INLINE_BYTES + 1))
        world.account.scf.from_cos = lambda bucket, region, key: padded.code
        world.deploy(world.job(code=padded, choices=Choices(expire_days=90)))
        asked = {action_of(seen) for seen in world.cos.seen}
    with Services() as services:
        services.findings()
        asked |= {action_of(seen) for seen in services.cos.seen if seen.method != "HEAD"}
    assert asked == granted("cos")


COMMANDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "deploy": (("--zip", "own.zip", "--no-verify"), ("--zip", "empty.zip", "--no-verify")),
    "deploy --logs": (("--zip", "own.zip", "--no-verify", "--logs"),),
    "deploy --expire-days": (("--zip", "own.zip", "--no-verify", "--expire-days", "90"),),
    "deploy --split": (("--zip", "own.zip", "--no-verify", "--split"),),
    "deploy status": (("status",),),
    "deploy connect": (("connect",), ("connect", "--undo")),
    "deploy rotate-token": (("rotate-token",), ("rotate-token", "--finish", "--yes")),
    "deploy rollback": (("rollback",),),
    "deploy destroy": (("destroy", "--yes", "ci-callback"),),
}
"""What is run, in this order, by the title of its row."""


def rows() -> dict[str, set[str]]:
    """The table of docs/deploy.md: the actions of the statements that it names."""
    page = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    found = re.findall(r"^\| `([^|`]+)`[^|]*\| ([\d, –]+) \|$", page, re.MULTILINE)
    made: dict[str, set[str]] = {}
    for title, numbers in found:
        wanted: set[int] = set()
        for part in numbers.split(","):
            first, _, last = part.strip().partition("–")
            wanted |= set(range(int(first), int(last or first) + 1))
        made[title] = {action for number in wanted for action in STATEMENTS[number - 1]}
    return made


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The calls of API 3.0 of each command."""
    calls: dict[str, set[str]] = {}
    with local_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        for title, runs in COMMANDS.items():
            cloud.account.seen.clear()
            for arguments in runs:
                run(cloud, *arguments)
            calls[title] = {f"{one.service}:{one.action}" for one in cloud.account.seen}
    return calls


def run(cloud: LocalCloud, *arguments: str) -> None:
    """A command that succeeds."""
    env = {"LEDGER_URL": cloud.ledger, "COS_REGION": cloud.region, "CALLBACK_TOKENS": None}
    result: Any = CliRunner().invoke(
        registry.app, ["deploy", *arguments, "--to", cloud.url], env=env
    )
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("title", COMMANDS)
def test_the_statements_of_a_command_grant_its_calls(
    title: str, played: Mapping[str, set[str]]
) -> None:
    """As the table in docs/deploy.md names them, in English and in Chinese."""
    assert played[title] <= rows()[title]


def test_both_pages_have_the_same_table() -> None:
    """And every statement is somebody's."""
    pattern = re.compile(r"^\| `([^|`]+)`[^|]*\| ([\d, –]+) \|$", re.MULTILINE)
    english, chinese = (
        pattern.findall((ROOT / "docs" / page).read_text("utf-8"))
        for page in ("deploy.md", "zh/deploy.md")
    )
    assert english == chinese
    assert set().union(*rows().values()) == set().union(*STATEMENTS)
    assert set(COMMANDS) <= set(rows())


@pytest.mark.parametrize("part", POLICY["statement"])
def test_every_statement_is_narrow(part: Mapping[str, Any]) -> None:
    """No action with a star; any resource only where the service knows no other."""
    assert part["effect"] == "allow"
    assert not any("*" in action for action in part["action"])
    services = {action.removeprefix("name/").split(":")[0] for action in part["action"]}
    if "*" in part["resource"]:
        assert services <= {"cam", "cls", "monitor"}
