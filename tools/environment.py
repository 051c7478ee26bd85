"""Make an environment from a lock: python -m tools.environment FOLDER LOCK.

A lock is the whole closure with hashes, so pip is asked for nothing else (--no-deps): which release
of a package is the newest is never looked up. Needs nothing but Python and the pip that it brings.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

Command: TypeAlias = Sequence[str | Path]

ROOT = Path(__file__).resolve().parent.parent
BUILD_LOCK = ROOT / "requirements" / "build.txt"

SOURCE_ONLY = "crcmod"
"""Published without wheels, and built with what BUILD_LOCK pins. Everything else is a wheel."""

LOCKED = ("--no-deps", "--require-hashes")
FROM_WHEELS = ("--only-binary=:all:",)
FROM_SOURCE = ("--use-pep517", "--no-build-isolation")
"""Without isolation pip builds with the setuptools of the environment. In isolation it would fetch
the newest."""


class StepError(Exception):
    """A step failed. Says what to do about it."""


def make(python: Path, folder: Path, lock: str) -> Path:
    """Install a lock into the environment `folder`, which is created where needed.

    Returns:
        The environment's interpreter.

    Raises:
        StepError: a step failed, or the environment holds packages that don't fit together.
    """
    inside = create(python, folder)
    install(inside, lock)
    try:
        run([inside, "-I", "-m", "pip", "--disable-pip-version-check", "check"])
    except StepError as error:
        raise StepError(
            f"{folder} holds packages that don't fit together. Remove the folder, or run "
            "`make clean`, and try again"
        ) from error
    return inside


def create(python: Path, folder: Path) -> Path:
    """Create an environment with the build requirements; its interpreter.

    An environment that is there is kept, unless its pip does not run: its creation was
    interrupted, or its Python has been removed.
    """
    inside = folder / "bin" / "python"
    if not _runs(inside, "import pip"):
        run([python, "-I", "-m", "venv", "--clear", folder])
    if not can_build(inside):
        install(inside, BUILD_LOCK.read_text("utf-8"))
    return inside


def with_build_tools(python: Path, folder: Path) -> Path:
    """The interpreter itself where it can build, else that of a new environment in `folder`."""
    return python if can_build(python) else create(python, folder)


def can_build(python: Path) -> bool:
    """Whether an interpreter has pip and exactly the build requirements that are pinned."""
    pinned = dict(re.findall(r"(?m)^([\w.-]+)==(\S+)", BUILD_LOCK.read_text("utf-8")))
    code = (
        "import pip, sys; from importlib.metadata import version; "
        f"sys.exit(any(version(name) != pinned for name, pinned in {pinned!r}.items()))"
    )
    return _runs(python, code)


def _runs(python: Path, code: str) -> bool:
    ask: Command = [python, "-I", "-c", code]
    try:
        return subprocess.run(ask, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def install(python: Path, lock: str, *options: str | Path) -> None:
    """Install the text of a lock with an environment's pip: the wheels, then what is built.

    Raises:
        StepError: pip failed, for example because there is no wheel for this machine.
    """
    source = only(SOURCE_ONLY, lock)
    wheels = without([SOURCE_ONLY], lock) if source else lock
    if wheels.strip():
        _pip_install(python, wheels, FROM_WHEELS, options)
    if source:
        _pip_install(python, source, FROM_SOURCE, options)


def _pip_install(
    python: Path, lock: str, how: Sequence[str], options: Sequence[str | Path]
) -> None:
    pip: Command = [python, "-I", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    # Constraints in pip's configuration concern other environments; the lock decides.
    env = os.environ | {"PIP_CONSTRAINT": os.devnull}
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch, "requirements.txt")
        wanted.write_text(lock, "utf-8")
        run([*pip, *LOCKED, *how, *options, "--requirement", wanted], env)


def only(name: str, lock: str) -> str:
    """The pins of one package, with their hashes; empty where there is none."""
    return "".join(match[0] for match in _pins(name).finditer(lock))


def without(names: Iterable[str], lock: str) -> str:
    """The text of a lock without some packages and their hashes.

    Raises:
        StepError: one of them is not in it, so that leaving it out is no longer needed.
    """
    kept = lock
    for name in names:
        kept, count = _pins(name).subn("", kept)
        if count != 1:
            raise StepError(f"{name} is in the lock {count} times; once is expected")
    return kept


def _pins(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?m)^{re.escape(name)}(?:\[[^]]*\])?==.*\n(?:[ \t].*\n)*")


def run(command: Command, env: Mapping[str, str] | None = None) -> None:
    """Run a step; what it prints goes to this program's own output.

    Raises:
        StepError: it failed.
    """
    status = subprocess.run(command, check=False, env=env).returncode
    if status:
        words = " ".join(str(word) for word in command)
        raise StepError(f"exit status {status}, for the reason above, of: {words}")


def main() -> None:
    """Make an environment from a lock."""
    parser = argparse.ArgumentParser(prog="python -m tools.environment", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("lock", type=Path)
    chosen = parser.parse_args()
    try:
        make(Path(sys.executable), chosen.folder.absolute(), chosen.lock.read_text("utf-8"))
    except StepError as error:
        sys.exit(f"environment: {error}")


if __name__ == "__main__":
    main()
