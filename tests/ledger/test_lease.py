"""lease.py: one sweep at a time, whatever lies below _sweep/ and however clocks differ."""

from __future__ import annotations

import zlib

import pytest

from handler.ledger.lease import CLOCK_SKEW_S, Lease, LeaseLostError
from tests.stores import MemoryStore

NOW = 1_790_000_000
LEASE_S = 120


class Clock:
    """A clock that moves where a lease waits."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def lease(store: MemoryStore, clock: Clock, writer: str = "b" * 16) -> Lease:
    """A lease that is not yet acquired."""
    return Lease(store, clock, clock.sleep, writer, LEASE_S, 2, timer=clock)


@pytest.fixture
def store() -> MemoryStore:
    """An empty store."""
    return MemoryStore()


def names(store: MemoryStore) -> list[str]:
    """What is below _sweep/."""
    return [key.removeprefix("_sweep/") for key in store.list("_sweep/")]


def test_lease_is_usable_for_less_than_it_is_respected(store: MemoryStore) -> None:
    """By as much as two clocks may differ."""
    clock = Clock()
    own = lease(store, clock)
    assert own.acquire()
    own.check(100)
    with pytest.raises(LeaseLostError):
        own.check(LEASE_S - CLOCK_SKEW_S - 2)
    clock.now = NOW + LEASE_S - CLOCK_SKEW_S
    with pytest.raises(LeaseLostError):
        own.check(0)
    assert not lease(store, Clock(clock.now + CLOCK_SKEW_S - 3), "c" * 16).acquire()


def test_clock_that_went_back_ends_it(store: MemoryStore) -> None:
    """Another sweep may be at work by now."""
    clock = Clock()
    own = lease(store, clock)
    assert own.acquire()
    clock.now -= 60
    with pytest.raises(LeaseLostError):
        own.check(1)


def test_abandoned_lease_lets_nothing_through_and_stays(store: MemoryStore) -> None:
    """A write that got no answer may still land."""
    own = lease(store, Clock())
    assert own.acquire()
    own.abandon()
    with pytest.raises(LeaseLostError, match="no answer"):
        own.check(0)
    assert len(names(store)) == 1


@pytest.mark.parametrize(
    "name", ["", ".DS_Store", "somebody", "123-x", "folder/", f"{NOW}-x/y", "held-x-y", "seen-1-x"]
)
def test_name_that_is_no_lease_is_passed_over(store: MemoryStore, name: str) -> None:
    """A console's folder marker must not stop all sweeps for good; nobody's file is deleted."""
    store.put(f"_sweep/{name}", b"")
    own = lease(store, Clock())
    assert own.acquire()
    own.release()
    assert names(store) == [name]


def test_young_lease_is_respected_and_an_old_one_deleted(store: MemoryStore) -> None:
    """By its age."""
    store.put(f"_sweep/{NOW:010d}-other", b"")
    clock = Clock(NOW + 60)
    assert not lease(store, clock).acquire()
    clock.now = NOW + LEASE_S
    assert lease(store, clock, "c" * 16).acquire()
    assert names(store) == [f"{NOW + LEASE_S:010d}-{'c' * 16}"]


@pytest.mark.parametrize("ahead_s", [CLOCK_SKEW_S + 3, 3600, 10**8])
def test_lease_from_the_future_is_respected_for_a_while_and_no_longer(
    store: MemoryStore, ahead_s: float
) -> None:
    """Its owner's clock is wrong, and it may be at work: LEASE_S from when it was first seen."""
    store.put(f"_sweep/{int(NOW + ahead_s):010d}-other", b"")
    clock = Clock()
    for passed in (0, 60, LEASE_S - 5):
        clock.now = NOW + passed
        assert not lease(store, clock, f"{passed:016x}").acquire()
    clock.now = NOW + LEASE_S + 15
    assert lease(store, clock).acquire()
    assert names(store) == [f"{int(clock.now - 2):010d}-{'b' * 16}"]


def test_sweep_with_a_clock_that_is_behind_disturbs_no_other(store: MemoryStore) -> None:
    """It sees every lease as one from the future, and must not make others take it for old."""
    behind = lease(store, Clock(NOW - 36_000), "0" * 16)
    owner = lease(store, Clock(), "a" * 16)
    assert owner.acquire()
    assert not behind.acquire()
    assert not lease(store, Clock(NOW + 30), "c" * 16).acquire()
    owner.check(60)


def test_two_that_begin_together_seldom_withdraw_both(store: MemoryStore) -> None:
    """Two timers at the same second would otherwise keep each other from working for good."""
    clock, other = Clock(), f"_sweep/{NOW:010d}-{'a' * 16}"
    store.put(other, b"")
    own, waits = lease(store, clock), []

    def sleep(seconds: float) -> None:
        clock.now += seconds
        waits.append(seconds)
        if len(waits) == 1:
            store.delete(other)  # it withdraws as well, too late for this one

    own.sleep = sleep
    listed = store.list
    store.list = lambda prefix, stop=None, after="": (  # type: ignore[method-assign]  # it lags
        iter([other]) if len(waits) == 1 else listed(prefix, stop, after)
    )
    assert own.acquire()
    assert [waits[0], waits[2]] == [2, 2]
    assert 0 < waits[1] < 6


def test_sweeps_that_withdraw_in_a_row_know_for_how_long(store: MemoryStore) -> None:
    """From the mark that the first one left; the next that acquires the lease deletes it."""
    clock = Clock()
    for minute in range(12):
        clock.now = NOW + 60 * minute
        store.put(f"_sweep/{int(clock.now) - 30:010d}-other", b"")
        held = lease(store, clock, f"{minute:016x}")
        assert not held.acquire()
        assert held.held_for_s == pytest.approx(60 * minute, abs=3)
        store.delete(f"_sweep/{NOW + 60 * minute - 30:010d}-other")
    assert len(names(store)) == 1
    clock.now += 60
    own = lease(store, clock)
    assert own.acquire()
    own.release()
    assert names(store) == []


def test_withdrawal_long_after_the_last_one_is_a_first_one(store: MemoryStore) -> None:
    """In between, sweeps had nothing to do."""
    clock = Clock()
    for day in range(2):
        clock.now = NOW + 86_400 * day
        store.put(f"_sweep/{int(clock.now) - 30:010d}-other", b"")
        held = lease(store, clock, f"{day:016x}")
        assert not held.acquire()
        assert held.held_for_s == 0


def test_a_lease_lets_through_what_is_over_before_it_is_old(store: MemoryStore) -> None:
    """To the second, by its own clock; the error names both."""
    clock = Clock()
    own = lease(store, clock)
    assert own.acquire()
    clock.now = own.acquired_at + 50
    assert own.left() == LEASE_S - CLOCK_SKEW_S - 50
    own.check(own.left() - 0.5)
    with pytest.raises(LeaseLostError, match=r"^the lease is 50 s old, and 60 s are needed$"):
        own.check(own.left())
    clock.now = own.acquired_at
    own.check(1)


@pytest.mark.parametrize(
    ("age_s", "is_alone"),
    [(LEASE_S + 1, True), (LEASE_S, True), (LEASE_S - 1, False), (-CLOCK_SKEW_S, False)],
)
def test_a_lease_is_old_at_its_very_age(store: MemoryStore, age_s: float, is_alone: bool) -> None:
    """Of the moment at which it is looked at, two seconds after the own one was put."""
    store.put(f"_sweep/{int(NOW + 2 - age_s):010d}-other", b"")
    assert lease(store, Clock()).acquire() is is_alone


@pytest.mark.parametrize(("began_s", "tries"), [(-60, 1), (-5, 1), (-4, 2), (0, 2), (5, 2)])
def test_only_where_both_began_together_it_is_tried_once_more(
    store: MemoryStore, began_s: int, tries: int
) -> None:
    """After a part of six seconds that hangs on the writer."""
    store.put(f"_sweep/{NOW + began_s:010d}-other", b"")
    clock = Clock()
    waits: list[float] = []
    own = Lease(
        store, clock, lambda seconds: waits.append(seconds), "b" * 16, LEASE_S, 2, timer=clock
    )
    assert not own.acquire()
    expected = [2.0, 6 * zlib.crc32(b"b" * 16) / 2**32, 2.0]
    assert waits == expected[: 2 * tries - 1]


def test_what_a_sweep_puts_and_leaves_below_sweep(store: MemoryStore) -> None:
    """Its lease; where it withdraws, since when sweeps do, and since when a lease from the future
    is seen."""
    own = lease(store, Clock())
    assert own.acquire()
    assert names(store) == [f"{NOW:010d}-{'b' * 16}"]
    assert store.get(f"_sweep/{NOW:010d}-{'b' * 16}") == b"{}\n"
    own.release()
    future = f"{NOW + 3600:010d}-other"
    store.put(f"_sweep/{future}", b"")
    for _ in range(2):
        assert not lease(store, Clock()).acquire()
    seen = f"seen-{NOW + 2:010d}-{future}"
    first, held, last = names(store)
    assert (first, last) == (future, seen)
    assert held.startswith(f"held-{NOW + 2:010d}-")
