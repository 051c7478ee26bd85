"""`python -m ci_callback cost`: what a month uses, and that its figures match the function."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ci_callback import cost_model
from ci_callback.commands import cost
from handler.ledger.store import Store
from tests.world import World

app = typer.Typer()
app.command()(cost.cost)


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")


def run(*arguments: str) -> tuple[int, str]:
    """Exit status, and what was printed on either stream."""
    result = CliRunner().invoke(app, [*arguments])
    return result.exit_code, result.output


def as_json(*arguments: str) -> dict[str, Any]:
    """What --json gives."""
    status, out = run("--json", *arguments)
    assert status == 0, out
    printed: dict[str, Any] = json.loads(out)
    return printed


def sets(**values: object) -> tuple[str, ...]:
    """--set of each."""
    return tuple(f"--set={name.replace('_', '-')}={value}" for name, value in values.items())


NO_TIMERS = sets(sweeps=0, reconciles=0, forwards=0)
QUIET = (*NO_TIMERS, "--failed", "0%")


def test_a_million_callbacks_that_all_succeed_are_a_million_requests() -> None:
    """Without sweeps nothing else is asked of COS."""
    used = as_json("--callbacks", "1e6", *QUIET)["use"]
    assert used["invocations"] == used["cos_requests"] == 1_000_000


def test_gb_seconds_are_memory_times_time() -> None:
    """As SCF counts them (583/12284): 256 MB for 20 ms are 0.005 GB-seconds."""
    used = as_json("--callbacks", "1000", *sets(memory_mb=256, callback_ms=20), *QUIET)["use"]
    assert used["gb_seconds"] == pytest.approx(1000 * 0.005)


def test_a_month_without_callbacks_is_its_timers() -> None:
    """A sweep and a run of `forward` each minute, a reconciliation each half hour. A sweep lists
    once, a reconciliation twice, and `forward` without FORWARD_URLS asks nothing."""
    used = as_json("--callbacks", "0")["use"]
    assert used["invocations"] == 43_200 + 43_200 + 1_440
    assert used["cos_requests"] == 43_200 + 2 * 1_440
    assert used["stored_gb"] == 0


def test_a_failure_is_more_requests_and_more_time_than_a_success() -> None:
    """Its ticket, its sweeps, and its second callback."""
    base = ("--callbacks", "1000", *NO_TIMERS, "--failed")
    none, all_of_them = (as_json(*base, share)["use"] for share in ("0%", "100%"))
    assert none["cos_requests"] == 1000
    assert all_of_them["cos_requests"] == 1000 * (2 + 3 + cost_model.FOLLOW_UP_REQUESTS)
    assert all_of_them["gb_seconds"] > 10 * none["gb_seconds"]
    assert all_of_them["invocations"] == 2000


def test_a_sweep_is_active_once_however_many_failures_it_finds() -> None:
    """So the wait for the lease is paid for at most once a sweep."""
    few, many = (
        as_json("--callbacks", count, "--failed", "100%", *sets(sweeps=10, reconciles=0))
        for count in ("4", "1000")
    )
    difference = many["use"]["cos_requests"] - few["use"]["cos_requests"]
    assert difference == 996 * (2 + 3 + cost_model.FOLLOW_UP_REQUESTS)


def test_records_that_stay_longer_take_more_room() -> None:
    """In a steady state: what a month brings, times the months that it stays."""
    month, year = (
        as_json(*sets(retention_days=days), *QUIET)["use"]["stored_gb"] for days in ("30", "360")
    )
    assert month == pytest.approx(2.0)
    assert year == pytest.approx(12 * month)


def test_published_prices_make_a_total() -> None:
    """In USD; one that is given goes before the published one."""
    printed = as_json("--callbacks", "1e6", *sets(price_gb_second=0.00002), *QUIET)
    assert printed["currency"] == "USD"
    assert printed["cost"]["cos_requests"] == pytest.approx(0.2)
    assert printed["cost"]["gb_seconds"] == pytest.approx(printed["use"]["gb_seconds"] * 0.00002)
    assert printed["total"] == pytest.approx(sum(printed["cost"].values()))


def test_in_another_currency_only_given_prices_count() -> None:
    """Published ones are in USD; the table says which are missing."""
    arguments = ("--callbacks", "1e6", *sets(currency="CNY", price_cos_requests_10k=0.01), *QUIET)
    printed = as_json(*arguments)
    assert printed["cost"]["gb_seconds"] is None
    assert printed["total"] == printed["cost"]["cos_requests"] == pytest.approx(1.0)
    status, out = run(*arguments)
    assert status == 0
    assert "cost in CNY" in out
    assert "for want of a price: invocations, GB-seconds, GB stored in COS, GB outbound" in out


def test_a_table_is_for_people() -> None:
    """The issue's own command."""
    status, out = run("--callbacks", "1e6", "--failed", "2%")
    assert status == 0
    assert "1,000,000 callbacks per month, 2.0% failed" in out
    assert "GB-seconds" in out
    assert [line.split()[-1] for line in out.splitlines() if line.startswith("total")] == ["2.17"]


def test_there_are_five_options() -> None:
    """And --help."""
    command: Any = typer.main.get_command(app)
    options = {parameter.opts[0] for parameter in command.params}
    assert options - {"--install-completion", "--show-completion"} == {
        *("--callbacks", "--failed", "--destinations", "--set", "--json")
    }


def test_events_are_requests_runs_and_traffic() -> None:
    """One for each end of a job: as it is stored, and as it is sent (docs/performance.md)."""
    base = ("--callbacks", "1000", "--failed", "100%", *sets(sweeps=0, reconciles=0))
    none, two = (as_json(*base, "--destinations", count)["use"] for count in ("0", "2"))
    ends = 2000
    assert two["invocations"] == none["invocations"]  # the timer runs in any case
    assert two["cos_requests"] - none["cos_requests"] == pytest.approx(
        ends * cost_model.EVENT_REQUESTS + cost_model.FORWARDS * cost_model.FORWARD_REQUESTS
    )
    assert two["stored_gb"] - none["stored_gb"] == pytest.approx(ends * 2_000 / 1e9)
    waited = ends * cost_model.LEASE_WAIT_MS / 1000 * 0.25
    assert two["gb_seconds"] - none["gb_seconds"] > waited
    more = as_json(*base, "--destinations", "3")["use"]["egress_gb"] - two["egress_gb"]
    assert more == pytest.approx(ends * 2_800 / 1e9)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--callbacks", "many"),
        ("--callbacks", "1.5"),
        ("--callbacks", "-1"),
        ("--callbacks", "nan"),
        ("--callbacks", "inf"),
        ("--failed", "102%"),
        ("--failed", "-2%"),
        ("--failed", "often"),
        ("--destinations", "-1"),
        ("--set", "memory"),
        ("--set", "memory=1"),
        ("--set", "memory-mb=much"),
        ("--set", "price-gb-second=-1"),
        ("--set", "price-gb-second=nan"),
        ("--set", "currency=Euros"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    """Exit status 2."""
    assert run(*arguments)[0] == 2


@pytest.mark.parametrize(("text", "value"), [("2%", 0.02), ("0.02", 0.02), ("100%", 1.0)])
def test_shares_are_read(text: str, value: float) -> None:
    """With a per cent sign or without."""
    assert cost.share(text) == pytest.approx(value)


class Counting:
    """A store that counts its requests."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.count = 0

    def put_new(self, key: str, data: bytes) -> bool:
        self.count += 1
        return self._inner.put_new(key, data)

    def put(self, key: str, data: bytes) -> None:
        self.count += 1
        self._inner.put(key, data)

    def get(self, key: str) -> bytes | None:
        self.count += 1
        return self._inner.get(key)

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        self.count += 1
        return self._inner.list(prefix, stop, after)

    def folders(self, prefix: str) -> Sequence[str]:
        self.count += 1
        return self._inner.folders(prefix)

    def delete(self, key: str) -> None:
        self.count += 1
        self._inner.delete(key)

    def delete_many(self, names: Sequence[str]) -> None:
        self.count += 1
        self._inner.delete_many(names)


def _follow_up(folder: Path, failures: int) -> int:
    """Requests of sweeps, beyond idle ones, for so many failed jobs that then recover."""
    with World(folder) as world:
        store = Counting(world.store)
        jobs = [world.submit(UserData=f"u{number}") for number in range(failures)]
        for job in jobs:
            world.fail(job)
            world.deliver(job)
        asked, seen = 0, set(jobs)
        for step in (60.0, 60.0, 60.0, 60.0, 21_600.0, 60.0, 60.0):  # the watch is six hours later
            world.now += step
            store.count = 0
            world.sweep(store)
            asked += store.count - cost_model.REQUESTS["idle_sweep"] - cost_model.WAITING_REQUESTS
            for job in [
                submission.job_id
                for submission in world.ci.accepted
                if submission.job_id not in seen
            ]:
                seen.add(job)
                world.succeed(job)
                world.deliver(job)
        return asked


def test_the_requests_of_follow_ups_are_those_that_sweeps_make(tmp_path: Path) -> None:
    """A failed job that is submitted again, recovers and is told of: played, and counted."""
    alone, five = (_follow_up(tmp_path / str(count), count) for count in (1, 5))
    assert (five - alone) / 4 == pytest.approx(cost_model.FOLLOW_UP_REQUESTS, abs=0.5)
    each = cost_model.ACTIVE_SWEEPS_FOR_A_FAILURE * cost_model.ACTIVE_SWEEP_REQUESTS
    assert alone == pytest.approx(cost_model.FOLLOW_UP_REQUESTS + each, abs=2)
