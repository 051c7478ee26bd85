"""tools/changed_tests.py: which tests a change calls for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.changed_tests import CORE, ROOT, changed, selected

FILES = (
    "tests/test_app.py",
    "tests/ledger/test_keys.py",
    "tests/ci_callback/test_doctor.py",
    "tests/ci_callback/test_doctor_store.py",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with some tests."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "tests"),
    [
        ("handler/ledger/keys.py", ["tests/ledger/test_keys.py"]),
        ("handler/ledger/cos.py", ["tests/ledger"]),
        ("handler/ledger/__init__.py", ["tests/ledger"]),
        ("ci_callback/doctor/on_ci.py", list(FILES[2:])),
        ("ci_callback/ledger_reader.py", ["tests/ci_callback"]),
        ("tests/ledger/test_keys.py", ["tests/ledger/test_keys.py"]),
        ("docs/record.md", ["tests/test_docs.py"]),
        ("tests/ledger/test_that_was_removed.py", list(CORE)),
        ("tests/world.py", list(CORE)),
        ("handler/ingest/callbacks.py", list(CORE)),
        ("serverless.yml", list(CORE)),
    ],
)
def test_tests_of_a_file_are_those_of_its_name_or_its_folder(
    root: Path, name: str, tests: list[str]
) -> None:
    """And the core's where it has none."""
    assert selected(root, [name]) == tests


def test_each_test_is_named_once(root: Path) -> None:
    """Whichever of the changed files call for it, in the order of the alphabet."""
    names = ["index.py", "handler/ledger/cos.py", "handler/ledger/folder.py", "handler/app.py"]
    assert selected(root, names) == ["tests/ledger", "tests/test_app.py"]


def test_no_change_calls_for_the_core(root: Path) -> None:
    """So that the command always runs something."""
    assert selected(root, []) == list(CORE)


def test_core_is_there() -> None:
    """A path that was moved would end pytest."""
    assert [name for name in CORE if not (ROOT / name).exists()] == []


def test_changed_files_are_those_that_differ_and_new_ones(root: Path) -> None:
    """Those that git ignores are left out."""

    def git(*arguments: str) -> None:
        author = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *author, *arguments], cwd=root, check=True, capture_output=True)

    git("init", "--initial-branch=main")
    git("add", ".")
    git("commit", "--message=tests")
    assert changed(root, "HEAD") == []
    (root / FILES[0]).write_text("# changed")
    (root / "new.py").touch()
    (root / ".gitignore").write_text("ignored.py")
    (root / "ignored.py").touch()
    assert sorted(changed(root, "HEAD")) == [".gitignore", "new.py", FILES[0]]
