"""Event → answer through the whole function, with a store and a CI in memory: delivered,
delivered again, with a fault of the store, and with sweeps behind it.

A target takes an input's bytes, and raises where a promise is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handler.errors import SettingsError, StoreError
from handler.triggers import http
from tests.slow.fuzz import failures, promises
from tests.slow.fuzz.events import HEAD_CHARS, TOKEN, Case, case_of
from tests.slow.fuzz.parsers import body
from tests.slow.fuzz.world import HOUR, World
from tests.stores import How, Trouble


def event(data: bytes) -> None:
    """Event → answer. Twice is once, 2xx is kept, 4xx keeps nothing, no secret is seen."""
    if TOKEN.encode() in data:
        return
    case = case_of(data)
    world = World(case.env)
    try:
        answer = world.invoke(case.event)
    except SettingsError:
        assert _trigger(case.event) in ("queue", "direct")
        assert not world.kept()
        world.logged()
        return
    lines = world.logged()
    store = world.kept()
    answered = _of_answer(case, answer, lines, store)
    promises.of_store(store)
    if _trigger(case.event) == "timer":
        return
    _is_once(world, case, answered, store)
    if case.fault:
        _survives_a_fault(case, store)
    if case.sweeps != "none":
        failures.follow(world, case, data[HEAD_CHARS:])


Answered = tuple[Any, list[Any]]
"""What an answer says of the whole, and of each job."""


def _of_answer(
    case: Case, answer: Any, lines: list[dict[str, Any]], store: Mapping[str, bytes]
) -> Answered:
    trigger = _trigger(case.event)
    if trigger == "timer":
        assert answer == {"status": _ended(lines)}
        return answer["status"], []
    if trigger == "queue":
        assert set(answer) <= promises.STORED | {"ignored", "rejected"}
        assert all(isinstance(count, int) and count > 0 for count in answer.values())
        assert bool(store) == bool(promises.STORED & set(answer))
        # A second time what was kept is a duplicate: only the others are counted alike.
        return answer.get("dead_letter"), [answer.get("rejected"), sum(answer.values())]
    if trigger == "direct":
        assert set(answer) == {"jobs"}
        assert answer["jobs"]
        promises.of_jobs(answer["jobs"], store)
        return None, _ends(answer["jobs"])
    status, jobs = promises.of_http_answer(answer)
    assert case.is_let_in or (not store and status in (200, 401, 404, 405, 503))
    promises.of_jobs(jobs, store)
    if status in promises.NOTHING_KEPT:
        assert not store
    elif status == 503:
        assert not store
        assert {"settings_invalid"} <= {line["event"] for line in lines}
        assert case.is_let_in or _is_health(case)
        _is_in_the_log(case, lines)
    elif status == 202:
        assert any(key.startswith("_dead/") or "-verify.json" in key for key in store)
    elif status == 200 and jobs:
        assert {job["status"] for job in jobs} <= {"kept", "duplicate", "ignored"}
    return status, _ends(jobs)


def _ended(lines: list[dict[str, Any]]) -> str:
    """The answer to a timer, by the log of its invocation."""
    is_invalid = any(line["event"] == "settings_invalid" for line in lines)
    return "failed" if is_invalid else "done"


def _trigger(sent: Any) -> str:
    """Whose event it is, told again in a way of its own."""
    if isinstance(sent, dict) and isinstance(sent.get("httpMethod"), str):
        return "http"
    if isinstance(sent, dict) and sent.get("Type") == "Timer" and "TriggerName" in sent:
        return "timer"
    messages = sent.get("Records") if isinstance(sent, dict) else None
    if isinstance(messages, list) and messages:
        named = [
            isinstance(message, dict) and (message.get("Ckafka"), message.get("CMQ"))
            for message in messages
        ]
        if all(pair and any(isinstance(half, dict) for half in pair) for pair in named):
            return "queue"
    return "direct"


def _ends(jobs: list[dict[str, Any]]) -> list[Any]:
    """Each job and what became of it, where a duplicate is as good as the first."""
    return [
        (job["job_id"], job["key"], "kept" if job["status"] == "duplicate" else job["status"])
        for job in jobs
    ]


def _is_health(case: Case) -> bool:
    path: object = case.event.get("path")
    return path == http.HEALTH_PATH


def _is_in_the_log(case: Case, lines: list[dict[str, Any]]) -> None:
    """After a 503 the log has the body; a health check's body is no callback and is not kept."""
    body = promises.body_in(lines)
    if _is_health(case):
        assert body is None
    elif case.body is not None:
        assert body == case.body


def _is_once(world: World, case: Case, answered: Answered, store: Mapping[str, bytes]) -> None:
    """The same event an hour later: the same answer, no new key, and no end gives way."""
    world.now += HOUR
    answer = world.invoke(case.event)
    after = world.kept()
    assert _of_answer(case, answer, world.logged(), after) == answered
    assert set(after) == set(store)
    for key, data in store.items():
        assert after[key] == data or key.startswith(("_unfinished/", "_outbox/")), key


def _survives_a_fault(case: Case, clean: Mapping[str, bytes]) -> None:
    """A request of the store gets no answer: the body is in the log, or all is kept; and
    delivered again, the ledger is as if nothing had happened."""
    world = World(case.env)
    how: How = "lost after" if case.lands else "lost before"
    trouble = Trouble(lambda number, what: how if number == case.fault else "fine")
    try:
        answer = world.invoke(case.event, trouble.store(world.memory))
    except StoreError:
        assert _trigger(case.event) in ("queue", "direct")
        assert len(trouble.asked) >= case.fault
    else:
        lines = world.logged()
        if _trigger(case.event) == "http" and answer["statusCode"] == 503:
            _is_in_the_log(case, lines)
        else:
            assert len(trouble.asked) < case.fault or world.kept().keys() == clean.keys()
    world.invoke(case.event)
    world.logged()
    conflicts = any("alert.conflict" in key for key in clean)
    # Of two ends in one body either may be first.
    assert conflicts or world.kept().keys() == clean.keys()


TARGETS: Mapping[str, Callable[[bytes], None]] = {"event": event, "body": body}
