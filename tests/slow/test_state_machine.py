"""Any order of callbacks, sweeps, crashes, faults and time: the promises hold after each step,
and in the end nothing is left and everybody was told."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TypeAlias
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ci_callback.ci_simulator import Fault
from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.errors import NoAnswerError
from handler.http_client import Answer, Http
from handler.ledger import keys
from handler.ledger.attempts import Attempts
from handler.ledger.outbox import OWN_RECORD
from handler.retries import context as context_module
from tests.stores import How, QuickWorld, SimulatedCrash, Trouble
from tests.world import TRANSLATION

MAX_ROOTS = 3
MAX_ATTEMPTS = 3

LATE_S = 400
LAG_S = 400
"""A POST may land so late, and a new job stay out of CI's list for so long: together less than
UNKNOWN_SUBMISSION_TIMEOUT_S, which is what the promise asks for."""

RECONCILE = {"Type": "Timer", "TriggerName": "reconcile", "Message": "reconcile"}
OTHER_END = {"Success": "Failed", "Failed": "Success"}

forms = st.sampled_from(["XML", "JSON"])
codes = st.sampled_from(["", "InternalError", "InternalError", "BadRequest", "Flaky"])
"""Of a job's end: it succeeds, or fails with a code that is retried, told, or both."""
moods = st.sampled_from(["well", "well", "well", "busy", "down", "late"])
"""Of CI: well, it takes nothing for now, it does not work, or it takes submissions late."""
gaps = st.sampled_from([1, 61, 61, 121, 901, 901, 6 * 3600, 25 * 3600])
"""Seconds between two sweeps."""
which = st.integers(0, 11)
PLACES = (
    *("put _outbox/", "put_new jobs/", "put_new _dead/", "get jobs/", "list _outbox/"),
    *("put _sweep/", "list _sweep/", "delete _sweep/", "get _outbox/", "get _done/"),
    *("GET /jobs", "get _attempts/", "put _attempts/", "POST /jobs", "put _lineage/"),
    *("put _done/", "delete _outbox/", "put _digests/", "POST /alerts", "delete _digests/"),
    *("delete_many _outbox/", "delete_many _sweep/", "list _"),
)
Troubles: TypeAlias = list[tuple[str, How]]
"""What becomes of the first request of a kind, of the next one of a kind, and so on; all others
are fine."""
troubles = st.lists(
    st.tuples(
        st.sampled_from(PLACES),
        st.sampled_from(["lost before", "lost after", "dies before", "dies after", "fine"]),
    ),
    max_size=4,
)


@dataclass(frozen=True)
class Late:
    """A submission whose answer was lost, and that lands only at a time."""

    at: float
    request: tuple[Any, ...]


class LateHttp:
    """HTTP that keeps submissions back where the machine says so: they land later."""

    def __init__(self, inner: Http, machine: Failures) -> None:
        self._inner = inner
        self._machine = machine

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        machine = self._machine
        machine.let_land()
        if method == "POST" and url.endswith("/jobs") and machine.mood == "late":
            late = Late(machine.world.now + LATE_S, (method, url, headers, body, timeout_s))
            machine.on_their_way.append(late)
            raise NoAnswerError("ci", "no answer in time", True)
        return self._inner.send(method, url, headers, body, timeout_s)


class Failures(RuleBasedStateMachine):
    """CI, its callbacks, the timer, a person's channel, and all that can go wrong with them."""

    def __init__(self) -> None:
        super().__init__()
        numbers = iter(range(10**6))
        # Names and orders must be the same each time that the same steps are played.
        self._patches = ExitStack()
        self._patches.enter_context(patch("handler.parallel.POOL", 1))
        named = SimpleNamespace(token_hex=lambda _: f"{next(numbers):016x}")
        self._patches.enter_context(patch.object(context_module, "secrets", named))
        self.world = QuickWorld(
            RETRY_CODES="Flaky,InternalError",
            ALERT_CODES="Flaky,BadRequest",
            RECONCILE_TAGS="Translation:24",
        )
        self.world.ci.lag(LAG_S)
        self.http = LateHttp(self.world.http, self)
        self.mood = "well"
        self.on_their_way: list[Late] = []
        self.roots: list[str] = []
        self.owed: list[str] = []
        """Ended jobs whose callback was not answered 2xx yet. CI sends it again."""
        self.acked_failures: set[str] = set()
        self.records: dict[str, bytes] = {}
        self.lines_seen = 0

    # --- what CI and its user do ---

    @initialize()
    def begins(self) -> None:
        """There is a job to begin with."""
        self.submit()

    @precondition(lambda self: len(self.roots) < MAX_ROOTS)
    @rule()
    def submit(self) -> None:
        """A user submits a job."""
        name = f"{len(self.roots)}.pdf"
        self.roots.append(self.world.submit(TRANSLATION | {"Input": {"Object": name}}))

    @precondition(lambda self: self.running)
    @rule(which=which, code=codes, form=forms, trouble=troubles)
    def end_and_tell(self, which: int, code: str, form: str, trouble: Troubles) -> None:
        """A job ends, and its callback is sent."""
        self.end(which, code)
        self.deliver(self.ended.index(self.owed[-1]), form, trouble)

    @precondition(lambda self: self.running)
    @rule(which=which, code=codes)
    def end(self, which: int, code: str) -> None:
        """A job ends, and its callback is on its way."""
        job = self.running[which % len(self.running)]
        if code:
            self.world.ci.finish(job, "Failed", code, "it broke")
        else:
            self.world.ci.finish(job)
        self.owed.append(job)

    @precondition(lambda self: self.ended)
    @rule(which=which, form=forms, trouble=troubles)
    def deliver(self, which: int, form: str, trouble: Troubles) -> None:
        """CI sends the callback of any ended job, for the first time or once more."""
        job = self.ended[which % len(self.ended)]
        status = self.post(self.world.ci.callback_body(job, form).decode(), trouble)
        if status in (200, 202):
            self.owed = [owed_job for owed_job in self.owed if owed_job != job]
        if status == 200 and self.world.ci.jobs[job].state == "Failed":
            self.acked_failures.add(job)

    @precondition(lambda self: self.owed)
    @rule(which=which)
    def lose(self, which: int) -> None:
        """A callback never comes."""
        del self.owed[which % len(self.owed)]

    @precondition(lambda self: self.ended)
    @rule(which=which, trouble=troubles)
    def forge(self, which: int, trouble: Troubles) -> None:
        """Somebody tells another end of a job than CI does."""
        job = self.ended[which % len(self.ended)]
        state = self.world.ci.jobs[job].state
        body = self.world.ci.callback_body(job, "JSON").decode()
        self.post(body.replace(f'"{state}"', f'"{OTHER_END[state]}"'), trouble)

    # --- what the function does ---

    @rule(gap_s=gaps, mood=moods, refuses=st.booleans(), trouble=troubles)
    def sweep(self, gap_s: int, mood: str, refuses: bool, trouble: Troubles) -> None:
        """Time goes by, and the timer ticks, with CI in some mood, and a channel that works or
        refuses."""
        self.wait(gap_s)
        self.mood = mood
        answers = {"busy": (503, "ServiceUnavailable"), "down": (500, "InternalError")}
        answer = answers.get(mood)
        self.world.ci.fault = lambda seen: Fault(before=answer) if answer else None
        self.world.phone.refuse_with = 500 if refuses else None
        wrong = self.gone_wrong(trouble)
        with contextlib.suppress(SimulatedCrash):
            self.world.sweep(wrong.store(self.world.store), wrong.http(self.http))
        self.world.ci.fault = lambda seen: None

    @rule(count=st.integers(1, 20), trouble=troubles)
    def run(self, count: int, trouble: Troubles) -> None:
        """Some minutes in which CI and the channel are well."""
        for _ in range(count):
            self.sweep(60, "well", False, trouble)

    @rule(trouble=troubles)
    def reconcile(self, trouble: Troubles) -> None:
        """The other timer ticks: CI is asked for jobs whose callback never came."""
        wrong = self.gone_wrong(trouble)
        store, http = wrong.store(self.world.store), wrong.http(self.http)
        with contextlib.suppress(SimulatedCrash):
            self.world.function(store, http).handle(RECONCILE, {"request_id": "t"})

    def wait(self, seconds: int) -> None:
        """Time moves on."""
        until = self.world.now + seconds
        while self.on_their_way and self.on_their_way[0].at <= until:
            self.world.now = max(self.world.now, self.on_their_way[0].at)
            self.let_land()
        self.world.now = until

    def post(self, body: str, trouble: Troubles) -> int | None:
        """A body reaches the function; the answer's status, None where it died."""
        may_fail = bool(trouble)
        wrong = self.gone_wrong(trouble)
        try:
            status, _ = self.world.post(body, wrong.store(self.world.store))
        except SimulatedCrash:
            return None
        assert status in (200, 202, 503)
        assert status != 503 or may_fail
        return status

    def gone_wrong(self, trouble: Troubles) -> Trouble:
        """The requests of one invocation. What has gone wrong once is struck off the list."""

        def how(number: int, what: str) -> How:
            for pair in trouble:
                if what.startswith(pair[0]):
                    trouble.remove(pair)
                    return pair[1]
            return "fine"

        return Trouble(how)

    def let_land(self) -> None:
        """Submissions that were on their way for long enough arrive at CI."""
        while self.on_their_way and self.on_their_way[0].at <= self.world.now:
            self.world.http.send(*self.on_their_way.pop(0).request)

    # --- what there is to see ---

    @property
    def ended(self) -> list[str]:
        """Jobs that are over, by CI's own word."""
        return [name for name, job in self.world.ci.jobs.items() if job.is_over]

    @property
    def running(self) -> list[str]:
        """Jobs that are not."""
        return [name for name, job in self.world.ci.jobs.items() if not job.is_over]

    def outcome(self, job: str) -> str | None:
        """What the ledger says of a job."""
        keys = [key for key in self.world.keys("jobs/") if key.endswith(f"/{job}.json")]
        return str(self.world.read(keys[0])["outcome"]) if keys else None

    def followed(self, job: str) -> list[str]:
        """The tickets about a job that failed, open and done, and the attempt after it."""
        names = [key.split("/")[1] for at in ("_outbox/", "_done/") for key in self.world.keys(at)]
        lineage = Attempts(self.world.store).lineage_of(job) or Lineage(job, 1)
        after = keys.attempt(lineage.root_job_id, lineage.attempt + 1)
        return [
            *(name for name in names if f"-{job}-failed-" in name),
            *self.world.keys(after),
        ]

    # --- what holds at any time ---

    @invariant()
    def a_record_is_one_and_never_changes(self) -> None:
        """However often and in whatever form its callback comes."""
        keys = self.world.keys("jobs/")
        assert len({key.split("/")[-1] for key in keys}) == len(keys)
        now = {key: self.world.store.get(key) or b"" for key in keys}
        assert self.records.items() <= now.items()
        self.records = now

    @invariant()
    def an_attempt_is_accepted_once(self) -> None:
        """Whatever crashed, and whichever answer was lost."""
        assert max(Counter(self.world.attempts).values(), default=0) <= 1
        assert all(attempt <= MAX_ATTEMPTS for _, attempt in self.world.attempts)

    @invariant()
    def only_what_failed_is_submitted_again(self) -> None:
        """By the ledger's word and by CI's."""
        by_marker = {submission.marker: submission.job_id for submission in self.world.ci.accepted}
        for root, attempt in self.world.attempts:
            before = root if attempt == 2 else by_marker[root, attempt - 1]
            assert self.world.ci.jobs[before].state == "Failed"
            assert self.outcome(before) == "failed"

    @invariant()
    def a_failure_that_was_answered_200_is_followed(self) -> None:
        """By a ticket, by the mark that it was dealt with, or by a submission."""
        for job in self.acked_failures:
            assert self.outcome(job) == "failed"
            assert self.followed(job)

    @invariant()
    def the_code_has_no_fault(self) -> None:
        """Nothing that was not foreseen was raised anywhere."""
        new = self.world.lines[self.lines_seen :]
        self.lines_seen += len(new)
        assert not {line["event"] for line in new} & {"internal_error", "ticket_failed"}

    # --- what holds in the end ---

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self.settle()
                self.nothing_is_left()
                self.every_alert_was_sent()
                self.every_failure_came_to_an_end()
        finally:
            self._patches.close()

    def settle(self) -> None:
        """All goes well from now on, until nothing is left to do."""
        gap_s = 61
        for _ in range(200):
            for job in list(self.owed):
                self.deliver(self.ended.index(job), "JSON", [])
            for job in self.running:
                if job not in self.roots:
                    self.world.ci.finish(job)  # its callback never comes
            self.sweep(gap_s, "well", False, [])
            waiting = self.world.keys("_outbox/")
            if not waiting and not self.world.keys("_digests/") and not self.on_their_way:
                return
            due = min((int(key.split("/")[1][:10]) for key in waiting), default=0)
            gap_s = int(max(61, min(due - self.world.now, 25 * 3600)))
        raise AssertionError(f"after {self.world.now} s there is still {waiting}")

    def nothing_is_left(self) -> None:
        """Neither tickets nor digests, and no job without a record that was told of."""
        assert self.world.keys("_outbox/") == self.world.keys("_digests/") == []
        assert self.owed == []

    def every_alert_was_sent(self) -> None:
        """Or its digest was given up, at ERROR; and no alert is in two digests. One whose record
        tells another end is told as a conflict."""
        alerted = self.world.times_alerted()
        digests = self.world.digests_of()
        kept = self.world.keys("_undelivered/")
        given_up = {key.split("/")[1].removesuffix(".json") for key in kept}
        errors = [line for line in self.world.lines if line["event"] == "alert_undelivered"]
        assert len(errors) >= len(given_up)
        called_for = {
            change.key.removeprefix("_outbox/")
            for change in self.world.memory.journal
            if change.key.startswith("_outbox/") and "-alert." in change.key and change.data
        }
        for name in called_for:
            _, job, end, action = name.removesuffix(".json").split("-", 3)
            if action in OWN_RECORD and self.outcome(job) != end:
                assert f"0000000000-{job}-{end}-alert.conflict.json" in called_for
            else:
                assert len(digests[name]) == 1, name
                assert alerted[name] or digests[name] & given_up, name

    def every_failure_came_to_an_end(self) -> None:
        """It was submitted again and that job's end is known, or somebody was told."""
        alerts = list(self.world.digests_of())
        by_marker = {submission.marker: submission.job_id for submission in self.world.ci.accepted}
        attempts = Attempts(self.world.store)
        for key in self.world.keys("jobs/"):
            record = self.world.read(key)
            if record["outcome"] != "failed":
                continue
            lineage = attempts.proven(JobRecord.from_json(self.world.store.get(key) or b"")).lineage
            following = by_marker.get((lineage.root_job_id, lineage.attempt + 1))
            ended = following is not None and self.outcome(following) is not None
            assert ended or any(f"-{record['job_id']}-" in name for name in alerts)


@pytest.mark.parametrize("examples", [pytest.param(5, marks=pytest.mark.sample), 80])
def test_the_promises_hold_whatever_happens(examples: int) -> None:
    """Found by Hypothesis: no order of events breaks them."""
    run_state_machine_as_test(
        Failures,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
        ),
    )
