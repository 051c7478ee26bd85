"""The wheel of a release deploys from an empty folder: it carries all that `deploy` needs."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ci_callback.devserver.local_cloud import LocalCloud
from tests.ci_callback.deploy.zipped import whole_function
from tools import wheel

ROOT = Path(__file__).parent.parent
CARRIED = ("cam-policy.json", "function.zip", "serverless.yml")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "function.zip").write_bytes(whole_function().code)
    wheel.build(Path(sys.executable), folder / "function.zip", folder / "dist")
    (made,) = (folder / "dist").iterdir()
    return made


@pytest.mark.slow
def test_it_carries_the_files_of_the_repository(built: Path) -> None:
    """The very bytes; and nothing of it is left in the sources."""
    with zipfile.ZipFile(built) as archive:
        carried = [archive.read(f"ci_callback/deploy/carried/{name}") for name in CARRIED]
    assert carried == [
        (ROOT / "docs" / "cam-policy.json").read_bytes(),
        whole_function().code,
        (ROOT / "serverless.yml").read_bytes(),
    ]
    assert not (ROOT / wheel.CARRIED).exists()


@pytest.mark.slow
def test_it_deploys_from_an_empty_folder(built: Path, tmp_path: Path) -> None:
    """With the project's folder out of reach."""
    with zipfile.ZipFile(built) as opened:
        opened.extractall(tmp_path / "site")
    here = tmp_path / "empty"
    here.mkdir()
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "from ci_callback.main import run; run()"
    )
    with LocalCloud(tmp_path / "cloud") as cloud:
        env = {"LEDGER_URL": cloud.ledger, "COS_REGION": cloud.region, "PATH": os.environ["PATH"]}
        done = subprocess.run(
            [sys.executable, "-I", "-c", code, "deploy", "--to", cloud.url, "--no-verify"],
            capture_output=True,
            text=True,
            check=False,
            cwd=here,
            env=env,
        )
        assert done.returncode == 0, done.stderr
        (function,) = cloud.account.scf.functions.values()
        assert function.latest.code == whole_function().code


def test_without_a_bundle_it_says_what_to_run(tmp_path: Path) -> None:
    """And builds nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.wheel", "--bundle", str(tmp_path / "none.zip")],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, "make bundle" in done.stderr) == (1, True)
