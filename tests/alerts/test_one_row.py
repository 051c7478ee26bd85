"""services.py: a row is all that an alert channel needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from handler.alerts.channels import channels
from handler.alerts.services import SERVICES, Order, Request, SendResult, Service
from handler.http_client import Answer
from handler.settings import Settings
from tests.alert_services import KEY, ROBOTS, AlertService, Received, Robot, Verdict
from tests.test_docs import undocumented_services
from tests.world import World

NAME = "huddle"


def request(order: Order) -> Request:
    """A service that wants its secret beside the text."""
    body = {"say": order.message.text(order.room), "pass": order.secret}
    return Request(order.url, json.dumps(body).encode())


def read(answer: Answer) -> SendResult:
    """A service that says `said` where it took a message."""
    if answer.body == b"said":
        return SendResult("delivered")
    return SendResult("failed", answer.body.decode())


def robot_answer(service: AlertService, received: Received) -> Verdict:
    """The other side, for the tests."""
    if received.json["pass"] != service.secret:
        return 200, b"who are you?", None
    return 200, b"said", received.json["say"]


@pytest.fixture(autouse=True)
def row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row, and its twin of the tests."""
    made_up = Service(("huddle.example.com",), request, read, 300, 5_000)
    monkeypatch.setitem(SERVICES, NAME, made_up)
    monkeypatch.setitem(ROBOTS, NAME, Robot(f"/hooks/{KEY}", robot_answer))


def test_its_address_is_a_setting() -> None:
    """Known by its host, or by the name where the host is another."""
    own, named = "https://huddle.example.com/hooks/k", "https://proxy.example.com/k#service=huddle"
    settings = Settings.from_env({"ALERT_URLS": f"{own} {named}"})
    assert [channel.service for channel in channels(settings.alert_urls)] == [NAME, NAME]


def test_an_alert_reaches_it(tmp_path: Path) -> None:
    """Rendered to its limit, sent with its secret, and the answer read by its row."""
    with AlertService(NAME, secret="open") as robot, World(tmp_path, ALERT_URLS=robot.url) as world:
        assert world.post("hello")[0] == 202
        world.run(minutes=1)

        (text,) = robot.texts
        assert text.startswith("[Cloud Infinite] Not understood, kept as dead letters: 1\n")
        assert len(text.encode()) <= 300
        assert world.keys("_digests/") == world.keys("_undelivered/") == []
        (line,) = [line for line in world.lines if line["event"] == "alert"]
        assert (line["channel"], line["status"]) == ("huddle 127.0.0.1", "delivered")


def test_its_refusal_is_read_by_its_row(tmp_path: Path) -> None:
    """The digest waits for it, and its own words are in the log."""
    with AlertService(NAME, secret="open") as robot:
        url = robot.url.replace("secret=open", "secret=other")
        with World(tmp_path, ALERT_URLS=url) as world:
            assert world.post("hello")[0] == 202
            world.run(minutes=1)

            assert (robot.texts, len(world.keys("_digests/"))) == ([], 1)
            (line,) = [line for line in world.lines if line["event"] == "alert"]
            assert (line["status"], line["reason"]) == ("failed", "who are you?")


def test_the_tests_of_the_documents_miss_it() -> None:
    """Until the README and channels.py name it."""
    assert undocumented_services() == [NAME]
