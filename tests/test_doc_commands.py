"""Every command that the documents show is run as it stands there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ci_callback.ci_simulator import BUCKET, CiSimulator
from ci_callback.commands.registry import app
from ci_callback.devserver.running import Options, Running, running
from handler.log import Log
from tests.ci_callback.deploy.clouds import local_cloud
from tests.ci_callback.deploy.zipped import whole_function
from tests.conftest import PAYLOADS, Invoked
from tests.fake_cos import FakeCos
from tests.test_docs import PAGES, ROOT

NAME = "python -m ci_callback "

UNLIKE: dict[str, int] = {
    # The letter is what it was: it can still not be understood.
    "dead replay 5891b5b5": 1,
    # Warnings and faults of a world without queues; its own tests show each line.
    "doctor": 1,
    "doctor --url": 1,
    "doctor --function": 1,
    # No event was sent there.
    "events resend": 1,
    # Of an account in which nothing is deployed yet.
    "replay --from-log cls:": 1,
    "deploy --dry-run": 2,
    "deploy --stage": 2,
    "deploy --split": 2,
    # The account has no region but one.
    "deploy --region": 3,
    "deploy connect": 1,
    "deploy rotate-token": 1,
    "deploy status": 1,
    "deploy rollback": 1,
}
"""Exit status of commands that don't end with 0, by how they begin."""


RUNS_ON = re.compile("ci_callback (serve|listen)")
"""Commands that do not end by themselves: their own tests run them."""


def commands() -> list[str]:
    """All of them, each once: those in code blocks, with their continued lines."""
    shown = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in re.findall(rf"^(?:    |> +)?[A-Z_0-9= ]*{NAME}.*$", text, re.MULTILINE):
            said = re.sub(r"\s+#\s.*$", "", line.strip("> ").strip())
            shown.append(said)
    return sorted(set(shown))


@pytest.fixture
def world(cos: FakeCos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a ledger in which a little happened, a log, COS with a ledger, and CI."""
    there = Invoked(cos.env)
    here = Invoked({"LEDGER_URL": f"file:{tmp_path}/ledger"})
    failed = '{"JobsDetail": {"JobId": "j1", "State": "Failed", "Code": "InternalError"}}'
    for function in (there, here):
        for body in ((PAYLOADS / "Translation.seed.xml").read_bytes(), failed, "hello\n"):
            function.post(body)
    with (tmp_path / "scf.json").open("w") as lines:
        Log(lines, lambda: 0.0).last_resort(b"hello\n", "store", authenticated=True)
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    with CiSimulator(cos=cos) as ci:
        env = cos.env | {"COS_ENDPOINT": ci.endpoint, "CI_BUCKET": BUCKET}
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
        monkeypatch.chdir(tmp_path)
        yield tmp_path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """What `serve` starts, on a port that is free."""
    with ExitStack() as stack, (tmp_path / "serve.log").open("w") as log:
        env = {"LEDGER_URL": f"file:{tmp_path}/ledger"}
        yield stack.enter_context(running(env, Options(port=0, sweep_every_s=0), log))


@pytest.fixture
def rehearsal(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], str]]:
    """What makes a command of `deploy` go to an account on this machine, whose timers run."""
    (tmp_path / "function.zip").write_bytes(whole_function().code)
    newer = tmp_path / "dist" / "python3.12" / "function.zip"
    newer.parent.mkdir(parents=True)
    newer.write_bytes(whole_function().code)
    described = (ROOT / "serverless.yml").read_text("utf-8")
    described = described.replace("runtime: Python3.10", "runtime: Python3.12")
    (tmp_path / "newer.yml").write_text(described, "utf-8")
    with local_cloud(tmp_path) as cloud, cloud.timers(0.2):
        monkeypatch.setenv("CI_CALLBACK_REPLAY_CLOUD", cloud.url)
        monkeypatch.setenv("CI_CALLBACK_DEPLOY_ZIP_FILE", str(tmp_path / "function.zip"))
        for command in ("", "_CONNECT", "_ROTATE_TOKEN", "_STATUS", "_ROLLBACK", "_DESTROY"):
            monkeypatch.setenv(f"CI_CALLBACK_DEPLOY{command}_TO", cloud.url)

        def rehearsed(said: str) -> str:
            if "ci_callback deploy" in said:
                monkeypatch.setenv("LEDGER_URL", cloud.ledger)
            return said.replace("http://127.0.0.1:9000", cloud.url)

        yield rehearsed


def run(said: str) -> Any:
    """A command as the shell would run it."""
    words = shlex.split(said.partition(NAME)[2])
    return CliRunner().invoke(app, words, catch_exceptions=False)


@pytest.mark.parametrize("said", [command for command in commands() if not RUNS_ON.search(command)])
def test_it_runs(said: str, world: Path, request: pytest.FixtureRequest) -> None:
    """With the names that stand for something replaced, and nothing else changed."""
    said = said.replace("JOB_ID", "j1").replace("https://….tencentscf.com/", "http://127.0.0.1:1/")
    if "ci_callback deploy" in said or "--from-log cls:" in said:
        said = request.getfixturevalue("rehearsal")(said)
    said = re.sub(r"(--price-[a-z-]+) …", r"\1 0.1", said)
    if "ci_callback send" in said:
        said += f" --to {request.getfixturevalue('server').url}/"
    wanted = max(
        ((begin, status) for begin, status in UNLIKE.items() if said.startswith(NAME + begin)),
        key=lambda pair: len(pair[0]),
        default=("", 0),
    )[1]
    result = run(said)
    assert result.exit_code == wanted, result.output
    assert result.output.strip()


def test_serve_is_shown_and_starts() -> None:
    """It does not end by itself: tests/ci_callback/test_serve.py runs it whole."""
    shown = [command for command in commands() if "ci_callback serve" in command]
    assert shown
    for said in shown:
        words = [*shlex.split(said.partition(NAME)[2]), "--help"]
        assert CliRunner().invoke(app, words).exit_code == 0


def test_there_are_commands_of_every_kind() -> None:
    """Else this would show less than it says."""
    shown = {shlex.split(command.partition(NAME)[2])[0] for command in commands()}
    assert {"invoke", "send", "serve", "jobs", "show", "doctor", "sweep", "replay"} <= shown | {
        "sweep"
    }


def test_every_make_target_that_is_named_is_there() -> None:
    """In the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        name
        for page in PAGES
        for name in re.findall(
            r"(?:`|^    |^)make (?:[A-Z]+=\S+ )?([a-z-]+)",
            page.read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    }
    assert named <= targets, named - targets
