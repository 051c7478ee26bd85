"""What the function talks to: COS and CI behind one address, a person's webhook, and two
receivers of events."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from standardwebhooks import Webhook

from ci_callback.ci_simulator import CiSimulator
from tests.alert_services import AlertService, Received
from tests.fake_cos import BUCKET, FakeCos, Fault, Seen
from tests.fake_cos.cloud import FakeCloud, is_for_ci
from tests.forwarding.receivers import SECRET

SPILL_BUCKET = "spill-1250000000"

SHARES: dict[str, float] = {
    "409": 0.01,
    "503": 0.01,
    "503 after": 0.005,
    "reset": 0.005,
    "reset after": 0.005,
    "cut": 0.003,
    "late": 0.003,
}
"""Of all requests for COS, how many go wrong in which way."""

CI_SHARES: dict[str, float] = {"503": 0.02, "503 after": 0.03, "reset after": 0.03}

_DOWN = Fault(before=(503, "ServiceUnavailable"))
_FAULTS: dict[str, Callable[[random.Random], Fault]] = {
    "409": lambda chance: Fault(before=(409, chance.choice(("PathConflict", "UploadConflict")))),
    "503": lambda chance: _DOWN,
    "503 after": lambda chance: Fault(after=(503, "ServiceUnavailable")),
    "reset": lambda chance: Fault(reset_before=True),
    "reset after": lambda chance: Fault(reset_after=True),
    "cut": lambda chance: Fault(cut_answer=True),
    "late": lambda chance: Fault(lands_after_s=chance.uniform(1, 50)),
}


class Services(FakeCloud):
    """COS, and CI behind the same address. Writes that were carried out are noted.

    Attributes:
        is_down: whether the ledger's bucket is away. is_spill_down: the spill's.
        kill: called before or after some requests, as often as kills are left.
    """

    def __init__(self, ci: CiSimulator, chance: random.Random) -> None:
        super().__init__(ci)
        self.buckets.add(SPILL_BUCKET)
        self._chance = chance
        self._choosing = threading.Lock()
        self.is_down = self.is_spill_down = self.is_calm = False
        self.kill: Callable[[], object] = lambda: None
        self.kills_left = 0
        self.kill_share = 0.0
        self.faults: Counter[str] = Counter()
        self.objects: dict[str, bytes] = {}
        """Every object that was ever written to the ledger, the newest."""
        self.digests: dict[str, set[str]] = {}
        """The tickets of every digest that was ever written, by its id."""

    def choose(self, seen: Seen) -> Fault | None:
        """What goes wrong with a request; give it to `fault`."""
        if is_for_ci(seen):
            return self._wrong(CI_SHARES, "CI ")
        is_spill = seen.headers.get("host", "").startswith(SPILL_BUCKET)
        if self.is_spill_down if is_spill else self.is_down:
            self.faults["COS was down"] += 1
            return _DOWN
        fault = self._wrong(SHARES, "")
        # 409s are about writing, and only a write can land late.
        is_write = seen.method == "PUT"
        return fault if is_write or fault is None or fault.reset_before else self._read(fault)

    def carry_out(self, seen: Seen) -> tuple[str, dict[str, str], bytes]:
        when = self._when_to_kill()
        if when == "before":
            self.kill()
        done = super().carry_out(seen)
        if seen.method == "PUT" and done[0].startswith("200") and not is_for_ci(seen):
            self._note(seen)
        if when == "after":
            self.kill()
        return done

    def written(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """The objects below a prefix that are there now, and what they hold."""
        for key in self.keys(f"ci/{prefix}"):
            yield key.removeprefix("ci/"), self.objects[key]

    def _wrong(self, shares: dict[str, float], of: str) -> Fault | None:
        with self._choosing:
            drawn = self._chance.random()
            for name, share in shares.items():
                drawn -= share
                if drawn < 0 and not self.is_calm:
                    self.faults[of + name] += 1
                    return _FAULTS[name](self._chance)
        return None

    def _read(self, fault: Fault) -> Fault | None:
        return (
            None if fault.lands_after_s is not None or (fault.before or (0,))[0] == 409 else fault
        )

    def _when_to_kill(self) -> str:
        with self._choosing:
            if not self.kills_left or self._chance.random() > self.kill_share:
                return ""
            self.kills_left -= 1
            return self._chance.choice(("before", "after"))

    def _note(self, seen: Seen) -> None:
        if seen.headers["host"].startswith(BUCKET):
            self.objects[seen.key] = seen.body
            if seen.key.startswith("ci/_digests/"):
                name = seen.key.removeprefix("ci/_digests/").removesuffix(".json")
                tickets: Any = json.loads(seen.body)["tickets"]
                self.digests.setdefault(name, set()).update(tickets)


@dataclass
class Keys:
    """Temporary credentials that the platform renews, and that both services know."""

    cos: FakeCos
    ci: CiSimulator
    number: int = 0
    given: list[str] = field(default_factory=list)

    def rotate(self) -> None:
        """From now on only new ones are accepted."""
        self.number += 1
        env = self.env()
        pair = {env["TENCENTCLOUD_SECRETID"]: env["TENCENTCLOUD_SECRETKEY"]}
        self.cos.secrets = self.ci.secrets = pair
        self.cos.security_token = self.ci.security_token = env["TENCENTCLOUD_SESSIONTOKEN"]
        self.given += [env["TENCENTCLOUD_SECRETKEY"], env["TENCENTCLOUD_SESSIONTOKEN"]]

    def env(self) -> dict[str, str]:
        """What the platform gives the function with an event."""
        return {
            "TENCENTCLOUD_SECRETID": f"AKIDexample{self.number}",
            "TENCENTCLOUD_SECRETKEY": f"example-secret-key-{self.number}",
            "TENCENTCLOUD_SESSIONTOKEN": f"example-session-token-{self.number}",
        }


class Person(AlertService):
    """A webhook that knows which messages it accepted, by their ids."""

    def __init__(self) -> None:
        super().__init__("webhook")
        self.accepted: Counter[str] = Counter()

    def take(self, request: Received) -> tuple[int, bytes]:
        status, body = super().take(request)
        if status < 300:
            self.accepted[request.headers["webhook-id"]] += 1
        return status, body


class Listener(AlertService):
    """The user's own code: it checks each signature, and knows the final events of each root.

    Attributes:
        finals: by root, the ids of its final events, each with the one that it supersedes.
        heard: how often it accepted each event, by its id.
    """

    def __init__(self) -> None:
        super().__init__("webhook")
        self.finals: dict[str, dict[str, str | None]] = {}
        self.heard: Counter[str] = Counter()
        self._noting = threading.Lock()

    @property
    def forward_url(self) -> str:
        """What goes into FORWARD_URLS."""
        return f"{self.bare_url}#secret={SECRET}"

    def take(self, request: Received) -> tuple[int, bytes]:
        name, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        sent_at = datetime.fromtimestamp(int(stamp), timezone.utc)
        signature = Webhook(SECRET).sign(name, sent_at, request.body.decode())
        if signature != request.headers["webhook-signature"]:
            return 401, b"not signed"
        if self.refuse_with is not None:
            return int(self.refuse_with), b"not today"
        event = request.json
        with self._noting:
            self.heard[name] += 1
            if event["final"]:
                finals = self.finals.setdefault(event["root_job_id"], {})
                finals[name] = event["supersedes"]
        return 204, b""
