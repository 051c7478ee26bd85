"""Rows of the console's pages over a ledger of ten days in a folder: how long each takes, as a
browser would ask for it, and how long it takes until all records are in the console's index."""

from __future__ import annotations

import http
import http.client
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from benchmarks.figures import Table
from benchmarks.made_up import day_of_records
from benchmarks.tool import DAYS, last_days, write
from ci_callback.devserver.running import Options, Running, running

TURNS = 5
POLL_S = 0.2
MAX_S = 1800.0

PAGES = {
    "list": ("the list", ""),
    "last": ("its last page", "?page=100000"),
    "search": ("a search that finds one", "?text={job}"),
    "common": ("a search that finds all", "?text=videos"),
    "failed": ("a filter by outcome", "?outcome=failed"),
    "longest": ("the longest runs", "?sort=longest"),
    "charts": ("charts of 30 days", "charts"),
    "charts_week": ("charts of 7 days", "charts?days=7"),
    "outbox": ("the outbox", "outbox"),
    "dead": ("dead letters", "dead"),
    "job": ("a job", "job?key={key}"),
}
"""Row → (its title, the page's address)."""


def measure(table: Table, records: int) -> None:
    """Make the ledger, start `serve`, and put a row for each page."""
    days = [day_of_records(name, records // DAYS) for name in last_days()]
    with tempfile.TemporaryDirectory(prefix="ci-callback-bench-") as scratch:
        root = Path(scratch) / "ledger"
        for day in days:
            write(root, day)
        env = {"LEDGER_URL": f"file:{root}", "LEASE_WAIT_S": "0"}
        options = Options(
            port=0, sweep_every_s=0, reconcile_every_s=0, cache=Path(scratch) / "cache"
        )
        newest = days[-1].key(days[-1].count // 2)
        title = f"{records:,} records, the console"
        with running(env, options, io.StringIO()) as server:
            table.put("pages.fill", f"{title}: until all are read", "s", ours=_filled(server))
            values = {"key": newest, "job": Path(newest).stem}
            for key, (what, address) in PAGES.items():
                seconds = _times(server, address.format(**values))
                table.put(f"pages.{key}", f"{title}: {what}", "ms", ours=1000 * median(seconds))
                first = 1000 * seconds[0]  # it finds nothing in memory
                table.put(f"pages.{key}.first", "the same, first time", "ms", ours=first)
        with running(env, options, io.StringIO()) as server:
            table.put("pages.restart", f"{title}: after a restart", "s", ours=_filled(server))


def _filled(server: Running) -> float:
    """Seconds until the list does not say any more that it is being read.

    Raises:
        RuntimeError: it takes too long.
    """
    begun = time.perf_counter()
    while time.perf_counter() - begun < MAX_S:
        if b"Reading the ledger" not in _page(server, ""):
            return time.perf_counter() - begun
        time.sleep(POLL_S)
    raise RuntimeError("the console's index is not filled")


def _times(server: Running, address: str) -> list[float]:
    """Seconds that a page takes, each time it is asked for."""
    return [_timed(lambda: _page(server, address)) for _ in range(TURNS)]


def _timed(do: Callable[[], object]) -> float:
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


def _page(server: Running, address: str) -> bytes:
    """A page, in English.

    Raises:
        RuntimeError: it is not there.
    """
    parts = urlsplit(server.console_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request("GET", f"{parts.path}{address}", headers={"Accept-Language": "en"})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise RuntimeError(f"{address}: {answer.status}")
    return body
