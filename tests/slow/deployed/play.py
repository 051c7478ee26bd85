"""The play: minute after minute CI sends callbacks, the timer fires, services and processes fail.

    minute   0 ───── 50 ══════ the ledger's bucket is away ══════ 110 ──── 150 ───── … ── 6 h ──
    spill                      fills        65 ══ away too ══ 80   is emptied by the sweeps
    log                                     holds what comes then, and is replayed at 120
    callbacks ───────────────────────────────────────────────────────────► │
    sweeps   each minute, some twice at once on two instances; failed ones again a minute later

Between two minutes the clock is moved, and nothing is under way; within one as many instances work
as there are senders. The seed decides the plan and the chances; which request meets which fault
hangs on the threads besides.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from ci_callback.ci_simulator import CiSimulator
from ci_callback.events import http_event
from ci_callback.log_recovery import recover
from ci_callback.scf_runner import Invoked, Limits, Row, ScfRunner, from_source, timer_event
from handler.ledger.bucket import Credentials
from tests.slow.deployed.plan import RESENT_SHARE, Callback, Planner
from tests.slow.deployed.services import SPILL_BUCKET, Keys, Listener, Person, Services

MINUTE = 60.0
DOWN, UP = 50, 110
SPILL_DOWN, SPILL_UP = 65, 80
REPLAYED = 120
CALLBACKS_END = 150
CALM_FROM = 160
"""From here on nothing fails: everything must come to its end."""
END = 200
MAX_LAST_ROUNDS = 60
TOKEN = "a-token-of-the-play"
LEASE_WAIT_S = 0.1
LAG_S = 0.08
"""By how much listings lag: less than LEASE_WAIT_S, as the protocol demands."""


@dataclass(frozen=True)
class Size:
    """How much of everything. step: minutes between two rounds. kills: of processes. has_spill:
    whether SPILL_URL is set."""

    callbacks: int
    senders: int
    step: int
    kills: int
    silences: int
    has_spill: bool = True


@dataclass
class Play:
    """One play, and what came of it. rows: the function's log, as the log service took it."""

    size: Size
    seed: int
    chance: random.Random
    ci: CiSimulator
    cos: Services
    person: Person
    keys: Keys
    listeners: tuple[Listener, Listener]
    scf: ScfRunner = field(init=False)
    sent: list[Callback] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    recovered: int = 0
    minute: int = 0
    _later: list[tuple[int, Callback]] = field(default_factory=list)
    _noting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def env(self) -> dict[str, str]:
        """What the function is configured with."""
        spill = {"SPILL_URL": f"cos://{SPILL_BUCKET}/spill#region=ap-shanghai"}
        return {
            **self.cos.env,
            **(spill if self.size.has_spill else {}),
            "ALERT_URLS": self.person.url,
            "FORWARD_URLS": " ".join(listener.forward_url for listener in self.listeners),
            "FORWARD_ALLOW_HOSTS": "127.0.0.1",
            "CALLBACK_TOKENS": TOKEN,
            "LEASE_WAIT_S": str(LEASE_WAIT_S),
            "UNKNOWN_SUBMISSION_TIMEOUT_S": "300",
        }

    def run(self) -> None:
        """All of it."""
        self._plan()
        for minute in range(0, END, self.size.step):
            self._begin(minute)
            self._round()
            self.scf.offset += self.size.step * MINUTE
        for _ in range(MAX_LAST_ROUNDS):
            waiting = [key.split("/")[2][:10] for key in self.cos.keys("ci/_outbox/")]
            events = [*self.cos.keys("ci/_events/"), *self.cos.keys("ci/_pending/")]
            if not (waiting or self._later or self.cos.keys("ci/_digests/") or events):
                break
            # The watches are due hours later, and not all at once.
            due = min(map(float, waiting), default=0.0) - self.scf.clock()
            self.scf.offset += MINUTE if self._later else max(due + MINUTE, 20 * MINUTE)
            self.minute += 1
            self._round()

    def note(self, event: Any, invoked: Invoked) -> None:
        """What became of an event."""
        kind = "timer" if event.get("Type") == "Timer" else "callback"
        with self._noting:
            self.counts[f"{kind} {invoked.status}"] += 1
            self.rows += invoked.rows

    # --- what happens when ---

    def _plan(self) -> None:
        credentials = Credentials(*self.keys.env().values())
        callbacks = Planner(self.ci, self.chance, credentials).callbacks(self.size.callbacks)
        self.scf.offset += 2 * MINUTE  # those of CI's own have ended
        self.ci.settle()
        minutes = range(0, CALLBACKS_END, self.size.step)
        # Fewer while COS is away: each of those costs the waits before two more tries.
        weights = [0.15 if DOWN <= minute < UP else 1.0 for minute in minutes]
        for callback in callbacks:
            self._send_at(self.chance.choices(minutes, weights)[0], callback)

    def _send_at(self, minute: int, callback: Callback) -> None:
        """At that minute, or the next round after it."""
        self._later.append((minute, callback))

    def _begin(self, minute: int) -> None:
        """Set the services as they are in this minute, and what the platform does between."""
        self.minute = minute
        is_calm = self.cos.is_calm = minute >= CALM_FROM
        self.cos.is_down = DOWN <= minute < UP
        self.cos.is_spill_down = SPILL_DOWN <= minute < SPILL_UP
        self.cos.listing_lag_s = 0.0 if is_calm else LAG_S
        self.cos.kills_left = 0 if is_calm else self.cos.kills_left
        self.person.refuse_with = 500 if not is_calm and self.chance.random() < 0.2 else None
        flaps = not is_calm and self.chance.random() < 0.4
        self.listeners[1].refuse_with = 503 if flaps else None
        if self.chance.random() < 0.1:
            self.keys.rotate()
            self.counts["rotations"] += 1
        if REPLAYED <= minute < REPLAYED + self.size.step:
            self._replay_log()

    def _round(self) -> None:
        """One moment: callbacks, the timer, its retries, all at once; until all have ended."""
        callbacks = [callback for minute, callback in self._later if minute <= self.minute]
        self._later = [later for later in self._later if later[0] > self.minute]
        with ThreadPoolExecutor(self.size.senders) as pool:
            under_way: list[Future[Any]] = [
                pool.submit(self._deliver, callback) for callback in callbacks
            ]
            half = len(under_way) // 2
            under_way.insert(half, pool.submit(self._fire))
            under_way.append(pool.submit(self.scf.run_due))
            if self.chance.random() < 0.25:
                under_way.append(pool.submit(self._fire))
                self.counts["doubled timers"] += 1
            self._forget_connections()
            for delivery in under_way:
                delivery.result()
        for callback in callbacks:
            self._follow(callback)
        for job_id in self.ci.settle():
            self._send_ended(job_id)
        self.cos.seen.clear()

    def _fire(self) -> None:
        self.scf.fire(timer_event("sweep", self.scf.clock()))
        self.scf.fire(timer_event("forward", self.scf.clock()))

    def _forget_connections(self) -> None:
        if self.cos.is_calm or self.chance.random() > 0.3:
            return
        time.sleep(0.01)  # some are idle by then, in frozen instances and in those that work
        silent = self.size.silences > self.counts["silences"] and self.chance.random() < 0.1
        self.counts["silences"] += silent
        self.counts["forgotten"] += self.cos.forget_idle("silence" if silent else "reset")

    # --- callbacks ---

    def _deliver(self, callback: Callback) -> None:
        if not callback.body:
            form = ("XML", "JSON")[len(self.sent) % 2]
            callback.body = self.ci.callback_body(callback.job_id, form).decode()
        invoked = self.scf.invoke(http_event(callback.body.encode(), TOKEN))
        answer = invoked.answer["statusCode"] if invoked.status == 200 else None
        with self._noting:
            self.counts[f"answer {answer}"] += 1
        callback.answers.append(answer)

    def _follow(self, callback: Callback) -> None:
        """What CI sends after an answer, or the lack of one."""
        if len(callback.answers) == 1:
            self.sent.append(callback)
        if callback.is_owed:
            self._send_at(self.minute + self._delay(), callback)
        elif callback.then and callback.is_stored:
            self._send_at(self.minute + self._delay(), callback.then)

    def _delay(self) -> int:
        """Minutes until CI sends something again."""
        return 1 + (0 if self.cos.is_calm else self.chance.randrange(10))

    def _send_ended(self, job_id: str) -> None:
        """A job that the function submitted has ended."""
        is_resent = self.chance.random() < RESENT_SHARE
        callback = Callback("", job_id, "submitted again", is_resent)
        if self.chance.random() < 0.8:  # the others never come: the watch must ask
            self._send_at(self.minute + 1, callback)

    def _replay_log(self) -> None:
        """What was answered 503, and is in the log, is sent by hand, as `replay --from-log`."""
        recovered = recover(json.dumps(row.fields()) for row in self.rows)
        assert recovered.lost == ()
        for entry in recovered.bodies:
            assert entry.authenticated
            self.recovered += 1
            self._send_at(self.minute, Callback(entry.body.decode(), "", "replayed", True))


@contextmanager
def played(size: Size, seed: int) -> Iterator[Play]:
    """A play that has ended; its services are still there."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        ci, person = CiSimulator(), Person()
        cos = Services(ci, random.Random(seed + 1))
        listeners = (Listener(), Listener())
        for server in (ci, person, cos, *listeners):
            stack.enter_context(server)
        code = stack.enter_context(from_source())
        play = Play(size, seed, chance, ci, cos, person, Keys(cos, ci), listeners)
        play.keys.rotate()
        # Longer than on the platform: how fast code loads is the machine's matter here.
        limits = Limits(init_s=60)
        scf = ScfRunner(code, play.env, limits, credentials=play.keys.env, noted=play.note)
        play.scf = stack.enter_context(scf)
        cos.clock = ci.clock = scf.clock
        ci.lag(30)
        cos.kill = lambda: kill_one(play)
        cos.kills_left, cos.kill_share = size.kills, size.kills / size.callbacks
        with cos.faulty(cos.choose):
            play.run()
        yield play


def kill_one(play: Play) -> None:
    """End one of the processes that work."""
    busy = play.scf.busy()
    if busy:
        play.counts["kills"] += 1
        busy[len(play.sent) % len(busy)].kill()
