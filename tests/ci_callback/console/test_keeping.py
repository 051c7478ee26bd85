"""The console's index is kept from one `serve` to the next, beside the copies of `query`."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from urllib.request import urlopen

import pytest

from ci_callback.commands.serve import COPIES
from ci_callback.console.context import EXTENSION, Keeping
from ci_callback.devserver.running import Options, running
from ci_callback.record_index.writing import Writer
from tests.ci_callback.console.test_console import Console, listed
from tests.records import keep, record


def test_a_second_start_reads_no_record_again(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But shows all of them."""
    keeping = Keeping(tmp_path / "copies", 60, 0)
    first = Console(env, keeping=keeping)
    keep(first.function.store, *(record(f"j{number}") for number in range(5)))
    assert len(listed(first.get())) == 5
    first.app.extensions[EXTENSION].index.index.close()
    read: list[Mapping[str, str]] = []
    monkeypatch.setattr(Writer, "read", lambda _, stamps: read.append(stamps))
    assert len(listed(Console(env, keeping=keeping).get())) == 5
    assert read == []


def test_each_ledger_has_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    """Named by the ledger, which is not in the name."""
    for name in ("one", "two"):
        env = {"LEDGER_URL": f"file:{tmp_path}/{name}", "LEASE_WAIT_S": "0"}
        options = Options(port=0, sweep_every_s=0, reconcile_every_s=0, cache=tmp_path / "cache")
        with running(env, options, io.StringIO()) as server, urlopen(server.console_url) as page:
            assert page.status == 200
    kept = sorted((tmp_path / "cache" / "console").glob("*.sqlite3"))
    assert len(kept) == 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)
    assert Path(".ci-callback") == COPIES
