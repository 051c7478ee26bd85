"""What the commands' tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from handler.ci_api import client
from handler.ledger import cos


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command passes no clock to its clients: they repeat a request at once."""
    monkeypatch.setattr(cos, "BACKOFF_S", tuple(0.0 for _ in cos.BACKOFF_S))
    monkeypatch.setattr(client, "PAUSE_S", 0.0)


@pytest.fixture(autouse=True)
def _without_named_ledgers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever runs the tests may have named some."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
    monkeypatch.delenv("CI_CALLBACK_LEDGER_NAME", raising=False)
