"""The folders that are run: ours from tools/bundle.py, the peers' from pip, as each is deployed.

What pip installs is kept below .bench/, named by its requirements and the version of Python, so
that a second run needs no network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import certificates
from benchmarks.certificates import Certificates
from benchmarks.processes import REGION
from tools import bundle, environment, trusted_certificates

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".bench"
PEERS = Path(__file__).parent / "peers"

NAMES = (f"*.cos.{REGION}.myqcloud.com", f"*.ci.{REGION}.myqcloud.com")
"""Of COS and CI, whose places the stub takes."""

AS_PIP_INSTALLS = ("typical", "boto3", "framework")


@dataclass(frozen=True)
class Trees:
    """Where each peer's folder is. requirements: ours, as pip alone would install them."""

    python: Path
    folders: dict[str, Path]
    env: dict[str, dict[str, str]]
    requirements: Path
    certificates: Certificates
    """What the stub shows over TLS; every folder trusts its authority."""


def python_for(chosen: Path | None) -> Path:
    """The one chosen, else one of the runtime's version, found as `make bundle` finds it."""
    if chosen:
        return chosen
    return bundle.find_python(bundle.runtime_version((ROOT / "serverless.yml").read_text("utf-8")))


def build(python: Path, names: list[str]) -> Trees:
    """Make the folders of these columns.

    Raises:
        environment.StepError: a step failed.
    """
    CACHE.mkdir(exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n", "utf-8")
    work = CACHE / "trees"
    make_writable(work)
    shutil.rmtree(work, ignore_errors=True)
    shown = certificates.make(CACHE / "certificates", NAMES)
    locked = (ROOT / "requirements.txt").read_text("utf-8")

    def ours(folder: Path) -> None:
        bundle.install_requirements(python, locked, folder)
        bundle.keep_licences_alone(folder)
        bundle.remove(path for pattern in bundle.NOT_OF_USE for path in folder.glob(pattern))

    rules = f"{locked}{sorted(bundle.LEFT_OUT)}{bundle.NOT_OF_USE}"
    packages = _cached(python, "ours", rules, ours)
    requirements = _cached(python, "requirements", locked, lambda to: _pip(python, locked, to))
    folders: dict[str, Path] = {}
    for name in names:
        folder = folders[name] = work / name
        peer = name.rstrip("+").removesuffix("+pyc")
        if peer == "ours":
            shutil.copytree(packages, folder)
            bundle.copy_own_code(folder)
        elif name == "limit+":
            shutil.copytree(packages, folder)
            shutil.copyfile(PEERS / peer / "index.py", folder / "index.py")
        else:
            wanted = (PEERS / peer / "requirements.txt").read_text("utf-8")
            if wanted.strip():
                shutil.copytree(_cached(python, peer, wanted, _installer(python, wanted)), folder)
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PEERS / peer / "index.py", folder / "index.py")
        certificates.trust(folder, shown.authority)
        if peer == "ours":
            trusted_certificates.split(
                folder / "certifi" / "cacert.pem", folder / bundle.CERTIFICATES
            )
        if name not in AS_PIP_INSTALLS:
            bundle.compile_all(python, folder)
        _make_read_only(folder)
    env = {
        "limit+": {"TUNED": "1"},
        # It has no packages, and so no authorities of its own.
        "bare": {
            "SSL_CERT_DIR": str(work / "ours" / bundle.CERTIFICATES),
            "SSL_CERT_FILE": os.devnull,
        },
    }
    return Trees(python, folders, env, requirements, shown)


def _installer(python: Path, wanted: str) -> Callable[[Path], None]:
    return lambda folder: _pip(python, wanted, folder)


def _pip(python: Path, wanted: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        inside = environment.with_build_tools(python, Path(scratch, "environment"))
        environment.install(inside, wanted, "--no-compile", "--target", folder)


def _cached(python: Path, name: str, wanted: str, make: Callable[[Path], None]) -> Path:
    version = subprocess.run([python, "-V"], check=True, capture_output=True, text=True).stdout
    digest = hashlib.sha256(f"{version}{wanted}".encode()).hexdigest()[:12]
    folder = CACHE / "packages" / f"{name}-{digest}"
    if not folder.exists():
        making = folder.with_name(folder.name + "-making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        make(making)
        making.rename(folder)
    return folder


def _make_read_only(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def make_writable(folder: Path) -> None:
    """So that it can be removed."""
    for path in [folder, *folder.rglob("*")] if folder.exists() else ():
        if path.is_dir():
            path.chmod(0o755)


def size(folder: Path) -> tuple[int, int]:
    """Bytes of a folder as it is, and zipped at level 9."""
    archive = CACHE / "size.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for path in bundle.files(folder):
            target.write(path, path.relative_to(folder))
    zipped = archive.stat().st_size
    archive.unlink()
    return sum(path.stat().st_size for path in bundle.files(folder)), zipped
