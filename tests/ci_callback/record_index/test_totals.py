"""totals.py: the charts of the console show what a report of the same days shows."""

from __future__ import annotations

import random
from datetime import date

import pytest

from ci_callback.console.follow import retried
from ci_callback.record_index.totals import DayTotals, Totals, due_of
from ci_callback.report.figures import Figures
from ci_callback.report.gather import gather
from handler.callback.lineage import Lineage
from handler.ledger.attempts import Attempt, Attempts
from handler.ledger.keys import OUTBOX
from handler.ledger.outbox import Outbox, Ticket
from handler.ledger.records import Ledger
from tests.ci_callback.record_index.test_filler import index_of
from tests.records import keep, record
from tests.stores import MemoryStore

SINCE, UNTIL = date(2026, 9, 2), date(2026, 9, 20)
OUTCOMES = {"succeeded": "Success", "failed": "Failed", "cancelled": "Cancel", "partial": "Success"}


def made_up(seed: int) -> MemoryStore:
    """A ledger with jobs of each kind, re-submissions in each state, and what is no record."""
    chance = random.Random(seed)
    store = MemoryStore()
    attempts = Attempts(store)
    for number in range(120):
        outcome = chance.choice(["failed", *OUTCOMES])
        fields = {
            "tag": chance.choice(["Transcode", "Concat", None]),
            "outcome": outcome,
            "state": OUTCOMES[outcome],
            "code": chance.choice(["NoSuchKey", "", "InternalError"]),
            "run_s": chance.choice([None, float(number), 3.25 * number]),
            "wait_s": chance.choice([None, 1, 2.5]),
            "result": {"media": {"format": {"size_bytes": number, "duration_s": 2}}},
        }
        day = f"2026-09-{chance.randrange(1, 23):02d}"
        made = record(f"j{number:03d}", day, **fields)
        if number % 10 == 0:
            made = made._replace(created_at=None)
        keep(store, made)
        if outcome == "failed":
            retry(chance, attempts, store, made.job_id, day)
    keep(store, record("w1", kind="workflow", tag=None), record("s1", kind="review", tag=None))
    store.put("jobs/dt=2026-09-10/odd.json", b"{}")
    return store


def retry(
    chance: random.Random, attempts: Attempts, store: MemoryStore, root: str, day: str
) -> None:
    """Something that may become of a failure."""
    fate = chance.randrange(5)
    lineage = Lineage(root, 2)
    if fate == 0:
        Outbox(Ledger(store)).put(Ticket("retry", root, "failed", 2_000_000_000, record(root)))
    elif fate == 1:
        attempts.put(lineage, Attempt("refused", 1.0, "w"))
    elif fate == 2:
        attempts.put(lineage, Attempt("submitting", 1.0, "w"))
    elif fate == 3:
        again = record(
            f"{root}b", day, retry={"root_job_id": root, "attempt": 2}, outcome="succeeded"
        )
        keep(store, again)
        state = Attempt("submitted", 1.0, "w", job_id=again.job_id, created_at=again.created_at)
        attempts.put(lineage, state)


def drawn(store: MemoryStore, memo: dict[str, DayTotals]) -> Figures:
    """The figures by the index."""
    index = index_of(store)
    index.refresh()
    tickets = [key.removeprefix(OUTBOX) for key in store.list(OUTBOX)]
    with index.file.open() as connection:
        due = due_of(connection, retried(tickets))
        return Totals(connection, SINCE, UNTIL, memo).figures(due)


@pytest.mark.parametrize("seed", range(6))
def test_the_index_gives_what_the_ledger_gives(seed: int) -> None:
    """To the last figure; and so after a day has changed, of which amounts are kept."""
    store = made_up(seed)
    memo: dict[str, DayTotals] = {}
    assert drawn(store, memo) == gather(store, SINCE, UNTIL)
    keep(store, record("jnew", "2026-09-12", run_s=1_000, outcome="failed"))
    assert drawn(store, memo) == gather(store, SINCE, UNTIL)


def test_the_newest_record_written_again_changes_the_figures() -> None:
    """As many rows as before, and the same one is the last: its number must be another."""
    store = MemoryStore()
    made = record("j1", "2026-09-12", run_s=5)
    (key,) = keep(store, made)
    index = index_of(store)
    index.refresh()
    memo: dict[str, DayTotals] = {}
    with index.file.open() as connection:
        totals = Totals(connection, SINCE, UNTIL, memo)
        assert totals.figures({}) == gather(store, SINCE, UNTIL)
        store.put(key, made._replace(outcome="failed", run_s=7).to_json())
        index.note([key])
        assert totals.figures({}) == gather(store, SINCE, UNTIL)


def test_an_empty_ledger_has_empty_figures() -> None:
    """As for a report."""
    store = MemoryStore()
    assert drawn(store, {}).is_empty
    assert drawn(store, {}) == gather(store, SINCE, UNTIL)


def test_fates_are_told_by_root() -> None:
    """So that a mark of the chart leads to its records."""
    store = made_up(1)
    index = index_of(store)
    index.refresh()
    with index.file.open() as connection:
        totals = Totals(connection, SINCE, UNTIL, {})
        fates = totals.fates({})
        figures = totals.figures({})
    assert len(fates) == figures.retries.failed
    assert list(fates.values()).count("refused") == figures.retries.fates["refused"] > 0
