"""`serve --strict`: the same function at the same address, under the platform's limits."""

from __future__ import annotations

import contextlib
import io
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import pytest
from typer.testing import CliRunner

from ci_callback.commands import serve as command
from ci_callback.commands.registry import app
from ci_callback.devserver import strict
from ci_callback.devserver.running import CannotServeError, Options, Running, running
from ci_callback.scf_runner import Code, read_only
from handler.errors import SettingsError
from handler.ledger.folder import FolderStore
from tests.conftest import PAYLOADS
from tests.fake_cos import FakeCos

GOOD = (PAYLOADS / "Translation.seed.json").read_bytes()
FAILED = GOOD.replace(b'"Code": "Success"', b'"Code": "InternalError"').replace(
    b'"State": "Success"', b'"State": "Failed"'
)
STRICT = Options(port=0, sweep_every_s=0, reconcile_every_s=0, ci_run_s=0, strict=True)


@contextlib.contextmanager
def served(tmp_path: Path, log: TextIO | None = None, **env: str) -> Iterator[Running]:
    """A strict server over the ledger of a test."""
    known = {
        "LEDGER_URL": f"file:{tmp_path}/ledger",
        "CALLBACK_TOKENS": "none",
        "LEASE_WAIT_S": "0",
        "RETRY_BASE_S": "1",
    }
    with running({**known, **env}, STRICT, log or io.StringIO()) as server:
        yield server


def post(server: Running, body: bytes) -> tuple[int, Any]:
    """Status and decoded answer."""
    try:
        with urllib.request.urlopen(f"{server.url}/", body, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.fixture
def handler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of the function: an index.py of a test."""
    folder = tmp_path / "code"
    folder.mkdir()

    def from_source() -> contextlib.AbstractContextManager[Code]:
        return read_only(folder)

    monkeypatch.setattr(strict, "from_source", from_source)
    return folder / "index.py"


def test_a_callback_is_kept_in_the_folder(tmp_path: Path) -> None:
    """By way of COS's own protocol; the console sees the log and the writes of each invocation."""
    log = io.StringIO()
    with served(tmp_path, log) as server:
        status, answer = post(server, GOOD)
        again = post(server, GOOD)[1]
        second, first = server.function.history.deliveries()
    [job] = answer["jobs"]
    assert (status, job["status"], again["jobs"][0]["status"]) == (200, "kept", "duplicate")
    assert FolderStore(tmp_path / "ledger").get(job["key"])
    assert [(write.operation, write.key) for write in first.writes] == [("put", job["key"])]
    assert second.writes == ()
    assert [line["event"] for line in first.lines] == ["callback"]
    assert json.loads(log.getvalue().splitlines()[0]) == first.lines[0]


def test_the_timer_sweeps(tmp_path: Path) -> None:
    """What a callback asked for is done, with CI's stand-in behind the same address."""
    with served(tmp_path) as server:
        assert post(server, FAILED)[0] == 200
        swept = server.function.tick("sweep")
        assert server.ci is not None
        assert server.ci.submissions == 1
    assert swept.lines[-1]["event"] == "sweep"
    assert (swept.lines[-1]["status"], swept.lines[-1]["submitted"]) == ("done", 1)


def test_a_write_outside_of_tmp_fails(tmp_path: Path, handler: Path) -> None:
    """Into its own code, and as root into anything else."""
    handler.write_text(
        """
def main_handler(event, context):
    found = []
    for folder in event["body"].split():
        try:
            open(folder + "/file", "w").close()
        except OSError as error:
            found.append(type(error).__name__)
    return {"statusCode": 200, "body": str(found).replace("'", '"')}
"""
    )
    folders = [".", str(tmp_path)] if os.geteuid() == 0 else ["."]
    with served(tmp_path) as server:
        assert post(server, " ".join(folders).encode()) == (200, ["PermissionError"] * len(folders))
        assert post(server, b"/tmp") == (200, [])
    Path("/tmp/file").unlink()


def test_a_function_that_is_ended_is_answered_500_and_logged(tmp_path: Path, handler: Path) -> None:
    """What the platform itself answers to an address is documented nowhere."""
    handler.write_text(
        "import os\ndef main_handler(event, context):\n    print('x')\n    os._exit(1)\n"
    )
    log = io.StringIO()
    with served(tmp_path, log) as server:
        status, answer = post(server, GOOD)
        [delivery] = server.function.history.deliveries()
    assert (status, answer) == (500, {"reason": "the platform ended the function with status 439"})
    assert [line["event"] for line in delivery.lines] == ["output", "function_ended"]
    assert "x\n" in log.getvalue()


def test_a_timer_that_failed_is_run_again(tmp_path: Path, handler: Path) -> None:
    """Twice, each a minute later."""
    handler.write_text(
        "def main_handler(event, context):\n    raise ValueError(event['Message'])\n"
    )
    with served(tmp_path) as server:
        function = server.function
        assert isinstance(function, strict.StrictFunction)
        counts = []
        for _ in range(4):
            before = len(function.history.tasks())
            function.tick("sweep")
            counts.append(len(function.history.tasks()) - before)
            function.scf.offset += 61
    assert counts == [1, 2, 3, 3]


def test_keys_of_an_invocation_end_with_it(tmp_path: Path, handler: Path) -> None:
    """And are others each time."""
    handler.write_text(
        "import json, os\ndef main_handler(event, context):\n"
        "    body = json.dumps(os.environ['TENCENTCLOUD_SECRETID'])\n"
        "    return {'statusCode': 200, 'body': body}\n"
    )
    with served(tmp_path) as server:
        function = server.function
        assert isinstance(function, strict.StrictFunction)
        first, second = post(server, GOOD)[1], post(server, GOOD)[1]
        assert first != second
        assert function.keys is not None
        assert function.keys.accepted == {}


def test_settings_must_be_those_of_a_deployed_function(tmp_path: Path) -> None:
    """In SCF CALLBACK_TOKENS has no default."""
    env = {"LEDGER_URL": f"file:{tmp_path}/ledger"}
    with pytest.raises(SettingsError, match="CALLBACK_TOKENS"), running(env, STRICT, io.StringIO()):
        pass


def test_a_folder_goes_with_the_local_ci(tmp_path: Path) -> None:
    """One address stands in for COS and CI."""
    env = {"LEDGER_URL": f"file:{tmp_path}/ledger", "COS_REGION": "ap-guangzhou"}
    options = replace(STRICT, ci="real")
    with pytest.raises(CannotServeError, match="--strict"), running(env, options, io.StringIO()):
        pass


def test_it_needs_unix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so."""
    monkeypatch.setattr("ci_callback.devserver.running.HAS_UNIX_PROCESSES", False)
    with pytest.raises(CannotServeError, match="Linux or macOS"), served(tmp_path):
        pass


def test_a_spill_in_a_folder_is_behind_cos_too(tmp_path: Path) -> None:
    """The settings that the function gets name buckets only."""
    with served(tmp_path, SPILL_URL=f"file:{tmp_path}/spill") as server:
        function = server.function
        assert isinstance(function, strict.StrictFunction)
        given = function.scf.env
    assert given["LEDGER_URL"].startswith("cos://")
    assert given["SPILL_URL"].startswith("cos://")


def test_a_ledger_on_cos_is_asked_with_the_keys_of_the_environment(
    tmp_path: Path, cos: FakeCos
) -> None:
    """There is no stand-in then."""
    with served(tmp_path, None, **cos.env) as server:
        status, answer = post(server, GOOD)
    assert (status, [job["status"] for job in answer["jobs"]]) == (200, ["kept"])
    assert cos.keys() == [f"ci/{answer['jobs'][0]['key']}"]


def test_the_command_says_what_is_enforced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And, in a line, what this machine can't."""
    monkeypatch.setattr(command, "wait", lambda: None)
    monkeypatch.setattr("ci_callback.scf_runner.user.unprivileged_user", lambda: None)
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    monkeypatch.setenv("CALLBACK_TOKENS", "none")
    result = CliRunner().invoke(app, ["serve", "--strict", "--port", "0", "--sweep-every", "0"])
    assert result.exit_code == 0, result.output
    assert "256 MB, 55 s for each invocation" in result.output
    assert "the rest of the disk is not" in result.output
