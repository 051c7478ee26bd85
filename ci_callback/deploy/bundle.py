"""The zip that is deployed: where it is, whether it fits, its hash."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from ci_callback.deploy.errors import EXIT_SETTINGS, DeployError

MB = 1024 * 1024
MAX_INLINE_BYTES = 7 * MB
"""SCF takes 20 MB in an update and 50 MB in a creation, but a request that is signed by TC3 may
have 10 MB in all (608/33031), and base64 makes three bytes four."""
MAX_UNPACKED_BYTES = 500 * MB
"""Code and layers, unpacked (583/11637)."""

ENTRY = "index.py"
_COMPILED = re.compile(r"\.cpython-(\d)(\d+)\.pyc$")
BUILD = "run `make bundle`"


@dataclass(frozen=True)
class Bundle:
    """sha256: of the zip, in hex."""

    code: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.code).hexdigest()

    @property
    def is_inline(self) -> bool:
        """Whether it goes in a request; a larger one goes through COS."""
        return len(self.code) <= MAX_INLINE_BYTES

    @property
    def base64(self) -> str:
        return base64.b64encode(self.code).decode("ascii")

    @property
    def shown(self) -> str:
        """In place of its bytes."""
        return f"zip of {len(self.code) / 1000:,.0f} kB, sha256 {self.sha256}"


def read(path: Path, runtime: str, source: Path | None) -> Bundle:
    """The bundle, once it is known to fit. source: the folder that it was built from, whose code it
    must hold; None without one.

    Raises:
        DeployError
    """
    try:
        code = path.read_bytes()
        archive = zipfile.ZipFile(io.BytesIO(code))
    except FileNotFoundError as error:
        raise DeployError(f"there is no bundle at {path}", BUILD, EXIT_SETTINGS) from error
    except (OSError, zipfile.BadZipFile) as error:
        raise DeployError(f"{path} can't be read as a zip", BUILD, EXIT_SETTINGS) from error
    with archive:
        problem = _problem(archive, runtime, source)
    if problem:
        raise DeployError(f"{path}: {problem}", BUILD, EXIT_SETTINGS)
    return Bundle(code)


def _problem(archive: zipfile.ZipFile, runtime: str, source: Path | None) -> str:
    names = set(archive.namelist())
    if ENTRY not in names:
        return f"{ENTRY} is not at its root"
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > MAX_UNPACKED_BYTES:
        return f"it is too large: {unpacked / MB:,.0f} MB unpacked, and 500 are allowed"
    compiled = {f"Python{match[1]}.{match[2]}" for match in map(_COMPILED.search, names) if match}
    if compiled and compiled != {runtime}:
        return f"it is compiled for {', '.join(sorted(compiled))}, and the runtime is {runtime}"
    if source and (stale := _stale(archive, names, source)):
        return f"it does not hold today's {stale}"
    return ""


def _stale(archive: zipfile.ZipFile, names: set[str], source: Path) -> str:
    """A file of the source that differs from the zip's; "" where none does."""
    files = [source / ENTRY, *sorted((source / "handler").rglob("*.py"))]
    for file in files:
        name = file.relative_to(source).as_posix()
        if name not in names or archive.read(name) != file.read_bytes():
            return name
    return ""
