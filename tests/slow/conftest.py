"""Marks the long proofs, so that `make test` runs only their samples."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is slow, except where the test itself is marked as a sample."""
    for item in items:
        if FOLDER in item.path.parents and not item.get_closest_marker("sample"):
            item.add_marker("slow")
