"""Print the tests of what changed: python -m tools.changed_tests [--since COMMIT].

A file's tests are those named after it, as tests/ledger/test_keys.py is for handler/ledger/keys.py;
where there are none, those named after its folder, or the folder of that name in tests/. Where
nothing that has tests changed, these are a few that reach most of the function.
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORE = ("tests/triggers", "tests/ledger", "tests/test_app.py", "tests/callback/test_golden.py")
DOCUMENTS = "tests/test_docs.py"


def changed(root: Path, since: str) -> list[str]:
    """The files that differ from a commit, and new ones. Raises CalledProcessError without git."""
    commands = (["diff", "--name-only", since], ["ls-files", "--others", "--exclude-standard"])
    return [
        line
        for command in commands
        for line in subprocess.run(
            ["git", "-C", root, *command], check=True, capture_output=True, text=True
        ).stdout.splitlines()
    ]


def selected(root: Path, names: Iterable[str]) -> list[str]:
    """The tests of these files, as arguments of pytest."""
    tests = {test for name in names for test in _tests_of_one(root, Path(name))}
    return sorted(tests) or list(CORE)


def _tests_of_one(root: Path, path: Path) -> list[str]:
    if path.suffix == ".md":
        return [DOCUMENTS]
    if path.parts[0] == "tests":
        return [str(path)] if path.name.startswith("test_") and (root / path).exists() else []
    if path.suffix != ".py":
        return []
    names = (path.stem, *reversed(path.parent.parts))
    return next(filter(None, (_named_after(root, name) for name in names)), [])


def _named_after(root: Path, name: str) -> list[str]:
    paths = [
        path
        for pattern in (f"test_{name}.py", f"test_{name}_*.py", name)
        for path in (root / "tests").rglob(pattern)
    ]
    return [str(path.relative_to(root)) for path in paths]


def main() -> None:
    """Print them on one line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--since", default="HEAD", help="default: the last commit")
    print(*selected(ROOT, changed(ROOT, parser.parse_args().since)))


if __name__ == "__main__":
    main()
