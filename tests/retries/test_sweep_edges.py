"""The rarer ends of the way of a failure: each is heard of, and none is guessed at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ci_callback.ci_simulator import Fault
from handler.ledger.attempts import Attempts
from handler.ledger.lease import Lease, LeaseLostError
from handler.ledger.outbox import Ticket
from tests.retries.test_sweep import WORKFLOW_JOB, runs, workflow_job
from tests.stores import Wrapped
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world in which everything works."""
    with World(tmp_path / "ledger") as made:
        yield made


def due(world: World) -> str:
    """A failed job whose retry is due."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    world.now += 3600
    return job


def failed(job_id: str, **more: Any) -> str:
    """The body of a failed job's callback."""
    detail = {"JobId": job_id, "State": "Failed", "Code": "InternalError", "Operation": {}}
    return json.dumps({"JobsDetail": detail | more})


@pytest.mark.parametrize("value", [None, [], "x", {}, {"digest": 1}], ids=str)
@pytest.mark.parametrize("field", ["source", "retry", "input", "created_at", "details", "outputs"])
def test_a_ticket_with_a_damaged_record_does_not_stop_the_others(
    world: World, field: str, value: Any
) -> None:
    """It becomes a dead letter where its record is none, and the other job is retried."""
    world.post(failed("jdamaged"))
    job = due(world)
    (path,) = world.folder.glob("_outbox/*jdamaged*")
    ticket = json.loads(path.read_bytes())
    ticket["record"][field] = value
    path.write_text(json.dumps(ticket))
    world.run(minutes=2)
    assert (job, 2) in world.attempts
    assert not [line for line in world.lines if line.get("status") in ("aborted", "failed")]


@pytest.mark.parametrize("details", [{"faults": "x"}, {"faults": -1}, {"faults": []}, {"a": None}])
def test_a_ticket_with_damaged_details_does_not_stop_the_others(
    world: World, details: dict[str, Any]
) -> None:
    """How often it failed counts from the beginning then."""
    job = due(world)
    ticket = Ticket("zzz", "j1", "x", details=details)
    world.store.put("_outbox/0000000000-j1-x-zzz.json", ticket.to_json())
    world.run(minutes=2)
    assert (job, 2) in world.attempts
    world.run(minutes=20)
    assert world.keys("_dead/")


def job_in(body: Any) -> Any:
    """The only job of a callback."""
    details = body["JobsDetail"]
    return details[0] if isinstance(details, list) else details


FORGED: dict[str, Callable[[Any], object]] = {
    "code": lambda job: job.update(Code="SlowDown"),
    "object": lambda job: job["Input"].update(Object="other.pdf"),
    "queue": lambda job: job.update(QueueId="p2"),
    "bucket": lambda job: job["Input"].update(BucketId="other-1250000000"),
    "region": lambda job: job["Input"].update(Region="ap-shanghai"),
    "day": lambda job: job.update(CreationTime="2020-01-01T00:00:00+0800"),
    "user data": lambda job: job["Operation"].update(UserData="forged"),
    "everything": lambda job: job.update(Code="SlowDown", Input={}, Operation={}, QueueId="p2"),
}
"""What a stranger with a token may say of a job that did fail."""


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_forged_callback_keeps_no_failed_job_from_being_retried(
    world: World, forge: Callable[[Any], object]
) -> None:
    """It comes behind CI's own. What is submitted again is made of CI's detail."""
    job = due(world)
    body = json.loads(world.ci.callback_body(job, "JSON"))
    forge(job_in(body))
    world.post(json.dumps(body))
    world.run(minutes=2)
    assert world.attempts == [(job, 2)]
    assert "forged" not in str(world.ci.accepted)


@pytest.mark.parametrize("name", ["code", "object", "queue", "day", "user data"])
def test_nor_does_one_that_comes_first(world: World, name: str) -> None:
    """Unless it sends the function to another bucket for CI's word: then a person is told."""
    job = world.submit()
    world.fail(job)
    body = json.loads(world.ci.callback_body(job, "JSON"))
    FORGED[name](job_in(body))
    world.post(json.dumps(body))
    world.deliver(job)
    world.now += 3600
    world.run(minutes=2)
    assert world.attempts == [(job, 2)]


def test_a_failure_that_ci_says_a_retry_would_not_help_is_told(world: World) -> None:
    """Where only the callback named a code that may pass."""
    job = world.submit()
    world.fail(job, "NoSuchKey")
    body = world.ci.callback_body(job, "JSON").decode().replace("NoSuchKey", "InternalError")
    world.post(body)
    world.now += 3600
    world.run(minutes=2)
    assert world.attempts == []
    assert "differs from CI" in "".join(world.alerts)


def test_a_job_that_belongs_to_no_known_family_is_held(world: World) -> None:
    """Which endpoint takes it is not known."""
    world.post(failed("z1"))
    world.run(minutes=2)
    assert "held" in world.lines[-4]["event"] or len(world.alerts) == 1
    assert "endpoints" in world.alerts[0]


def test_verify_never_goes_on_while_ci_can_not_be_asked(tmp_path: Path) -> None:
    """The request is made from what the callback said."""
    with World(tmp_path, VERIFY_CALLBACKS="never") as world:
        job = due(world)
        with world.ci.faulty(
            lambda seen: Fault(before=(500, "InternalError")) if seen.method == "GET" else None
        ):
            world.run(minutes=2)
        assert world.attempts == [(job, 2)]


def test_verify_never_does_not_compare(tmp_path: Path) -> None:
    """What CI tells of the job is used for the request all the same."""
    with World(tmp_path, VERIFY_CALLBACKS="never") as world:
        job = world.submit()
        world.ci.finish(job)
        world.post(world.ci.callback_body(job, "JSON").decode().replace('"Success"', '"Failed"'))
        world.run(minutes=70)
        assert world.attempts == [(job, 2)]


def test_a_job_that_still_runs_by_cis_word_is_waited_for(world: World) -> None:
    """The callback may be ahead of CI's own books."""
    job = world.submit()
    body = world.ci.callback_body(job, "JSON").decode()
    world.post(body.replace('"Submitted"', '"Failed"'))
    world.run(minutes=5)
    assert (world.attempts, world.alerts) == ([], [])
    world.fail(job, "Success")
    world.run(minutes=30)
    assert world.attempts == [(job, 2)]


def test_while_cis_list_fails_nothing_is_submitted_and_at_last_a_person_is_asked(
    world: World,
) -> None:
    """An accepted job may be in it."""
    job = due(world)
    posts = iter([Fault(reset_after=True)])

    def fault(seen: Any) -> Fault | None:
        if seen.method == "POST":
            return next(posts, None)
        return Fault(before=(500, "InternalError")) if seen.path == "/jobs" else None

    with world.ci.faulty(fault):
        world.sweep()
        for _ in range(14):
            world.now += 4 * 3600
            world.run(minutes=1)
    assert world.attempts == [(job, 2)]
    assert len(world.alerts) == 1


def test_a_refusal_that_was_not_alerted_yet_is_alerted(world: World) -> None:
    """The sweep died between noting it and telling."""
    job = due(world)
    world.store.put(
        f"_attempts/{job}/02.json",
        b'{"schema":"attempt/1","state":"refused","since":1,"by":"x","code":"InvalidArgument"}',
    )
    world.run(minutes=2)
    assert world.attempts == []
    assert "InvalidArgument" in world.alerts[0]


def test_a_request_that_holds_a_secret_that_is_not_kept_is_held(tmp_path: Path) -> None:
    """Where CI is not asked, only the redacted details are there."""
    with World(tmp_path, VERIFY_CALLBACKS="never") as world:
        operation = {"DocProcess": {"DocPassword": "hunter2"}}
        world.post(failed("d" + "1" * 32, Tag="DocProcess", Operation=operation))
        world.run(minutes=2)
        assert len(world.alerts) == 1
        everything = (
            "".join((world.folder / key).read_text() for key in world.keys(""))
            + world.output.getvalue()
        )
        assert "hunter2" not in everything


@pytest.mark.parametrize("missing", ["CI_BUCKET", "TENCENTCLOUD_SECRETKEY"])
def test_without_a_bucket_or_credentials_ci_can_not_be_asked(world: World, missing: str) -> None:
    """Put off and then told, like any other outage."""
    due(world)
    del world.env[missing]
    summary = world.sweep()
    assert summary["failed"] == 1
    for _ in range(12):
        world.now += 4 * 3600
        world.run(minutes=1)
    assert len(world.alerts) == 1


def test_a_bucket_that_a_callback_made_up_reaches_no_host_name(world: World) -> None:
    """What a callback said is looked at once more before it becomes a part of a URL."""
    world.post(
        failed(
            "a" + "1" * 32, Tag="Translation", Input={"BucketId": "evil.example/x", "Object": "a"}
        )
    )
    before = len(world.ci.seen)
    world.now += 3600
    assert world.sweep()["failed"] == 1
    assert len(world.ci.seen) == before


def test_an_attempt_that_can_not_be_read_stops_its_own_ticket_alone(world: World) -> None:
    """It is tried a bounded number of times, then it is a dead letter."""
    job = due(world)
    world.store.put(f"_attempts/{job}/02.json", b"{}")
    world.run(minutes=8)
    assert world.attempts == []
    assert len(world.keys("_dead/")) == 1
    assert "_dead/" in world.alerts[0]
    with pytest.raises(ValueError, match="attempt/1"):
        Attempts(world.store).get(type("L", (), {"root_job_id": job, "attempt": 2})())


def test_a_fault_of_the_sweep_itself_is_logged_and_not_raised(world: World) -> None:
    """The platform would run it again, twice."""

    class Broken(Wrapped):
        """A ledger that fails in a way that nobody thought of."""

        def folders(self, prefix: str) -> Sequence[str]:
            raise RuntimeError("nobody thought of this")

    assert world.sweep(store=Broken(world.store))["status"] == "failed"
    assert any("nobody thought" in line.get("traceback", "") for line in world.lines)


def test_a_digest_that_is_gone_already_is_passed_over(world: World) -> None:
    """The listing lagged."""

    class Stale(Wrapped):
        """A ledger whose listing shows a digest that was deleted."""

        def folders(self, prefix: str) -> Sequence[str]:
            return ["_digests/"]

        def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
            return iter(["_digests/1-x.json"] if prefix == "_digests/" else [])

    assert world.sweep(store=Stale(world.store))["status"] == "done"


def test_an_unknown_task_is_logged(world: World) -> None:
    """A typing error in a timer's argument must not look like a working one."""
    tick = {"Type": "Timer", "TriggerName": "x", "Message": "swep"}
    assert world.function().handle(tick, {}) == {"status": "done"}
    assert world.lines[-1]["event"] == "unknown_task"


def test_a_lease_is_looked_at_by_its_age_and_a_clock_that_went_back_ends_it(world: World) -> None:
    """Either way another sweep may be at work."""
    lease = Lease(world.store, world.clock, world.sleep, "w", 120, 2, timer=world.clock)
    assert lease.acquire()
    lease.check(100)
    with pytest.raises(LeaseLostError):
        lease.check(108)
    world.now -= 60
    with pytest.raises(LeaseLostError):
        lease.check(1)


def test_a_job_with_no_end_that_can_be_read_is_alerted(world: World) -> None:
    """A missing State is no failure, and no success either."""
    status, answer = world.post('{"JobsDetail": {"JobId": "j1", "Code": "Odd"}}')
    assert (status, answer["jobs"][0]["outcome"]) == (200, "unknown")
    world.run(minutes=1)
    assert "j1" in world.alerts[0]


class TestWorkflows:
    """WORKFLOW_RETRY=trigger: the whole workflow is run again on its object."""

    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[World]:
        """A world in which workflows are run again."""
        with World(tmp_path, WORKFLOW_RETRY="trigger") as made:
            yield made

    def test_what_ci_did_not_take_is_asked_for_again(self, world: World) -> None:
        """It is known not to run."""
        workflow_job(world)
        answers = iter([Fault(before=(429, "SlowDown"))])
        with world.ci.faulty(
            lambda seen: next(answers, None) if seen.path == "/triggerworkflow" else None
        ):
            world.run(minutes=10)
        assert runs(world) == 2
        assert world.alerts == []

    @pytest.mark.parametrize(
        "fault", [Fault(reset_after=True), Fault(before=(403, "AccessDenied"))]
    )
    def test_what_is_unknown_or_refused_is_alerted_once(self, world: World, fault: Fault) -> None:
        """No marker and no list could tell whether a run began."""
        workflow_job(world)
        with world.ci.faulty(lambda seen: fault if seen.path == "/triggerworkflow" else None):
            world.run(minutes=10)
        world.run(minutes=30)
        assert runs(world) == 1
        assert len(world.alerts) == 1
        # Another node of the same run failed too: an alert is raised, and nothing starts.
        workflow_job(world)
        world.run(minutes=5)
        assert runs(world) == 1
        assert len(world.alerts) == 2

    @pytest.mark.parametrize("verify", ["never", "failures"])
    def test_workflow_that_only_the_callback_names_is_not_run(
        self, world: World, verify: str
    ) -> None:
        """Ten callbacks with ten workflow ids, on ten days, start nothing: CI names none."""
        world.env["VERIFY_CALLBACKS"] = verify
        job = world.submit(WORKFLOW_JOB)
        world.fail(job)
        body = json.loads(world.ci.callback_body(job, "JSON"))
        (detail,) = body["JobsDetail"]
        for number in range(10):
            detail["Workflow"] = {"RunId": "i1", "WorkflowId": f"w{number}", "Name": "n"}
            detail["CreationTime"] = f"2026-09-1{number}T22:13:20+0800"
            world.post(json.dumps(body))
        world.run(minutes=70)
        assert runs(world) == 0
        assert "does not name its workflow" in world.alerts[0]

    @pytest.mark.parametrize("verify", ["never", "failures"])
    def test_workflow_and_day_are_those_of_ci(self, world: World, verify: str) -> None:
        """Forged duplicates that name other workflows, objects and days start one run: its own."""
        world.env["VERIFY_CALLBACKS"] = verify
        job = workflow_job(world)
        body = json.loads(world.ci.callback_body(job, "JSON"))
        (detail,) = body["JobsDetail"]
        for number in range(10):
            detail["Workflow"] = {"RunId": "i1", "WorkflowId": f"w{number + 2}", "Name": "n"}
            detail["CreationTime"] = f"2026-09-1{number}T22:13:20+0800"
            detail["EndTime"] = f"2026-09-21T22:14:1{number}+0800"
            world.post(json.dumps(body))
        world.run(minutes=70)
        assert [
            request.params["workflowId"] for request in world.ci.seen if request.path[1:2] == "t"
        ] == ["w1"]

    def test_job_that_ci_does_not_know_runs_nothing(self, world: World) -> None:
        """A forged failure never starts a workflow, with VERIFY_CALLBACKS=never either."""
        world.env["VERIFY_CALLBACKS"] = "never"
        workflow = {"RunId": "i1", "WorkflowId": "w1", "Name": "n"}
        world.post(failed("j" + "1" * 32, Tag="Snapshot", Workflow=workflow))
        for _ in range(12):
            world.now += 4 * 3600
            world.run(minutes=1)
        assert runs(world) == 0
        assert len(world.alerts) == 1

    def test_runs_of_one_sweep_are_bounded(self, world: World) -> None:
        """Like any re-submission."""
        world.env["SWEEP_MAX_SUBMITS"] = "1"
        for number in (1, 2):
            workflow_job(world, f"w{number}")
        world.now += 3600
        assert world.sweep()["submitted"] == 1
        world.run(minutes=2)
        assert runs(world) == 2
