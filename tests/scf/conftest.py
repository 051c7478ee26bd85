"""Functions of a few lines, to see what the platform does with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from ci_callback.scf_runner import Limits, ScfRunner, read_only

Deploy: TypeAlias = "Callable[..., ScfRunner]"


@pytest.fixture
def deploy(tmp_path: Path) -> Iterator[Deploy]:
    """Runs a function whose main_handler has the given body; `event` and `context` are its
    arguments."""
    with ExitStack() as stack:

        def deploy(body: str, limits: Limits | None = None, **asked: Any) -> ScfRunner:
            folder = tmp_path / "code"
            folder.mkdir()
            lines = "".join(f"    {line}\n" for line in body.splitlines())
            text = f"import os, sys, time\ncalls = []\ndef main_handler(event, context):\n{lines}"
            (folder / "index.py").write_text(text)
            code = stack.enter_context(read_only(folder))
            runner = ScfRunner(code, {}, limits or Limits(), **asked)
            return stack.enter_context(runner)

        yield deploy
