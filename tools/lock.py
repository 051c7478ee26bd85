"""Compile the locks: python -m tools.lock [--upgrade | --upgrade-package NAME]. Needs an index.

Each *.in becomes a *.txt with the whole closure for every supported Python and platform. What is
pinned stays as it is unless an option says otherwise. METADATA keeps the requirements of each
pinned release, so that tests/test_locks.py can prove without an index that a lock is complete.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from tools import closure, environment
from tools.closure import Pin

ROOT = environment.ROOT
METADATA = ROOT / "requirements" / "metadata.json"
CONSTRAINTS = ROOT / "requirements" / "dev.in"
"""Compiled first. The others take its versions, so that no two locks disagree."""

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
PLATFORMS = (closure.LINUX, closure.MACOS, closure.WINDOWS)
WHEELS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "win_amd64")
"""Platforms whose wheels are looked at for metadata. Those of win_amd64 are for what Windows alone
needs."""


def sources() -> list[Path]:
    """Each file of requirements that is compiled, CONSTRAINTS first."""
    files = [
        ROOT / "requirements.in",
        *(ROOT / "requirements").glob("*.in"),
        *(ROOT / "benchmarks" / "peers").glob("*/requirements.in"),
    ]
    return sorted(files, key=lambda path: (path != CONSTRAINTS, path))


def roots(source: Path) -> Iterator[str]:
    """The requirements in a file of requirements and in those that it includes by `-r`."""
    for line in source.read_text("utf-8").splitlines():
        words = line.partition("#")[0].strip()
        if words.startswith("-r "):
            yield from roots(source.parent / words.removeprefix("-r ").strip())
        elif words:
            yield words


def compile_lock(source: Path, options: Sequence[str]) -> None:
    """Write the lock of a file of requirements.

    Raises:
        StepError: there is no solution, or no index.
    """
    uv: environment.Command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet"]
    whole = [
        "--universal",
        "--python-version",
        PYTHONS[0],
        "--generate-hashes",
        "--no-strip-extras",
    ]
    plain = ["--no-header", "--no-emit-index-url"]
    fixed = [] if source == CONSTRAINTS else ["--constraints", _relative(CONSTRAINTS, ".txt")]
    files = [_relative(source, ".in"), "--output-file", _relative(source, ".txt")]
    environment.run([*uv, *whole, *plain, *fixed, *options, *files])


def _relative(path: Path, suffix: str) -> str:
    """uv writes the names of files into the lock."""
    return path.with_suffix(suffix).relative_to(ROOT).as_posix()


def read_metadata(pins: Iterable[Pin]) -> dict[str, list[str]]:
    """The Requires-Dist lines of each pinned release, from its wheel or its build.

    Raises:
        StepError: pip failed.
    """
    wanted = {pin.release: pin for pin in pins}
    metadata: dict[str, list[str]] = {}
    for python in PYTHONS:
        holding = [
            pin
            for pin in wanted.values()
            if pin.release not in metadata
            and any(map(pin.holds_in, closure.environments([python], PLATFORMS)))
        ]
        built = [pin for pin in holding if pin.name == environment.SOURCE_ONLY]
        wheels = [pin for pin in holding if pin not in built]
        for_python = [*(f"--platform={name}" for name in WHEELS), f"--python-version={python}"]
        metadata |= _report(wheels, for_python) | _report(built, [])
    return {release: metadata[release] for release in sorted(wanted)}


def _report(pins: Sequence[Pin], options: Sequence[str]) -> dict[str, list[str]]:
    if not pins:
        return {}
    lock = "".join(" \\\n    --hash=".join([pin.release, *pin.hashes]) + "\n" for pin in pins)
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.json")
        dry = ["--dry-run", "--ignore-installed", "--ignore-requires-python"]
        dry += ["--target", scratch, "--report", str(report)]
        environment.install(Path(sys.executable), lock, *dry, *options)
        installs = json.loads(report.read_text("utf-8"))["install"]
    packages = [install["metadata"] for install in installs]
    return {
        f"{canonicalize_name(metadata['name'])}=={metadata['version']}": metadata.get(
            "requires_dist", []
        )
        for metadata in packages
    }


def main() -> None:
    """Compile the locks, and keep the metadata of what they pin."""
    parser = argparse.ArgumentParser(prog="python -m tools.lock", description=main.__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest of everything")
    parser.add_argument("--upgrade-package", action="append", default=[], metavar="NAME")
    chosen = parser.parse_args()
    options = ["--upgrade"] if chosen.upgrade else []
    options += [f"--upgrade-package={name}" for name in chosen.upgrade_package]
    try:
        for source in sources():
            compile_lock(source, options)
        locks = [source.with_suffix(".txt").read_text("utf-8") for source in sources()]
        metadata = read_metadata(pin for lock in locks for pin in closure.read_lock(lock))
    except environment.StepError as error:
        sys.exit(f"lock: {error}")
    METADATA.write_text(json.dumps(metadata, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
