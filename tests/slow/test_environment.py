"""tools/environment.py with pip: what a lock installs, and what stops it.

The index is a folder with wheels that are made up, so nothing here needs the network.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wheels import pin, write_wheel
from tools import environment
from tools.environment import StepError, without


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pip alone, as this Python makes it."""
    folder = tmp_path_factory.mktemp("environments") / "made"
    subprocess.run([sys.executable, "-I", "-m", "venv", folder], check=True)
    return folder


@pytest.fixture
def folder(made: Path, monkeypatch: pytest.MonkeyPatch, index: Path) -> Iterator[Path]:
    """The environment, which takes packages from `index` and from nowhere else."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    no_lock = index.parent / "build.txt"
    no_lock.touch()
    monkeypatch.setattr(environment, "BUILD_LOCK", no_lock)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    yield made
    names = [name for name in packages(made) if name not in ("pip", "setuptools")]
    if names:
        pip = [str(made / "bin" / "python"), "-m", "pip"]
        subprocess.run([*pip, "uninstall", "--quiet", "--yes", *names], check=True)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A folder for wheels."""
    wheels = tmp_path / "index"
    wheels.mkdir()
    return wheels


@pytest.fixture
def lock(index: Path) -> str:
    """Of a runner that requires an extra, which requires one more package."""
    runner = write_wheel(index, "runner==2.0", ["measure[toml]>=1.5"])
    measure = write_wheel(index, "measure==1.5", ['tables>=3; extra == "toml"'])
    tables = write_wheel(index, "tables==3.1")
    return pin(runner) + pin(measure, "[toml]") + pin(tables)


def packages(folder: Path) -> dict[str, str]:
    """The installed packages and their versions."""
    ask = [str(folder / "bin" / "python"), "-I", "-m", "pip", "list", "--format=json"]
    done = subprocess.run(ask, check=True, capture_output=True, text=True)
    return {package["name"]: package["version"] for package in json.loads(done.stdout)}


def test_the_releases_of_tomorrow_change_nothing(folder: Path, index: Path, lock: str) -> None:
    """A newer release of each package, one of which is broken: what is pinned is installed."""
    write_wheel(index, "runner==2.1", ["measure[toml]>=1.6", "telemetry"])
    write_wheel(index, "measure==1.6", ['tables>=4; extra == "toml"'])
    write_wheel(index, "tables==3.2", ["gone"])
    environment.make(Path(sys.executable), folder, lock)
    releases = packages(folder)
    assert {name: releases[name] for name in ("runner", "measure", "tables")} == {
        "runner": "2.0",
        "measure": "1.5",
        "tables": "3.1",
    }
    assert releases.keys() <= {"runner", "measure", "tables", "pip", "setuptools"}


def test_constraints_of_the_machine_are_not_those_of_the_lock(
    folder: Path, index: Path, lock: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are for other environments."""
    (tmp_path / "constraints.txt").write_text("runner<2\n")
    monkeypatch.setenv("PIP_CONSTRAINT", str(tmp_path / "constraints.txt"))
    environment.make(Path(sys.executable), folder, lock)
    assert packages(folder)["runner"] == "2.0"


def test_incomplete_lock_must_raise(
    folder: Path, lock: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """pip check finds what --no-deps leaves out, and names it."""
    with pytest.raises(StepError, match="holds packages that don't fit together"):
        environment.make(Path(sys.executable), folder, without(["measure"], lock))
    assert "runner 2.0 requires measure, which is not installed" in capfd.readouterr().out


def test_other_bytes_than_those_that_were_locked_must_raise(
    folder: Path, index: Path, lock: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The same release with other contents."""
    write_wheel(index, "tables==3.1", ["more"])
    with pytest.raises(StepError, match="exit status 1"):
        environment.make(Path(sys.executable), folder, lock)
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in capfd.readouterr().err
    assert "runner" not in packages(folder)


def test_package_without_a_wheel_for_this_machine_must_raise(
    folder: Path, index: Path, lock: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is not built: its build would fetch what no lock pins."""
    (index / "tables-3.1-py3-none-any.whl").rename(index / "tables-3.1-cp27-none-win32.whl")
    with pytest.raises(StepError, match="exit status 1"):
        environment.make(Path(sys.executable), folder, lock)
    assert "No matching distribution found for tables==3.1" in capfd.readouterr().err


def test_half_made_environment_is_made_again(folder: Path, lock: str, tmp_path: Path) -> None:
    """Its creation was interrupted before pip was there."""
    half = tmp_path / "half"
    (half / "bin").mkdir(parents=True)
    (half / "bin" / "python").symlink_to(tmp_path / "no-longer-there")
    environment.make(Path(sys.executable), half, lock)
    assert packages(half)["tables"] == "3.1"


def test_interpreter_with_what_is_pinned_builds_itself(
    folder: Path, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version of it, or none, calls for an environment."""
    python = folder / "bin" / "python"
    build = tmp_path / "pins.txt"
    build.write_text(pin(write_wheel(index, "builder==2.0")))
    monkeypatch.setattr(environment, "BUILD_LOCK", build)
    assert not environment.can_build(python)
    assert environment.create(python, folder) == python
    assert environment.with_build_tools(python, tmp_path / "unused") == python
    build.write_text("builder==2.1\n")
    assert not environment.can_build(python)
    assert not environment.can_build(tmp_path / "no-python")


def test_command_names_the_step_that_failed(folder: Path, tmp_path: Path) -> None:
    """A line, not a traceback, and a status that make stops at."""
    lock = tmp_path / "lock.txt"
    lock.write_text("tables==3.1 \\\n    --hash=sha256:0\n")
    command = [sys.executable, "-m", "tools.environment", str(folder), str(lock)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=environment.ROOT
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("environment: exit status 1, for the reason")
