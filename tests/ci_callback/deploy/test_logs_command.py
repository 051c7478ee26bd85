"""`logs`: the lines of a deployed function, from its log topic, in a rehearsal."""

from __future__ import annotations

import importlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ci_callback import cloud_logs
from ci_callback.cloud_simulator import cls
from ci_callback.commands import registry
from ci_callback.devserver.local_cloud import LocalCloud
from handler.clock import rfc3339_of
from tests.ci_callback.deploy.clouds import local_cloud

logs = importlib.import_module("ci_callback.commands.logs")
"""The module: its name in the package is the command's."""


def run(cloud: LocalCloud, *arguments: str) -> Result:
    """The command line."""
    names = ("CALLBACK_TOKENS", "ALERT_URLS", "SCF_EXEC_ROLE")
    env: dict[str, str | None] = dict.fromkeys(names)
    env |= {"LEDGER_URL": cloud.ledger, "COS_REGION": cloud.region, "NO_COLOR": "1"}
    result = CliRunner().invoke(registry.app, [*arguments, "--to", cloud.url], env=env)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """With a topic, and after a callback, a refused one and two sweeps. The tests add lines."""
    with local_cloud(tmp_path_factory.mktemp("deployed")) as cloud:
        with cloud.timers(0.2):
            result = run(cloud, "deploy", "--zip", "own.zip", "--logs")
        assert result.exit_code == 0, result.output
        cloud.deployed.tick("sweep")
        cloud.deployed.tick("sweep")
        yield cloud


def events(result: Result) -> list[dict[str, Any]]:
    """The lines that the function wrote."""
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def test_the_functions_lines_are_shown_in_their_order(deployed: LocalCloud) -> None:
    """Those of the verification are among them."""
    shown = events(run(deployed, "logs"))
    assert {"callback", "sweep", "request_refused"} <= {line["event"] for line in shown}
    times = [line["time"] for line in shown]
    assert times == sorted(times)


def test_status_tells_the_last_sweep_and_the_last_callback(deployed: LocalCloud) -> None:
    """By two searches of one line each."""
    deployed.account.seen.clear()
    told = json.loads(run(deployed, "deploy", "status", "--json").stdout)
    assert re.match(r"20\d\d-.*Z, status done, due 0", told["last sweep"])
    assert re.match(r"20\d\d-.*Z, status kept, tag Transcode, job_id verify", told["last callback"])
    asked = [one.params for one in deployed.account.seen if one.action == "SearchLog"]
    assert [(one["Limit"], one["Sort"]) for one in asked] == [(1, "desc")] * 2
    assert "last sweep: 20" in run(deployed, "deploy", "status").stdout


def test_they_can_be_asked_for_by_event_level_and_job(deployed: LocalCloud) -> None:
    """All of them together."""
    sweeps = events(run(deployed, "logs", "--event", "sweep"))
    assert {line["event"] for line in sweeps} == {"sweep"}
    (callback,) = events(run(deployed, "logs", "--event", "callback"))
    job = str(callback["job_id"])
    assert events(run(deployed, "logs", "--job", job, "--level", "info")) == [callback]
    nothing = run(deployed, "logs", "--event", "sweep", "--level", "error")
    assert (nothing.exit_code, "no lines" in nothing.stderr) == (0, True)


@pytest.mark.parametrize("value", ['sweep" OR *', "a b", "\\", '"'])
def test_a_value_that_would_be_a_search_of_its_own_is_refused(
    deployed: LocalCloud, value: str
) -> None:
    """Usage."""
    assert run(deployed, "logs", "--event", value).exit_code == 2


def test_following_shows_each_line_once(
    deployed: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that came late."""
    rounds = iter(range(3))

    def sleep(seconds: float) -> None:
        if next(rounds) == 2:
            raise KeyboardInterrupt
        deployed.deployed.tick("sweep")

    monkeypatch.setattr(logs, "pause", sleep)
    before = len(events(run(deployed, "logs", "--event", "sweep")))
    shown = events(run(deployed, "logs", "--event", "sweep", "--follow"))
    assert len(shown) == before + 2


def test_more_lines_than_a_page_are_shown(
    deployed: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search goes on where it was."""
    monkeypatch.setattr(cloud_logs, "PAGE", 1)
    assert len(events(run(deployed, "logs"))) > 3


def test_more_lines_than_a_search_by_context_gives_are_shown(
    deployed: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one look, and in a look of --follow: none is dropped."""
    monkeypatch.setattr(cls, "MAX_CONTEXT_LINES", 5)
    monkeypatch.setattr(cloud_logs, "PAGE", 5)
    (topic_id,) = deployed.account.cls.topics
    rounds = iter(range(2))

    def burst(seconds: float) -> None:
        if next(rounds) == 1:
            raise KeyboardInterrupt
        write(40)

    def write(number: int) -> None:
        for at in range(number):
            now = time.time()
            text = json.dumps({"time": rfc3339_of(now), "event": "burst", "number": at})
            fields = {"SCF_Message": text, "event": "burst", "of": str(number)}
            deployed.account.cls.append(topic_id, now, fields)

    write(30)
    monkeypatch.setattr(logs, "pause", burst)
    shown = events(run(deployed, "logs", "--event", "burst", "--follow"))
    assert [line["number"] for line in shown] == [*range(30), *range(40)]


def test_a_platform_that_is_busy_is_asked_again(deployed: LocalCloud) -> None:
    """Many lines are many requests."""
    deployed.account.faults.refuse("SearchLog", "RequestLimitExceeded", 3)
    assert events(run(deployed, "logs"))


def test_what_a_terminal_obeys_is_shown_as_text(deployed: LocalCloud) -> None:
    """A line holds texts of strangers."""
    (topic_id,) = deployed.account.cls.topics
    hostile = "\x1b[31m[b]red[/b]\u202e"
    fields = {"SCF_Message": hostile, "event": "request_refused"}
    deployed.account.cls.append(topic_id, time.time(), fields)
    shown = run(deployed, "logs").stdout
    assert r"\x1b[31m[b]red[/b]\u202e" in shown
    assert "\x1b" not in shown


def test_without_a_topic_it_says_how_to_get_one(cloud: LocalCloud, tmp_path: Path) -> None:
    """The platform's own can't be asked."""
    run(cloud, "deploy", "--zip", "own.zip", "--no-verify")
    result = run(cloud, "logs")
    assert (result.exit_code, "deploy --logs" in result.stderr) == (1, True)
    assert not (tmp_path / "ledger").exists()


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"Time": 1, "LogJson": '{"SCF_Message": "x", "a": "b"}'}, "x"),
        ({"Time": 1, "LogJson": '{"SCF_Type": "Platform"}'}, '{"SCF_Type": "Platform"}'),
        ({"Time": 1, "RawLog": "not JSON"}, "not JSON"),
        ({"Time": None, "LogJson": "[1]"}, "[1]"),
    ],
)
def test_a_row_of_any_form_is_a_line(row: dict[str, Any], text: str) -> None:
    """What is no line of the function is shown as it stands."""

    class Api:
        def call(self, service: str, action: str, params: Any) -> dict[str, Any]:
            return {"Results": [row], "ListOver": True}

    (line,) = cloud_logs.search(Api(), "t", "*", 0, 1)
    assert line.text == text
