"""`deploy rotate-token`: no callback is refused, and the old token goes in the end."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner, Result

from ci_callback.ci_simulator.api import RefusalError
from ci_callback.commands import registry
from ci_callback.devserver.local_cloud import LocalCloud
from ci_callback.views import utc_text

FOREIGN = {"State": "On", "Url": "https://other.example.com/", "Type": "Url", "Event": "TaskFinish"}


def run(cloud: LocalCloud, *arguments: str, **more: str) -> Result:
    """A command of deploy."""
    env: dict[str, str | None] = {"CALLBACK_TOKENS": None, "NO_COLOR": "1", "COLUMNS": "400"}
    env |= {"LEDGER_URL": cloud.ledger, "COS_REGION": cloud.region, **more}
    result = CliRunner().invoke(registry.app, ["deploy", *arguments, "--to", cloud.url], env=env)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def connected(cloud: LocalCloud) -> LocalCloud:
    """An account with the function, whose media queues call it; one of others calls elsewhere."""
    assert run(cloud, "--zip", "own.zip", "--no-verify").exit_code == 0
    assert run(cloud, "connect", "--queue", "media").exit_code == 0
    cloud.queues.by_path["/picqueue"][0]["NotifyConfig"] = dict(FOREIGN)
    return cloud


def tokens(cloud: LocalCloud) -> list[str]:
    """Of the version that callbacks reach, the newest first."""
    (function,) = cloud.account.scf.functions.values()
    pairs = function.version("$DEFAULT").settings["Environment"]["Variables"]
    return str(next(one["Value"] for one in pairs if one["Key"] == "CALLBACK_TOKENS")).split(",")


def tokens_of_media(cloud: LocalCloud) -> set[str]:
    """What the queues of media call with."""
    urls = [queue["NotifyConfig"]["Url"] for queue in cloud.queues.by_path["/queue"]]
    return {token for url in urls for token in parse_qs(urlsplit(url).query)["token"]}


def rotation(tmp_path: Path) -> dict[str, Any]:
    """What the ledger keeps of it."""
    kept = tmp_path / "cloud/records-1250000000/ci/_connections/rotation.json"
    read: dict[str, Any] = json.loads(kept.read_text())
    return read


def test_both_tokens_are_accepted_and_the_queues_have_the_new_one(
    connected: LocalCloud, tmp_path: Path
) -> None:
    """The new one is shown once; the ledger keeps neither; queues of others are left alone."""
    (old,) = tokens(connected)
    result = run(connected, "rotate-token")
    assert result.exit_code == 0, result.output
    new, kept = tokens(connected)
    assert (kept, new != old) == (old, True)
    assert tokens_of_media(connected) == {new}
    assert connected.queues.by_path["/picqueue"][0]["NotifyConfig"] == FOREIGN
    assert result.stdout.count(new) == 1
    assert old not in result.output
    assert rotation(tmp_path).keys() == {"schema", "begun"}
    (function,) = connected.account.scf.functions.values()
    settings = function.version("$DEFAULT").settings
    assert (settings["Timeout"], settings["Role"]) == (55, "ci-callback-role")


def test_a_deployment_in_between_keeps_both(connected: LocalCloud) -> None:
    """They are the function's own."""
    run(connected, "rotate-token")
    before = tokens(connected)
    assert run(connected, "--zip", "own.zip", "--no-verify").exit_code == 0
    assert tokens(connected) == before


def test_going_back_to_before_the_rotation_warns_of_the_new_token(connected: LocalCloud) -> None:
    """The queues call with the new one, and that version would refuse it."""
    run(connected, "rotate-token")
    assert run(connected, "rotate-token", "--finish", "--yes").exit_code == 0
    to_both = run(connected, "rollback", "--dry-run")
    to_old = run(connected, "rollback", "--version", "1", "--dry-run")
    assert "does not accept the newest token" not in to_both.stderr
    assert "version 1 does not accept the newest token" in to_old.stderr


def test_a_rehearsal_without_its_cloud_names_the_command_to_start(connected: LocalCloud) -> None:
    """The network of the machine is not at fault."""
    env = {"LEDGER_URL": connected.ledger, "COS_REGION": connected.region, "COLUMNS": "400"}
    nobody = "http://127.0.0.1:9"
    result = CliRunner().invoke(registry.app, ["deploy", "status", "--to", nobody], env=env)
    assert result.exit_code == 4
    assert f"`serve --cloud` must run at {nobody}" in result.stderr


def test_the_old_token_goes_a_day_later(connected: LocalCloud, tmp_path: Path) -> None:
    """Not before, unless someone is sure."""
    run(connected, "rotate-token")
    new, _ = tokens(connected)
    begun = utc_text(rotation(tmp_path)["begun"])
    early = run(connected, "rotate-token", "--finish")
    assert (early.exit_code, f"began at {begun}" in early.stderr) == (1, True)
    kept = tmp_path / "cloud/records-1250000000/ci/_connections/rotation.json"
    day_ago = int(time.time()) - 86_401
    kept.write_text(json.dumps({"schema": "rotation/1", "begun": day_ago}))
    assert run(connected, "rotate-token", "--finish").exit_code == 0
    assert tokens(connected) == [new]
    assert not kept.exists()
    assert "there is no old token" in run(connected, "rotate-token", "--finish").stderr


def test_it_goes_at_once_where_someone_is_sure(connected: LocalCloud) -> None:
    """--yes."""
    run(connected, "rotate-token")
    assert run(connected, "rotate-token", "--finish", "--yes").exit_code == 0
    assert len(tokens(connected)) == 1


def test_it_stays_while_a_queue_calls_with_it(connected: LocalCloud) -> None:
    """Callbacks of that queue would be answered 401."""
    (old,) = tokens(connected)
    run(connected, "rotate-token")
    config = connected.queues.by_path["/queue"][1]["NotifyConfig"]
    config["Url"] = config["Url"].partition("?")[0] + f"?token={old}"
    result = run(connected, "rotate-token", "--finish", "--yes")
    assert (result.exit_code, "still calls with an old token" in result.stderr) == (1, True)
    run(connected, "connect", "--queue", "media")
    assert run(connected, "rotate-token", "--finish", "--yes").exit_code == 0


def test_it_stays_where_ci_does_not_show_each_queue(
    connected: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of them may still call with it; unless someone is sure."""
    run(connected, "rotate-token")
    answer = connected.queues.answer

    def refuse(method: str, path: str, *asked: Any) -> str:
        if path == "/asrqueue":
            raise RefusalError(403, "AccessDenied")
        return answer(method, path, *asked)

    monkeypatch.setattr(connected.queues, "answer", refuse)
    result = run(connected, "rotate-token", "--finish")
    assert (result.exit_code, "does not show the queues of speech" in result.stderr) == (1, True)
    assert len(tokens(connected)) == 2
    assert run(connected, "rotate-token", "--finish", "--yes").exit_code == 0


def test_one_rotation_at_a_time_and_a_dry_run_changes_nothing(connected: LocalCloud) -> None:
    """The tokens are hidden in the plan."""
    (old,) = tokens(connected)
    plan = run(connected, "rotate-token", "--dry-run")
    assert (plan.exit_code, old in plan.output) == (2, False)
    assert tokens(connected) == [old]
    run(connected, "rotate-token")
    again = run(connected, "rotate-token")
    assert (again.exit_code, "a rotation is under way" in again.stderr) == (1, True)


def test_tokens_that_the_environment_sets_are_rotated_there(cloud: LocalCloud) -> None:
    """Each deployment goes by them; so does a function that asks for none."""
    run(cloud, "--zip", "own.zip", "--no-verify", CALLBACK_TOKENS="none")
    result = run(cloud, "rotate-token", CALLBACK_TOKENS="one")
    assert (result.exit_code, "put the new token before" in result.stderr) == (1, True)
    assert "asks for no token" in run(cloud, "rotate-token").stderr


def test_where_ci_refuses_the_address_is_shown_all_the_same(
    connected: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And `connect` gives the queues the new token."""
    answer = connected.queues.answer

    def refuse(method: str, *asked: Any) -> str:
        if method == "PUT":
            raise RefusalError(403, "AccessDenied")
        return answer(method, *asked)

    monkeypatch.setattr(connected.queues, "answer", refuse)
    result = run(connected, "rotate-token")
    new, _ = tokens(connected)
    assert (result.exit_code, f"?token={new}" in result.stdout) == (1, True)
    assert "`deploy connect` gives the others the new token" in result.stderr
    monkeypatch.setattr(connected.queues, "answer", answer)
    assert run(connected, "connect", "--queue", "media").exit_code == 0
    assert tokens_of_media(connected) == {new}


@pytest.mark.parametrize("at", ["UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias"])
def test_a_rotation_that_breaks_off_is_finished_by_the_next(connected: LocalCloud, at: str) -> None:
    """With the token that it made; until then no queue gets one that callbacks can't use."""
    (old,) = tokens(connected)
    connected.account.faults.refuse(at, "UnauthorizedOperation")
    assert run(connected, "rotate-token").exit_code == 1
    assert tokens(connected) == [old]
    if at != "UpdateFunctionConfiguration":
        early = run(connected, "connect", "--yes")
        assert (early.exit_code, "does not accept the newest token" in early.stderr) == (1, True)
    assert tokens_of_media(connected) == {old}
    again = run(connected, "rotate-token")
    assert again.exit_code == 0, again.output
    new, kept = tokens(connected)
    assert (kept, tokens_of_media(connected)) == (old, {new})
    assert f"?token={new}" in again.stdout
    assert "a rotation is under way" in run(connected, "rotate-token").stderr
