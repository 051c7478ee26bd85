"""`deploy connect`: CI's queues call the function, and get back what they had."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ci_callback.ci_simulator.api import RefusalError
from ci_callback.ci_simulator.queues import PATHS
from ci_callback.commands import registry
from ci_callback.deploy import workflows
from ci_callback.devserver.local_cloud import LocalCloud
from ci_callback.doctor.case import Case, Target
from handler.http_client import HttpClient
from handler.settings import Settings

FOREIGN = {
    "State": "On",
    "Url": "https://other.example.com/hook?key=s3cret",
    "Type": "Url",
    "Event": "TaskFinish",
    "ResultFormat": "JSON",
}


def run(cloud: LocalCloud, *arguments: str, answer: str = "") -> Result:
    """A command of deploy; answer: what a person types."""
    env = {"LEDGER_URL": cloud.ledger, "COS_REGION": cloud.region, "NO_COLOR": "1"}
    result = CliRunner().invoke(
        registry.app, ["deploy", *arguments, "--to", cloud.url], env=env, input=answer
    )
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def deployed(cloud: LocalCloud) -> LocalCloud:
    """An account with the function."""
    assert run(cloud, "--zip", "own.zip", "--no-verify").exit_code == 0
    return cloud


def configs(cloud: LocalCloud) -> dict[str, dict[str, Any]]:
    """NotifyConfig of each queue by its name."""
    return {
        queue["Name"]: queue["NotifyConfig"]
        for path in PATHS
        for queue in cloud.queues.by_path[path]
    }


def token(cloud: LocalCloud) -> str:
    """The deployed function's."""
    (function,) = cloud.account.scf.functions.values()
    pairs = function.latest.settings["Environment"]["Variables"]
    return str(next(pair["Value"] for pair in pairs if pair["Key"] == "CALLBACK_TOKENS"))


def test_every_queue_calls_the_function_with_its_token(deployed: LocalCloud) -> None:
    """By https, at the end of each job; those of media at the end of workflow runs too."""
    result = run(deployed, "connect")
    assert (result.exit_code, "7 changed" in result.stdout) == (0, True)
    found = configs(deployed)
    assert {config["State"] for config in found.values()} == {"On"}
    (url,) = {config["Url"] for config in found.values()}
    assert url.startswith("https://1250000000-")
    assert url.endswith(f"tencentscf.com/?token={token(deployed)}")
    assert found["queue-1"]["Event"] == "TaskFinish,WorkflowFinish"
    assert found["queue-2"]["Event"] == "TaskFinish"
    assert token(deployed) not in result.output
    assert "Moderation settings" in result.stdout
    assert "0 changed" in run(deployed, "connect").stdout


def test_a_dry_run_changes_nothing(deployed: LocalCloud) -> None:
    """Exit status 2 where something would be changed."""
    result = run(deployed, "connect", "--dry-run")
    assert (result.exit_code, "is to call this function" in result.stdout) == (2, True)
    assert {config["State"] for config in configs(deployed).values()} == {"Off"}
    run(deployed, "connect")
    assert run(deployed, "connect", "--dry-run").exit_code == 0


def test_an_address_of_others_is_replaced_only_when_a_person_says_so(deployed: LocalCloud) -> None:
    """Its host is shown, and nothing that may be a key."""
    (picture,) = deployed.queues.by_path["/picqueue"]
    picture["NotifyConfig"] = dict(FOREIGN)
    result = run(deployed, "connect", answer="n\n")
    assert "calls other.example.com: replace it?" in result.output
    assert "s3cret" not in result.output
    assert picture["NotifyConfig"] == FOREIGN
    assert "6 changed" in result.stdout
    run(deployed, "connect", answer="y\n")
    assert "tencentscf.com" in picture["NotifyConfig"]["Url"]
    assert picture["NotifyConfig"]["ResultFormat"] == "JSON"


def test_a_message_queue_is_an_address_of_others(deployed: LocalCloud) -> None:
    """--yes asks nothing."""
    (picture,) = deployed.queues.by_path["/picqueue"]
    picture["NotifyConfig"] = {**FOREIGN, "Type": "TDMQ", "Url": "", "MqName": "m"}
    assert "a message queue (TDMQ): replace it?" in run(deployed, "connect", answer="n\n").output
    assert "1 changed" in run(deployed, "connect", "--yes").stdout


def test_undo_brings_back_what_stood_there_before_the_first_change(deployed: LocalCloud) -> None:
    """Also after a second run; a queue that someone pointed elsewhere since is left alone."""
    for path in ("/picqueue", "/asrqueue"):
        deployed.queues.by_path[path][0]["NotifyConfig"] = dict(FOREIGN)
    before = configs(deployed)
    run(deployed, "connect", "--yes")
    deployed.queues.by_path["/picqueue"][0]["NotifyConfig"]["Event"] = "WorkflowFinish"
    run(deployed, "connect", "--yes")
    elsewhere = {**FOREIGN, "Url": "https://third.example.com/"}
    deployed.queues.by_path["/docqueue"][0]["NotifyConfig"] = elsewhere
    result = run(deployed, "connect", "--undo")
    assert result.exit_code == 0
    found = configs(deployed)
    document = deployed.queues.by_path["/docqueue"][0]["Name"]
    assert found.pop(document) == elsewhere
    del before[document]
    assert set_in(found) == set_in(before)
    again = run(deployed, "connect", "--undo")
    assert (again.exit_code, "no earlier settings" in again.stderr) == (1, True)


def test_undo_keeps_what_stood_in_queues_that_ci_does_not_show(
    deployed: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They get it back by the next run."""
    deployed.queues.by_path["/asrqueue"][0]["NotifyConfig"] = dict(FOREIGN)
    before = configs(deployed)
    run(deployed, "connect", "--yes")
    answer = deployed.queues.answer

    def refuse(method: str, path: str, *asked: Any) -> str:
        if path == "/asrqueue":
            raise RefusalError(403, "AccessDenied")
        return answer(method, path, *asked)

    monkeypatch.setattr(deployed.queues, "answer", refuse)
    assert "not known: speech: " in run(deployed, "connect", "--undo").stdout
    monkeypatch.setattr(deployed.queues, "answer", answer)
    assert run(deployed, "connect", "--undo").exit_code == 0
    assert set_in(configs(deployed)) == set_in(before)


def set_in(configs: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The members that have a value."""
    return {
        name: {member: value for member, value in config.items() if value}
        for name, config in configs.items()
    }


def test_one_kind_alone_is_connected(deployed: LocalCloud) -> None:
    """The two of media here."""
    assert "2 changed" in run(deployed, "connect", "--queue", "media").stdout
    assert run(deployed, "connect", "--queue", "mail").exit_code == 2


def test_deploy_connect_as_an_option_of_deploy(cloud: LocalCloud) -> None:
    """From an empty account to queues that call, in one command."""
    result = run(cloud, "--zip", "own.zip", "--no-verify", "--connect")
    assert (result.exit_code, "7 changed" in result.stdout) == (0, True)


def test_without_a_function_there_is_nothing_to_call(cloud: LocalCloud) -> None:
    """One line."""
    assert "deploy it first" in run(cloud, "connect").stderr


def test_a_refusal_of_ci_is_one_line_and_what_was_done_stays(
    deployed: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue that is gone between reading and writing; its earlier settings are in the ledger."""
    update = deployed.queues.answer

    def refuse(method: str, *asked: Any) -> str:
        if method == "PUT":
            deployed.queues.by_path["/docqueue"].clear()
        return update(method, *asked)

    monkeypatch.setattr(deployed.queues, "answer", refuse)
    result = run(deployed, "connect")
    assert (result.exit_code, "CI did not change a queue or workflow" in result.stderr) == (1, True)
    monkeypatch.setattr(deployed.queues, "answer", update)
    assert run(deployed, "connect", "--undo").exit_code == 0


def test_queues_that_ci_does_not_show_are_named(
    deployed: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are connected."""
    answer = deployed.queues.answer

    def refuse(method: str, path: str, *asked: Any) -> str:
        if path == "/asrqueue":
            raise RefusalError(403, "AccessDenied")
        return answer(method, path, *asked)

    monkeypatch.setattr(deployed.queues, "answer", refuse)
    result = run(deployed, "connect")
    assert "not known: speech: " in result.stdout
    assert "6 changed" in result.stdout


# --- workflows ----------------------------------------------------------------------------


def config_of(workflow: dict[str, Any]) -> dict[str, Any]:
    """Its NotifyConfig; {} for none."""
    found: dict[str, Any] = workflow["Topology"]["Nodes"]["Start"]["Input"].get("NotifyConfig", {})
    return found


def test_a_workflow_with_an_address_of_its_own_is_asked_about_and_replaced(
    deployed: LocalCloud,
) -> None:
    """The rest of it stays as it is; one that has none is left alone: its queue calls."""
    own = deployed.queues.workflows.add("own", FOREIGN)
    plain = deployed.queues.workflows.add("plain", None)
    before = copy.deepcopy(deployed.queues.workflows.listed)
    result = run(deployed, "connect", answer="n\n")
    assert "workflow own calls other.example.com: replace it?" in result.output
    assert "s3cret" not in result.output
    assert deployed.queues.workflows.listed == before
    assert run(deployed, "connect", "--yes").exit_code == 0
    assert config_of(own)["Url"].endswith(f"/?token={token(deployed)}")
    assert config_of(own)["Event"] == "TaskFinish,WorkflowFinish"
    assert plain == before[1]
    own["Topology"]["Nodes"]["Start"]["Input"]["NotifyConfig"] = FOREIGN
    assert own == before[0]


def test_workflows_get_back_what_they_had_and_a_new_token(deployed: LocalCloud) -> None:
    """As queues do; more of them than a page are read."""
    workflows = [deployed.queues.workflows.add(f"w{number}", FOREIGN) for number in range(12)]
    assert "12 changed" in run(deployed, "connect", "--queue", "workflow", "--yes").stdout
    old = token(deployed)
    assert run(deployed, "rotate-token").exit_code == 0
    urls = {config_of(workflow)["Url"] for workflow in workflows}
    assert len(urls) == 1
    assert old not in urls.pop()
    assert run(deployed, "connect", "--undo").exit_code == 0
    assert [config_of(workflow) for workflow in workflows] == [FOREIGN] * 12


def test_a_workflow_without_a_switch_is_on(deployed: LocalCloud) -> None:
    """Older ones have an address and nothing else."""
    older = deployed.queues.workflows.add("older", {"Url": "https://other.example.com/"})
    assert "workflow older: calls other.example.com" in run(deployed, "connect", "--dry-run").stdout
    run(deployed, "connect", "--yes")
    assert config_of(older)["State"] == "On"


@pytest.mark.parametrize(
    "kept",
    [
        "{",
        "[]",
        '{"schema":"connections/2","queues":{}}',
        '{"schema":"connections/1"}',
        '{"schema":"connections/1","queues":{"p1":{}}}',
        '{"schema":"connections/1","queues":{"p1":{"config":{"Url":7}}}}',
    ],
)
def test_a_damaged_note_of_what_stood_there_is_one_line(
    deployed: LocalCloud, tmp_path: Path, kept: str
) -> None:
    """Neither undone nor overwritten."""
    note = tmp_path / "cloud/records-1250000000/ci/_connections/records-1250000000.json"
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(kept)
    for arguments in (("connect", "--undo"), ("connect", "--yes")):
        result = run(deployed, *arguments)
        assert (result.exit_code, "is damaged" in result.stderr) == (1, True)
        assert "Traceback" not in result.output
    assert note.read_text() == kept


@pytest.mark.parametrize("total", [{}, {"TotalCount": "many"}, {"TotalCount": "²"}])
def test_a_total_that_is_no_number_hides_no_workflow(
    total: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages are read until one is not full."""
    rows = [{"WorkflowId": f"w{number}"} for number in range(25)]

    def ask(_case: object, _path: str, page: dict[str, str]) -> dict[str, Any]:
        begin = 10 * (int(page["pageNumber"]) - 1)
        return {**total, "MediaWorkflowList": rows[begin : begin + 10]}

    monkeypatch.setattr(workflows, "ask", ask)
    settings = Settings.from_env({"LEDGER_URL": "file:x"})
    case = Case(settings, Target(), HttpClient(), time.time)
    assert workflows.listed(case) == rows
