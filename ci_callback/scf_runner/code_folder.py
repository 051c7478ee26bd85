"""The code as the platform has it: a folder that can't be written to, with index.py at its root."""

from __future__ import annotations

import compileall
import contextlib
import importlib.util
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("defusedxml", "qcloud_cos")
"""What the function imports besides the standard library."""

INDEX = 'from handler.app import main_handler\n\n__all__ = ["main_handler"]\n'
"""index.py where there is none: an installed tool has handler/ only."""


@dataclass(frozen=True)
class Code:
    """folder: index.py and all that it needs. packages: other folders that it imports from."""

    folder: Path
    packages: tuple[Path, ...] = ()


@contextlib.contextmanager
def read_only(folder: Path, packages: tuple[Path, ...] = ()) -> Iterator[Code]:
    """A copy of a folder in which only root can write."""
    with _empty_folder() as made:
        copy = made / "code"
        shutil.copytree(folder, copy)
        with _protected(copy):
            yield Code(copy, packages)


@contextlib.contextmanager
def from_zip(archive: Path) -> Iterator[Code]:
    """The bundle of tools/bundle.py, unpacked. It holds its packages."""
    with _empty_folder() as made:
        copy = made / "code"
        with zipfile.ZipFile(archive) as bundle:
            bundle.extractall(copy)
        with _protected(copy):
            yield Code(copy)


@contextlib.contextmanager
def from_source() -> Iterator[Code]:
    """The function of this checkout or installation, with the packages that are installed here."""
    package = _location("handler")
    with _empty_folder() as made:
        copy = made / "code"
        # With the times of the files, so that the bytecode beside them stays valid.
        shutil.copytree(package, copy / package.name)
        index = package.parent / "index.py"
        text = index.read_text("utf-8") if index.is_file() else INDEX
        (copy / "index.py").write_text(text, "utf-8")
        # As in the bundle: where nothing can be written each start would compile all of it.
        compileall.compile_dir(copy, quiet=2)
        with _protected(copy):
            yield Code(
                copy, tuple(dict.fromkeys(_location(package).parent for package in PACKAGES))
            )


def _location(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed")
    return Path(spec.origin).resolve().parent


@contextlib.contextmanager
def _empty_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="scf-") as name:
        os.chmod(name, 0o755)  # noqa: S103  # the user of the function must get in
        yield Path(name)


@contextlib.contextmanager
def _protected(folder: Path) -> Iterator[None]:
    """Take away every right to write, until the block is left."""
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path in paths:
            if path.is_dir():
                path.chmod(0o755)
