"""The same through the COS SDK and sockets: what it costs in requests."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from handler.app import Function
from handler.http_client import HttpClient
from handler.log import Log
from tests.fake_cos import FakeCos
from tests.forwarding.receivers import ForwardWires, Receiver
from tests.test_docs import ROOT
from tests.world import START


def invoke(env: dict[str, str], event: Any, receivers: list[Receiver], now: float = START) -> Any:
    """One invocation, as SCF makes it."""
    http = ForwardWires(HttpClient(), receivers)
    log = Log(io.StringIO(), lambda: now)
    function = Function(env, lambda: now, log, lambda seconds: None, http=http)
    return function.handle(event, {"request_id": "r1"})


def callback(number: int) -> dict[str, Any]:
    job = {"JobId": f"j{number}", "State": "Success", "Code": "Success", "Tag": "Transcode"}
    created = {"CreationTime": "2026-09-21T14:00:00Z", "EndTime": "2026-09-21T14:10:00Z"}
    body = json.dumps({"JobsDetail": job | created})
    return {"httpMethod": "POST", "path": "/", "body": body}


FORWARD = {"Type": "Timer", "TriggerName": "forward", "Message": "forward"}


@pytest.fixture
def env(cos: FakeCos, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr("handler.stores._warm_stores", {})
    return cos.env | {"LEASE_WAIT_S": "0"}


def test_a_kept_callback_is_one_request_and_two_where_it_is_forwarded(
    cos: FakeCos, env: dict[str, str]
) -> None:
    """The event first; nothing is read."""
    invoke(env, callback(1), [])
    assert [method for method, _ in cos.requests()] == ["PUT"]
    cos.seen.clear()
    invoke(env | {"FORWARD_URLS": Receiver().url()}, callback(2), [Receiver()])
    keys = [key.split("/")[1] for _, key in cos.requests()]
    assert [method for method, _ in cos.requests()] == ["PUT", "PUT"]
    assert keys == ["_events", "jobs"]


def test_the_task_costs_nothing_without_destinations_and_one_request_where_nothing_waits(
    cos: FakeCos, env: dict[str, str]
) -> None:
    """A listing of what holds anything."""
    invoke(env, FORWARD, [])
    assert cos.requests() == []
    invoke(env | {"FORWARD_URLS": Receiver().url()}, FORWARD, [Receiver()])
    assert [method for method, _ in cos.requests()] == ["GET"]


def test_a_batch_of_a_hundred_costs_below_three_requests_for_each_event(
    cos: FakeCos, env: dict[str, str]
) -> None:
    """To two destinations."""
    receivers = [Receiver(), Receiver("two.example.com")]
    env["FORWARD_URLS"] = " ".join(receiver.url() for receiver in receivers)
    for number in range(100):
        assert invoke(env, callback(number), receivers)["statusCode"] == 200
    cos.seen.clear()
    invoke(env, FORWARD, receivers)
    assert [len(receiver.heard) for receiver in receivers] == [100, 100]
    assert len(cos.requests()) <= 210
    assert cos.keys("ci/_events/") == []
    assert len(cos.keys("ci/_finals/")) == 100


def test_without_destinations_a_callback_imports_nothing_of_events(cos: FakeCos) -> None:
    """Each import is a part of a cold start."""
    program = (
        "import json, os, sys, index\n"
        "answer = index.main_handler(json.loads(sys.argv[1]), {})\n"
        "print(answer['statusCode'], *sorted(n for n in sys.modules if n.startswith('handler.')))\n"
    )
    loaded = {}
    for forwarded in (False, True):
        more = {"FORWARD_URLS": Receiver().url()} if forwarded else {}
        done = subprocess.run(
            [sys.executable, "-c", program, json.dumps(callback(1))],
            env={"PATH": os.environ["PATH"], "CALLBACK_TOKENS": "none", **cos.env, **more},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        status, *loaded[forwarded] = done.stdout.splitlines()[-1].split()
        assert status == "200"
    assert "handler.events.queue" in loaded[True]
    assert not [name for name in loaded[False] if "events" in name or "forward" in name]
    assert "handler.settings.destinations" not in loaded[False]
    assert not [name for name in loaded[True] if "forwarding" in name]
