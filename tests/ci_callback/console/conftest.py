"""A console that needs no socket."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ci_callback.console.test_console import Console


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A function with a ledger in a folder, and a CI that nobody answers for."""
    return {"LEDGER_URL": f"file:{tmp_path}/ledger", "LEASE_WAIT_S": "0"}


@pytest.fixture
def console(env: dict[str, str]) -> Console:
    """A console that is looked at without a stand-in for CI."""
    return Console(env)
