"""The fate of failed jobs: tried again or not, and how that ended. Pure.

A family is a job and its re-submissions, by the root of their lineage. A family counts once
one of its jobs failed, or is a re-submission.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from handler.callback.record import JobRecord
from handler.ledger.attempts import State

Fate: TypeAlias = Literal[
    "recovered", "gave_up", "refused", "held", "pending", "other", "waiting", "not_retried"
]

RETRIED: tuple[Fate, ...] = ("recovered", "pending", "other", "held", "refused", "gave_up")
"""What may become of a family that was tried again, from good to bad.

recovered: an attempt succeeded. pending: an attempt is on its way, or the next is due. other:
the last ended partial or cancelled. held: whether CI took it is unknown, and a person was
asked. refused: CI would not take it. gave_up: the last failed too, and none follows.
"""


class Last(NamedTuple):
    """The newest end of a family that has a record."""

    attempt: int
    outcome: str


class Noted(NamedTuple):
    """The newest re-submission that is noted of a family; outcome: of its record, None without."""

    attempt: int
    state: State
    outcome: str | None


@dataclass(frozen=True)
class Retries:
    """Families by what became of them.

    failed = retried + waiting + not_retried. waiting: the first retry is due. not_retried: a
    person was alerted instead. fates: of those retried. recovered_at: by number of the attempt
    that succeeded, from 2.
    """

    failed: int
    retried: int
    waiting: int
    not_retried: int
    fates: Mapping[str, int]
    recovered_at: Mapping[int, int]


@dataclass
class Families:
    """Takes note of each family as records pass; some 200 bytes each."""

    _last: dict[str, Last] = field(default_factory=dict)

    def take(self, record: JobRecord) -> None:
        """Note a job that failed or is a re-submission."""
        root, attempt = record.lineage.root_job_id, record.lineage.attempt
        if record.kind == "job" and (record.outcome == "failed" or attempt > 1):
            self.note(root, attempt, record.outcome)

    def note(self, root: str, attempt: int, outcome: str) -> None:
        """Note the end of an attempt."""
        if attempt > self._last.get(root, Last(0, "")).attempt:
            self._last[root] = Last(attempt, outcome)

    def open(self) -> Iterator[str]:
        """The roots of families whose records do not hold the end."""
        return (root for root, last in self._last.items() if last.outcome == "failed")

    def retries(self, noted: Mapping[str, Noted], due: Mapping[str, int]) -> Retries:
        """Sum up. noted: of open families, where anything is. due: roots of retry tickets, and
        the newest attempt that such a ticket is about."""
        ends = list(self._ends(noted, due).values())
        fates = Counter(fate for fate, _ in ends)
        return Retries(
            failed=len(ends),
            retried=sum(fates[fate] for fate in RETRIED),
            waiting=fates["waiting"],
            not_retried=fates["not_retried"],
            fates={fate: fates[fate] for fate in RETRIED},
            recovered_at=_sorted(attempt for fate, attempt in ends if fate == "recovered"),
        )

    def fates(self, noted: Mapping[str, Noted], due: Mapping[str, int]) -> dict[str, Fate]:
        """The fate of each family, by its root."""
        return {root: fate for root, (fate, _) in self._ends(noted, due).items()}

    def _ends(
        self, noted: Mapping[str, Noted], due: Mapping[str, int]
    ) -> dict[str, tuple[Fate, int]]:
        return {
            root: _fate(last, noted.get(root), due.get(root, 0))
            for root, last in self._last.items()
        }


def _sorted(attempts: Iterable[int]) -> dict[int, int]:
    return dict(sorted(Counter(attempts).items()))


def _fate(last: Last, noted: Noted | None, due: int) -> tuple[Fate, int]:
    """The fate of a family, and the attempt that decided it."""
    if noted is not None and noted.attempt > last.attempt:
        if noted.outcome is None:
            return _without_record(noted, due >= last.attempt), noted.attempt
        last = Last(noted.attempt, noted.outcome)
    if last.outcome == "succeeded":
        return "recovered", last.attempt
    if last.outcome != "failed":
        return "other", last.attempt
    if last.attempt == 1:
        return ("waiting" if due else "not_retried"), 1
    return ("pending" if due >= last.attempt else "gave_up"), last.attempt


def _without_record(noted: Noted, is_due: bool) -> Fate:
    if noted.state == "refused":
        return "refused"
    return "pending" if noted.state == "submitted" or is_due else "held"
