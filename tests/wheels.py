"""Wheels that hold nothing but their name, version and requirements, for an index of one folder.

python -m tests.wheels FOLDER NAME==VERSION…
"""

from __future__ import annotations

import hashlib
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path


def write_wheel(folder: Path, release: str, requires: Sequence[str] = ()) -> Path:
    """Write the wheel of `name==version`, with these Requires-Dist lines."""
    name, _, version = release.partition("==")
    info = f"{name}-{version}.dist-info"
    extras = sorted({line.partition('extra == "')[2].rstrip('"') for line in requires} - {""})
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Provides-Extra: {extra}" for extra in extras),
        *(f"Requires-Dist: {line}" for line in requires),
    ]
    wheel = ["Wheel-Version: 1.0", "Generator: tests", "Root-Is-Purelib: true", "Tag: py3-none-any"]
    files = {
        f"{name}.py": f"__version__ = {version!r}\n",
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": "\n".join(wheel) + "\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in files.items():
            archive.writestr(inside, text)
    return path


def pin(wheel: Path, extras: str = "") -> str:
    """The lines of a lock for a wheel, with extras as `[toml]`."""
    name, version, *_ = wheel.name.split("-")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"{name}{extras}=={version} \\\n    --hash=sha256:{digest}\n"


def main(folder: str, *releases: str) -> None:
    """Write wheels into a folder."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for release in releases:
        print(write_wheel(Path(folder), release))


if __name__ == "__main__":
    main(*sys.argv[1:])
