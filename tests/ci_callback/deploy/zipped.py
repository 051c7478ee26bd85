"""The whole function as a zip, from what is installed: quicker than a build, and without bytecode,
so that it fits every runtime."""

from __future__ import annotations

import atexit
import functools
import importlib.util
import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ci_callback.deploy.bundle import Bundle
from ci_callback.scf_runner import Code, from_zip, read_only

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


@contextmanager
def unpacked(archive: Path) -> Iterator[Code]:
    """In place of `from_zip`: the whole function is unpacked once per process, and its processes
    do not compile all of it at each start."""
    if archive.read_bytes() == whole_function().code:
        yield unpacked_function()
    else:
        with from_zip(archive) as code:
            yield code


@functools.cache
def unpacked_function() -> Code:
    """The same files in a folder, with the bytecode that is beside them here."""
    stack = ExitStack()
    atexit.register(stack.close)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    for file, name in files():
        copied = folder / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copied)  # with its time, so that the bytecode stays valid
        compiled = Path(importlib.util.cache_from_source(str(file)))
        if file.suffix == ".py" and compiled.is_file():
            (copied.parent / compiled.parent.name).mkdir(exist_ok=True)
            shutil.copy2(compiled, copied.parent / compiled.parent.name)
    return stack.enter_context(read_only(folder))


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
