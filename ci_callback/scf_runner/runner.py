"""The platform: instances on demand, events, retries of asynchronous ones, a clock that is moved.

An instance takes one event at a time (583/45757): where all are busy a new one is started. After
each event it is frozen; with the next one it goes on.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ci_callback.scf_runner.code_folder import Code
from ci_callback.scf_runner.instance import OK, TOO_LARGE, Instance, Invoked
from ci_callback.scf_runner.limits import MB, Limits
from handler.clock import rfc3339_of
from handler.errors import HandlerError


class EnvironmentTooLargeError(HandlerError):
    """The function can't be configured so."""


class Retry(NamedTuple):
    """A failed asynchronous event that is run again. at: epoch seconds. left: further runs."""

    at: float
    event: Any
    left: int


@dataclass
class ScfRunner:
    """Use as a context manager. env: the function's environment variables.

    credentials: the keys of an invocation, added to the environment of its process: the platform
        renews them. offset: seconds by which the clock is ahead. noted: called with each event and
        what became of it, in whichever thread invokes.
    """

    code: Code
    env: Mapping[str, str]
    limits: Limits = field(default_factory=Limits)
    credentials: Callable[[], Mapping[str, str]] = dict
    noted: Callable[[Any, Invoked], object] = lambda event, invoked: None
    offset: float = 0.0
    started: int = field(default=0, init=False)
    """How many instances there were."""
    _idle: list[Instance] = field(default_factory=list, init=False, repr=False)
    _busy: list[Instance] = field(default_factory=list, init=False, repr=False)
    _retries: list[Retry] = field(default_factory=list, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _starter: ThreadPoolExecutor = field(init=False, repr=False)
    """One thread that lives as long as this: instances end with the thread that made them."""

    def __enter__(self) -> ScfRunner:
        size = sum(len(f"{name}{value}".encode()) for name, value in self.env.items())
        if size > self.limits.env_bytes:
            raise EnvironmentTooLargeError(
                f"the environment takes {size} bytes; the platform allows {self.limits.env_bytes}"
            )
        self._starter = ThreadPoolExecutor(1)
        return self

    def __exit__(self, *exc: object) -> None:
        for instance in self.instances():
            instance.close()
        self._starter.shutdown()

    def clock(self) -> float:
        """Epoch seconds, moved."""
        return time.time() + self.offset

    def instances(self) -> list[Instance]:
        """Those that are there, the busy ones first."""
        with self._lock:
            return [*self._busy, *self._idle]

    def busy(self) -> list[Instance]:
        """Those that have an event."""
        with self._lock:
            return list(self._busy)

    # --- events ---

    def invoke(self, event: Any, request_id: str | None = None) -> Invoked:
        """A synchronous event, as of the function's URL. The platform does not run it again."""
        return self._run(event, self.limits.request_bytes, request_id or str(uuid.uuid4()))

    def fire(
        self, event: Any, request_id: str | None = None, retries: int | None = None
    ) -> Invoked:
        """An asynchronous event, as of a timer: where it fails it is run again, as often as
        `retries` says, else the limits."""
        invoked = self._run(event, self.limits.async_event_bytes, request_id or str(uuid.uuid4()))
        left = self.limits.retries if retries is None else retries
        if invoked.status != OK and left:
            again = Retry(self.clock() + self.limits.retry_wait_s, event, left - 1)
            with self._lock:
                self._retries.append(again)
        return invoked

    def take_due(self) -> list[Retry]:
        """The failed asynchronous events whose time has come, for the caller to fire."""
        now = self.clock()
        with self._lock:
            due = [retry for retry in self._retries if retry.at <= now]
            self._retries = [retry for retry in self._retries if retry.at > now]
        return due

    def run_due(self) -> list[Invoked]:
        """Run them."""
        return [self.fire(retry.event, retries=retry.left) for retry in self.take_due()]

    def _run(self, event: Any, limit: int, request_id: str) -> Invoked:
        size = len(json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        if size > limit:
            return Invoked(TOO_LARGE, None, f"an event of {size} bytes; {limit} are allowed")
        instance = self._acquire()
        try:
            invoked = instance.invoke(event, self._context(request_id), self.credentials())
        finally:
            self._release(instance)
        self.noted(event, invoked)
        return invoked

    # --- instances ---

    def _acquire(self) -> Instance:
        with self._lock:
            while self._idle:
                instance = self._idle.pop()
                if instance.is_alive:
                    instance.thaw()
                    break
                instance.close()
            else:
                instance = self._start(self._environ())
            self._busy.append(instance)
            return instance

    def _start(self, environ: dict[str, str]) -> Instance:
        self.started += 1

        def start() -> Instance:
            return Instance(self.code, environ, self.limits, self.clock, lambda: self.offset)

        return self._starter.submit(start).result()

    def _release(self, instance: Instance) -> None:
        with self._lock:
            self._busy.remove(instance)
            if instance.is_alive:
                instance.freeze()
                self._idle.append(instance)
            else:
                instance.close()

    def _environ(self) -> dict[str, str]:
        """As the platform makes it (583/32748, docs.cloudbase.net/cloud-function)."""
        own = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "x",
            "PYTHONPATH": "/var/user:/opt",
            "SCF_NAMESPACE": "default",
            "TENCENTCLOUD_RUNENV": "SCF",
            "USER_CODE_ROOT": "/var/user/",
        }
        return own | dict(self.env) | dict(self.credentials())

    def _context(self, request_id: str) -> dict[str, Any]:
        """The keys that were observed with a function's URL, and their units."""
        environ = {"SCF_NAMESPACE": "default", "TZ": "UTC"}
        return {
            "environ": ";".join(f"{name}={value}" for name, value in environ.items()),
            "environment": json.dumps(environ),
            "function_name": "ci-callback",
            "function_version": "$LATEST",
            "memory_limit_in_mb": self.limits.memory // MB,
            "namespace": "default",
            "request_id": request_id,
            "tencentcloud_appid": "1250000000",
            "tencentcloud_region": self.env.get("COS_REGION", "ap-guangzhou"),
            "tencentcloud_uin": "100000000001",
            "time_limit_in_ms": int(self.limits.time_s * 1000),
        }


def timer_event(name: str, now: float) -> dict[str, str]:
    """The event of the timer trigger (583/9708). now: epoch seconds."""
    return {"Type": "Timer", "TriggerName": name, "Time": rfc3339_of(int(now)), "Message": name}
