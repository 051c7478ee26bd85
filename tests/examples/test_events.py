"""The receivers of examples/, run against the real sender."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from handler.forwarding.addresses import forward_client
from handler.forwarding.sending import signed_headers
from handler.http_client import Answer
from handler.settings.destinations import read_destination
from tests.forwarding.receivers import SECRET, ForwardWorld
from tests.forwarding.test_sending import OUTGOING
from tests.test_docs import ROOT


def example(name: str) -> Any:
    """A module of examples/."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class OnLoopback:
    """The real client for one address, and the world's own for the others."""

    def __init__(self, world: ForwardWorld) -> None:
        self._inner = world.http
        self._client = forward_client(frozenset({"127.0.0.1"}))

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        if url.endswith("/ci"):
            return self._client.send(method, url, headers, body, timeout_s)
        return self._inner.send(method, url, headers, body, timeout_s)


@pytest.fixture
def forwarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], None]]:
    """Serves an application, and lets jobs end whose events are sent to it: a success, a failure
    that is retried, and the success once more."""
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    with contextlib.ExitStack() as stack:

        def play(application: Any) -> None:
            server = make_server("127.0.0.1", 0, application)
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            stack.callback(server.server_close)
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            url = f"http://127.0.0.1:{server.port}/ci"
            world = ForwardWorld(
                FORWARD_URLS=f"{url}#secret={SECRET}", FORWARD_ALLOW_HOSTS="127.0.0.1"
            )
            world.now = time.time()
            world.http = OnLoopback(world)
            world.ended()
            world.ended("Failed", "InternalError")
            assert world.forward()["delivered"] == 2
            for batch in world.keys("_deliveries/"):
                world.store.delete(batch)  # as if that run had died: it is sent again
            world.deliver(world.ci.accepted[0].job_id)
            assert world.forward()["delivered"] == 1

        yield play


def test_the_flask_receiver_counts_each_event_once(
    forwarded: Callable[[Any], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And notes how each job ended that was submitted."""
    monkeypatch.setenv("DATABASE", str(tmp_path / "events.db"))
    module = example("events_flask")
    forwarded(module.app)
    with contextlib.closing(sqlite3.connect(tmp_path / "events.db")) as opened:
        assert opened.execute("SELECT count(*) FROM events").fetchone() == (2,)
        assert opened.execute("SELECT type, why FROM jobs").fetchall() == [("job.succeeded", None)]


def test_the_scf_receiver_keeps_each_event_once(
    forwarded: Callable[[Any], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file for each, named by its id."""
    monkeypatch.setenv("INBOX", str(tmp_path / "inbox"))
    module = example("events_scf")

    def application(environ: Mapping[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
        headers = {
            name.removeprefix("HTTP_").replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        answered = module.main_handler({"headers": headers, "body": body}, None)
        start_response(f"{answered['statusCode']} OK", [*answered["headers"].items()])
        return [answered["body"].encode()]

    forwarded(application)
    kept = sorted((tmp_path / "inbox").iterdir())
    events = [json.loads(path.read_bytes()) for path in kept]
    assert sorted(event["type"] for event in events) == ["job.retrying", "job.succeeded"]
    assert [path.stem for path in kept] == [event["id"] for event in events]


@pytest.mark.parametrize("name", ["events_flask", "events_scf"])
def test_a_receiver_refuses_what_is_not_signed_now(name: str) -> None:
    """Another secret, another body, an old time, no header at all."""
    verified = example(name).verified
    to = read_destination(f"https://one.example.com/#secret={SECRET}")
    good = signed_headers(OUTGOING, to.secret, time.time())
    old = signed_headers(OUTGOING, to.secret, time.time() - 600)
    assert verified(SECRET, good, OUTGOING.body)
    assert not verified(SECRET, good, OUTGOING.body + b" ")
    assert not verified("whsec_" + "A" * 44, good, OUTGOING.body)
    assert not verified(SECRET, old, OUTGOING.body)
    assert not verified(SECRET, {}, OUTGOING.body)
    assert not verified(SECRET, good | {"webhook-timestamp": "x"}, OUTGOING.body)
