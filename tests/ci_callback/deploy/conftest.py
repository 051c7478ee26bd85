"""What the tests of deploy share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_callback.deploy import carry_out, patience, verify
from ci_callback.devserver.local_cloud import LocalCloud
from tests.ci_callback.deploy.world import World, bundle
from tests.ci_callback.deploy.zipped import whole_function


@pytest.fixture
def world() -> Iterator[World]:
    """An empty account, and a bucket."""
    with World() as made:
        yield made


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCloud]:
    """Tencent Cloud on this machine, for the command, which passes no clock. own.zip holds the
    function, empty.zip an entry file alone."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.zip").write_bytes(whole_function().code)
    (tmp_path / "empty.zip").write_bytes(bundle().code)
    monkeypatch.setattr(carry_out, "POLL_S", 0.0)
    monkeypatch.setattr(patience, "PAUSES_S", (0.0,) * 6)
    monkeypatch.setattr(verify, "SWEPT_POLL_S", 0.0)
    monkeypatch.setattr(verify, "REACHED_POLL_S", 0.0)
    with LocalCloud(tmp_path / "cloud") as made:
        yield made
