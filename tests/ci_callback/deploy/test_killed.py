"""A deployment in a process of its own that is killed at a call, and run again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ci_callback.ci_simulator.server import ResetError
from ci_callback.devserver.local_cloud import LocalCloud

ROOT = Path(__file__).parents[3]
SAMPLE = ("after", "CreateFunction")
"""The moment at which `make test` kills too."""


def start(cloud: LocalCloud, folder: Path) -> subprocess.Popen[bytes]:
    """The command, as a shell would start it."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "LEDGER_URL": cloud.ledger}
    env |= {"COS_REGION": cloud.region, "CALLBACK_TOKENS": "t0ken-of-this-test"}
    command = [sys.executable, "-m", "ci_callback", "deploy", "--to", cloud.url]
    options = ["--zip", str(folder / "empty.zip"), "--no-verify"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen([*command, *options], env=env, cwd=folder, stdout=quiet, stderr=quiet)


@pytest.mark.parametrize(
    ("hook", "at"),
    [
        pytest.param(hook, at, marks=[] if (hook, at) == SAMPLE else [pytest.mark.slow])
        for at in ("CreatePolicy", "CreateFunction", "PublishVersion")
        for hook in ("before", "after")
    ],
)
def test_the_next_run_ends_where_one_run_would(
    cloud: LocalCloud, tmp_path: Path, hook: str, at: str
) -> None:
    """Killed when the platform is asked, or has just done it."""
    cloud.account.faults.activation_reads = 0
    started = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def kill(action: str) -> None:
        if action == at:
            started.wait()
            running[0].send_signal(signal.SIGKILL)
            running[0].wait()
            raise ResetError

    setattr(cloud.account.faults, hook, kill)
    running.append(start(cloud, tmp_path))
    started.set()
    assert running[0].wait() == -signal.SIGKILL
    setattr(cloud.account.faults, hook, lambda action: None)
    assert start(cloud, tmp_path).wait() == 0
    (function,) = cloud.account.scf.functions.values()
    assert function.aliases["$DEFAULT"] != "$LATEST"
    assert {one["Type"] for one in function.triggers} == {"http", "timer"}
    (role,) = cloud.account.cam.roles.values()
    assert role.policies == list(cloud.account.cam.policies)
    cloud.account.seen.clear()
    assert start(cloud, tmp_path).wait() == 0
    assert cloud.account.writes == []
