"""The callbacks of one invocation while the store fails, hangs, or the function itself fails."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ci_callback.log_recovery import recover
from handler.app import Function
from handler.errors import StoreError
from handler.ledger.store import Store
from handler.log import Log
from handler.run import FALLBACK_S
from tests.conftest import NOW, Invoked
from tests.fake_cos import FakeCos, Fault
from tests.stores import MemoryStore, Trouble, Wrapped

JOBS = [{"JobId": f"j{number}", "Tag": "Translation", "State": "Success"} for number in range(10)]
BODY = json.dumps({"JobsDetail": JOBS})
HANG_S = 15.0
"""What a request of a store that gives no answer takes before it fails."""


class HangingStore(Wrapped):
    """Each write waits for its time-out and fails."""

    def __init__(self, wait: Callable[[float], None]) -> None:
        super().__init__(MemoryStore())
        self._wait = wait
        self.asked: list[str] = []

    def put_new(self, key: str, data: bytes) -> bool:
        self.put(key, data)
        return True

    def put(self, key: str, data: bytes) -> None:
        self.asked.append(key)
        self._wait(HANG_S)
        raise StoreError("put", key, "COS gave no answer in time")


class SlowStore(Wrapped):
    """Each write takes five seconds, and succeeds."""

    def __init__(self, wait: Callable[[float], None]) -> None:
        super().__init__(MemoryStore())
        self._wait = wait

    def put_new(self, key: str, data: bytes) -> bool:
        self._wait(5.0)
        return super().put_new(key, data)


class Machine:
    """A function on a clock of its own. limit_s: the time limit that its context names."""

    def __init__(self, limit_s: float = 55.0) -> None:
        self.output = io.StringIO()
        self.passed_s = 0.0
        self.limit_s = limit_s

    def wait(self, seconds: float) -> None:
        self.passed_s += seconds

    def invoke(self, event: Any, store: Store) -> Any:
        function = Function(
            {"LEDGER_URL": "file:nowhere"},
            lambda: NOW + self.passed_s,
            Log(self.output, lambda: NOW + self.passed_s),
            self.wait,
            lambda settings, time_left: store,
            timer=lambda: self.passed_s,
        )
        return function.handle(event, {"time_limit_in_ms": self.limit_s * 1000})

    def post(self, body: str, store: Store) -> tuple[int, list[str]]:
        """The status of the answer, and of each job in it."""
        answer = self.invoke({"httpMethod": "POST", "path": "/", "body": body}, store)
        return answer["statusCode"], [job["status"] for job in json.loads(answer["body"])["jobs"]]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.getvalue().splitlines()]

    @property
    def bodies(self) -> list[bytes]:
        """What the log holds whole."""
        return [entry.body for entry in recover(self.output.getvalue().splitlines()).bodies]


def test_the_first_failure_of_the_store_settles_the_whole_callback() -> None:
    """Ten jobs at 15 s each would outlast the function, and its log line with the body."""
    machine = Machine()
    store = HangingStore(machine.wait)
    status, jobs = machine.post(BODY, store)
    assert (status, jobs) == (503, ["retry_later"] * 10)
    assert store.asked == ["jobs/dt=1970-01-01/j0.json"]
    assert machine.passed_s == HANG_S
    assert machine.bodies == [BODY.encode()]
    assert [line["event"] for line in machine.lines] == ["callback_not_stored"] + ["callback"] * 2
    assert "9 jobs of this callback were not attempted" in machine.lines[2]["reason"]


def test_jobs_before_the_failure_stay_stored_and_the_next_delivery_stores_the_rest() -> None:
    """Twice is once."""
    machine = Machine()
    memory = MemoryStore()
    trouble = Trouble(lambda number, what: "lost before" if number == 4 else "fine")
    status, jobs = machine.post(BODY, trouble.store(memory))
    assert (status, jobs) == (503, ["kept"] * 3 + ["retry_later"] * 7)
    machine.wait(60)
    status, jobs = machine.post(BODY, memory)
    assert (status, jobs) == (200, ["duplicate"] * 3 + ["kept"] * 7)


@pytest.mark.parametrize("limit_s", [3.0, 15.0, 55.0, 900.0])
def test_a_slow_store_is_left_while_there_is_time_for_the_log(limit_s: float) -> None:
    """The jobs that are left when the time is nearly used up are not begun."""
    machine = Machine(limit_s)
    status, _ = machine.post(json.dumps({"JobsDetail": JOBS * 10}), SlowStore(machine.wait))
    begun = machine.passed_s - 5.0
    assert begun < limit_s - min(FALLBACK_S, limit_s / 3)
    if limit_s < 900:
        assert status == 503
        assert "the function's time is used up" in machine.lines[-1]["reason"]
        assert len(machine.bodies) == 1
    else:
        assert (status, len(machine.lines)) == (200, 100)


def test_the_other_messages_of_a_batch_are_not_held_up_by_a_time_that_is_used_up() -> None:
    """Each body of a batch is in the log before the platform ends the function."""
    machine = Machine(20.0)
    bodies = [json.dumps({"JobsDetail": [job, job]}) for job in JOBS]
    event = {"Records": [{"CMQ": {"msgBody": body}} for body in bodies]}
    with pytest.raises(StoreError, match="20 of the batch"):
        machine.invoke(event, HangingStore(machine.wait))
    assert sorted(machine.bodies) == sorted(body.encode() for body in bodies)


class FaultyStore(MemoryStore):
    """Raises what no store should."""

    def put_new(self, key: str, data: bytes) -> bool:
        if key.startswith("jobs/"):
            raise RecursionError("a fault of this code")
        return super().put_new(key, data)


@pytest.mark.parametrize("trigger", ["http", "queue", "direct"])
def test_a_callback_on_which_the_function_fails_becomes_a_dead_letter(trigger: str) -> None:
    """It is stored, a person is told, and a batch is not delivered again for ever for it."""
    store, machine = FaultyStore(), Machine()
    event = {
        "http": {"httpMethod": "POST", "path": "/", "body": BODY},
        "queue": {"Records": [{"CMQ": {"msgBody": BODY}}]},
        "direct": json.loads(BODY),
    }[trigger]
    answer = machine.invoke(event, store)
    if trigger == "http":
        assert answer["statusCode"] == 202
    (key,) = store.list("_dead/")
    letter = json.loads(store.get(key) or b"")
    assert (letter["reason"], letter["trigger"]) == ("internal_error", trigger)
    assert [key.endswith("alert.dead.json") for key in store.list("_outbox/")] == [True]
    assert "RecursionError" in machine.lines[0]["traceback"]


DEEP: Any = "x"
for _ in range(993):
    DEEP = {"a": [DEEP]}


@pytest.mark.parametrize(
    "event",
    [
        {"httpMethod": "POST", "path": "/", "body": DEEP},
        {"httpMethod": "POST", "path": "/", "body": DEEP, "isBase64Encoded": True},
        {"Records": [{"CMQ": {"msgBody": DEEP}}]},
        {"Records": [{"Ckafka": {"msgBody": [DEEP]}}]},
        DEEP,
        [DEEP],
    ],
)
def test_a_decoded_body_that_is_nested_without_end_is_kept_as_a_dead_letter(event: Any) -> None:
    """json.dumps raises RecursionError at it."""
    store, machine = MemoryStore(), Machine()
    machine.invoke(event, store)
    (key,) = store.list("_dead/")
    assert json.loads(store.get(key) or b"")["reason"] == "too_deep"
    assert {line["event"] for line in machine.lines} == {"callback"}


def test_a_deep_body_goes_to_the_log_while_settings_are_invalid() -> None:
    """Nothing leaves main_handler, and the body is whole."""
    machine = Machine()
    log = Log(machine.output, lambda: NOW)
    function = Function({"VERIFY_CALLBACKS": "maybe"}, lambda: NOW, log)
    answer = function.handle({"httpMethod": "POST", "path": "/", "body": DEEP}, {})
    assert answer["statusCode"] == 503
    (body,) = machine.bodies
    assert body.count(b'{"a": [') == 993


@pytest.mark.parametrize("has_spill", [False, True])
def test_a_store_that_is_silent_is_given_up_before_the_function_is_ended(
    cos: FakeCos, tmp_path: Path, has_spill: bool
) -> None:
    """A time limit of 0.9 s: the request to COS is given up after 0.6, and not tried again.

    Nothing is left to be imported by then: on a busy machine the SDK alone may take as long.
    """
    env = cos.env | ({"SPILL_URL": f"file:{tmp_path}"} if has_spill else {})
    function = Invoked(env)
    event = {"httpMethod": "POST", "path": "/", "body": BODY}
    function.event({**event, "body": BODY.replace("j1", "j0")})
    before = len(cos.seen)
    with cos.faulty(lambda seen: Fault(silent_before=True)):
        answer = function.event(event, time_limit_in_ms=900)
    assert [request.method for request in cos.seen[before:]] == ["PUT"]
    assert answer["statusCode"] == (200 if has_spill else 503)
    recovered = recover(function.output.getvalue().splitlines())
    assert [entry.body for entry in recovered.bodies] == ([] if has_spill else [BODY.encode()])
    assert len(list(tmp_path.glob("_spill/*"))) == has_spill


# --- the log line about each job -----------------------------------------------------------


def line_of(**job: Any) -> dict[str, Any]:
    """The log lines of a callback about one job, the last one; without the time."""
    machine = Machine()
    machine.post(json.dumps({"JobsDetail": {"JobId": "j1", **job}}), MemoryStore())
    return fields(machine.lines[-1])


def fields(line: dict[str, Any]) -> dict[str, Any]:
    """But for the time, and what every line of an invocation has."""
    return {name: value for name, value in line.items() if not name.startswith(("time", "faas."))}


def test_a_job_that_is_kept_is_one_line() -> None:
    """With all that it can be found by, and the time that it took."""
    assert line_of(Tag="Translation", State="Failed", Code="InternalError") == {
        "level": "INFO",
        "event": "callback",
        "status": "kept",
        "job_id": "j1",
        "tag": "Translation",
        "outcome": "failed",
        "key": "jobs/dt=1970-01-01/j1.json",
        "duration_ms": 0.0,
    }


def test_the_time_that_a_callback_took_is_in_milliseconds() -> None:
    """From the beginning of the invocation."""
    machine = Machine()
    machine.post(json.dumps({"JobsDetail": JOBS[0]}), SlowStore(machine.wait))
    assert machine.lines[-1]["duration_ms"] == 5_000.0


def test_a_duplicate_says_whether_its_details_differ() -> None:
    """Of the same end."""
    machine, store = Machine(), MemoryStore()
    for message in ("a", "a", "b"):
        job = {"JobId": "j1", "State": "Failed", "Message": message}
        machine.post(json.dumps({"JobsDetail": job}), store)
        machine.wait(1)
    seen = [(line["status"], line.get("differs")) for line in machine.lines]
    assert seen == [("kept", None), ("duplicate", None), ("duplicate", "true")]
    assert {line["level"] for line in machine.lines} == {"INFO"}


def test_a_tag_that_is_new_is_a_warning() -> None:
    """CI has a kind of job that the catalogue does not have."""
    machine = Machine()
    job = {"JobId": "j1", "Tag": "Brandnew", "State": "Success"}
    machine.post(json.dumps({"JobsDetail": job}), MemoryStore())
    about = {"job_id": "j1", "tag": "Brandnew", "outcome": "succeeded"}
    assert fields(machine.lines[0]) == {"level": "WARNING", "event": "new_tag", **about}


def test_a_body_that_is_not_understood_is_a_warning() -> None:
    """With the key of its dead letter."""
    machine, store = Machine(), MemoryStore()
    machine.invoke({"httpMethod": "POST", "path": "/", "body": "{"}, store)
    line = machine.lines[-1]
    assert (line["event"], line["level"], line["status"]) == ("callback", "WARNING", "dead_letter")
    assert line["reason"].startswith("json_invalid: ")
    assert line["key"] == next(store.list("_dead/"))


def test_a_bucket_that_is_not_allowed_is_a_warning() -> None:
    """Nothing of it is stored."""
    store, output = MemoryStore(), io.StringIO()
    function = Function(
        {"LEDGER_URL": "file:nowhere", "ALLOWED_BUCKETS": "1250000000"},
        lambda: NOW,
        Log(output, lambda: NOW),
        open_store=lambda settings, time_left: store,
    )
    place = {"BucketId": "b-1299999999", "Object": "a"}
    body = json.dumps({"JobsDetail": {"JobId": "j1", "State": "Success", "Input": place}})
    function.handle({"httpMethod": "POST", "path": "/", "body": body}, {})
    line = json.loads(output.getvalue().splitlines()[-1])
    assert (line["level"], line["status"], line["job_id"]) == ("WARNING", "rejected", "j1")
    assert line["reason"] == "its bucket is not allowed here"
    assert list(store.list("")) == []


def test_jobs_that_were_not_begun_are_one_line_with_the_reason() -> None:
    """The first failure ends the callback; the store's own words are in the log only."""
    machine = Machine()
    trouble = Trouble(lambda number, what: "lost before" if number == 2 else "fine")
    machine.post(json.dumps({"JobsDetail": JOBS[:4]}), trouble.store(MemoryStore()))
    not_attempted = "the store did not accept another job of this callback"
    refused, others = machine.lines[-2:]
    assert (refused["level"], refused["status"]) == ("ERROR", "retry_later")
    assert refused["reason"].startswith("put_new jobs/dt=1970-01-01/j1.json: COS")
    assert (refused["job_id"], refused["tag"], refused["outcome"]) == (
        "j1",
        "Translation",
        "succeeded",
    )
    assert others["reason"] == f"2 jobs of this callback were not attempted: {not_attempted}"
    assert "job_id" not in others


def test_whoever_invokes_directly_is_told_what_was_not_stored() -> None:
    """The invocation fails, so that it is made again: without the store's own words."""
    machine = Machine()
    with pytest.raises(StoreError, match=r": the store did not accept it$"):
        machine.invoke({"JobsDetail": JOBS[0]}, HangingStore(machine.wait))
    machine = Machine(1.0)
    machine.passed_s = -5.0
    with pytest.raises(StoreError, match=r": the function's time is used up$"):
        machine.invoke({"JobsDetail": JOBS}, SlowStore(machine.wait))
