"""Build the wheel of a release: python -m tools.wheel. It carries the files that `deploy` reads
where there is no repository: serverless.yml, the policy, and dist/function.zip of `make bundle`.

Built from a copy of the sources, so that nothing of it stays in the package.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tools import environment

ROOT = environment.ROOT
FILES = ("pyproject.toml", "README.md", "LICENSE", "requirements.in")
PACKAGES = ("handler", "ci_callback")
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info")
CARRIED = Path("ci_callback", "deploy", "carried")


def stage(folder: Path, bundle: Path) -> None:
    """Copy the sources into a folder, and what the wheel carries besides."""
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=LEFT_BEHIND)
    carried = folder / CARRIED
    carried.mkdir()
    shutil.copy(ROOT / "serverless.yml", carried)
    shutil.copy(ROOT / "docs" / "cam-policy.json", carried)
    shutil.copy(bundle, carried / "function.zip")


def build(python: Path, bundle: Path, output: Path) -> None:
    """Build the wheel into a folder, with the pinned setuptools and without an index.

    Raises:
        StepError: a step failed.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "sources")
        folder.mkdir()
        stage(folder, bundle)
        inside = environment.with_build_tools(python, Path(scratch, "environment"))
        pip: environment.Command = [inside, "-I", "-m", "pip", "--disable-pip-version-check"]
        how = ["wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
        environment.run([*pip, *how, "--wheel-dir", output, folder])


def main() -> None:
    """Build the wheel, with the bundle inside, into dist/."""
    parser = argparse.ArgumentParser(prog="python -m tools.wheel", description=main.__doc__)
    dist = ROOT / "dist"
    parser.add_argument("--bundle", type=Path, default=dist / "function.zip")
    parser.add_argument("--output", type=Path, default=dist)
    chosen = parser.parse_args()
    if not chosen.bundle.is_file():
        sys.exit(f"wheel: there is no bundle at {chosen.bundle}; run `make bundle`")
    try:
        build(Path(sys.executable), chosen.bundle, chosen.output)
    except environment.StepError as error:
        sys.exit(f"wheel: {error}")


if __name__ == "__main__":
    main()
