"""User code that hears of events: receivers without sockets, in a world in memory."""

from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from standardwebhooks import Webhook

from handler.errors import NoAnswerError
from handler.http_client import Answer, Http
from tests.stores import QuickWorld

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


class Receiver:
    """One destination, which checks each signature with the library of Standard Webhooks.

    Attributes:
        heard: the events that it accepted, in their order, repetitions included.
        answer: what it answers with; None for no answer.
        is_deaf: whether it hears an event although no answer is given.
        asked: how often it was sent to.
    """

    def __init__(self, host: str = "one.example.com") -> None:
        self.host = host
        self.heard: list[dict[str, Any]] = []
        self.answer: Callable[[int], Answer | None] = lambda number: Answer(204, b"")
        self.asked = 0
        self._lock = threading.Lock()

    def url(self, options: str = "") -> str:
        """What goes into FORWARD_URLS."""
        return f"https://{self.host}/hook#secret={SECRET}{options}"

    @property
    def types(self) -> list[tuple[str, str]]:
        """(type, job) of what was heard."""
        return [(event["type"], event["job_id"]) for event in self.heard]

    @property
    def finals(self) -> Counter[str]:
        """How many different final events were heard of each root."""
        ids = {(event["root_job_id"], event["id"]) for event in self.heard if event["final"]}
        return Counter(root for root, _ in ids)

    def take(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """A request reaches it."""
        name, stamp = headers["webhook-id"], headers["webhook-timestamp"]
        sent_at = datetime.fromtimestamp(int(stamp), timezone.utc)
        assert Webhook(SECRET).sign(name, sent_at, body.decode()) == headers["webhook-signature"]
        event = json.loads(body)
        assert event["id"] == name
        with self._lock:
            self.asked += 1
            answer = self.answer(self.asked)
            if answer is not None and answer.status < 300:
                self.heard.append(event)
        if answer is None:
            raise NoAnswerError(self.host, "no whole answer within 10 s", True, "time")
        return answer


class ForwardWires:
    """`Http` to receivers by their host, and to all else as before."""

    def __init__(self, inner: Http, receivers: list[Receiver]) -> None:
        self._inner = inner
        self.receivers = {receiver.host: receiver for receiver in receivers}

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        receiver = self.receivers.get(url.split("/")[2])
        if receiver is None:
            return self._inner.send(method, url, headers, body, timeout_s)
        return receiver.take(headers, body)


class ForwardWorld(QuickWorld):
    """A world whose ends are forwarded."""

    def __init__(self, *receivers: Receiver, options: str = "", **env: str) -> None:
        self.receivers = list(receivers) or [Receiver()]
        urls = " ".join(receiver.url(options) for receiver in self.receivers)
        super().__init__(None, **{"FORWARD_URLS": urls} | env)
        self.http = ForwardWires(self.http, self.receivers)

    @property
    def receiver(self) -> Receiver:
        """The first one."""
        return self.receivers[0]

    def forward(self, **given: Any) -> dict[str, Any]:
        """The timer ticks; what the task logged of itself."""
        tick = {"Type": "Timer", "TriggerName": "forward", "Message": "forward"}
        context = {"request_id": "f", "time_limit_in_ms": 55_000}
        self.function(**given).handle(tick, context)
        return next(line for line in reversed(self.lines) if line["event"] == "forward")

    def run(self, minutes: float, each: Callable[[], object] = lambda: None) -> None:
        """Time goes by, with a sweep and a run of the task each minute."""

        def both() -> None:
            each()
            self.forward()

        super().run(minutes, both)

    def ended(self, state: str = "Success", code: str = "Success") -> str:
        """A job of CI's ends, and its callback is delivered; the JobId."""
        job_id = self.submit()
        self.now += 10
        self.ci.finish(job_id, state, code)
        assert self.deliver(job_id)[0] == 200
        return job_id
