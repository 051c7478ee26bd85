"""The wheel: what is in it, and that the command runs where only the wheel is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from handler import __version__
from tools import environment

ROOT = Path(__file__).parent.parent
PACKAGES = ("handler", "ci_callback")

pytestmark = pytest.mark.slow

LEFT_BEHIND = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with the pinned setuptools from a copy of the sources, without an index."""
    folder = tmp_path_factory.mktemp("package")
    python = environment.with_build_tools(Path(sys.executable), folder / "environment")
    for name in ("pyproject.toml", "README.md", "LICENSE", "requirements.in"):
        shutil.copy(ROOT / name, folder)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=LEFT_BEHIND)
    pip = [str(python), "-I", "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    how = ["--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", f"{folder}/dist"]
    done = subprocess.run([*pip, *how, str(folder)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (built,) = (folder / "dist").iterdir()
    return built


@pytest.fixture
def archive(wheel: Path) -> Iterator[zipfile.ZipFile]:
    """The wheel, opened."""
    with zipfile.ZipFile(wheel) as opened:
        yield opened


def metadata(archive: zipfile.ZipFile) -> Message:
    """What pip reads of the wheel."""
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    return message_from_bytes(archive.read(name))


def test_every_file_of_the_packages_is_in_it(archive: zipfile.ZipFile) -> None:
    """Modules and data files, and nothing else: no tests, no tools."""
    sources = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == sources


def test_licence_is_named_and_goes_with_it(archive: zipfile.ZipFile) -> None:
    """The name for programs, and the text for people."""
    fields = metadata(archive)
    assert (fields["License-Expression"], fields.get_all("License-File")) == (
        "Apache-2.0",
        ["LICENSE"],
    )
    (name,) = (name for name in archive.namelist() if name.endswith("/licenses/LICENSE"))
    assert archive.read(name) == (ROOT / "LICENSE").read_bytes()
    assert "Apache License" in archive.read(name).decode("utf-8")


def test_version_and_requirements_are_those_of_the_function(archive: zipfile.ZipFile) -> None:
    """requirements.in is what it needs; the command line is an extra."""
    fields = metadata(archive)
    assert fields["Version"] == __version__
    required = fields.get_all("Requires-Dist", [])
    plain = [line for line in required if "extra ==" not in line]
    wanted = [
        line
        for line in (ROOT / "requirements.in").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert plain == wanted
    assert {line.partition(";")[0].strip() for line in required if 'extra == "cli"' in line} == {
        line.partition("#")[0].strip()
        for line in (ROOT / "requirements" / "cli.in").read_text("utf-8").splitlines()
        if line and not line.startswith(("#", "-"))
    }


def test_the_command_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """From an empty folder, with the project's folder out of reach: the code and its data files are
    those of the wheel, the libraries those of this environment."""
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(tmp_path / "site")
    here = tmp_path / "empty"
    here.mkdir()
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "import importlib.metadata as m\n"
        "(entry,) = m.entry_points(group='console_scripts', name='ci-callback')\n"
        "sys.argv = ['ci-callback', *sys.argv[1:]]\n"
        "entry.load()()"
    )

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-I", "-c", code, *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=here,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run("--version") == f"ci-callback {__version__}\n"
    callback = here / "callback.json"
    callback.write_text(run("sample", "Transcode"), "utf-8")
    assert '"kept"' in run("invoke", "callback.json", "--json")
    assert run("report", "--out", "report.html")
    assert "<svg" in (here / "report.html").read_text("utf-8")
