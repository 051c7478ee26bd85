"""What the tests of deploy share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ci_callback.deploy.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """An empty account, and a bucket."""
    with World() as made:
        yield made
