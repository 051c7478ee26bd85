"""tools/mutation_figures.py: the choice of mutants, the order of tests, the figures."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from tools.mutation_figures import Verdict, distance, interval, sample, table

NAMES = [f"handler.ledger.keys.x_name__mutmut_{number}" for number in range(200)]


def test_a_sample_is_the_same_for_a_seed_and_another_for_another() -> None:
    """In whatever order the names come."""
    chosen = sample(NAMES, 50, 1)
    assert len(set(chosen)) == 50
    assert chosen == sample(reversed(NAMES), 50, 1)
    assert set(chosen) != set(sample(NAMES, 50, 2))


def test_a_sample_stays_where_other_code_is_added() -> None:
    """What is new takes some places; nothing else moves."""
    chosen = sample(NAMES[:100], 100, 1)
    assert [name for name in sample(NAMES, 200, 1) if name in set(chosen)] == chosen


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("tests/ledger/test_keys.py::test_a_name", 0),
        ("tests/ledger/test_keys_of_old.py::test_a_name", 1),
        ("tests/ledger/test_outbox.py::test_a_name", 1),
        ("tests/retries/test_keys.py::test_a_name", 2),
    ],
)
def test_tests_of_the_module_come_first(test: str, expected: int) -> None:
    """Then those of its folder."""
    assert distance(PurePath("handler/ledger/keys.py"), test) == expected


@pytest.mark.parametrize(
    ("hits", "tries", "low", "high"),
    [(0, 0, 0.0, 1.0), (360, 400, 0.8667, 0.9257), (400, 400, 0.9905, 1.0)],
)
def test_the_interval_is_wilsons(hits: int, tries: int, low: float, high: float) -> None:
    """By the formula's own worked figures; all killed is not certainty."""
    assert interval(hits, tries) == pytest.approx((low, high), abs=5e-5)


def test_the_table_counts_what_was_judged_and_names_what_is_left() -> None:
    """A time-out counts as killed; a mutant that was not judged does not count."""
    verdicts = [
        Verdict("ledger/keys", "a", "killed"),
        Verdict("ledger/keys", "b", "timeout"),
        Verdict("ledger/keys", "c", "survived"),
        Verdict("ledger/lease", "d", "no tests"),
        Verdict("ledger/lease", "e", "not checked"),
    ]
    lines = table({"ledger/keys": 3, "ledger/lease": 2}, verdicts).splitlines()
    assert lines[2:4] == [
        "| ledger/keys | 3 | 3 | 1 | 1 | 1 |",
        "| ledger/lease | 2 | 1 | 0 | 0 | 1 |",
    ]
    assert lines[5].startswith("2 of 4 killed: 50.0%")
    assert lines[-2:] == ["no tests: d", "survived: c"]
