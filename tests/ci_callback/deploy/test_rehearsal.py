"""The whole way on one machine: an empty account, one command, the deployed zip that answers."""

from __future__ import annotations

import importlib
import json
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner, Result

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.cloud_simulator.cam import Role
from ci_callback.commands import registry
from ci_callback.deploy import verify
from ci_callback.deploy.errors import EXIT_UNREACHABLE
from ci_callback.deploy.patience import Patient
from ci_callback.deploy.policy import TRUST
from ci_callback.devserver.local_cloud import LocalCloud
from ci_callback.doctor import on_role
from ci_callback.doctor.case import Case, Target
from ci_callback.doctor.findings import Finding
from handler.http_client import HttpClient
from handler.ledger.folder import FolderStore
from handler.settings import Settings
from tests.ci_callback.deploy.clouds import local_cloud
from tests.ci_callback.deploy.world import SERVERLESS
from tests.ci_callback.deploy.zipped import whole_function

serve = importlib.import_module("ci_callback.commands.serve")
"""The module: its name in the package is the command's."""

LEDGER = "cos://records-1250000000/ci"


def run(cloud: LocalCloud, *arguments: str, **env: str) -> Result:
    """The command line, with a ledger and a region as all that it is given."""
    names = ("CALLBACK_TOKENS", "ALERT_URLS", "SCF_EXEC_ROLE", "VERIFY_CALLBACKS")
    whole: dict[str, str | None] = dict.fromkeys(names)
    whole |= {"LEDGER_URL": LEDGER, "COS_REGION": "ap-guangzhou", "NO_COLOR": "1", **env}
    fixed = ["--to", cloud.url]
    if arguments[:1] in ((), ("--json",), ("--verify",), ("--no-verify",), ("--split",)):
        arguments = (*arguments, *fixed, "--zip", "own.zip")
    else:
        arguments = (*arguments, *fixed)
    result = CliRunner().invoke(registry.app, ["deploy", *arguments], env=whole)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def verified(result: Result) -> dict[str, str]:
    """The findings by name."""
    return {one["name"]: one["status"] for one in json.loads(result.stdout)["verified"]}


def objects(cloud: LocalCloud, tmp_path: Path) -> list[str]:
    """What is left in the ledger."""
    folder = tmp_path / "cloud" / "records-1250000000"
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_one_command_from_an_empty_account_to_a_verified_callback(tmp_path: Path) -> None:
    """Reached, refused without the token, kept with it, and swept; nothing of it is left."""
    with local_cloud(tmp_path, as_elsewhere=True) as cloud, cloud.timers(0.2):
        first = run(cloud, "--json")
        assert first.exit_code == 0, first.output
        names = ("reached", "token", "callback", "timer")
        assert verified(first) == dict.fromkeys(names, "ok")
        assert objects(cloud, tmp_path) == []
        cloud.account.seen.clear()
        second = run(cloud, "--json")
        assert (second.exit_code, cloud.account.writes) == (0, [])
        assert verified(second) == {}


def test_a_split_deployment_is_verified_told_rotated_and_taken_away(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    """The callback by one function, the sweep by another; each command knows all three."""
    with cloud.timers(0.2):
        first = run(cloud, "--split", "--json")
        assert first.exit_code == 0, first.output
        assert set(verified(first).values()) == {"ok"}
    whole = "cos:PutObject, cos:GetObject, cos:GetBucket, cos:DeleteObject, ci:DescribeMediaJob"
    assert [(one.status, one.what) for one in rights(cloud)] == [
        ("ok", "may cos:PutObject, cos:GetObject"),
        ("ok", f"may {whole}"),
        ("ok", f"may {whole}"),
    ]
    told = json.loads(run(cloud, "status", "--json").stdout)
    assert [one["function"].partition(":")[0] for one in told["others"]] == [
        "ci-callback-sweep",
        "ci-callback-tasks",
    ]
    assert run(cloud, "connect", "--queue", "media").exit_code == 0
    assert run(cloud, "rotate-token").exit_code == 0
    functions = cloud.account.scf.functions.values()
    environments = [
        json.dumps(one.version("$DEFAULT").settings["Environment"]) for one in functions
    ]
    assert len(set(environments)) == 1
    assert "RECONCILE_QUEUES" in environments[0]
    cloud.account.seen.clear()
    assert run(cloud, "--no-verify").exit_code == 0
    assert cloud.account.writes == []
    assert run(cloud, "destroy", "--yes", "ci-callback").exit_code == 0
    assert (cloud.account.scf.functions, cloud.account.cam.roles) == ({}, {})


def test_where_every_callback_is_verified_with_ci_the_sample_is_kept_all_the_same(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    """CI is asked about ends; the job of the sample has none. ALLOWED_BUCKETS is respected."""
    text = SERVERLESS.replace(
        "    variables:\n",
        "    variables:\n      VERIFY_CALLBACKS: always\n      ALLOWED_BUCKETS: media-1250000000\n",
    )
    (tmp_path / "own.yml").write_text(text)
    with cloud.timers(0.2):
        result = run(cloud, "--json", "--file", "own.yml")
    assert verified(result)["callback"] == "ok"
    assert result.exit_code == 0


def test_a_function_that_accepts_everything_is_not_asked_for_a_401(cloud: LocalCloud) -> None:
    """CALLBACK_TOKENS=none."""
    with cloud.timers(0.2):
        result = run(cloud, "--json", CALLBACK_TOKENS="none")
    assert verified(result)["token"] == "skipped"
    address = json.loads(result.stdout)["address"]
    assert address.endswith("tencentscf.com/")


def test_another_ledger_than_the_functions_is_a_fault(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sample is not where it is looked for."""
    run(cloud, "--no-verify")
    address = json.loads(run(cloud, "status", "--json").stdout)["address"]
    place = verify.Place(address, cloud.url, token_of(cloud), "records-1250000000", "ap-guangzhou")
    client = HttpClient()
    tools = verify.Tools(client, FolderStore(tmp_path / "other"), lambda seconds: None)
    monkeypatch.setattr(verify, "SWEPT_S", 0.0)
    findings = {finding.name: finding for finding in verify.verify(place, tools)}
    client.close()
    assert (findings["callback"].status, findings["timer"].status) == ("fault", "fault")
    assert "not in this ledger" in findings["callback"].what


def test_without_timers_the_ticket_is_taken_back(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After two minutes; here at once."""
    monkeypatch.setattr(verify, "SWEPT_S", 0.0)
    result = run(cloud)
    assert result.exit_code == 1
    assert "no sweep removed a ticket" in result.output
    assert objects(cloud, tmp_path) == []


def test_a_function_whose_role_has_no_policy_is_a_fault(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no credentials then, and answers 503."""
    monkeypatch.setattr(verify, "REACHED_S", 0.0)
    cloud.account.cam.roles["own-role"] = Role("own-role", json.dumps(TRUST), "1")
    result = run(cloud, SCF_EXEC_ROLE="own-role")
    assert result.exit_code == 1
    assert "it answers 503" in result.output
    assert "fix:" in result.output


def token_of(cloud: LocalCloud) -> str:
    """The deployed function's."""
    (function,) = cloud.account.scf.functions.values()
    pairs = function.latest.settings["Environment"]["Variables"]
    return str(next(pair["Value"] for pair in pairs if pair["Key"] == "CALLBACK_TOKENS"))


def test_rollback_lets_callbacks_reach_the_version_before(cloud: LocalCloud) -> None:
    """And the next deploy goes forward again, without a new version."""
    run(cloud, "--no-verify")
    run(cloud, "--no-verify", ALERT_LANG="zh", ALERT_URLS="https://example.com/hook")
    function = cloud.account.scf.functions["ci-callback"]
    assert function.aliases == {"$DEFAULT": "2"}
    dry = run(cloud, "rollback", "--dry-run")
    assert (dry.exit_code, function.aliases["$DEFAULT"]) == (2, "2")
    assert run(cloud, "rollback").exit_code == 0
    assert function.aliases == {"$DEFAULT": "1"}
    shown = run(cloud, "status").stdout
    assert "version   1" in shown
    again = run(cloud, "rollback")
    assert (again.exit_code, "no version before it" in again.stderr) == (1, True)
    assert "no version 9" in run(cloud, "rollback", "--version", "9").stderr
    run(cloud, "--no-verify", ALERT_URLS="https://example.com/hook")
    assert function.aliases == {"$DEFAULT": "2"}
    assert list(function.versions) == ["1", "2"]


def test_status_tells_what_runs(cloud: LocalCloud) -> None:
    """As text and as data; the token is in neither."""
    assert "there is no function" in run(cloud, "status").stderr
    run(cloud, "--no-verify")
    shown = json.loads(run(cloud, "status", "--json").stdout)
    assert shown["function"] == "ci-callback: Active, Python3.10"
    assert shown["version"] == "1"
    assert whole_function().sha256 in shown["bundle"]
    assert shown["role"] == "ci-callback-role, with deploy's policy"
    assert any("argument reconcile, on" in line for line in shown["trigger"])
    assert urlsplit(shown["address"]).scheme == "https"
    assert token_of(cloud) not in json.dumps(shown)


def test_doctor_tries_the_rights_of_the_functions_own_role(cloud: LocalCloud) -> None:
    """Through the deployed function; one that has none is named."""
    assert [finding.status for finding in rights(cloud)] == ["skipped"]
    run(cloud, "--no-verify")
    (finding,) = rights(cloud)
    assert (finding.status, finding.what) == (
        "ok",
        "may cos:PutObject, cos:GetObject, cos:GetBucket, cos:DeleteObject, ci:DescribeMediaJob",
    )
    run(cloud, "destroy", "--yes", "ci-callback")
    cloud.account.cam.roles["own-role"] = Role("own-role", json.dumps(TRUST), "1")
    run(cloud, "--no-verify", SCF_EXEC_ROLE="own-role")
    (finding,) = rights(cloud)
    assert (finding.status, "Its log names" in finding.fix) == ("fault", True)


def rights(cloud: LocalCloud) -> list[Finding]:
    """What doctor finds of the function's role, with the operator's keys."""
    keys = {"TENCENTCLOUD_SECRETID": SECRET_ID, "TENCENTCLOUD_SECRETKEY": SECRET_KEY}
    settings = Settings.from_env({"LEDGER_URL": LEDGER, "COS_REGION": cloud.region, **keys})
    client = HttpClient()
    target = Target("ci-callback", scf_endpoint=cloud.url)
    try:
        return on_role.role(Case(settings, target, client, time.time))
    finally:
        client.close()


def test_destroy_removes_what_deploy_made_and_never_the_ledger(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    """Once it is named."""
    run(cloud, "--no-verify")
    record = tmp_path / "cloud" / "records-1250000000" / "ci" / "jobs" / "one.json"
    record.parent.mkdir(parents=True)
    record.write_text("{}")
    wrong = run(cloud, "destroy", "--yes", "another")
    assert (wrong.exit_code, "nothing was removed" in wrong.stderr) == (1, True)
    assert run(cloud, "destroy", "--dry-run").exit_code == 2
    assert cloud.account.scf.functions
    assert run(cloud, "destroy", "--yes", "ci-callback").exit_code == 0
    assert cloud.account.scf.functions == {}
    assert (cloud.account.cam.roles, cloud.account.cam.policies) == ({}, {})
    assert objects(cloud, tmp_path) == ["ci/jobs/one.json"]
    assert "ci-callback has nothing to remove" in run(cloud, "destroy").stdout


def test_destroy_leaves_what_deploy_did_not_make(cloud: LocalCloud) -> None:
    """A function and a role by that name, of someone else."""
    run(cloud, "--no-verify")
    function = cloud.account.scf.functions["ci-callback"]
    function.latest.settings["Description"] = "by hand"
    assert "did not make" in run(cloud, "destroy", "--yes", "ci-callback").stderr
    cloud.account.scf.functions.clear()
    cloud.account.cam.roles["ci-callback-role"].description = "by hand"
    assert run(cloud, "destroy", "--yes", "ci-callback").exit_code == 0
    assert list(cloud.account.cam.roles) == ["ci-callback-role"]


@pytest.mark.parametrize(
    "to", ["https://127.0.0.1:1", "http://example.com:80", "http://127.0.0.1", "http://[", "x"]
)
def test_a_rehearsal_goes_to_this_machine_alone(cloud: LocalCloud, to: str) -> None:
    """It is plain http, with keys of no account."""
    result = CliRunner().invoke(registry.app, ["deploy", "--to", to])
    assert (result.exit_code, "no address of this machine" in result.stderr) == (3, True)


@pytest.mark.parametrize("command", [("deploy", "--dry-run"), ("logs",), ("doctor",)], ids=str)
def test_a_rehearsal_without_its_cloud_ends_at_once(
    command: tuple[str, ...], cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No call is made, which would be repeated for a minute."""
    monkeypatch.setattr(Patient, "call", lambda *_: pytest.fail("a call"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    env = {"LEDGER_URL": LEDGER, "COS_REGION": "ap-guangzhou", "COLUMNS": "400"}
    result = CliRunner().invoke(registry.app, [*command, "--to", nobody], env=env)
    assert result.exit_code == EXIT_UNREACHABLE
    assert f"nothing answers at {nobody}" in result.stderr
    assert f"`serve --cloud` must run at {nobody}" in result.stderr


def test_doctor_checks_a_rehearsal(cloud: LocalCloud) -> None:
    """Its COS, its CI and its SCF, without keys."""
    run(cloud, "--no-verify")
    env = {"LEDGER_URL": LEDGER, "COS_REGION": "ap-guangzhou", "COLUMNS": "400"}
    arguments = ["doctor", "--to", cloud.url, "--function", "ci-callback", "--json"]
    result = CliRunner().invoke(registry.app, arguments, env=env)
    found = {one["name"]: one["status"] for one in json.loads(result.stdout)["findings"]}
    assert {found[name] for name in ("credentials", "bucket", "ledger", "ci")} == {"ok"}, found
    assert {status for name, status in found.items() if name.startswith("timer")} == {"ok"}, found


def test_serve_cloud_says_how_to_deploy_to_it(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And that a port is taken."""
    monkeypatch.setattr(serve, "wait", lambda: None)
    started = CliRunner().invoke(registry.app, ["serve", "--cloud", "--port", "0"])
    assert started.exit_code == 0
    assert "deploy --to http://127.0.0.1:" in started.stderr
    assert f"LEDGER_URL={LEDGER} COS_REGION=ap-guangzhou" in started.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = CliRunner().invoke(registry.app, ["serve", "--cloud", "--port", port])
    assert (refused.exit_code, "choose another with --port" in refused.stderr) == (1, True)


def test_an_address_that_names_no_function_is_answered_404(cloud: LocalCloud) -> None:
    """As of a function that was removed."""
    client = HttpClient()
    headers = {"Host": "1250000000-gone.ap-guangzhou.tencentscf.com"}
    assert client.send("GET", f"{cloud.url}/health", headers, b"", 5).status == 404
    client.close()
