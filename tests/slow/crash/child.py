"""What a child process does: it handles one event, and kills itself at its k-th request, before
or after it.

Requests are those to the ledger's store and those over HTTP (CI and the channels), counted
together in the order in which they are made. Each is written to FOLDER/../requests.log, so
that the test knows which kill points there are.
"""

from __future__ import annotations

import io
import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from handler.app import Function
from handler.ci_api.responses import ANSWER_LIMITS
from handler.http_client import Answer, HttpClient
from handler.ledger.folder import FolderStore
from handler.log import Log


class KillPoint:
    """Counts requests, and ends the process by SIGKILL at one of them."""

    def __init__(self, when: str, number: int, log: Path) -> None:
        self._when = when
        self._number = number
        self._log = log
        self._count = 0
        self._lock = threading.Lock()

    def before(self, what: str) -> int:
        """Number the request; die here where it is the one, and it has not been made."""
        with self._lock:
            self._count += 1
            number = self._count
            with self._log.open("a") as log:
                log.write(what + "\n")
            if (self._when, number) == ("before", self._number):
                os.kill(os.getpid(), signal.SIGKILL)
            return number

    def after(self, number: int) -> None:
        """Die here where it is the one, and it has been made."""
        if (self._when, number) == ("after", self._number):
            os.kill(os.getpid(), signal.SIGKILL)


class MortalStore(FolderStore):
    """A folder whose every operation is a kill point."""

    def __init__(self, root: Path, point: KillPoint) -> None:
        super().__init__(root)
        self._point = point

    def put_new(self, key: str, data: bytes) -> bool:
        number = self._point.before(f"put_new {key}")
        written = super().put_new(key, data)
        self._point.after(number)
        return written

    def put(self, key: str, data: bytes) -> None:
        number = self._point.before(f"put {key}")
        super().put(key, data)
        self._point.after(number)

    def get(self, key: str) -> bytes | None:
        number = self._point.before(f"get {key}")
        data = super().get(key)
        self._point.after(number)
        return data

    def list(self, prefix: str, stop: str | None = None) -> Iterator[str]:
        number = self._point.before(f"list {prefix}")
        keys = list(super().list(prefix, stop))
        self._point.after(number)
        return iter(keys)

    def delete(self, key: str) -> None:
        number = self._point.before(f"delete {key}")
        super().delete(key)
        self._point.after(number)


class MortalHttp(HttpClient):
    """The network, whose every request is a kill point."""

    def __init__(self, point: KillPoint) -> None:
        super().__init__(ANSWER_LIMITS.max_bytes)
        self._point = point

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        path = url.split("//", 1)[1].partition("/")[2].partition("?")[0]
        number = self._point.before(f"{method} /{path}")
        answer = super().send(method, url, headers, body, timeout_s)
        self._point.after(number)
        return answer


def main(folder: Path, env: dict[str, str], now: float, kill_at: str, event: Any) -> None:
    """Handle the event, or die on the way. kill_at is "before:K", "after:K" or "never:0"."""
    when, _, number = kill_at.partition(":")
    point = KillPoint(when, int(number), folder.parent / "requests.log")
    function = Function(
        env,
        lambda: now,
        Log(io.StringIO(), lambda: now),
        lambda seconds: None,
        lambda settings, time_left: MortalStore(folder, point),
        MortalHttp(point),
    )
    answer = function.handle(event, {"request_id": "child"})
    (folder.parent / "answer.json").write_text(json.dumps(answer))
