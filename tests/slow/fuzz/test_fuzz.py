"""What fuzzing found stays found, the promises can be broken, and a short run breaks none."""

from __future__ import annotations

import itertools
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handler.callback import envelope, record
from handler.callback.lineage import Lineage
from handler.callback.payload import Limits, parse
from handler.ci_api import client
from handler.errors import PayloadError
from handler.ledger import keys
from handler.ledger.attempts import Attempt, Attempts
from handler.ledger.outbox import Outbox, Ticket
from handler.ledger.records import Ledger, StoreResult
from handler.log import Log
from handler.policy import Policy
from handler.retries import carry_out
from handler.triggers import http
from tests.slow.fuzz import blind, seeds, world
from tests.slow.fuzz.keep import MAX_BYTES, MAX_FILES
from tests.slow.fuzz.mutate import mutator
from tests.slow.fuzz.run import Budget, fuzz
from tests.slow.fuzz.target import TARGETS

EXECUTIONS = 2_500
"""Of a short run, for each target: some 15 s. A slow machine looks as far as a fast one."""
SECONDS = 300
"""The short run fails where it takes longer."""

HAS_ATHERIS = (
    sys.version_info >= (3, 11) and sys.platform == "linux" and platform.machine() == "x86_64"
)
"""As the markers of requirements/dev.in say: atheris is a compiled library."""


@pytest.mark.parametrize("target", TARGETS)
def test_no_seed_breaks_a_promise(target: str) -> None:
    """Every payload of the tests, in each way that it can be sent."""
    for data in seeds.seeds(target):
        TARGETS[target](data)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        pytest.param(target, path, id=f"{target}-{path.name[:12]}")
        for target in TARGETS
        for path in seeds.corpus(target)
    ],
)
def test_no_input_of_the_corpus_breaks_a_promise(target: str, path: Path) -> None:
    """What runs found, and what was once a bug, on every Python and without atheris."""
    TARGETS[target](path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_is_small_and_holds_nothing_twice(target: str) -> None:
    """A file is named by what it holds; what the payloads make is not kept beside them."""
    made = set(seeds.seeds(target))
    files = seeds.corpus(target)
    assert 0 < len(files) <= MAX_FILES
    for path in files:
        data = path.read_bytes()
        assert path.name == seeds.file_name(data)
        assert data not in made
        assert len(data) <= MAX_BYTES


@pytest.mark.parametrize("target", TARGETS)
def test_a_changed_input_is_mostly_still_well_formed(target: str) -> None:
    """The mutator reaches what lies behind the parsers; the same seed makes the same change."""
    mutate = mutator(target, lambda data, limit: data[:limit])
    plain = list(seeds.seeds(target))
    made = [mutate(data, 16_384, number) for number, data in enumerate(plain)]
    assert made == [mutate(data, 16_384, number) for number, data in enumerate(plain)]
    bodies = [data[mutate.head_chars :] for data in made]
    assert sum(is_well_formed(body) for body in bodies) > 0.9 * len(bodies)
    assert len(set(made) - set(plain)) > 0.5 * len(made)


@pytest.mark.sample
@pytest.mark.parametrize("target", TARGETS)
def test_a_hundred_changed_inputs_break_no_promise(target: str) -> None:
    """What the mutator makes of the payloads, without the guidance of coverage."""
    mutate = mutator(target, lambda data, limit: data[:limit])
    plain = list(seeds.seeds(target))
    for number in range(100):
        TARGETS[target](mutate(plain[number * len(plain) // 100], 16_384, number))


REACHED = (
    *("retry submitted", "retry deferred", "retry refused", "retry held", "retry unmarked"),
    *("retry unknown", "retry mismatch", "watch done", "watch kept", "watch deferred"),
    *("watch unknown", "verify kept", "verify deferred", "verify dead_letter"),
    *("alert recovered", "alert gave-up", "alert failed", "alert refused", "alert held"),
)
"""Action, and what became of it: its status, or the kind of the alert; and what was alerted."""


def test_the_target_of_events_reaches_each_end_of_a_retry() -> None:
    """By the seeds only: a fuzzer that starts there goes on from each."""
    before = world.COUNT.copy()
    for data in seeds.failures():
        TARGETS["event"](data)
    reached = world.COUNT - before
    assert [what for what in REACHED if not reached[what]] == []
    assert reached["timer"] > reached["event"] > 0


@pytest.mark.sample
def test_a_blind_run_breaks_no_promise_and_submits_again(tmp_path: Path) -> None:
    """A thousandth of the run whose figures docs/testing.md has."""
    figures = blind.run(1_000, 1, tmp_path)
    assert figures.broken == ()
    assert figures.counts["event"] + figures.counts["timer"] >= 1_000
    assert figures.counts["retry submitted"] > 0


def test_a_blind_run_keeps_what_broke_a_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And goes on."""
    _show_secrets(monkeypatch)
    figures = blind.run(300, 1, tmp_path)
    assert figures.broken
    assert sorted(tmp_path.iterdir()) == sorted(set(figures.broken))


def is_well_formed(body: bytes) -> bool:
    """Whether it can be read as XML or as JSON."""
    try:
        parse(body, Limits())
    except PayloadError:
        return False
    return True


def breaks_a_promise(data: bytes) -> bool:
    """Whether the target of events finds fault with an input."""
    try:
        TARGETS["event"](data)
    except AssertionError:
        return True
    return False


def _break_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "name", lambda sent: sent)


def _keep_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Ledger, "put_record", lambda self, job: StoreResult("kept", keys.record(job))
    )


def _bury_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Ledger, "put_dead_letter", lambda self, dead_letter: keys.dead(dead_letter.sha256, "")
    )


def _bury_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count()
    monkeypatch.setattr(
        keys, "dead", lambda digest, at: f"_dead/dt=2026-09-21/{next(numbers):064x}.json"
    )


def _show_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "redact", lambda node: node)


def _let_everyone_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_authorise", lambda event, tokens: None)


def _raise(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(tree: Any) -> Any:
        raise KeyError("EventName")

    monkeypatch.setattr(envelope, "read", read)


def _lose_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Log, "last_resort", lambda self, body, reason, authenticated: None)


def _claim_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    put = Attempts.put

    def unclaimed(self: Attempts, lineage: Lineage, attempt: Attempt) -> None:
        if attempt.state != "submitting":
            put(self, lineage, attempt)

    monkeypatch.setattr(Attempts, "put", unclaimed)


def _prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Attempts, "note_lineage", lambda self, job_id, lineage: None)
    monkeypatch.setattr(Attempt, "names", lambda self, job_id: False)


def _mark_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Outbox, "_mark", lambda self, name: None)


def _never_give_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Policy, "of", lambda settings: Policy(99, 60, 3600))


def _try_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ticket, "later", lambda self, due, note, counts: self)


def _alert_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    put = Outbox.put

    def silent(self: Outbox, ticket: Ticket) -> None:
        if not ticket.action.startswith("alert."):
            put(self, ticket)

    monkeypatch.setattr(Outbox, "put", silent)


def _quote_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (client, carry_out):
        monkeypatch.setattr(module, "redact", lambda message, secrets: message)


@pytest.mark.parametrize(
    "harm",
    [
        _break_names,
        _keep_nothing,
        _bury_nothing,
        _bury_anew,
        _show_secrets,
        _let_everyone_in,
        _raise,
        _lose_bodies,
        _claim_nothing,
        _prove_nothing,
        _mark_nothing,
        _never_give_up,
        _try_for_ever,
        _alert_nobody,
        _quote_refusals,
    ],
)
def test_a_broken_promise_is_seen(
    harm: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target that can't fail finds nothing: each harm done to the function must show."""
    harm(monkeypatch)
    inputs = [*seeds.seeds("event"), *(path.read_bytes() for path in seeds.corpus("event"))]
    assert any(breaks_a_promise(data) for data in inputs)


@pytest.mark.skipif(
    not HAS_ATHERIS, reason="atheris has wheels for Python 3.11 and newer, on Linux on x86-64"
)
@pytest.mark.parametrize("target", TARGETS)
def test_a_short_run_breaks_no_promise(target: str, tmp_path: Path) -> None:
    """Guided by coverage, from the corpus on. What it finds is written out below."""
    figures = fuzz(target, Budget(SECONDS, EXECUTIONS, seed=1), tmp_path)
    inputs = {path.name: path.read_bytes() for path in figures.crashes}
    assert figures.status == 0, f"{figures}\n{figures.report}\n{inputs}"
    assert figures.executions >= EXECUTIONS > figures.seeds
    assert figures.edges > 500
