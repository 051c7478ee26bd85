"""`replay --from-log cls:`: bodies that only the log holds, out of the deployed function's own
topic."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ci_callback import cloud_logs
from ci_callback.commands import registry
from ci_callback.devserver.local_cloud import LocalCloud
from handler.ledger.folder import FolderStore
from handler.log import Log

NAME = "ci-callback"


def run(cloud: LocalCloud, ledger: str, *arguments: str) -> Result:
    """The command line."""
    names = ("CALLBACK_TOKENS", "ALERT_URLS", "SCF_EXEC_ROLE")
    env: dict[str, str | None] = dict.fromkeys(names)
    env |= {"LEDGER_URL": ledger, "COS_REGION": cloud.region, "NO_COLOR": "1"}
    result = CliRunner().invoke(registry.app, list(arguments), env=env)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def replayed(cloud: LocalCloud, folder: Path, source: str, *more: str) -> Result:
    """Into a folder."""
    arguments = ["replay", "--from-log", source, "--cloud", cloud.url, *more]
    return run(cloud, f"file:{folder}", *arguments)


@pytest.fixture
def topic(cloud: LocalCloud) -> str:
    """The function's own."""
    options = ["--zip", "empty.zip", "--logs", "--no-verify"]
    result = run(cloud, cloud.ledger, "deploy", "--to", cloud.url, *options)
    assert result.exit_code == 0, result.output
    (topic_id,) = cloud.account.cls.topics
    return topic_id


@pytest.fixture
def lose(cloud: LocalCloud) -> Callable[..., None]:
    """Writes a body into the log, as the function does while its store is away."""

    def write(topic_id: str, job: str, at: float = time.time(), checked: bool = True) -> None:
        stream = io.StringIO()
        body = {"JobsDetail": {"JobId": job, "State": "Success", "Tag": "Transcode"}}
        whole = json.dumps({"EventName": "TaskFinish", **body, "noise": "x" * 30_000}).encode()
        Log(stream, lambda: at).last_resort(whole, "away", checked)
        for line in stream.getvalue().splitlines():
            # A topic with an index of fields has them beside the message.
            cloud.account.cls.append(topic_id, at, {"SCF_Message": line, **texts(line)})
        cloud.account.cls.append(topic_id, at, {"SCF_Message": "another line"})

    return write


def texts(line: str) -> dict[str, str]:
    """The fields of a line."""
    return {name: str(value) for name, value in json.loads(line).items()}


def jobs(folder: Path) -> list[str]:
    """The jobs that are there."""
    return [key.rpartition("/")[2] for key in FolderStore(folder).list("jobs/")]


def test_what_the_log_of_the_last_day_holds_is_taken_in(
    cloud: LocalCloud,
    topic: str,
    lose: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of several pages; a second run changes nothing."""
    monkeypatch.setattr(cloud_logs, "PAGE", 2)
    for number in range(3):
        lose(topic, f"j{number}")
    result = replayed(cloud, tmp_path / "into", "cls:", "--json")
    assert (result.exit_code, json.loads(result.stdout)["jobs"]) == (0, {"kept": 3})
    assert jobs(tmp_path / "into") == ["j0.json", "j1.json", "j2.json"]
    again = replayed(cloud, tmp_path / "into", f"cls:{topic}", "--json")
    assert json.loads(again.stdout)["jobs"] == {"duplicate": 3}


def test_since_and_until_bound_what_is_read(
    cloud: LocalCloud, topic: str, lose: Callable[..., None], tmp_path: Path
) -> None:
    """Without them the last day counts."""
    now = datetime.now(timezone.utc)
    for days in (1.5, 3.5, 5.5):
        lose(topic, f"j{int(days)}", (now - timedelta(days=days)).timestamp())
    missing = replayed(cloud, tmp_path / "into", "cls:")
    assert missing.exit_code != 0
    assert "--since" in missing.stderr
    result = replayed(cloud, tmp_path / "into", "cls:", "--since", "4d", "--until", "2d")
    assert (result.exit_code, jobs(tmp_path / "into")) == (0, ["j3.json"])


def test_a_topic_without_an_index_of_fields_is_read_too(
    cloud: LocalCloud, topic: str, lose: Callable[..., None], tmp_path: Path
) -> None:
    """By words alone, as the platform's default topic allows."""
    lose(topic, "j1")
    cloud.account.cls.topics[topic].rule = None
    assert replayed(cloud, tmp_path / "into", f"cls:{topic}").exit_code == 0
    assert jobs(tmp_path / "into") == ["j1.json"]


def test_a_sender_that_was_not_checked_is_asked_about(
    cloud: LocalCloud, topic: str, lose: Callable[..., None], tmp_path: Path
) -> None:
    """As with a file."""
    lose(topic, "j1", checked=False)
    assert replayed(cloud, tmp_path / "into", "cls:").exit_code == 1
    assert replayed(cloud, tmp_path / "into", "cls:", "--accept-unauthenticated").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("cls:a b",), (2, "cls:TOPIC_ID")),
        (("cls:../x",), (2, "cls:TOPIC_ID")),
        (("no-such-file",), (2, "there is no file")),
        (("cls:gone",), (1, "TopicNotExist")),
        (("cls:", "--function", "another"), (1, "no log topic of its own")),
        (("cls:", "--failed"), (2, "go with --from")),
        ((__file__, "--since", "2d"), (2, "also with cls:")),
    ],
)
@pytest.mark.usefixtures("topic")
def test_what_can_not_be_read_is_said(
    cloud: LocalCloud, tmp_path: Path, arguments: tuple[str, ...], says: tuple[int, str]
) -> None:
    """And nothing is written."""
    result = replayed(cloud, tmp_path / "into", *arguments)
    assert (result.exit_code, says[1] in result.stderr) == (says[0], True), result.stderr
    assert not (tmp_path / "into").exists()
