"""`deploy` as it is typed: what it prints, and its exit status."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ci_callback.commands import registry
from ci_callback.deploy.errors import DeployError
from ci_callback.deploy.job import credentials
from ci_callback.devserver.local_cloud import LocalCloud
from tests.ci_callback.deploy.world import TOKEN

KEYS = ("TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN")


def run(cloud: LocalCloud, *arguments: str, **env: str) -> Result:
    """The command line in the operator's environment."""
    names = ("CALLBACK_TOKENS", "ALERT_URLS", "SCF_EXEC_ROLE", *KEYS)
    whole: dict[str, str | None] = dict.fromkeys(names)
    whole |= {"LEDGER_URL": cloud.ledger, "COS_REGION": cloud.region, "NO_COLOR": "1", **env}
    fixed = ["deploy", "--zip", "empty.zip", "--to", cloud.url, "--no-verify"]
    result = CliRunner().invoke(registry.app, [*fixed, *arguments], env=whole)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def data(result: Result) -> dict[str, Any]:
    """What --json printed."""
    read: dict[str, Any] = json.loads(result.stdout)
    return read


def test_from_an_empty_account_to_an_address_and_no_change_after_it(cloud: LocalCloud) -> None:
    """The token is printed in the run that makes it, and not again."""
    first = run(cloud)
    assert first.exit_code == 0, first.output
    assert "call  1" in first.stdout
    assert "done 11" in first.stdout
    address = first.stdout.splitlines()[-1]
    (made,) = cloud.account.scf.functions.values()
    pairs = made.latest.settings["Environment"]["Variables"]
    token = next(pair["Value"] for pair in pairs if pair["Key"] == "CALLBACK_TOKENS")
    assert address.endswith(f"tencentscf.com/?token={token}")
    assert first.stdout.count(token) == 1
    second = run(cloud)
    assert (second.exit_code, "nothing differs" in second.stdout) == (0, True)
    assert token not in second.stdout
    assert token in run(cloud, "--show-token").stdout


def test_a_dry_run_exits_with_2_where_something_differs_and_with_0_after_it(
    cloud: LocalCloud,
) -> None:
    """It writes nothing."""
    plan = run(cloud, "--dry-run")
    assert plan.exit_code == 2
    assert cloud.account.writes == []
    run(cloud)
    assert run(cloud, "--dry-run").exit_code == 0


def test_a_plan_as_data_lists_the_calls_and_masks_secrets(cloud: LocalCloud) -> None:
    """As those who read it by a program need it."""
    result = run(cloud, "--dry-run", "--json", ALERT_URLS="https://example.com/s3cret")
    plan = data(result)
    assert [call["action"] for call in plan["calls"]][:2] == ["CreateRole", "CreatePolicy"]
    assert plan["function"] == "ci-callback"
    assert "s3cret" not in result.stdout
    made = data(run(cloud, "--json", CALLBACK_TOKENS=TOKEN))
    assert made["address"].endswith("/?token=…")


@pytest.mark.parametrize(
    ("env", "status", "words"),
    [
        ({"COS_REGION": "Guangzhou!"}, 3, "not the name of a region"),
        ({"COS_REGION": ""}, 3, "inputs.region"),
        ({"LEDGER_URL": ""}, 3, "settings: LEDGER_URL"),
        ({"LEDGER_URL": "cos://other-1259999999/ci"}, 3, "does not belong to the account"),
        ({"ALERT_URLS": "https://example.com/" + "x" * 4096}, 3, "SCF allows 4,096"),
        ({"SCF_EXEC_ROLE": "nobody"}, 1, "no such role"),
    ],
)
def test_bad_input_is_one_line_and_what_to_do(
    cloud: LocalCloud, env: dict[str, str], status: int, words: str
) -> None:
    """On stderr, with the exit status that the help names."""
    result = run(cloud, **env)
    assert (result.exit_code, words in result.stderr) == (status, True), result.stderr
    assert "Traceback" not in result.output
    assert cloud.account.writes == []


def test_without_credentials_it_says_which_variables() -> None:
    """A rehearsal needs none."""
    with pytest.raises(DeployError, match="there are no credentials"):
        credentials({KEYS[0]: "id"})
    assert credentials({KEYS[0]: "id", KEYS[1]: "key"}) == ("id", "key", "")


def test_another_file_another_name_and_a_stage(cloud: LocalCloud, tmp_path: Path) -> None:
    """What .env.STAGE says goes before the environment."""
    (tmp_path / ".env.staging").write_text("LEDGER_URL=cos://records-1250000000/staging\n")
    assert run(cloud, "--stage", "staging", "--name", "calls").exit_code == 0
    (name,) = cloud.account.scf.functions
    assert name == "calls-staging"
    (policy,) = cloud.account.cam.policies.values()
    assert "records-1250000000/staging/*" in policy.document
    missing = run(cloud, "--file", "none.yml")
    assert (missing.exit_code, "none.yml can't be read" in missing.stderr) == (3, True)
    assert run(cloud, "--region", "ap-beijing").exit_code == 3


def test_without_the_sdk_it_says_what_to_install(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only deploy needs it."""
    for name in [name for name in sys.modules if name.split(".")[0] == "tencentcloud"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tencentcloud", None)
    result = run(cloud)
    assert (result.exit_code, "pip install" in result.stderr) == (1, True)
