"""The bundle for each runtime of SCF whose Python is on this machine: built by it, and run by it.

`make bundles` fails where one of them is missing, and so does .ci/run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from ci_callback.deploy import bundle
from ci_callback.deploy.errors import DeployError
from tests.conftest import PAYLOADS
from tests.fake_cos import FakeCos
from tools.bundle import RUNTIMES, BundleError, build, find_python, runtime_version

ROOT = Path(__file__).parent.parent
DEPLOYED = runtime_version((ROOT / "serverless.yml").read_text("utf-8"))


class Built(NamedTuple):
    """version: of Python. folder: as the platform lays it out, alone and read-only."""

    version: str
    python: Path
    archive: Path
    folder: Path


def present() -> Iterator[str]:
    """The runtimes whose Python is here."""
    for version in RUNTIMES:
        try:
            find_python(version)
        except BundleError:
            continue
        yield version


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Built]:
    """Builds a bundle once, in whatever order the tests ask for it."""

    @cache
    def built(version: str) -> Built:
        python = find_python(version)
        _, archive = build(python, tmp_path_factory.mktemp("bundle"))
        folder = tmp_path_factory.mktemp("deployed") / "user"
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
        return Built(version, python, archive, folder)

    return built


@pytest.fixture(params=list(present()))
def built(request: pytest.FixtureRequest, builds: Callable[[str], Built]) -> Built:
    """The bundle of a runtime."""
    return builds(request.param)


def test_the_runtime_of_the_description_is_one_that_is_tested() -> None:
    """The others wait for whoever moves to them."""
    assert DEPLOYED in RUNTIMES


@pytest.mark.slow
def test_a_callback_is_kept_on_cos_by_the_runtimes_own_python(built: Built, cos: FakeCos) -> None:
    """Without a warning, and without a module that would have to be compiled."""
    before = {path for path in built.folder.rglob("*") if path.is_file()}
    code = f"""
import sys; sys.path.insert(0, {str(built.folder)!r})
import index, json
event = {{"httpMethod": "POST", "path": "/", "body": sys.argv[1]}}
print(json.dumps(index.main_handler(event, {{}})), file=sys.stderr)
"""
    body = (PAYLOADS / "Translation.seed.xml").read_text("utf-8")
    command = [str(built.python), "-I", "-S", "-W", "error", "-c", code, body]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=cos.env)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stderr)
    (job,) = json.loads(answer["body"])["jobs"]
    assert (answer["statusCode"], job["status"]) == (200, "kept")
    assert cos.requests() == [("PUT", f"ci/{job['key']}")]
    assert {path for path in built.folder.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_sweep_and_sdk_run_on_it(built: Built, cos: FakeCos) -> None:
    """What a callback does not import."""
    code = f"""
import sys; sys.path.insert(0, {str(built.folder)!r})
import index
index.main_handler({{"Type": "Timer", "TriggerName": "sweep", "Message": "sweep"}}, {{}})
"""
    command = [str(built.python), "-I", "-S", "-W", "error", "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=cos.env)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout.splitlines()[-1])["event"] == "sweep"


@pytest.mark.slow
def test_deploy_takes_it_for_its_runtime_alone(built: Built) -> None:
    """Its bytecode fits no other Python."""
    assert bundle.read(built.archive, f"Python{built.version}", ROOT).is_inline
    other = next(version for version in RUNTIMES if version != built.version)
    with pytest.raises(DeployError, match=f"compiled for Python{built.version}"):
        bundle.read(built.archive, f"Python{other}", ROOT)


def test_each_runtime_is_built_or_its_absence_named(tmp_path: Path) -> None:
    """By `make bundles`; here without an interpreter at all."""
    code = (
        "import sys, tools.bundle as bundle\n"
        "bundle.RUNTIMES = ('3.99',)\n"
        "sys.argv = ['bundle', '--each', '--output', sys.argv[1]]\n"
        "bundle.main()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, "Python 3.99" in done.stderr) == (1, True)
