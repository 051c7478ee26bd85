"""tickets.py: what must still happen, under names that sort by time."""

from __future__ import annotations

from pathlib import Path

import pytest

from handler.ledger.folder import FolderStore
from handler.ledger.outbox import FAULTS, Outbox, Ticket, about, action_of, alert_of
from handler.ledger.records import Ledger
from tests.callback.test_record import job

RECORD = job(State="Failed", Code="InternalError")


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """An empty outbox in a folder."""
    return Outbox(Ledger(FolderStore(tmp_path)))


def test_a_name_says_when_what_and_of_which_end() -> None:
    """And nothing from outside escapes its part of it."""
    assert about(RECORD, "retry", 1658738143).name == "1658738143-j1-failed-retry.json"
    odd = Ticket("alert.dead", "../A-b", "x/y")
    assert odd.name == "0000000000-~2E~2E~2F~41~2Db-x~2Fy-alert.dead.json"
    assert Ticket("watch", "j1", "x", due=10**12).name.startswith("9999999999-")
    assert Ticket("watch", "j1", "x", due=-5).name.startswith("0000000000-")


RECORD_OF_ANOTHER_TYPE = about(RECORD, "retry").to_json().replace(b'"job_id":"j1"', b'"job_id":1')


def test_a_ticket_is_read_back_whole() -> None:
    """The record rides along, so that the sweep can do the rest of a callback's way."""
    ticket = Ticket("watch", "j2", "submitted", 5, RECORD, "note", 3, {"attempt": 2})
    assert Ticket.from_json(ticket.to_json()) == ticket
    bare = Ticket("alert.dead", "x", "dead")
    assert Ticket.from_json(bare.to_json()) == bare


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"{}",
        b'{"schema":"ticket/1"}',
        b'{"schema":"ticket/1","action":"a","job_id":"b","state":"c","more":1}',
        b'{"schema":"ticket/1","action":"a","job_id":"b","state":"c","record":{"x":1}}',
        b'{"schema":"ticket/1","action":5,"job_id":"b","state":"c"}',
        b'{"schema":"ticket/1","action":"a","job_id":null,"state":"c"}',
        b'{"schema":"ticket/1","action":"a","job_id":"b","state":"c","due":"1"}',
        b'{"schema":"ticket/1","action":"a","job_id":"b","state":"c","details":[]}',
        b'{"schema":"ticket/1","action":"a","job_id":"b","state":"c","record":true}',
        RECORD_OF_ANOTHER_TYPE,
        b'{"schema":"ticket/1","details":' + b"[" * 5_000,
    ],
)
def test_what_is_no_ticket_is_not_read_as_one(line: bytes) -> None:
    """Somebody may have put another object there."""
    with pytest.raises(ValueError, match=r"ticket/1|Expecting|job-record|deep"):
        Ticket.from_json(line)


def test_only_what_is_due_is_listed_in_the_order_of_time(outbox: Outbox) -> None:
    """Up to now and no further, and at most so many."""
    for due in (300, 100, 200, 101):
        outbox.put(Ticket("watch", f"j{due}", "x", due))
    assert [name[:10] for name in outbox.due(200.9, 10)] == [
        "0000000100",
        "0000000101",
        "0000000200",
    ]
    assert len(outbox.due(999, 2)) == 2


def test_what_is_done_stays_done(outbox: Outbox) -> None:
    """However late a redelivery puts the ticket again."""
    ticket = about(RECORD, "retry", 5)
    outbox.put(ticket)
    assert not outbox.is_done(ticket.name)
    outbox.done(ticket.name)
    assert outbox.get(ticket.name) is None
    outbox.put(ticket)
    assert outbox.is_done(ticket.name)
    outbox.forget(ticket.name)
    assert outbox.closed == [f"_outbox/{ticket.name}"]


@pytest.mark.parametrize(("action", "is_marked"), [("retry", False), ("watch", True)])
def test_what_a_sweep_closes_goes_at_its_end(outbox: Outbox, action: str, is_marked: bool) -> None:
    """A retry needs no mark: `_attempts/` says what became of it."""
    ticket = about(RECORD, action, 5)
    outbox.put(ticket)
    outbox.close(ticket.name)
    assert outbox.is_done(ticket.name) is is_marked
    assert outbox.get(ticket.name) is not None
    assert outbox.closed == [f"_outbox/{ticket.name}"]


def test_a_backlog_of_watches_hides_nothing(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many of them are due for longer than a retry."""
    monkeypatch.setattr("handler.ledger.outbox.MAX_WATCHES", 3)
    for due in range(10):
        outbox.put(Ticket("watch", f"j{due}", "x", due))
    outbox.put(about(RECORD, "retry", 50))
    assert [name[:10] for name in outbox.due(100, 10)] == [
        "0000000000",
        "0000000001",
        "0000000002",
        "0000000050",
    ]


def test_a_ticket_that_is_put_off_leaves_no_other_behind(outbox: Outbox) -> None:
    """And one that is put off to its own time is just written again."""
    ticket = about(RECORD, "retry", 5)
    outbox.put(ticket)
    outbox.move(ticket.name, ticket.later(9, "why", counts=True))
    assert outbox.due(100, 10) == ["0000000009-j1-failed-retry.json"]
    later = Ticket.from_json(outbox.get("0000000009-j1-failed-retry.json") or b"")
    assert (later.tries, later.note) == (1, "why")
    outbox.move(later.name, later.later(9, "again", counts=False))
    again = Ticket.from_json(outbox.get(later.name) or b"")
    assert (again.tries, again.note) == (1, "again")
    assert not outbox.is_done(later.name)


def test_a_ticket_that_is_replayed_is_a_new_one() -> None:
    """Its faults are forgotten, what the next step needs is not."""
    failed = Ticket("watch", "j1", "x", 5, RECORD, "note", 3, {FAULTS: 4, "attempt": 2}, 1)
    assert failed.replayed() == Ticket(
        "watch", "j1", "x", 5, RECORD, "note", 0, {"attempt": 2}, replays=2
    )
    assert Ticket("watch", "j1", "x", details={FAULTS: 4}).replayed().details is None
    assert failed.replayed().name == "0000000005-j1-x~2E2-watch.json"


def test_an_alert_is_about_what_another_ticket_is_about() -> None:
    """Due at once, and never tried before."""
    ticket = Ticket("watch", "j1", "x", 5, RECORD, "note", 3, {"attempt": 2}, 1)
    alert = alert_of(ticket, "unknown", "why")
    assert alert == Ticket("alert.unknown", "j1", "x", 0, RECORD, "why", 0, {"attempt": 2}, 1)
    assert alert_of(ticket, "dead", "why", {"key": "k"}).details == {"key": "k"}


def test_a_ticket_is_one_line_that_a_person_can_read() -> None:
    """Chinese is written as such; half a surrogate, which UTF-8 can't write, as a question mark."""
    line = Ticket("watch", "j1", "x", note="失败\ud800").to_json()
    assert "失败?".encode() in line
    assert b"\n" not in line
    assert b'"action":"watch","job_id":"j1"' in line


def test_what_has_no_tickets_name_is_passed_over(tmp_path: Path) -> None:
    """And does not count."""
    store = FolderStore(tmp_path)
    for name in ("0000000001-j1-x-watch.txt", "0000000001-j1-x-.json", "1-j1-x-watch.json"):
        store.put(f"_outbox/{name}", b"{}")
        assert action_of(name) is None
    outbox = Outbox(Ledger(store))
    outbox.put(Ticket("alert.gave-up", "j1", "x", 2))
    assert outbox.due(9, 1) == ["0000000002-j1-x-alert.gave-up.json"]
    assert action_of("0000000002-j1-x-alert.gave-up.json") == "alert.gave-up"
