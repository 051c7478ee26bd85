"""The proofs of the ledger beside its records: re-submissions, and the attempt of each job."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence

from ci_callback.ledger_checks import checked
from ci_callback.ledger_reader import noted_lineage
from handler.ledger.attempts import Attempt, Attempts
from handler.ledger.keys import ATTEMPTS, LINEAGE
from handler.ledger.store import Store

_ATTEMPT = re.compile(rf"{ATTEMPTS}([^/]+)/(\d{{2,3}})\.json")

FINAL_STATES = ("submitted", "refused")
"""Of an attempt: it stays so."""


def take(connection: sqlite3.Connection, store: Store) -> bool:
    """Take in what is new; whether anything was. May raise StoreError."""
    final = connection.execute(
        "SELECT root, number FROM attempts WHERE state IN (?, ?)", FINAL_STATES
    )
    known = {f"{ATTEMPTS}{root}/{number:02d}.json" for root, number in final}
    known |= {f"{LINEAGE}{name}.json" for (name,) in connection.execute("SELECT * FROM lineages")}
    listed = [*store.list(ATTEMPTS), *store.list(LINEAGE)]
    return note(connection, store, [key for key in listed if key not in known])


def note(connection: sqlite3.Connection, store: Store, keys: Sequence[str]) -> bool:
    """Take in those of some keys that are proofs."""
    attempts = [_attempt(store, key) for key in keys if key.startswith(ATTEMPTS)]
    lineages = [key for key in keys if key.startswith(LINEAGE) and key.endswith(".json")]
    connection.execute("BEGIN IMMEDIATE")
    before = connection.total_changes
    connection.executemany(
        "INSERT INTO attempts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
        "SET state = excluded.state, job_id = excluded.job_id "
        "WHERE (state, job_id) <> (excluded.state, excluded.job_id)",
        [attempt for attempt in attempts if attempt is not None],
    )
    _follow(connection, store, lineages)
    connection.execute("COMMIT")
    return connection.total_changes > before


def _attempt(store: Store, key: str) -> tuple[str, int, str, str] | None:
    named = _ATTEMPT.fullmatch(key)
    if named is None:
        return None
    try:
        attempt: Attempt | None = Attempts(store).at(key)
        if attempt is None:
            return None
        checked(attempt)
    except (ValueError, TypeError, RecursionError):
        return None
    return named[1], int(named[2]), attempt.state, attempt.job_id


def _follow(connection: sqlite3.Connection, store: Store, lineages: Iterable[str]) -> None:
    """Write root and attempt into the rows of jobs that claimed to be re-submissions."""
    for key in lineages:
        name = key.removeprefix(LINEAGE).removesuffix(".json")
        lineage = noted_lineage(store, key)
        if lineage is None:
            continue
        connection.execute("INSERT OR IGNORE INTO lineages VALUES (?)", (name,))
        connection.execute(
            "UPDATE records SET root = ?, attempt = ? WHERE name = ? AND may_follow",
            (lineage.root_job_id, min(lineage.attempt, 1_000_000), name),
        )
