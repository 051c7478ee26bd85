"""stored.py: a digest on its way, and when it is sent again or given up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handler.alerts.digest import Message
from handler.alerts.services import Status
from handler.alerts.stored import GIVE_UP_S, Delivery, Digest, undelivered_key, waiting
from tests.stores import MemoryStore

NOW = 1_790_000_000.0
TICKET = "0000000000-j1-failed-alert.failed.json"
CHANNEL = "0f1e2d3c4b5a6978"
DIGEST = Digest(
    Message("d1", "标题", ("a line",), "zh"),
    (TICKET,),
    NOW,
    {CHANNEL: Delivery(False, 2, NOW + 60)},
)


@pytest.mark.parametrize(
    ("status", "tries", "delay_s"),
    [
        ("failed", 0, 30),
        ("failed", 1, 90),
        ("failed", 3, 450),
        ("failed", 4, 870),
        ("failed", 30, 870),
        ("unclear", 0, 30),
        ("unclear", 4, 930),
        ("unclear", 20, 60 * 2**20 - 30),
        ("unclear", 21, 60 * 2**20 - 30),
    ],
)
def test_a_channel_that_does_not_take_it_is_asked_after_a_doubled_delay(
    status: Status, tries: int, delay_s: float
) -> None:
    """After a refusal a quarter of an hour at most; half a minute early, by the timer's slack."""
    assert Delivery(False, tries).after(status, NOW) == Delivery(False, tries + 1, NOW + delay_s)


def test_a_delivery_counts_the_try_that_succeeded() -> None:
    """And is never due again."""
    done = Delivery(False, 2, NOW + 60).after("delivered", NOW)
    assert done == Delivery(True, 3)
    assert not done.is_due(NOW + GIVE_UP_S)


@pytest.mark.parametrize(
    ("next_at", "expected"),
    [
        (0.0, True),
        (NOW - 1, True),
        (NOW, True),
        (NOW + 1, False),
        (NOW + GIVE_UP_S, False),
        (NOW + GIVE_UP_S + 1, True),
    ],
)
def test_a_digest_is_due_at_its_time(next_at: float, expected: bool) -> None:
    """A time more than a day ahead is another machine's mistake."""
    assert Delivery(next_at=next_at).is_due(NOW) is expected


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [(GIVE_UP_S, False), (GIVE_UP_S + 1, True), (-3600, False), (-3601, True), (0, False)],
)
def test_a_digest_is_given_up_after_a_day(age_s: float, expected: bool) -> None:
    """Or where it was made more than an hour from now."""
    assert DIGEST.is_too_old(NOW + age_s) is expected


def test_a_digest_is_delivered_once_any_channel_took_it() -> None:
    """Configured now or not."""
    assert not DIGEST.is_delivered
    assert DIGEST.delivery(CHANNEL).tries == 2
    assert DIGEST.delivery("0" * 16) == Delivery(False, 0, 0.0)
    assert Digest(DIGEST.message, (), NOW, {"0" * 16: Delivery(True, 1)}).is_delivered


def test_a_digest_is_read_back_as_it_was_stored() -> None:
    """As JSON that a person can read."""
    line = DIGEST.to_json()
    assert Digest.from_json(line) == DIGEST
    assert "标题".encode() in line
    assert json.loads(line) == {
        "schema": "digest/1",
        "message": {"id": "d1", "title": "标题", "lines": ["a line"], "lang": "zh"},
        "tickets": [TICKET],
        "since": NOW,
        "channels": {CHANNEL: {"delivered": False, "tries": 2, "next_at": NOW + 60}},
    }


def test_half_a_surrogate_keeps_no_digest_from_being_stored() -> None:
    """UTF-8 can't write it."""
    odd = Digest(Message("d1", "a\ud800", (), "en"), (), NOW)
    assert Digest.from_json(odd.to_json()).message.title == "a?"


def good(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(DIGEST.to_json())
    return values | changes


DELIVERY = {"delivered": False, "tries": 1, "next_at": 0}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "not a digest/1"),
        (good(schema="digest/2"), "not a digest/1"),
        (good(tickets="a.json"), "tickets: not a list of names"),
        (good(tickets=[TICKET, "../x.json"]), "tickets: not a list of names"),
        (good(tickets=["x" * 402 + ".json"]), "tickets: not a list of names"),
        (good(channels=[]), "channels: not an object by channel ids"),
        (good(channels={CHANNEL.upper(): DELIVERY}), "channels: not an object by channel ids"),
        (good(message="m"), "not a message"),
        (good(since=-1), "not a number from 0 on"),
        (good(since=1e15), "not a number from 0 on"),
        (good(since="1"), "not a number from 0 on"),
        (good(channels={CHANNEL: []}), "channels: not a delivery"),
        (good(channels={CHANNEL: DELIVERY | {"delivered": 0}}), "channels: not a delivery"),
        (good(channels={CHANNEL: DELIVERY | {"tries": True}}), "not a number from 0 on"),
        (good(channels={CHANNEL: DELIVERY | {"next_at": None}}), "not a number from 0 on"),
    ],
)
def test_what_is_no_digest_says_why(values: object, reason: str) -> None:
    """Must raise: whoever may write to the ledger may have put it there."""
    with pytest.raises(ValueError, match=f"^{reason}$"):
        Digest.from_json(json.dumps(values).encode())


def test_a_digest_that_is_nested_without_end_says_so() -> None:
    """Must raise, and nothing else than ValueError."""
    with pytest.raises(ValueError, match=r"^nested too deep$"):
        Digest.from_json(b"[" * 60_000)


@pytest.mark.parametrize(
    "values", [good(since=0), good(tickets=["x" * 401 + ".json"]), good(tickets=[], channels={})]
)
def test_the_ends_of_what_is_a_digest(values: dict[str, Any]) -> None:
    """These still are."""
    assert Digest.from_json(json.dumps(values).encode()).message == DIGEST.message


def test_digests_wait_in_the_order_of_time_and_nothing_else_does() -> None:
    """A marker, a folder, another name."""
    store = MemoryStore()
    for name in ("1790000001-b.json", "1790000000-a.json", "x.json", "1-a.txt", "1-a/b.json"):
        store.put(f"_digests/{name}", b"{}")
    assert waiting(store) == ["_digests/1790000000-a.json", "_digests/1790000001-b.json"]
    assert undelivered_key("_digests/1-a.json") == "_undelivered/1-a.json"
