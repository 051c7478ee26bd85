"""`events`, `events resend`, `listen`, and what `show` tells of events."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from typer.testing import CliRunner

from ci_callback.commands.registry import app
from ci_callback.sent_events import batch_keys, events_of, of_root
from handler.forwarding.pending import read_batch
from handler.http_client import Answer
from handler.ledger.folder import FolderStore
from tests.forwarding.receivers import SECRET, ForwardWorld
from tests.peer import Peer
from tests.records import keep, record


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FolderStore:
    """The ledger that the commands look at."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "ledger").mkdir()
    return FolderStore(tmp_path / "ledger")


@pytest.fixture
def jobs(store: FolderStore) -> dict[str, str]:
    """A job that succeeded, one that failed, and one whose event its destination refused."""
    world = ForwardWorld()
    made = {"succeeded": world.ended(), "failed": world.ended("Failed", "InvalidArgument")}
    world.forward()
    world.receiver.answer = lambda number: Answer(404, b"no such hook")
    made["refused"] = world.ended()
    world.forward()
    for key in world.keys(""):
        store.put(key, world.memory.get(key) or b"")
    return made


def run(*arguments: str, code: int = 0) -> str:
    """stdout of a command that ends with this exit status."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.stdout


def listed(*arguments: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = json.loads(run("events", *arguments, "--json"))
    return events


def test_events_are_listed_with_the_answers_of_their_destinations(jobs: dict[str, str]) -> None:
    """In the order of time."""
    out = run("events")
    assert "job.failed (failed)" in out
    assert "delivered 204" in out
    assert "failed 404" in out
    assert {event["job_id"] for event in listed()} == set(jobs.values())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--type", "job.failed"], ["failed"]),
        (["--type", "job.*"], ["succeeded", "failed", "refused"]),
        (["--unsent"], ["refused"]),
        (["--since", "2026-09-21T00:00:00Z"], ["succeeded", "failed", "refused"]),
        (["--since", "2026-09-22"], []),
    ],
)
def test_events_are_chosen_by_type_time_and_answer(
    jobs: dict[str, str], options: list[str], expected: list[str]
) -> None:
    """Each filter, alone."""
    assert {event["job_id"] for event in listed(*options)} == {jobs[name] for name in expected}


@pytest.fixture
def tried_again(store: FolderStore, jobs: dict[str, str]) -> dict[str, Any]:
    """The refused event, which its destination and then a second one accepted, in a later batch
    each."""
    (event,) = listed("--unsent")
    for number, destination in enumerate((*event["sent"], "second")):
        sent = {destination: {"status": "delivered", "code": 204}}
        batch = {"schema": "deliveries/1", "events": [{**event, "sent": sent}]}
        key = f"_deliveries/dt=2026-09-21/zz-{number}.json"
        store.put(key, json.dumps(batch).encode())
    return event


def test_an_event_that_was_delivered_at_last_is_not_unsent(tried_again: dict[str, Any]) -> None:
    """And is not sent a second time."""
    assert listed("--unsent") == []
    run("events", "resend", "--unsent", code=1)


def test_an_event_has_the_newest_answer_of_each_destination(tried_again: dict[str, Any]) -> None:
    """A batch holds the answers of those that were tried."""
    (event,) = (event for event in listed() if event["id"] == tried_again["id"])
    assert [answer["status"] for answer in event["sent"].values()] == ["delivered"] * 2


def test_in_a_pipe_events_are_whole_values_between_tabs(jobs: dict[str, str]) -> None:
    """And of the columns that are asked for."""
    (event,) = listed("--type", "job.failed")
    line = run("events", "--type", "job.failed", "--columns", "type,job_id,id").rstrip("\n")
    assert line.split("\t") == ["job.failed (failed)", jobs["failed"], event["id"]]


def test_a_ledger_without_events_says_so(store: FolderStore) -> None:
    """And objects that are none are passed over."""
    store.put("_deliveries/dt=2026-09-21/x.json", b"{")
    store.put("_deliveries/dt=2026-09-21/y.json", b'{"schema": "deliveries/1", "events": [{}]}')
    store.put("_deliveries/dt=2026-09-21/z.json", b"[" * 100_000)
    result = CliRunner().invoke(app, ["events"])
    assert (result.exit_code, result.stdout) == (0, "")
    assert "There are no events." in result.stderr


def test_show_tells_the_final_event_and_each_delivery(jobs: dict[str, str]) -> None:
    """Also as JSON."""
    out = run("show", jobs["refused"])
    assert "Final event" in out
    assert "failed\t404\tno such hook" in out
    shown = json.loads(run("show", jobs["succeeded"], "--json"))
    assert [final["type"] for final in shown["final_events"]] == ["job.succeeded"]
    ((answer,),) = (event["sent"].values() for event in shown["events"])
    assert (answer["status"], answer["code"]) == ("delivered", 204)


def test_a_note_of_final_events_that_can_not_be_read_is_none(
    store: FolderStore, jobs: dict[str, str]
) -> None:
    """`show` shows the rest."""
    store.put(f"_finals/{jobs['succeeded']}.json", b"{}")
    assert json.loads(run("show", jobs["succeeded"], "--json"))["final_events"] == []
    assert len(of_root(store, jobs["succeeded"])) == 1


# --- resend ---------------------------------------------------------------------------------


def test_an_event_is_queued_again_for_the_destination_it_was_meant_for(
    store: FolderStore, jobs: dict[str, str]
) -> None:
    """The function sends it, with the same id."""
    (event,) = listed("--type", "job.failed")
    before = set(store.list("_pending/"))
    out = run("events", "resend", event["id"])
    assert out.split()[0] == "queued"
    (key,) = set(store.list("_pending/")) - before
    batch = read_batch(store, store.get(key) or b"")
    assert [one.id for one in batch.events] == [event["id"]]
    assert batch.destination_id == next(iter(event["sent"]))


def test_events_are_sent_again_in_bulk(store: FolderStore, jobs: dict[str, str]) -> None:
    """By a filter; without any nothing is sent."""
    results = json.loads(run("events", "resend", "--type", "job.*", "--json"))
    assert {result["job_id"] for result in results} == set(jobs.values())
    run("events", "resend", code=2)
    assert "No event matches" in CliRunner().invoke(app, ["events", "resend", "evt_x"]).output


@pytest.fixture
def peer() -> Iterator[Peer]:
    with contextlib.closing(Peer()) as opened:
        yield opened


def body_of(request: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body of a raw request."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    return {line.split(": ")[0].lower(): line.split(": ")[1] for line in lines}, body


def test_an_event_is_sent_from_this_machine_to_an_address(jobs: dict[str, str], peer: Peer) -> None:
    """Signed with the secret behind the #."""
    (event,) = listed("--type", "job.failed")
    out = run("events", "resend", event["id"], "--to", f"{peer.url}#secret={SECRET}")
    assert out.split()[0] == "delivered"
    headers, body = body_of(peer.requests[0])
    assert Webhook(SECRET).verify(body, headers)["job_id"] == jobs["failed"]


def test_an_address_that_can_not_be_used_is_an_error(jobs: dict[str, str]) -> None:
    """Of which nothing is shown."""
    result = CliRunner().invoke(
        app, ["events", "resend", "--type", "job.*", "--to", "https://x.example.com/topsecret"]
    )
    assert result.exit_code == 1
    assert "topsecret" not in result.output


def test_an_event_whose_record_is_gone_can_not_be_sent(
    store: FolderStore, jobs: dict[str, str], peer: Peer
) -> None:
    """It fails, and says why."""
    for key in list(store.list("jobs/")):
        store.delete(key)
    assert "failed" in run("events", "resend", "--type", "job.failed", code=1)
    to = f"{peer.url}#secret={SECRET}"
    assert "failed" in run("events", "resend", "--type", "job.failed", "--to", to, code=1)
    assert peer.requests == []


# --- as they come ---------------------------------------------------------------------------


@pytest.fixture
def _coming(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events and records that appear when a command waits for the first time."""
    world = ForwardWorld()
    world.ended()
    world.forward()
    new = [(key, world.memory.get(key) or b"") for key in world.keys("")]

    def appear(seconds: float) -> None:
        while new:
            store.put(*new.pop())
            keep(store, record("j-new", outcome="failed", code="InvalidArgument"))

    monkeypatch.setattr("ci_callback.commands.listen.time.sleep", appear)


@pytest.mark.usefixtures("_coming")
def test_events_are_followed(store: FolderStore) -> None:
    """Those that were there before are not printed."""
    out = run("events", "--follow", "--count", "1")
    assert "job.succeeded" in out
    assert "delivered 204" in out
    assert len(list(events_of(store, batch_keys(store)))) == 1


@pytest.mark.usefixtures("_coming")
def test_listen_sends_the_events_of_a_ledger_to_ones_own_code(peer: Peer) -> None:
    """From its batches and from its new records, each once, signed with the secret it prints."""
    result = CliRunner().invoke(app, ["listen", "--forward-to", peer.url, "--count", "2"])
    out = result.stdout
    secret = next(word for word in result.stderr.split() if word.startswith("whsec_"))
    heard = [body_of(request) for request in peer.requests]
    events = [Webhook(secret).verify(body, headers) for headers, body in heard]
    assert sorted(event["type"] for event in events) == ["job.failed", "job.succeeded"]
    assert out.count("delivered 200") == 2


@pytest.mark.usefixtures("_coming")
def test_listen_prints_json_and_keeps_a_given_secret(peer: Peer) -> None:
    """Only the types that are asked for."""
    options = ("--types", "job.failed", "--secret", SECRET, "--count", "1")
    out = run("listen", "--forward-to", peer.url, *options, "--json")
    assert json.loads(out)["type"] == "job.failed"
    headers, body = body_of(peer.requests[0])
    assert Webhook(SECRET).verify(body, headers)["job_id"] == "j-new"
