"""One instance of the function: a process that takes one event at a time, within its limits.

    start ── ready ──► invoke ── answer ──► freeze … thaw ──► invoke …
                          └── over a limit, or its own end: the process is gone

The process that invokes watches the other one: between two pieces of what that writes, and at least
every POLL_S, it looks at the time and at the resident size. RLIMIT_AS is no substitute: it counts
what is reserved too, and refuses the sixth thread of a function that is well below its memory.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ci_callback.scf_runner.code_folder import Code
from ci_callback.scf_runner.limits import Limits
from ci_callback.scf_runner.log_service import LogService, Row
from ci_callback.scf_runner.user import unprivileged_user

POLL_S = 0.02
_CHUNK = 256 * 1024
_PEAK = re.compile(rb"VmHWM:\s+(\d+) kB")

OK, RAISED, TIMED_OUT, OUT_OF_MEMORY, EXITED, NOT_LOADED = 200, 430, 433, 434, 439, 443
TOO_LARGE, ANSWER_TOO_LARGE = 406, 407
"""The platform's own statuses (583/42611)."""


@dataclass(frozen=True)
class Invoked:
    """The result of an event. status: 200, or one of the platform's. error: why, where it is not
    200; a stack trace where the function raised. rows: its log, cut as the log service does."""

    status: int
    answer: Any = None
    error: str = ""
    rows: tuple[Row, ...] = ()
    is_cold: bool = False


class _EndedError(Exception):
    """The process is gone, or was ended. status: of the platform."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass
class Instance:
    """A process that has loaded the code, or is about to. It ends with the thread that made it.

    clock: epoch seconds, for the log. offset: seconds by which the function's own clock is ahead.
    """

    code: Code
    env: Mapping[str, str]
    limits: Limits
    clock: Callable[[], float] = time.time
    offset: Callable[[], float] = lambda: 0.0
    is_cold: bool = field(default=True, init=False)
    _buffer: bytes = field(default=b"", init=False, repr=False)

    def __post_init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        child = Path(__file__).with_name("child.py")
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # this Python, and a script of this package
                # Without site: the platform's Python has no packages but those of the code.
                [sys.executable, "-I", "-S", "-B", child, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
            )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether its process is there, frozen or not."""
        return self._process.poll() is None

    def invoke(
        self, event: Any, context: Mapping[str, Any], env: Mapping[str, str] | None = None
    ) -> Invoked:
        """Give it one event. env: is added to its environment, as renewed credentials are."""
        log = LogService(self.clock, self.limits).request(str(context.get("request_id", "")))
        cold, self.is_cold = self.is_cold, False
        asked = {"event": event, "context": context, "env": env or {}, "offset": self.offset()}
        try:
            if cold:
                self._load(log)
            said = self._converse(asked, self.limits.time_s, TIMED_OUT, log)
        except _EndedError as ended:
            return Invoked(ended.status, None, str(ended), log.finish(), cold)
        if "raised" in said:
            return Invoked(RAISED, None, said["raised"], log.finish(), cold)
        return Invoked(OK, said["answer"], "", log.finish(), cold)

    def freeze(self) -> None:
        """No instruction is run until `thaw`, as of an instance that has no event."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the process, whatever it does. May be called while another thread invokes."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """End the process and free what it needed."""
        self.kill()
        self._channel.close()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _load(self, log: LogService) -> None:
        start = {
            "code": str(self.code.folder),
            "packages": [str(folder) for folder in self.code.packages],
            "env": dict(self.env),
            "user": unprivileged_user(),
            "open_files": self.limits.open_files,
            "offset": self.offset(),
        }
        said = self._converse(start, self.limits.init_s, NOT_LOADED, log)
        if "failed" in said:
            raise self._end(NOT_LOADED, said["failed"])

    def _converse(
        self, asked: Mapping[str, Any], limit_s: float, late: int, log: LogService
    ) -> dict[str, Any]:
        """Send a line, and read until its answer; lines that it logs meanwhile go to the log.

        late: the status with which it is ended at limit_s.
        """
        deadline = time.monotonic() + limit_s
        self._send(json.dumps(asked).encode() + b"\n", deadline, late)
        while True:
            for line in self._lines():
                said: dict[str, Any] = json.loads(line)
                if "log" not in said:
                    return self._checked(said, len(line))
                log.write(said["log"])
            self._receive(deadline, late)

    def _checked(self, said: dict[str, Any], size: int) -> dict[str, Any]:
        if self._peak() > self.limits.memory:  # a peak between two looks
            raise self._end(OUT_OF_MEMORY, "memory")
        if "answer" in said and size > self.limits.answer_bytes:
            raise self._end(ANSWER_TOO_LARGE, f"an answer of {size} bytes")
        return said

    def _lines(self) -> list[bytes]:
        *lines, self._buffer = self._buffer.split(b"\n")
        return lines

    def _send(self, line: bytes, deadline: float, late: int) -> None:
        self._channel.settimeout(max(deadline - time.monotonic(), POLL_S))
        try:
            self._channel.sendall(line)
        except TimeoutError:
            raise self._end(late, "it did not read its event in time") from None
        except OSError:
            raise self._gone() from None

    def _receive(self, deadline: float, late: int) -> None:
        """Whatever comes within POLL_S."""
        self._channel.settimeout(POLL_S)
        try:
            data = self._channel.recv(_CHUNK)
        except TimeoutError:
            data = None
        except OSError:
            data = b""
        if data == b"":
            raise self._gone()
        self._buffer += data or b""
        if self._peak() > self.limits.memory:
            raise self._end(OUT_OF_MEMORY, f"more than {self.limits.memory} bytes of memory")
        if time.monotonic() > deadline:
            raise self._end(late, "it took too long")

    def _peak(self) -> int:
        """Bytes: the largest resident size that it ever had; 0 where the system does not say."""
        try:
            match = _PEAK.search(Path(f"/proc/{self.pid}/status").read_bytes())
        except OSError:
            return 0
        return int(match[1]) * 1024 if match else 0

    def _end(self, status: int, reason: str) -> _EndedError:
        self.close()
        return _EndedError(status, reason)

    def _gone(self) -> _EndedError:
        self.close()
        return _EndedError(EXITED, f"the process ended: {self._process.returncode}")
