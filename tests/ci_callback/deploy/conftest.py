"""What the tests of deploy share."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ci_callback.devserver.local_cloud import LocalCloud
from tests.ci_callback.deploy.clouds import local_cloud
from tests.ci_callback.deploy.world import World

READ_YAML = functools.cache(yaml.safe_load)


@pytest.fixture(autouse=True)
def _read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """serverless.yml takes as long to read as all else of a run; nothing changes the tree."""
    monkeypatch.setattr(yaml, "safe_load", READ_YAML)


@pytest.fixture
def world() -> Iterator[World]:
    """An empty account, and a bucket."""
    with World() as made:
        yield made


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    """An account of this test alone."""
    with local_cloud(tmp_path) as made:
        yield made
