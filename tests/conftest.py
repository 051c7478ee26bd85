"""What tests share: the COS face, and a function that writes to it or to a folder."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from handler.app import Function
from handler.log import Log
from tests.fake_cos import FakeCos

# Messages are compared without colours, wherever the tests run: a CI that is known by these names
# asks for colours, and Typer's renderer looks at them once, when something is first printed in a
# process.
for asks_for_colours in ("FORCE_COLOR", "PY_COLORS", "CLICOLOR_FORCE", "GITHUB_ACTIONS"):
    os.environ.pop(asks_for_colours, None)
import_module("typer.rich_utils")

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")  # how fast an example runs is the machine's affair

PAYLOADS = Path(__file__).parent / "payloads"
NOW = 1_790_000_000.0  # 2026-09-21T14:13:20Z


class Invoked:
    """A function with an environment, a clock of its own, and a log to look at."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        self.now = NOW
        self.output = io.StringIO()

    def event(self, event: Any, **context: Any) -> Any:
        """Invoke with a whole event, a second after the last one."""
        self.now += 1
        log = Log(self.output, lambda: self.now)
        known = {"request_id": "request-1", "time_limit_in_ms": 55_000}
        return Function(self.env, lambda: self.now, log).handle(event, {**known, **context})

    def post(self, body: Any, **event: Any) -> tuple[int, Any]:
        """POST a body as a function URL would; status and decoded answer."""
        if isinstance(body, bytes):
            body = body.decode("utf-8")
        answer = self.event(
            {"httpMethod": "POST", "path": "/", "headers": {}, "body": body} | event
        )
        return answer["statusCode"], json.loads(answer["body"])

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [json.loads(line) for line in self.output.getvalue().splitlines()]


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are compared as they are in English, whatever the locale of the machine."""
    monkeypatch.setenv("CI_CALLBACK_LANG", "en")


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """No message breaks where a path, or the terminal of whoever runs the tests, wants it to."""
    monkeypatch.setenv("COLUMNS", "1000")


@pytest.fixture(scope="session")
def _cos_server() -> Iterator[FakeCos]:
    with FakeCos() as face:
        yield face


@pytest.fixture
def cos(_cos_server: FakeCos) -> FakeCos:
    """An empty COS on loopback."""
    _cos_server.reset()
    return _cos_server


@pytest.fixture
def on_cos(cos: FakeCos) -> Invoked:
    """A function whose ledger is on COS."""
    return Invoked(dict(cos.env))


@pytest.fixture
def on_disk(tmp_path: Path) -> Invoked:
    """A function whose ledger is a folder."""
    return Invoked({"LEDGER_URL": f"file:{tmp_path}/ledger"})


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """The folder of `on_disk`."""
    return tmp_path / "ledger"
