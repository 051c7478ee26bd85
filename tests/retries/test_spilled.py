"""spilled.py: sweeps take the spill in, in bounds, and delete nothing that the ledger has not."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ci_callback.ledger_checks import checked
from handler.app import Function
from handler.callback.record import JobRecord
from handler.errors import StoreError
from handler.http_client import Answer
from handler.ingest import spill
from handler.ingest.received import ReceivedCallback
from handler.ledger.store import Store
from handler.log import Log
from handler.retries import spilled
from handler.run import Run
from handler.settings import Settings
from handler.stores import open_spill, open_store
from tests.conftest import NOW
from tests.stores import MemoryStore, QuickWorld, SimulatedCrash, Trouble, Wrapped

AT = "2026-09-21T14:13:%02dZ"
TICK = {"Type": "Timer", "TriggerName": "sweep", "Message": "sweep"}


def callback(number: int, size: int = 0) -> ReceivedCallback:
    """A callback of a job of its own."""
    job = {"JobId": f"j{number:04d}", "State": "Success", "Text": "x" * size}
    body = json.dumps({"JobsDetail": job}).encode()
    return ReceivedCallback(body, "http", AT % (number % 60), f"r{number}")


class Machine:
    """A function whose ledger and spill are given, on a timer that the test moves."""

    def __init__(self, ledger: Store, spill_store: Store) -> None:
        self.ledger, self.spill = ledger, spill_store
        self.output = io.StringIO()
        self.passed_s = 0.0

    @property
    def function(self) -> Function:
        return Function(
            {"LEDGER_URL": "file:nowhere", "SPILL_URL": "file:elsewhere"},
            lambda: NOW,
            Log(self.output, lambda: NOW),
            lambda seconds: None,
            lambda settings, time_left: self.ledger,
            open_spill=lambda settings, time_left: self.spill,
            timer=lambda: self.passed_s,
        )

    def sweep(self, limit_s: float = 55.0) -> dict[str, Any]:
        """The timer ticks; the last line about the spill, empty where there is none."""
        self.output.truncate(0)
        self.output.seek(0)
        context = {"time_limit_in_ms": limit_s * 1000}
        assert self.function.handle(TICK, context) == {"status": "done"}
        lines = [json.loads(line) for line in self.output.getvalue().splitlines()]
        assert lines[-1]["event"] == "sweep"
        runs: list[dict[str, Any]] = [line for line in lines if line["event"] == "spilled"]
        return runs[-1] if runs else {}


@pytest.fixture
def machine() -> Machine:
    return Machine(MemoryStore(), MemoryStore())


def fill(store: Store, count: int, size: int = 0) -> None:
    for number in range(count):
        spill.put(store, callback(number, size))


def jobs(store: Store) -> int:
    return len(list(store.list("jobs/")))


def left(store: Store) -> int:
    return len(list(store.list("_spill/")))


def test_nothing_is_deleted_while_the_ledger_does_not_accept_it(machine: Machine) -> None:
    """One object is tried, and the rest waits."""
    fill(machine.spill, 100)
    trouble = Trouble(lambda number, what: "lost before")
    memory, machine.ledger = machine.ledger, trouble.store(machine.ledger)
    line = machine.sweep()
    assert (line["level"], line["status"], line["done"]) == ("ERROR", "aborted", 0)
    assert "COS" in line["reason"]
    assert len([what for what in trouble.asked if what.startswith("put_new")]) == 1
    assert (jobs(memory), left(machine.spill)) == (0, 100)


@pytest.mark.parametrize("number", range(1, 31))
@pytest.mark.parametrize("how", ["lost before", "lost after", "dies before", "dies after"])
def test_a_failure_or_a_crash_anywhere_loses_nothing(
    number: int, how: Any, machine: Machine
) -> None:
    """Of the spill or of the ledger: what is deleted in the one is in the other."""
    fill(machine.spill, 5)
    trouble = Trouble(lambda asked, what: how if asked == number else "fine")
    ledger, store = machine.ledger, machine.spill
    machine.ledger, machine.spill = trouble.store(ledger), trouble.store(store)
    with contextlib.suppress(SimulatedCrash):
        machine.sweep()
    kept = {key.rpartition("/")[2] for key in ledger.list("jobs/")}
    waiting = {spill.read(store.get(key) or b"").body for key in store.list("_spill/")}
    for index in range(5):
        assert f"j{index:04d}.json" in kept or callback(index).body in waiting
    machine.ledger, machine.spill = ledger, store
    machine.sweep()
    assert (jobs(ledger), left(store)) == (5, 0)


def test_a_spill_that_is_away_keeps_no_alert_and_no_retry_waiting(machine: Machine) -> None:
    """The line of the sweep is there all the same, as in each test here."""
    machine.spill = Trouble(lambda number, what: "lost before").store(machine.spill)
    line = machine.sweep()
    assert (line["status"], line["done"]) == ("aborted", 0)


class Unreadable(Wrapped):
    """Does not give one of its objects."""

    def get(self, key: str) -> bytes | None:
        if key == next(iter(self.inner.list("_spill/"))):
            raise StoreError("get", key, "COS refused it", 403, "AccessDenied")
        return super().get(key)


def test_an_object_that_the_spill_does_not_give_holds_up_no_other(machine: Machine) -> None:
    """And is told at ERROR."""
    fill(machine.spill, 20)
    inner, machine.spill = machine.spill, Unreadable(machine.spill)
    line = machine.sweep()
    assert (line["level"], line["status"], line["failed"]) == ("ERROR", "failed", 1)
    assert (jobs(machine.ledger), left(inner)) == (19, 1)


@pytest.mark.parametrize("line", [b"", b"{}", b'{"schema": "spill/1"}', b"\xff\x00"])
def test_an_object_that_can_not_be_read_becomes_a_dead_letter(
    line: bytes, machine: Machine
) -> None:
    """Whole, and then it is gone from the spill."""
    key = f"_spill/20260921T141321-4-{'a' * 64}.json"
    machine.spill.put(key, line)
    assert machine.sweep()["done"] == 1
    (dead,) = machine.ledger.list("_dead/")
    letter = json.loads(machine.ledger.get(dead) or b"")
    assert (letter["reason"], letter["bytes"]) == ("spill_invalid", len(line))
    assert left(machine.spill) == 0


@pytest.mark.parametrize(
    "key", ["_spill/", "_spill/.DS_Store", "_spill/readme.txt", "_spill/x/y.json", "_spill/1-2-3"]
)
def test_keys_of_another_form_are_passed_over(key: str, machine: Machine) -> None:
    """A folder marker of the console among them: it is not ours to delete."""
    store = machine.spill
    assert isinstance(store, MemoryStore)
    store.put(key, b"")
    fill(store, 1)
    assert machine.sweep()["done"] == 1
    assert list(store.list("_spill/")) == [key]
    assert machine.sweep() == {}


def test_a_run_is_bounded_by_number(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left waits for the next sweep."""
    monkeypatch.setattr(spilled, "MAX_OBJECTS", 30)
    fill(machine.spill, 100)
    assert machine.sweep()["status"] == "in_progress"
    assert 30 <= jobs(machine.ledger) < 50
    for _ in range(3):
        line = machine.sweep()
    assert (line["status"], jobs(machine.ledger), left(machine.spill)) == ("done", 100, 0)


def test_a_run_is_bounded_by_bytes_and_one_large_body_is_taken_in_all_the_same(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a body above the bound would wait for ever."""
    monkeypatch.setattr(spilled, "MAX_BYTES", 50_000)
    fill(machine.spill, 5, size=60_000)
    for number in range(1, 6):
        assert machine.sweep()["done"] == 1
        assert jobs(machine.ledger) == number


class Measuring(Wrapped):
    """Notes how many bytes were read at one time, by objects that are not deleted yet."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.open: dict[str, int] = {}
        self.peak = 0

    def get(self, key: str) -> bytes | None:
        line = super().get(key)
        self.open[key] = len(line or b"")
        self.peak = max(self.peak, sum(self.open.values()))
        return line

    def delete(self, key: str) -> None:
        super().delete(key)
        self.open.pop(key)


def test_few_bytes_are_read_at_a_time(machine: Machine) -> None:
    """Sixteen bodies of 1 MB at once would cost sixteen times what one costs to parse."""
    fill(machine.spill, 12, size=700_000)
    machine.spill = Measuring(machine.spill)
    machine.sweep()
    assert jobs(machine.ledger) == 12
    assert machine.spill.peak < 2 * spilled.BATCH_BYTES


class Slow(Wrapped):
    """Each read takes a while."""

    def __init__(self, inner: Store, wait: Callable[[], None]) -> None:
        super().__init__(inner)
        self._wait = wait

    def get(self, key: str) -> bytes | None:
        self._wait()
        return super().get(key)


@pytest.mark.parametrize("limit_s", [10.0, 55.0, 900.0])
def test_half_of_the_time_is_left_to_alerts_and_retries(limit_s: float, machine: Machine) -> None:
    """However much there is in the spill."""
    fill(machine.spill, 2_000)

    def wait() -> None:
        machine.passed_s += 0.1

    inner, machine.spill = machine.spill, Slow(machine.spill, wait)
    assert machine.sweep(limit_s)["status"] == "in_progress"
    budget = min(limit_s, 58.0)
    assert budget / 2 <= machine.passed_s <= budget / 2 + 16 * 0.1 + 0.1
    assert jobs(machine.ledger) + left(inner) == 2_000


ODD = "\ud800 \U0001f600 \udfff"
ODDLY_SPILLED = (
    {"request_id": ODD},
    {"trigger": ODD},
    {"headers": {ODD: ODD, "user-agent": ODD}},
    {"request_id": "r" * 1_000_000, "trigger": "t" * 1_000_000},
    {"received_at": "2026-09-21T22:13:20+0800"},
)


@pytest.mark.parametrize("fields", ODDLY_SPILLED, ids=lambda fields: "-".join(fields))
@pytest.mark.parametrize("state", ["Success", "Failed", "Running", "odd"])
@pytest.mark.parametrize("body", ["%s", "<a>%s"], ids=["job", "dead letter"])
def test_an_object_of_the_spill_with_odd_fields_is_taken_in(
    machine: Machine, fields: dict[str, Any], state: str, body: str
) -> None:
    """As the callback that it holds; what can't be stored is replaced, what is too long is cut."""
    job = {"JobId": "j1", "State": state, "Message": "\ud800"}
    text = body % json.dumps({"JobsDetail": job})
    key = spill.put(machine.spill, ReceivedCallback(text.encode(), "http", AT % 0, "r"))
    machine.spill.put(key, json.dumps(json.loads(machine.spill.get(key) or b"") | fields).encode())
    assert machine.sweep()["status"] == "done"
    assert left(machine.spill) == 0
    kept = [*machine.ledger.list("jobs/"), *machine.ledger.list("_unfinished/")]
    assert len(kept) == (body == "%s")
    for key in kept:
        line = machine.ledger.get(key) or b""
        assert len(line) < 10_000
        source = checked(JobRecord.from_json(line)).source
        assert source["received_at"] in (AT % 0, AT % 20)


def test_two_sweeps_at_once_are_as_one(machine: Machine) -> None:
    """An object that another sweep took in is gone when it is looked at."""
    fill(machine.spill, 3)
    keys = list(machine.spill.list("_spill/"))

    class Lagging(Wrapped):
        def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
            return iter(keys) if prefix == "_spill/" else super().list(prefix, stop, after)

    machine.spill.delete(keys[1])
    machine.spill = Lagging(machine.spill)
    line = machine.sweep()
    assert (line["status"], jobs(machine.ledger)) == ("done", 2)


def test_a_body_on_which_the_function_fails_becomes_a_dead_letter(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would fail in each sweep."""
    from handler.callback import envelope

    def read(tree: Any) -> Any:
        raise KeyError("EventName")

    monkeypatch.setattr(envelope, "read", read)
    fill(machine.spill, 1)
    machine.sweep()
    assert (len(list(machine.ledger.list("_dead/"))), left(machine.spill)) == (1, 0)


def test_the_command_sweep_takes_the_spill_in(tmp_path: Path) -> None:
    """As the timer does: by the same method."""
    env = {"LEDGER_URL": f"file:{tmp_path}/ledger", "SPILL_URL": f"file:{tmp_path}/spill"}
    function = Function(env, lambda: NOW, Log(io.StringIO(), lambda: NOW))
    settings = Settings.from_env(env)
    store = open_spill(settings)
    assert store is not None
    fill(store, 3)
    function.take_in_spilled(settings, Run("r", 0.0))
    assert jobs(open_store(settings)) == 0  # the time is long over
    function.take_in_spilled(settings, Run("r", function.timer()))
    assert (jobs(open_store(settings)), left(store)) == (3, 0)


def test_with_verify_always_each_callback_of_the_spill_is_asked_about(machine: Machine) -> None:
    """CI does not wait for the answer, so the bound on the questions of a delivery is not meant:
    here the questions about five jobs take 50 s."""
    world = QuickWorld(VERIFY_CALLBACKS="always")
    for number in range(5):
        job = world.submit()
        world.succeed(job)
        body = world.ci.callback_body(job, "JSON")
        spill.put(machine.spill, ReceivedCallback(body, "http", AT % number, "r"))

    class SlowCi:
        def send(
            self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
        ) -> Answer:
            machine.passed_s += 10.0
            return world.http.send(method, url, headers, body, timeout_s)

    env = {**world.env, "SPILL_URL": "file:elsewhere"}
    function = machine.function._replace(env=env, http=SlowCi())
    function.take_in_spilled(Settings.from_env(env), Run("r", 0.0, 900.0, lambda: -1.0))
    records = [json.loads(machine.ledger.get(key) or b"") for key in machine.ledger.list("jobs/")]
    assert [record["source"]["verified"] for record in records] == [True] * 5
