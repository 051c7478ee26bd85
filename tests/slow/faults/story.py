"""The whole way of a failure as a play in which some calls go wrong.

    a job ends ── callback, again until it is taken ── sweeps ── submitted again ── it ends …

Its parts may be played together or alone; each is a job (or a body) and how it comes to its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ci_callback.ci_simulator import BUCKET, REGION
from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from handler.callback.catalogue import family_of
from handler.ci_api.client import Ci, CiAddress
from handler.ledger.bucket import Credentials
from tests.slow.faults.ways import FaultyHttp, FaultyStore, Injector, Wrong
from tests.slow.faults.worlds import MemoryWorld, SocketWorld
from tests.world import MINUTE, TRANSLATION

RECONCILE_TAGS: Final = {"Type": "Timer", "TriggerName": "reconcile", "Message": "reconcile"}
RECONCILE_S: Final = 11 * MINUTE
MAX_TICKS: Final = 400

ENV: Final = {
    "RETRY_MAX_ATTEMPTS": "2",
    "RECONCILE_TAGS": "Transcode:48",
    "MISSING_CALLBACK_ALERT_THRESHOLD": "1",
    "WORKFLOW_RETRY": "trigger",
}


class Part(NamedTuple):
    """One job of the play. ends: the code with which each of its attempts fails, "" where it
    succeeds. alerts: those in the end. calls_back: whose callback comes, by attempt."""

    ends: tuple[str, ...]
    alerts: tuple[str, ...]
    calls_back: tuple[bool, ...] = (True, True)
    tag: str = "Translation"
    workflow: bool = False
    doubled: bool = False


PARTS: Final[Mapping[str, Part]] = {
    "recovers": Part(("InternalError", ""), ("recovered",)),
    "gives up": Part(("InternalError", "InternalError"), ("gave-up",), (True, False)),
    "is alerted": Part(("InvalidArgument",), ("failed",)),
    "is absent": Part(("InvalidArgument",), ("failed", "absent"), (False,), "Transcode"),
    "is doubled": Part(("InternalError", ""), ("recovered", "duplicate"), doubled=True),
    "is a workflow's": Part(("InternalError",), (), workflow=True),
}
GARBAGE: Final = "<Response>garbage"


# --- the play ------------------------------------------------------------------------------


@dataclass
class Player:
    """A part, and how far it has come. job: the job as first submitted."""

    part: Part
    job: str
    is_doubled: bool = False


@dataclass
class Timeline:
    """A play of some parts, in which some calls go wrong."""

    world: MemoryWorld | SocketWorld
    injector: Injector
    parts: Sequence[str]
    answered: dict[str, int] = field(default_factory=dict)
    """The status of the answer with which each callback was taken."""

    def __post_init__(self) -> None:
        world = self.world
        self.store = FaultyStore(world.store, self.injector, world.wrong_store)
        self.http = FaultyHttp(world.http, self.injector, world.wrong_http)
        self.players: dict[str, Player] = {}
        self._owed: dict[str, str] = {}
        self._ended: set[str] = set()
        self._reconciled_at = world.now

    def play(self) -> Timeline:
        """From the first callback until nothing is left to do."""
        for number, name in enumerate(self.parts):
            self._begin(number, name)
        self._owed["garbage"] = GARBAGE
        for _ in range(MAX_TICKS):
            self._deliver()
            self._go_on()
            if self._is_over():
                return self
            self._tick()
        raise AssertionError(f"it does not come to an end: {self.left()}")

    def left(self) -> list[str]:
        """What still waits."""
        return [key for at in ("_outbox/", "_digests/") for key in self.world.keys(at)]

    # --- what CI does ---

    def _begin(self, number: int, name: str) -> None:
        part = PARTS[name]
        request = TRANSLATION | {"Tag": part.tag, "Input": {"Object": f"{number}.pdf"}}
        job = self.world.submit(request)
        self.players[job] = Player(part, job)
        self._end(job, part, 1)

    def _end(self, job: str, part: Part, attempt: int) -> None:
        code = part.ends[attempt - 1]
        self.world.fail(job, code) if code else self.world.succeed(job)
        self._ended.add(job)
        if not part.calls_back[attempt - 1]:
            return
        if part.workflow:
            run = {"RunId": "i1", "WorkflowId": "w1", "Name": "n"}
            self.world.ci.jobs[job].workflow = run
        body = self.world.ci.callback_body(job, ("XML", "JSON")[attempt % 2]).decode()
        self._owed[job] = body

    def _deliver(self) -> None:
        """CI sends each callback until it is taken."""
        for job, body in list(self._owed.items()):
            status, _ = self.world.post(body, self.store)
            assert status in (200, 202, 503)
            if status != 503:
                self.answered[job] = status
                del self._owed[job]

    def _go_on(self) -> None:
        """What was submitted again comes to its end; what is to be doubled is, once the function
        has noted its own submission."""
        for submission in list(self.world.ci.accepted):
            player = self.players.get(submission.marker[0]) if submission.marker else None
            if player is None or submission.marker is None or submission.job_id in self._ended:
                continue
            noted = self.world.read(f"_attempts/{player.job}/02.json")
            if player.part.doubled and not player.is_doubled and noted["state"] == "submitted":
                player.is_doubled = True
                self._submit_by_hand(submission.job_id)
            if not player.part.doubled or noted["job_id"] == submission.job_id:
                self._end(submission.job_id, player.part, submission.marker[1])

    def _submit_by_hand(self, job_id: str) -> None:
        """Somebody sends the very same request once more: the bounds of the promise are left."""
        world = self.world
        family = family_of(world.ci.jobs[job_id].tag, job_id)
        assert family is not None
        at = ("127.0.0.1", world.ci.port) if isinstance(world, SocketWorld) else None
        ci = Ci(world.http, Credentials(SECRET_ID, SECRET_KEY, ""), CiAddress(BUCKET, REGION, at))
        twin = ci.create(family, world.ci.jobs[job_id].request).job_id
        assert twin is not None
        self._ended.add(twin)  # it waits in CI's queue

    # --- what the function does ---

    def _tick(self) -> None:
        """The next minute in which something may be due; a sweep, and now and then the other
        task."""
        world = self.world
        waiting = [key.split("/")[1][:10] for key in world.keys("_outbox/")]
        due = min((float(moment) for moment in waiting), default=0.0)
        busy = self._owed or self._absent() or world.keys("_digests/")
        world.now = world.now + MINUTE if busy else max(world.now + MINUTE, due + 1)
        summary = world.sweep(self.store, self.http)
        assert summary["status"] in ("done", "in_progress", "lease_held", "aborted"), summary
        if self._absent() and world.now >= self._reconciled_at + RECONCILE_S:
            self._reconciled_at = world.now
            function = world.function(self.store, self.http)
            assert function.handle(RECONCILE_TAGS, {"request_id": "r"}) == {"status": "done"}

    def _absent(self) -> bool:
        """Whether there is a job that only a reconciliation can bring in."""
        silent = [player.job for player in self.players.values() if not player.part.calls_back[0]]
        return any(self.record(job) is None for job in silent)

    def _is_over(self) -> bool:
        return not (self._owed or self._absent() or self.left())

    def record(self, job: str) -> Any:
        """A job's record; None where there is none."""
        key = next((key for key in self.world.keys("jobs/") if f"/{job}." in key), None)
        return self.world.read(key) if key else None


def play(world: MemoryWorld | SocketWorld, parts: Sequence[str], *wrong: Wrong) -> Timeline:
    """Play some parts, with something going wrong."""
    return Timeline(world, Injector(*wrong), parts).play()
