"""The spill: where the ledger does not accept a callback, its body is durable elsewhere before a
200, and a sweep takes it in."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_callback.log_recovery import recover
from handler.app import Function
from handler.errors import StoreError
from handler.ingest import spill
from handler.ingest.received import ReceivedCallback
from handler.ledger.folder import FolderStore
from handler.ledger.store import Store
from handler.log import Log
from handler.run import Run
from handler.settings import Settings
from handler.stores import open_spill
from tests.conftest import NOW, PAYLOADS, Invoked
from tests.fake_cos import APPID, BUCKET, FakeCos, Fault, Seen
from tests.stores import How, MemoryStore, Trouble

JOB = '{"JobsDetail": {"JobId": "j%d", "Tag": "Translation", "State": "Success"}}'
TWO_JOBS = (
    '{"JobsDetail": [{"JobId": "j1", "State": "Success"}, {"JobId": "j2", "State": "Failed"}]}'
)
TICK = {"Type": "Timer", "TriggerName": "sweep", "Message": "sweep"}
SPILL_BUCKET = f"spill-{APPID}"


def ledger_is_away(seen: Seen) -> Fault | None:
    """The ledger's bucket accepts nothing; the other one does."""
    is_ledger = seen.headers["host"].startswith(BUCKET)
    return Fault(before=(503, "ServiceUnavailable")) if is_ledger else None


def spilled(store: Store) -> list[dict[str, Any]]:
    """The objects in the spill."""
    return [json.loads(store.get(key) or b"") for key in store.list("_spill/")]


@pytest.fixture
def two_buckets() -> Iterator[FakeCos]:
    """COS with the ledger's bucket and another one."""
    with FakeCos() as cos:
        cos.buckets.add(SPILL_BUCKET)
        cos.reset()
        yield cos


@pytest.fixture(params=["folder", "cos"])
def spilling(
    request: pytest.FixtureRequest, two_buckets: FakeCos, tmp_path: Path
) -> tuple[Invoked, Store]:
    """A function with its ledger on COS, and its spill in a folder or in another bucket."""
    urls = {
        "folder": f"file:{tmp_path}/spill",
        "cos": f"cos://{SPILL_BUCKET}/outage#region=ap-shanghai",
    }
    function = Invoked(two_buckets.env | {"SPILL_URL": urls[request.param]})
    store = open_spill(Settings.from_env(function.env))
    assert store is not None
    return function, store


def test_a_callback_that_the_ledger_does_not_accept_is_in_the_spill_before_the_200(
    spilling: tuple[Invoked, Store], two_buckets: FakeCos
) -> None:
    """With its headers, trigger, time and request; nothing of it goes into the log."""
    function, store = spilling
    headers = {"User-Agent": "ci", "Authorization": "Bearer secret", "Content-Type": "text/xml"}
    with two_buckets.faulty(ledger_is_away):
        status, answer = function.post(JOB % 1, headers=headers)
    assert status == 200
    (job,) = answer["jobs"]
    assert (job["status"], job["job_id"]) == ("spilled", "j1")
    (spilled_callback,) = spilled(store)
    body = (JOB % 1).encode()
    digest = hashlib.sha256(body).hexdigest()
    assert base64.b64decode(spilled_callback.pop("body_base64")) == body
    assert spilled_callback == {
        "schema": "spill/1",
        "sha256": digest,
        "bytes": len(body),
        "trigger": "http",
        "received_at": "2026-09-21T14:13:21Z",
        "request_id": "request-1",
        "headers": {"user-agent": "ci", "content-type": "text/xml"},
    }
    assert job["key"] == f"_spill/20260921T141321-{len(body)}-{digest}.json"
    (line,) = function.lines
    assert (line["level"], line["status"], line["key"]) == ("WARNING", "spilled", job["key"])
    assert "COS" in line["reason"]


def test_the_next_sweep_takes_it_in_and_empties_the_spill(
    spilling: tuple[Invoked, Store], two_buckets: FakeCos
) -> None:
    """By the way of a callback, as it came: a failure among them puts its ticket."""
    function, store = spilling
    with two_buckets.faulty(ledger_is_away):
        for body in (TWO_JOBS, JOB % 3, "hello"):
            assert function.post(body)[0] == 200
        assert len(spilled(store)) == 3
        function.event(TICK)
        assert len(spilled(store)) == 3
    assert two_buckets.keys() == []
    function.event(TICK)
    assert spilled(store) == []
    jobs = {key.rpartition("/")[2]: key for key in two_buckets.keys("ci/jobs/")}
    assert sorted(jobs) == ["j1.json", "j2.json", "j3.json"]
    source = json.loads(two_buckets.read(jobs["j3.json"]))["source"]
    assert (source["trigger"], source["received_at"]) == ("http", "2026-09-21T14:13:22Z")
    assert len(two_buckets.keys("ci/_dead/")) == 1
    tickets = [key for key in two_buckets.keys("ci/_outbox/") if "-j2-" in key]
    assert len(tickets) == 1
    (line,) = [line for line in function.lines if line["event"] == "spilled" and line["done"]]
    assert (line["level"], line["status"], line["done"], line["failed"]) == ("INFO", "done", 3, 0)
    function.output.truncate(0)
    function.event(TICK)
    assert "spilled" not in function.output.getvalue()


def test_an_idle_sweep_asks_the_spill_for_one_listing_more(
    spilling: tuple[Invoked, Store], two_buckets: FakeCos
) -> None:
    """And where SPILL_URL is not set for none."""
    function, _ = spilling
    function.event(TICK)
    with_spill = [request.method for request in two_buckets.seen]
    del function.env["SPILL_URL"]
    two_buckets.seen.clear()
    function.event(TICK)
    on_cos = [request.method for request in two_buckets.seen]
    assert set(with_spill) == {"GET"}
    assert len(with_spill) - len(on_cos) in (0, 1)


def test_without_a_spill_the_answer_is_503_and_the_log_has_the_body(
    on_cos: Invoked, cos: FakeCos
) -> None:
    """As documented for an outage."""
    with cos.faulty(ledger_is_away):
        assert on_cos.post(JOB % 1)[0] == 503
    recovered = recover(on_cos.output.getvalue().splitlines())
    assert [entry.body for entry in recovered.bodies] == [(JOB % 1).encode()]


def test_where_the_spill_fails_too_the_answer_is_503_and_the_log_has_the_body(
    two_buckets: FakeCos,
) -> None:
    """The log says of both stores what was wrong."""
    function = Invoked(two_buckets.env | {"SPILL_URL": f"cos://{SPILL_BUCKET}#region=ap-shanghai"})
    with two_buckets.faulty(lambda seen: Fault(before=(403, "AccessDenied"))):
        status, answer = function.post(JOB % 1)
    assert (status, answer["jobs"][0]["status"]) == (503, "retry_later")
    assert [line["event"] for line in function.lines] == [
        "spill_failed",
        "callback_not_stored",
        "callback",
    ]
    assert "AccessDenied" in function.lines[0]["reason"]


@pytest.mark.parametrize("trigger", ["queue", "direct"])
def test_other_triggers_raise_nothing_for_a_callback_that_is_in_the_spill(
    trigger: str, two_buckets: FakeCos, tmp_path: Path
) -> None:
    """The platform need not deliver again; without a spill it must."""
    function = Invoked(two_buckets.env | {"SPILL_URL": f"file:{tmp_path}"})
    event: Any = {
        "queue": {"Records": [{"CMQ": {"msgBody": JOB % 1}}, {"CMQ": {"msgBody": "hello"}}]},
        "direct": json.loads(JOB % 1),
    }[trigger]
    with two_buckets.faulty(ledger_is_away):
        answer = function.event(event)
        if trigger == "queue":
            assert answer == {"spilled": 2}
        else:
            assert [job["status"] for job in answer["jobs"]] == ["spilled"]
        assert {callback["trigger"] for callback in spilled(FolderStore(tmp_path))} == {trigger}
        del function.env["SPILL_URL"]
        with pytest.raises(StoreError):
            function.event(event)


def test_a_refused_request_reaches_no_spill(on_disk: Invoked, tmp_path: Path) -> None:
    """Nor does one whose bucket is not allowed."""
    on_disk.env |= {
        "SPILL_URL": f"file:{tmp_path}/spill",
        "CALLBACK_TOKENS": "a-token",
        "ALLOWED_BUCKETS": "media-1250000000",
    }
    assert on_disk.post(JOB % 1)[0] == 401
    body = JOB.replace("}}", ', "Input": {"BucketId": "other-1250000000"}}}') % 1
    assert on_disk.post(body, queryString={"token": "a-token"})[0] == 403
    assert not (tmp_path / "spill").exists()


CALLBACKS = st.builds(
    ReceivedCallback,
    st.binary(max_size=300),
    st.sampled_from(["http", "queue", "direct"]),
    st.just("2026-09-21T14:13:21.500Z"),
    st.text(max_size=40),
    st.dictionaries(st.sampled_from(["content-type", "user-agent"]), st.text(max_size=40)),
)


@given(CALLBACKS)
def test_what_is_put_is_read_back(callback: ReceivedCallback) -> None:
    """Whatever the body and the headers hold, lone surrogates included."""
    store = MemoryStore()
    key = spill.put(store, callback)
    line = store.get(key) or b""
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert spill.read(line) == callback


def _without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda values: values.pop(name)


NO_SPILL, OTHER_FIELDS = "^not a spill/1$", "^a spill/1 with other fields than it should have$"
NO_TIME = "^a spill/1 without the time at which it was received$"
OTHER_BODY = "^a spill/1 whose body is not the one that was written$"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_without("schema"), NO_SPILL),
        (_without("sha256"), OTHER_BODY),
        (_without("trigger"), OTHER_FIELDS),
        (_without("received_at"), OTHER_FIELDS),
        (_without("headers"), OTHER_FIELDS),
        (lambda values: values.update(body_base64="eA=="), OTHER_BODY),
        (lambda values: values.update(body_base64="%"), "base64|padding"),
        (lambda values: values.update(schema="spill/2"), NO_SPILL),
        (lambda values: values.update(request_id=5), OTHER_FIELDS),
        # A part of a key: an object that the ledger has no key for would stop all behind it.
        (lambda values: values.update(received_at="2026-01/../../T"), NO_TIME),
        (lambda values: values.update(received_at="2026-13-45T00:00:00Z"), NO_TIME),
        (lambda values: values.update(received_at=""), NO_TIME),
    ],
)
def test_an_object_that_was_changed_is_not_read(
    change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    """It becomes a dead letter, with the reason."""
    store = MemoryStore()
    key = spill.put(store, ReceivedCallback(b"<a/>", "http", "2026-09-21T14:13:21Z", "r"))
    values = json.loads(store.get(key) or b"")
    change(values)
    with pytest.raises(ValueError, match=reason):
        spill.read(json.dumps(values).encode())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "Expecting value"),
        (b"[]", NO_SPILL),
        (b"\xff", "decode"),
        (b"{", "Expecting"),
        (b'{"a":' * 100_000, "^not a spill/1: nested too deep$"),
    ],
)
def test_what_is_no_object_of_the_spill_is_not_read(line: bytes, reason: str) -> None:
    """Must raise, and nothing else than ValueError."""
    with pytest.raises(ValueError, match=reason):
        spill.read(line)


EVERY_PAYLOAD = sorted(path for path in PAYLOADS.rglob("*") if path.suffix in (".xml", ".json"))


def keys_in_the_end(body: str, lost: int, how: How) -> set[str]:
    """The keys of a ledger after one delivery, of which a request was lost, and the intake of the
    spill. lost: the number of the request; 0 for none."""
    ledger, spill_store = MemoryStore(), MemoryStore()
    trouble = Trouble(lambda number, what: how if number == lost else "fine")
    opened: Iterator[Store] = iter([trouble.store(ledger), ledger])
    env = {"LEDGER_URL": "file:nowhere", "SPILL_URL": "file:elsewhere"}
    function = Function(
        env,
        lambda: NOW,
        Log(io.StringIO(), lambda: NOW),
        open_store=lambda settings, time_left: next(opened),
        open_spill=lambda settings, time_left: spill_store,
    )
    answer = function.handle({"httpMethod": "POST", "path": "/", "body": body}, {})
    assert answer["statusCode"] in (200, 202)
    function.take_in_spilled(Settings.from_env(env), Run("r", function.timer()))
    assert list(spill_store.list("")) == []
    return set(ledger.list(""))


@pytest.mark.parametrize("path", EVERY_PAYLOAD, ids=lambda path: path.name)
def test_with_a_spill_a_lost_request_changes_nothing_in_the_end(path: Path) -> None:
    """Each documented callback, and each of its requests lost before or after it was carried out:
    the answer is 2xx, and the ledger is what it would have been."""
    body = path.read_text(encoding="utf-8")
    clean = keys_in_the_end(body, 0, "fine")
    for lost in range(1, 5):
        for how in ("lost before", "lost after"):
            assert keys_in_the_end(body, lost, how) == clean, (lost, how)
