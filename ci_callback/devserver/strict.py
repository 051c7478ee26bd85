"""The function of `serve --strict`: in processes of its own, under SCF's limits (scf_runner).

It may write to /tmp only, so a ledger in a folder is behind a simulator of COS. Each invocation has
keys of its own, which end with it; by them the console knows what an invocation wrote.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from ci_callback.ci_simulator import APPID, REGION
from ci_callback.devserver.history import History, Invocation, Way, Write
from ci_callback.devserver.local_ci import BUCKET, LocalCi
from ci_callback.devserver.local_cos import LocalCos
from ci_callback.devserver.local_function import LocalFunction
from ci_callback.devserver.watched import Operation
from ci_callback.scf_runner import ScfRunner, from_source
from ci_callback.scf_runner.instance import OK
from handler.ledger.store import Store
from handler.log import Log
from handler.settings import Settings
from handler.settings.rows import ROWS
from handler.stores import open_spill, open_store

SPILL_BUCKET = f"local-spill-{APPID}"

KEYS = ("TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN")


@dataclass
class LocalKeys:
    """The temporary keys of the invocations that are under way, and what each wrote."""

    accepted: dict[str, str] = field(default_factory=dict)
    """secret id → secret key: those that the simulators accept."""
    _writes: dict[str, list[Write]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _mine: threading.local = field(default_factory=threading.local)

    @contextlib.contextmanager
    def issued(self, writes: list[Write]) -> Iterator[None]:
        """Keys for what this thread invokes; its writes go to `writes`."""
        secret_id = f"AKIDlocal{next(self._numbers)}"
        self.accepted[secret_id] = secrets.token_hex(16)
        self._writes[secret_id] = writes
        self._mine.secret_id = secret_id
        try:
            yield
        finally:
            del self.accepted[secret_id], self._writes[secret_id]

    def env(self) -> dict[str, str]:
        """Those of this thread."""
        secret_id = self._mine.secret_id
        return dict(zip(KEYS, (secret_id, self.accepted[secret_id], ""), strict=True))

    def note(self, secret_id: str, operation: Operation, key: str) -> None:
        """The writes that were signed with some keys."""
        self._writes[secret_id].append(Write(time.time(), operation, key))


class StrictFunction(LocalFunction):
    """A LocalFunction whose invocations the platform runs.

    Attributes:
        scf: the platform. keys: None where the environment's own are used.
    """

    scf: ScfRunner
    keys: LocalKeys | None = None
    _retries: int | None = None
    """Of the timer's event that is being run again."""

    def tick(self, task: str, way: Way = "timer") -> Invocation:
        """Invoke as the timer does; before that, what failed a minute ago."""
        for again in self.scf.take_due():
            with self._one_task:
                self._retries = again.left
                self._invoke(again.event, way, task=str(again.event["TriggerName"]))
                self._retries = None
        return super().tick(task, way)

    def _run(
        self, event: Mapping[str, Any], request_id: str, lines: io.StringIO, writes: list[Write]
    ) -> Any:
        with self.keys.issued(writes) if self.keys else contextlib.nullcontext():
            if event.get("Type") == "Timer":
                invoked = self.scf.fire(dict(event), request_id, self._retries)
            else:
                invoked = self.scf.invoke(dict(event), request_id)
        lines.write("".join(f"{row.text}\n" for row in invoked.rows))
        if invoked.status == OK:
            return invoked.answer
        log = Log(lines, self.clock, self.settings.secrets)
        log.error("function_ended", status=invoked.status, reason=invoked.error)
        reason = f"the platform ended the function with status {invoked.status}"
        return {"statusCode": 500, "body": json.dumps({"reason": reason})}


class Platform:
    """The platform of a StrictFunction. Use as a context manager.

    Attributes:
        cos: answers for COS if the ledger, or the spill, is in a folder; else None.
    """

    def __init__(self, settings: Settings) -> None:
        self._urls: dict[str, str] = {}
        self._keys = LocalKeys()
        self._open = contextlib.ExitStack()
        buckets: dict[str, Store] = {}
        if settings.ledger_url.scheme == "file":
            buckets[BUCKET] = open_store(settings)
            self._urls["LEDGER_URL"] = f"cos://{BUCKET}"
        spill = open_spill(settings)
        if settings.spill_url and settings.spill_url.scheme == "file" and spill:
            buckets[SPILL_BUCKET] = spill
            self._urls["SPILL_URL"] = f"cos://{SPILL_BUCKET}#region={REGION}"
        self.cos = LocalCos(buckets, self._keys.accepted, self._keys.note) if buckets else None

    def __enter__(self) -> Platform:
        self._code = self._open.enter_context(from_source())
        if self.cos:
            self._open.enter_context(self.cos)
        return self

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    def function(
        self, env: Mapping[str, str], history: History, log: TextIO, ci: LocalCi | None
    ) -> StrictFunction:
        """The function; its processes end with this platform.

        Raises:
            SettingsError: the environment does not describe a function that works in SCF.
            EnvironmentTooLargeError
        """
        known = {row.variable for row in ROWS}
        given = {name: value for name, value in env.items() if name in known} | self._urls
        credentials = {name: env[name] for name in KEYS if name in env}
        Settings.from_env({**given, **credentials, "TENCENTCLOUD_RUNENV": "SCF"})
        made = StrictFunction(env, history, log, ci)
        made.keys = self._keys if self.cos else None
        renewed = self._keys.env if self.cos else lambda: credentials
        made.scf = self._open.enter_context(ScfRunner(self._code, given, credentials=renewed))
        return made
