"""The function as SCF runs it, in a process that is ended by SIGKILL at its k-th request.

Requests are those to COS, to CI and to the channel, counted together in the order in which they
arrive. The servers end the process: before they carry a request out, or right after it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.scf_runner import Code, ScfRunner
from handler.ledger.bucket import BucketAddress, Credentials
from handler.ledger.cos import CosStore
from tests.alert_services import AlertService, Received
from tests.fake_cos import BUCKET, REGION, Seen
from tests.fake_cos.cloud import FakeCloud, is_for_ci
from tests.world import World

T = TypeVar("T")

PREFIX = "ci/"


class KillPoint:
    """Counts requests, and ends the process at one of them. made: what they were, in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.aim("never", 0, lambda: None)

    def aim(self, when: str, number: int, kill: Callable[[], object]) -> None:
        """Begin to count. when: "before", "after" or "never" the request with this number."""
        self._when, self._number, self._kill = when, number, kill
        self.made: list[str] = []

    def ask(self, what: str, carry_out: Callable[[], T]) -> T:
        """Carry a request out, unless the process ends before."""
        with self._lock:
            self.made.append(what)
            when = self._when if len(self.made) == self._number else "never"
        if when == "before":
            self._kill()
            raise ConnectionResetError  # the client is gone
        done = carry_out()
        if when == "after":
            self._kill()
        return done


class Cloud(FakeCloud):
    """COS and CI, each of whose requests is a kill point."""

    point = KillPoint()

    def carry_out(self, seen: Seen) -> tuple[str, dict[str, str], bytes]:
        return self.point.ask(_name(seen), lambda: super(Cloud, self).carry_out(seen))


class Channel(AlertService):
    """A webhook, each of whose requests is a kill point."""

    def __init__(self, point: KillPoint) -> None:
        super().__init__("webhook")
        self._point = point

    def take(self, request: Received) -> tuple[int, bytes]:
        return self._point.ask(f"POST {request.path}", lambda: super(Channel, self).take(request))


class CosWorld(World):
    """A world whose ledger is on COS, and whose function may run in a process that is killed."""

    def __init__(self, cloud: Cloud) -> None:
        self.point = cloud.point = KillPoint()
        env = cloud.env | {"CALLBACK_TOKENS": "none", "LEASE_WAIT_S": "0"}
        super().__init__(Path("unused"), **env)
        cloud.ci = self.ci
        address = BucketAddress(BUCKET, PREFIX, REGION, ("127.0.0.1", cloud.port))
        self.store = CosStore(address, Credentials(SECRET_ID, SECRET_KEY, ""))

    def make_phone(self) -> AlertService:
        return Channel(self.point)

    def keys(self, prefix: str = "") -> list[str]:
        return list(self.store.list(prefix))

    def read(self, key: str) -> Any:
        return json.loads(self.store.get(key) or b"null")

    def run_as_deployed(self, code: Code, event: Mapping[str, Any], when: str, number: int) -> int:
        """Give the event to a process of its own; the platform's status of what became of it."""
        with ScfRunner(code, self.env) as scf:
            scf.offset = self.now - time.time()
            self.point.aim(when, number, lambda: scf.busy()[0].kill())
            try:
                return scf.invoke(event).status
            finally:
                made = self.point.made
                self.point.aim("never", 0, lambda: None)
                self.point.made = made


def _name(seen: Seen) -> str:
    """As the store's operations and CI's paths are called."""
    if is_for_ci(seen):
        return f"{seen.method} /{seen.key}"
    if seen.deleted_keys:
        return f"delete_many {seen.deleted_keys[0].removeprefix(PREFIX)}"
    if not seen.key:
        return f"list {seen.params['prefix'].removeprefix(PREFIX)}"
    is_new = seen.headers.get("x-cos-forbid-overwrite") == "true"
    return f"{seen.method.lower()}{'_new' if is_new else ''} {seen.key.removeprefix(PREFIX)}"
