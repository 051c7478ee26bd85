"""The whole function as a zip, from what is installed: quicker than a build, and without bytecode,
so that it fits every runtime."""

from __future__ import annotations

import functools
import importlib.util
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ci_callback.deploy.bundle import Bundle

ROOT = Path(__file__).parents[3]
PACKAGES = ("certifi", "crcmod", "defusedxml", "idna", "qcloud_cos", "requests", "urllib3")
MODULES = ("six", "xmltodict")


@functools.cache
def whole_function() -> Bundle:
    """index.py, handler/ and what they import."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for file, name in files():
            archive.writestr(zipfile.ZipInfo(name), file.read_bytes())
    return Bundle(made.getvalue())


def files() -> Iterator[tuple[Path, str]]:
    """Each file, and its name in the zip."""
    yield ROOT / "index.py", "index.py"
    for folder in (ROOT / "handler", *map(location, PACKAGES)):
        for file in sorted(folder.rglob("*")):
            if file.suffix in (".py", ".pem", ".json"):
                yield file, file.relative_to(folder.parent).as_posix()
    for module in MODULES:
        file = location(module)
        yield file, file.name


def location(name: str) -> Path:
    """The folder of a package, or the file of a module."""
    spec = importlib.util.find_spec(name)
    assert spec
    assert spec.origin
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin
