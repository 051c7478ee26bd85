"""What the commands' tests share."""

from __future__ import annotations

import pytest

from handler.ci_api import client
from handler.ledger import cos


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command passes no clock to its clients: they repeat a request at once."""
    monkeypatch.setattr(cos, "BACKOFF_S", tuple(0.0 for _ in cos.BACKOFF_S))
    monkeypatch.setattr(client, "PAUSE_S", 0.0)
