"""A digest reaches a configured channel or is kept aside at ERROR; none is lost or sent twice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handler.alerts.channels import channels
from handler.alerts.digest import Entry
from handler.alerts.send import Alerts
from handler.http_client import Answer, Http, HttpClient
from tests.alert_services import AlertService
from tests.retries.contexts import context_of
from tests.stores import QuickWorld
from tests.world import MINUTE, World

DAY_S = 24 * 3600


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """One channel, and a dead letter that calls for an alert."""
    with World(tmp_path) as alert_world:
        assert alert_world.post("hello")[0] == 202
        yield alert_world


def logged(world: World, event: str) -> list[dict[str, Any]]:
    """The log lines of one event."""
    return [line for line in world.lines if line["event"] == event]


# --- ALERT_URLS that change ----------------------------------------------------------------


def test_a_digest_that_waits_for_a_channel_that_is_gone_goes_to_the_new_one(world: World) -> None:
    """The operator mends the address: the next sweep delivers there, and the digest is done."""
    world.phone.refuse_with = 500
    world.run(minutes=2)
    with AlertService("wecom") as robot:
        world.env["ALERT_URLS"] = robot.url
        world.run(minutes=1)

        assert len(robot.texts) == 1
        assert world.keys("_digests/") == world.keys("_undelivered/") == []


def test_a_channel_that_took_a_digest_is_not_sent_it_again_when_another_is_replaced(
    world: World,
) -> None:
    """Only the channels that have not taken it receive it."""
    with AlertService("wecom") as broken, AlertService("wecom") as mended:
        broken.refuse_with = 93000
        world.env["ALERT_URLS"] = f"{world.phone.url} {broken.url}"
        world.run(minutes=3)
        world.env["ALERT_URLS"] = f"{world.phone.url} {mended.url}"
        world.run(minutes=2)

        assert (len(world.alerts), len(mended.texts)) == (1, 1)
        assert world.keys("_digests/") == []


def test_a_digest_that_was_delivered_is_done_when_the_other_channel_is_removed(
    world: World,
) -> None:
    """One channel took it, and no other is configured any more."""
    with AlertService("wecom") as broken:
        broken.refuse_with = 93000
        world.env["ALERT_URLS"] = f"{world.phone.url} {broken.url}"
        world.run(minutes=2)
        world.env["ALERT_URLS"] = world.phone.url
        world.run(minutes=1)

        assert len(world.alerts) == 1
        assert world.keys("_digests/") == world.keys("_undelivered/") == []


def test_a_digest_that_nobody_took_is_kept_aside_when_all_channels_are_removed(
    world: World,
) -> None:
    """At ERROR and under _undelivered/: a channel that is gone has not taken anything."""
    world.phone.refuse_with = 500
    world.run(minutes=1)
    world.env["ALERT_URLS"] = ""
    world.run(minutes=1)

    assert world.keys("_digests/") == []
    assert len(world.keys("_undelivered/")) == 1
    assert [line["level"] for line in logged(world, "alert_undelivered")] == ["ERROR"]


@pytest.mark.parametrize("new", ["whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0", ""])
@pytest.mark.parametrize("when", ["while it waits for another channel", "while it waits for this"])
def test_rotating_a_secret_neither_loses_nor_doubles_an_alert(
    world: World, when: str, new: str
) -> None:
    """An address with another #secret= is the same channel."""
    old = "whsec_b2xkLXNlY3JldC1vbGQtc2VjcmV0"
    with AlertService("webhook", old) as hook, AlertService("wecom") as other:
        world.env["ALERT_URLS"] = f"{hook.url} {other.url}"
        waited_for = other if when == "while it waits for another channel" else hook
        waited_for.refuse_with = 45009
        if waited_for is hook:
            waited_for.refuse_with = 503
        world.run(minutes=2)
        hook.secret = new
        world.env["ALERT_URLS"] = f"{hook.url} {other.url}"
        waited_for.refuse_with = None
        world.run(minutes=10)

        assert (len(hook.texts), len(other.texts)) == (1, 1)
        assert world.keys("_digests/") == world.keys("_undelivered/") == []


@pytest.mark.parametrize("blue_refuses", [False, True])
@pytest.mark.parametrize("green_refuses", [False, True])
def test_two_functions_with_other_channels_on_one_ledger(
    world: World, blue_refuses: bool, green_refuses: bool
) -> None:
    """Whichever sweeps: a channel of one of them takes each digest, once."""
    with AlertService("wecom") as blue, AlertService("feishu") as green:
        blue.refuse_with = 45009 if blue_refuses else None
        green.refuse_with = 11232 if green_refuses else None
        for number in range(6):
            world.now += MINUTE
            world.env["ALERT_URLS"] = (blue, green)[number % 2].url
            world.sweep()
        taken = (len(blue.texts), len(green.texts))
        assert taken == ((0, 1) if blue_refuses else (1, 0)) or (blue_refuses and green_refuses)
        blue.refuse_with = green.refuse_with = None
        for number in range(40):
            world.now += MINUTE
            world.env["ALERT_URLS"] = (blue, green)[number % 2].url
            world.sweep()

        assert len(blue.texts) + len(green.texts) == 1
        assert world.keys("_digests/") == world.keys("_undelivered/") == []


def test_one_address_with_two_secrets_is_one_channel(world: World) -> None:
    """While a secret is rotated both may be named; the message is sent once, by the last one."""
    new = "whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0"
    with AlertService("webhook", new) as hook:
        old = hook.bare_url + "#service=webhook&secret=whsec_b2xkLXNlY3JldC1vbGQtc2VjcmV0"
        world.env["ALERT_URLS"] = f"{old} {hook.url}"
        world.run(minutes=2)

        assert len(hook.received) == len(hook.texts) == 1


# --- secrets ---------------------------------------------------------------------------------


class Quoting:
    """HTTP whose CI refuses each submission and quotes its request."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        if method == "POST" and url.partition("?")[0].endswith("/jobs"):
            quoted = body.decode().replace("<", "&lt;")
            return Answer(400, REFUSAL.format(quoted).encode())
        return self._http.send(method, url, headers, body, timeout_s)


REFUSAL = "<Error><Code>InvalidArgument</Code><Message>bad: {} end</Message></Error>"


def test_a_refusal_that_quotes_the_request_carries_no_secret_anywhere() -> None:
    """Neither into the alert nor into the ledger nor into the log."""
    world = QuickWorld(RETRY_CALLBACK_URL="https://f.example.com/callback?token=a/b-token")
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    world.http = Quoting(world.http)
    world.run(minutes=10)

    (alert,) = world.phone.texts
    assert "CI refused the re-submission: InvalidArgument bad:" in alert
    written = [change.data or b"" for change in world.memory.journal]
    for text in (alert, json.dumps(world.lines), b"".join(written).decode()):
        assert "b-token" not in text


def test_an_alert_shows_no_secret_of_a_message(tmp_path: Path) -> None:
    """What CI says of a failure may quote the job, and the settings."""
    with World(tmp_path, CALLBACK_TOKENS="none", ALLOWED_BUCKETS="") as world:
        job = world.submit()
        world.now += 10
        said = "wrong DocPassword: hunter2; key AKIDexample, see https://x/?token=abc-def"
        world.ci.finish(job, "Failed", "InvalidArgument", said)
        world.deliver(job)
        world.run(minutes=1)

        (alert,) = world.alerts
        assert "wrong DocPassword: [redacted]" in alert
        assert "hunter2" not in alert
        assert "abc-def" not in alert


# --- channels that do not take it -----------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "at_most"),
    [((200, b"<html>Sign in</html>"), 12), ((200, b'{"errcode": 93000}'), 110), ((503, b""), 110)],
)
def test_a_channel_that_does_not_take_a_digest_is_sent_it_ever_more_seldom(
    answer: tuple[int, bytes], at_most: int
) -> None:
    """Not each minute for a day; then it is kept aside, at ERROR."""
    world = QuickWorld()
    world.http = HttpClient()
    world.post("hello")
    with AlertService("wecom") as robot:
        robot.answer = answer
        world.env["ALERT_URLS"] = robot.url
        world.run(minutes=DAY_S / MINUTE + 5)

        assert 8 <= len(robot.received) <= at_most
        assert world.keys("_digests/") == []
        assert len(world.keys("_undelivered/")) == 1
        assert len(logged(world, "alert_undelivered")) == 1
        levels = [line["level"] for line in logged(world, "alert")]
        assert levels == ["ERROR"] + ["WARNING"] * (len(robot.received) - 1)


def test_a_channel_that_does_not_take_one_digest_is_not_asked_for_each_of_the_others(
    world: World,
) -> None:
    """A sweep has little time: what hangs for one digest would hang for the next one."""
    world.phone.refuse_with = 500
    for number in range(5):
        world.post(f"hello {number}")
        world.run(minutes=1)
    before = len(world.phone.received)
    world.now += 30 * MINUTE
    world.sweep()
    assert len(world.phone.received) == before + 1
    world.phone.refuse_with = None
    world.run(minutes=20)

    assert len(world.alerts) == 5
    assert world.keys("_digests/") == []


# --- what stands under _digests/ ------------------------------------------------------------

GOOD: dict[str, Any] = {
    "schema": "digest/1",
    "message": {"id": "d", "title": "a title", "lines": ["a line"], "lang": "en"},
    "tickets": ["0000000000-j1-failed-alert.failed.json"],
    "since": 1_790_000_000,
    "channels": {},
}


def kept(**changes: Any) -> bytes:
    """A digest in the ledger, with other values."""
    return json.dumps(GOOD | changes).encode()


def test_a_digest_as_it_is_kept_is_sent() -> None:
    """The one that the tests below change is a good one."""
    world = QuickWorld()
    world.store.put("_digests/1790000000-ab12.json", kept())
    world.sweep()

    assert world.phone.texts == ["a title\na line"]
    assert world.keys("_done/") == ["_done/0000000000-j1-failed-alert.failed.json"]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"schema": "digest/1"}',
        kept(schema="digest/2"),
        kept(tickets=["../../x"]),
        kept(tickets=["a/b.json"]),
        kept(tickets=["a\\b.json"]),
        kept(tickets=[".."]),
        kept(tickets=[""]),
        kept(tickets=["x" * 2_000 + ".json"]),
        kept(tickets=["0000000000-j1-\n-alert.failed.json"]),
        kept(tickets=[1]),
        kept(tickets="j1"),
        kept(tickets=None),
        kept(message=None),
        kept(message={"id": "d"}),
        kept(since="yesterday"),
        kept(since=True),
        kept(since=None),
        kept(since=float("nan")),
        kept(since=float("inf")),
        kept(channels=[]),
        kept(channels={"0" * 16: 1}),
        kept(channels={"0" * 16: {"delivered": 1, "tries": 1, "next_at": 0}}),
        kept(channels={"0" * 16: {"delivered": False, "tries": "x", "next_at": 0}}),
        kept(channels={"0" * 16: {"delivered": False, "tries": 1, "next_at": float("inf")}}),
        kept(channels={"../../x": {"delivered": False, "tries": 1, "next_at": 0}}),
        kept(since=-1),
        b'{"schema": "digest/1", "message": {}, "tickets": [], "channels": {}, "since": 1%s}'
        % (b"0" * 400),
    ],
)
def test_a_digest_that_cannot_be_read_is_put_aside_and_stops_nothing(line: bytes) -> None:
    """At ERROR; the others are sent, nothing is written elsewhere, and the lease is given back."""
    world = QuickWorld()
    world.store.put("_digests/0000000000-ab12.json", line)
    world.store.put("_digests/1790000000-ab12.json", kept())
    summary = world.sweep()

    assert summary["status"] == "done"
    assert len(world.phone.texts) == 1
    assert world.keys() == [
        "_done/0000000000-j1-failed-alert.failed.json",
        "_undelivered/0000000000-ab12.json",
    ]
    assert world.store.get("_undelivered/0000000000-ab12.json") == line
    (error,) = [line for line in world.lines if line["event"] == "alert_undelivered"]
    assert error["level"] == "ERROR"
    assert error["key"] == "_digests/0000000000-ab12.json"


def test_times_that_lie_ahead_keep_no_digest_waiting_for_ever() -> None:
    """It is sent at once; where no channel takes it, it is given up at once."""
    world = QuickWorld()
    [channel] = channels([world.phone.url])
    far = 4_070_908_800
    late = {channel.id: {"delivered": False, "tries": 1, "next_at": far}}
    world.store.put("_digests/1790000000-ab12.json", kept(since=far, channels=late))
    world.phone.refuse_with = 500
    world.sweep()

    assert len(world.phone.received) == 1
    assert world.keys("_undelivered/") == ["_undelivered/1790000000-ab12.json"]


MARKERS = ("_digests/", "_digests/.DS_Store", "_digests/sub/", "_digests/sub/x.json", "_digests/~")


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_among_the_digests_is_passed_over(marker: str) -> None:
    """What a console or a file manager puts there is left alone, and keeps no sweep busy."""
    world = QuickWorld()
    world.store.put(marker, b"")
    world.sweep()
    assert [change.key for change in world.memory.journal] == [marker]  # no lease: nothing to do
    world.post("hello")
    world.run(minutes=1)

    assert len(world.phone.texts) == 1
    assert world.keys("_digests/") == [marker]
    assert world.keys("_undelivered/") == world.keys("_sweep/") == []


# --- what is logged of a digest -------------------------------------------------------------


def said(world: QuickWorld, event: str) -> list[dict[str, Any]]:
    """The lines of an event, but for the time and what every line of an invocation has."""
    return [
        {name: value for name, value in line.items() if not name.startswith(("time", "faas."))}
        for line in world.lines
        if line["event"] == event
    ]


def test_a_delivery_is_one_line() -> None:
    """With the channel, as far as it may be shown, and the title."""
    world = QuickWorld()
    world.store.put("_digests/1790000000-ab12.json", kept())
    world.sweep()
    assert said(world, "alert") == [
        {
            "level": "INFO",
            "event": "alert",
            "channel": "webhook 127.0.0.1",
            "status": "delivered",
            "title": "a title",
        }
    ]


def test_a_channel_that_refuses_is_an_error_once() -> None:
    """Then a warning each time; at last the digest is kept aside, with all that it says."""
    world = QuickWorld()
    world.store.put("_digests/1790000000-ab12.json", kept(since=world.now))
    world.phone.refuse_with = 500
    world.sweep()
    world.now += 60
    world.sweep()
    lines = said(world, "alert")
    assert [line["level"] for line in lines] == ["ERROR", "WARNING"]
    assert {line["status"] for line in lines} == {"failed"}
    assert all(line["reason"].startswith("HTTP 500") for line in lines)
    world.now += DAY_S
    world.sweep()
    assert said(world, "alert_undelivered") == [
        {
            "level": "ERROR",
            "event": "alert_undelivered",
            "key": "_digests/1790000000-ab12.json",
            "reason": "not delivered within a day to: webhook 127.0.0.1",
            "title": "a title",
            "text": "a title\na line",
        }
    ]
    assert world.keys("_digests/") == []


def test_without_a_channel_a_digest_is_kept_aside_with_the_setting_to_mend() -> None:
    """A person must see it in the log at least."""
    world = QuickWorld(ALERT_URLS="")
    world.store.put("_digests/1790000000-ab12.json", kept())
    world.sweep()
    (line,) = said(world, "alert_undelivered")
    assert line["reason"] == "no channel is configured: set ALERT_URLS"


def test_a_digest_that_can_not_be_read_says_why() -> None:
    """Nothing of it is shown."""
    world = QuickWorld()
    world.store.put("_digests/1790000000-ab12.json", b"[]")
    world.sweep()
    (line,) = said(world, "alert_undelivered")
    assert line == {
        "level": "ERROR",
        "event": "alert_undelivered",
        "key": "_digests/1790000000-ab12.json",
        "reason": "unreadable: not a digest/1",
    }


def test_a_digest_is_stored_whole_before_it_is_sent() -> None:
    """Then its tickets are done, then it is sent, and noted."""
    world = QuickWorld()
    world.post("hello")
    world.phone.refuse_with = 500
    begun = len(world.memory.journal)
    world.sweep()
    written = [
        (change.key.split("/")[0], change.data is not None)
        for change in world.memory.journal[begun:]
        if not change.key.startswith("_sweep/")
    ]
    assert written == [
        ("_digests", True),
        ("_done", True),
        ("_outbox", False),
        ("_digests", True),
    ]
    (key,) = world.keys("_digests/")
    digest = world.read(key)
    assert digest["message"]["id"] == key.removeprefix("_digests/").removesuffix(".json")
    assert digest["since"] == digest["channels"][channels([world.phone.url])[0].id]["next_at"] - 30
    assert key.startswith(f"_digests/{int(digest['since']):010d}-")


def test_a_waiting_digest_is_left_where_the_sweeps_time_is_nearly_used_up() -> None:
    """Its channels may take five seconds, and the note of it must still be written."""
    world = QuickWorld()
    context = context_of(world)
    world.store.put("_digests/1790000000-ab12.json", kept())
    Alerts(context, lambda: 9.9).send_waiting(["_digests/1790000000-ab12.json"])
    assert world.phone.received == []
    Alerts(context, lambda: 10.0).send_waiting(["_digests/1790000000-ab12.json"])
    assert len(world.phone.received) == 1


def test_a_digest_that_is_gone_stops_nothing() -> None:
    """The listing lagged; the next one is sent."""
    world = QuickWorld()
    world.store.put("_digests/1790000000-ab12.json", kept())
    keys = ["_digests/1789999999-ab12.json", "_digests/1790000000-ab12.json"]
    Alerts(context_of(world), lambda: 60.0).send_waiting(keys)
    assert len(world.phone.received) == 1


def test_a_digest_that_was_sent_before_marks_nothing_again() -> None:
    """Its tickets were marked before it was sent first."""
    world = QuickWorld()
    later = {"0" * 16: {"delivered": False, "tries": 1, "next_at": 0}}
    world.store.put("_digests/1790000000-ab12.json", kept(channels=later))
    world.sweep()
    assert len(world.phone.received) == 1
    assert world.keys("_done/") == []


def test_the_lease_is_looked_at_before_each_digest_and_each_note() -> None:
    """Before the first put, before what is sent, and before the note of it."""
    world = QuickWorld()
    context = context_of(world)
    needed: list[float] = []
    lease: Any = SimpleNamespace(check=needed.append, writer="w1")
    context.lease = lease
    world.phone.refuse_with = 500
    due = [("a.json", Entry("dead", None, "", "j1", "j1", 0, "", "", "why"))]
    Alerts(context, lambda: 60.0).send_due(due)
    assert needed == [5.0, 6.0, 5.0]
    Alerts(context, lambda: 60.0).send_due([])
    assert needed == [5.0, 6.0, 5.0]


def test_a_digest_holds_a_bounded_number_of_tickets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others wait for the next sweep."""
    monkeypatch.setattr("handler.alerts.send.MAX_TICKETS", 2)
    world = QuickWorld()
    due = [(f"{n}.json", Entry("dead", None, "", n, n, 0, "", "", "why")) for n in "abc"]
    Alerts(context_of(world), lambda: 60.0).send_due(due)
    assert world.keys("_done/") == ["_done/a.json", "_done/b.json"]
    (text,) = world.phone.texts
    assert "2" in text.splitlines()[0]
