"""The zip, looked at before it is sent."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from ci_callback.deploy import bundle
from ci_callback.deploy.errors import DeployError

ENTRY = {"index.py": "x = 1"}


def zipped(path: Path, files: Mapping[str, str]) -> Path:
    """A zip of texts."""
    with zipfile.ZipFile(path / "function.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path / "function.zip"


def fault(path: Path, runtime: str = "Python3.10", source: Path | None = None) -> str:
    """Why it is not sent."""
    with pytest.raises(DeployError, match="make bundle") as raised:
        bundle.read(path, runtime, source)
    return raised.value.what


def test_a_bundle_that_fits_has_the_hash_of_its_bytes(tmp_path: Path) -> None:
    """And is small enough for a request."""
    files = {**ENTRY, "handler/__pycache__/app.cpython-310.pyc": ""}
    read = bundle.read(zipped(tmp_path, files), "Python3.10", None)
    assert len(read.sha256) == 64
    assert read.is_inline
    assert read.sha256 in read.shown
    assert "PK" not in repr(read)


def test_a_bundle_that_is_missing_broken_or_of_something_else(tmp_path: Path) -> None:
    """What to run is said each time."""
    assert "there is no bundle" in fault(tmp_path / "function.zip")
    (tmp_path / "function.zip").write_text("no zip")
    assert "can't be read as a zip" in fault(tmp_path / "function.zip")
    assert "index.py is not at its root" in fault(zipped(tmp_path, {"a/index.py": ""}))


def test_a_bundle_that_is_compiled_for_another_runtime(tmp_path: Path) -> None:
    """Each cold start would compile it again."""
    files = {**ENTRY, "handler/__pycache__/app.cpython-312.pyc": ""}
    words = fault(zipped(tmp_path, files))
    assert "compiled for Python3.12, and the runtime is Python3.10" in words


def test_a_bundle_of_yesterdays_code(tmp_path: Path) -> None:
    """What is deployed is what stands in handler/."""
    handler = tmp_path / "handler"
    handler.mkdir()
    (tmp_path / "index.py").write_text("x = 1")
    (handler / "app.py").write_text("y = 2")
    path = zipped(tmp_path, {**ENTRY, "handler/app.py": "y = 1"})
    assert "today's handler/app.py" in fault(path, source=tmp_path)
    path = zipped(tmp_path, {**ENTRY, "handler/app.py": "y = 2"})
    assert bundle.read(path, "Python3.10", tmp_path)
    path = zipped(tmp_path, ENTRY)
    assert "today's handler/app.py" in fault(path, source=tmp_path)


def test_a_bundle_that_unpacks_to_more_than_scf_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 MB, layers included; here less."""
    monkeypatch.setattr(bundle, "MAX_UNPACKED_BYTES", 4)
    assert "too large" in fault(zipped(tmp_path, ENTRY))
