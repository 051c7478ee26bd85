"""The function on this machine, invoked by HTTP and by a timer as SCF would, and watched."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol, TextIO

from ci_callback import events
from ci_callback.dead_letters import Replay, find
from ci_callback.devserver.history import History, Invocation, Request, Way, Write
from ci_callback.devserver.run_now import make_due
from ci_callback.devserver.shown import REDACTED, shown
from ci_callback.devserver.watched import Watched
from handler.app import Function
from handler.clock import rfc3339_of
from handler.ingest.recorder import Recorder
from handler.ledger.outbox import Outbox
from handler.ledger.records import Ledger
from handler.ledger.store import Store
from handler.log import Log
from handler.run import Run
from handler.settings import Settings
from handler.stores import open_store
from handler.triggers import Delivery, JobResult

MIN_SECRET = 4
"""Characters. Each shorter one stands in many words by chance."""


class Learns(Protocol):
    """The simulator of CI, which must know of a callback before the function does."""

    def learn(self, body: bytes) -> None: ...


class LocalFunction:
    """One function with its environment, its history and, where it is given, a local CI.

    env: the function's whole environment. log: where its log goes, as on SCF's stdout.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        history: History,
        log: TextIO,
        ci: Learns | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """
        Raises:
            SettingsError: the environment does not describe a working function.
        """
        self.settings = Settings.from_env(env)
        known = {secret for secret in self.settings.secrets if len(secret) >= MIN_SECRET}
        self._secrets = sorted(known, key=len, reverse=True)
        self.history = history
        self.clock = clock
        self._env = dict(env)
        self._log = log
        self._ci = ci
        self._is_cold = True
        self._one_task = threading.Lock()
        self._one_line = threading.Lock()

    @property
    def store(self) -> Store:
        """The ledger, for readers."""
        return open_store(self.settings)

    def deliver(
        self,
        event: Mapping[str, Any],
        body: bytes,
        way: Way = "http",
        again_of: int | None = None,
    ) -> Invocation:
        """Invoke with an HTTP event. body: its bytes, as they came."""
        if self._ci is not None:
            self._ci.learn(body)
        return self._invoke(event, way, request=shown(event, body, self.safe), again_of=again_of)

    def send(self, body: bytes, way: Way, again_of: int | None = None) -> Invocation:
        """Deliver a body as CI would, with one of the tokens."""
        tokens = self.settings.callback_tokens
        return self.deliver(
            events.http_event(body, tokens[0] if tokens else None), body, way, again_of
        )

    def tick(self, task: str, way: Way = "timer") -> Invocation:
        """Invoke as the timer does; one task at a time, as with one timer."""
        now = rfc3339_of(int(self.clock()))
        event = {"Type": "Timer", "TriggerName": task, "Time": now, "Message": task}
        with self._one_task:
            return self._invoke(event, way, task=task)

    def run_now(self, names: Iterable[str]) -> int:
        """Make retries due now; how many there were. May raise StoreError."""
        writes: list[Write] = []
        at, started = self.clock(), time.perf_counter()
        moved = make_due(Outbox(Ledger(self._watched(writes))), names, at)
        if moved:
            self._keep(Invocation("button", at, 0.0, "", "run_now"), started, io.StringIO(), writes)
        return moved

    def safe(self, text: str) -> str:
        """A text without any of the settings' secrets but those that are too short to hide."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return text

    def replay(self, name: str) -> list[JobResult]:
        """Run a dead letter again: its key, or the beginning of its SHA-256.

        Raises:
            NoSuchLetterError, PayloadError, ValueError, StoreError
        """
        writes: list[Write] = []
        lines = io.StringIO()
        context = events.context()
        log = Log(lines, self.clock, self.settings.secrets)
        at, started = self.clock(), time.perf_counter()
        function, ledger = self._function(log, writes), Ledger(self._watched(writes))
        dead_letter = find(ledger.store, name)

        def process(body: bytes) -> list[JobResult]:
            run = Run(context["request_id"], started)
            return function.process([Delivery(body)], "replay", self.settings, run)

        try:
            recorder = Recorder.of(self.settings, ledger.store)
            now = rfc3339_of(at)
            return Replay(ledger, recorder, self.settings.limits, process, now).run(dead_letter)
        finally:
            made = Invocation("button", at, 0.0, context["request_id"], "replay")
            self._keep(made, started, lines, writes)

    def _watched(self, writes: list[Write]) -> Store:
        """The ledger, with its writes noted."""
        return Watched(
            open_store(self.settings),
            lambda operation, key: writes.append(Write(self.clock(), operation, key)),
        )

    def _function(self, log: Log, writes: list[Write]) -> Function:
        return Function(
            self._env,
            self.clock,
            log,
            time.sleep,
            lambda settings, time_left: self._watched(writes),
        )

    def _invoke(
        self,
        event: Mapping[str, Any],
        way: Way,
        task: str = "",
        request: Request | None = None,
        again_of: int | None = None,
    ) -> Invocation:
        request_id = str(events.context()["request_id"])
        lines = io.StringIO()
        writes: list[Write] = []
        at, started = self.clock(), time.perf_counter()
        raw = self._run(event, request_id, lines, writes)
        invocation = Invocation(way, at, 0.0, request_id, task, request, raw, again_of=again_of)
        return self._keep(invocation, started, lines, writes)

    def _run(
        self, event: Mapping[str, Any], request_id: str, lines: io.StringIO, writes: list[Write]
    ) -> Any:
        """The function's answer; its log goes to lines."""
        cold, self._is_cold = self._is_cold, False
        log = Log(lines, self.clock, self.settings.secrets)
        context = events.context() | {"request_id": request_id}
        try:
            return self._function(log, writes).handle(dict(event), context, cold)
        except Exception:  # nothing should come out; SCF would answer a failure of its own
            log.failure("function_raised")
            return {"statusCode": 500, "body": json.dumps({"reason": "the function raised"})}

    def _keep(
        self, invocation: Invocation, started: float, lines: io.StringIO, writes: list[Write]
    ) -> Invocation:
        """Into the history, with what it logged and wrote. started: of time.perf_counter."""
        logged = lines.getvalue()
        with self._one_line:
            self._log.write(logged)
            self._log.flush()
        return self.history.add(
            replace(
                invocation,
                took_ms=(time.perf_counter() - started) * 1000,
                lines=tuple(_log_line(line) for line in logged.splitlines()),
                writes=tuple(writes),
            )
        )


def _log_line(text: str) -> dict[str, Any]:
    """A line of the log; one that is not the function's own, or was cut, as its text."""
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    return values if isinstance(values, dict) else {"event": "output", "text": text}
