"""The way of a failure, end to end: callbacks, sweeps, CI and a person's channel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ci_callback.ci_simulator import Fault, Seen
from handler.callback.lineage import USER_DATA_MAX_CHARS
from handler.ledger.outbox import Ticket
from tests.stores import QuickWorld
from tests.world import TRANSLATION, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world in which everything works."""
    with World(tmp_path / "ledger") as made:
        yield made


def outcome(world: World, job_id: str) -> Any:
    """The outcome that the ledger keeps of a job."""
    (key,) = [key for key in world.keys("jobs/") if job_id in key]
    return world.read(key)["outcome"]


def test_a_failed_job_is_submitted_again_and_its_recovery_is_alerted(world: World) -> None:
    """The main line: failed, a ticket, a sweep, a new job with the marker, success, a message."""
    first = world.submit()
    world.fail(first)
    assert world.deliver(first)[0] == 200
    assert [key.split("-")[-1] for key in world.keys("_outbox/")] == ["retry.json"]

    world.run(minutes=3)
    assert world.attempts == [(first, 2)]
    again = world.ci.accepted[-1].job_id
    nonce = world.read(f"_attempts/{first}/02.json")["nonce"]
    user_data = world.ci.jobs[again].request["Operation"]["UserData"]
    assert user_data == f"mine/ci-retry:{first}:2:{nonce}"
    assert world.alerts == []

    world.succeed(again)
    world.deliver(again, "JSON")
    world.run(minutes=2)
    assert outcome(world, first) == "failed"
    assert outcome(world, again) == "succeeded"
    (alert,) = world.alerts
    assert "recovered" in alert.lower()
    assert first in alert
    (record_key,) = [key for key in world.keys("jobs/") if again in key]
    record = world.read(record_key)
    assert (record["user_data"], record["retry"]) == ("mine", {"root_job_id": first, "attempt": 2})
    # Only the watch is left, and it ends by itself once its time has come.
    assert [key.split("-")[-1] for key in world.keys("_outbox/")] == ["watch.json"]
    world.now += 21_600
    world.run(minutes=1)
    assert world.keys("_outbox/") == world.keys("_digests/") == world.keys("_sweep/") == []
    assert len(world.alerts) == 1


def test_an_alert_follows_the_last_attempt(world: World) -> None:
    """Three attempts, the first submission counted; each later than the one before."""
    job = world.submit()
    for _ in range(3):
        world.fail(job)
        world.deliver(job)
        world.run(minutes=10)
        job = world.ci.accepted[-1].job_id
    root = world.ci.accepted[0].job_id
    assert world.attempts == [(root, 2), (root, 3)]
    (alert,) = world.alerts
    assert "gave up" in alert.lower()
    assert "InternalError" in alert


def test_a_failure_that_would_fail_again_is_alerted_at_once(world: World) -> None:
    """InvalidArgument: the same request again makes no sense."""
    job = world.submit()
    world.fail(job, "InvalidArgument")
    world.deliver(job)
    world.run(minutes=1)
    assert world.attempts == []
    assert "InvalidArgument" in world.alerts[0]
    assert "input/en.pdf" in world.alerts[0]


def test_a_redelivered_callback_changes_nothing(world: World) -> None:
    """In both formats, before, between and after the sweeps, even when all is done."""
    job = world.submit()
    world.fail(job)
    for form in ("XML", "JSON"):
        world.deliver(job, form)
    world.run(minutes=3, each=lambda: world.deliver(job))
    for form in ("XML", "JSON"):
        world.deliver(job, form)
    world.run(minutes=3)
    assert world.attempts == [(job, 2)]
    assert world.alerts == []


def test_a_ticket_without_its_record_is_completed(world: World) -> None:
    """The callback died between the two: the sweep does the rest of its way."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    (key,) = world.keys("jobs/")
    world.store.delete(key)
    world.run(minutes=3)
    assert world.keys("jobs/") == [key]
    assert world.attempts == [(job, 2)]


def test_a_ticket_with_another_end_than_the_record_starts_nothing(world: World) -> None:
    """A job that succeeded is never submitted again; the conflict is told."""
    job = world.submit()
    world.succeed(job)
    world.deliver(job)
    forged = world.ci.callback_body(job, "JSON").decode().replace('"Success"', '"Failed"')
    status, answer = world.post(forged)
    assert (status, answer["jobs"][0]["status"]) == (202, "dead_letter")
    world.run(minutes=70)
    assert world.attempts == []
    assert world.keys("_outbox/") == []
    assert len(world.alerts) == 1
    assert "_dead/" in world.alerts[0]


def test_a_job_of_which_ci_reports_another_end_is_not_submitted(world: World) -> None:
    """Nobody signs callbacks: a forged failure never starts a job."""
    job = world.submit()
    world.ci.finish(job)
    world.post(world.ci.callback_body(job, "JSON").decode().replace('"Success"', '"Failed"'))
    world.run(minutes=70)
    assert world.attempts == []
    (alert,) = world.alerts
    assert job in alert


def test_a_job_that_ci_does_not_know_is_asked_for_again_before_an_alert(world: World) -> None:
    """Its describe may lag; after some hours a person must look."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    forgotten = world.ci.jobs[job]
    world.ci.forget(job)
    world.run(minutes=5)
    assert (world.attempts, world.alerts) == ([], [])
    world.ci.jobs[job] = forgotten
    world.run(minutes=30)
    assert world.attempts == [(job, 2)]

    other = world.submit()
    world.fail(other)
    world.deliver(other)
    world.ci.forget(other)
    for _ in range(12):
        world.now += 4 * 3600
        world.run(minutes=1)
    assert world.attempts == [(job, 2)]
    assert any(other in alert for alert in world.alerts)


def test_verify_never_submits_from_what_the_callback_said(tmp_path: Path) -> None:
    """Even where CI does not know the job any more."""
    with World(tmp_path, VERIFY_CALLBACKS="never") as world:
        job = world.submit()
        world.fail(job)
        world.deliver(job)
        world.ci.forget(job)
        world.run(minutes=3)
        assert world.attempts == [(job, 2)]
        again = world.ci.jobs[world.ci.accepted[-1].job_id]
        assert again.request["Input"] == TRANSLATION["Input"]


def test_a_lost_answer_is_found_in_cis_list_and_adopted(world: World) -> None:
    """The job was accepted: it is not submitted again, however long it takes to know."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    posts = iter([Fault(reset_after=True)])
    with world.ci.faulty(lambda seen: next(posts, None) if seen.method == "POST" else None):
        world.run(minutes=30)
    assert world.attempts == [(job, 2)]
    attempt = world.read(f"_attempts/{job}/02.json")
    assert (attempt["state"], attempt["job_id"]) == ("submitted", world.ci.accepted[-1].job_id)


def test_a_lost_answer_is_found_though_cis_times_are_ahead_of_the_clock(world: World) -> None:
    """A list that begins at the end of the job would be empty."""
    job = world.submit()
    world.fail(job)
    failed = world.ci.jobs[job]
    failed.created_at = failed.ended_at = world.now + 30 * 86_400
    world.deliver(job)
    posts = iter([Fault(reset_after=True)])
    with world.ci.faulty(lambda seen: next(posts, None) if seen.method == "POST" else None):
        world.run(minutes=30)
    assert world.attempts == [(job, 2)]


def test_a_request_that_never_arrived_is_made_again_after_a_while(world: World) -> None:
    """Not before a late one would show in CI's list."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    posts = iter([Fault(reset_before=True)])
    with world.ci.faulty(lambda seen: next(posts, None) if seen.method == "POST" else None):
        world.run(minutes=14)
        assert world.attempts == []
        world.run(minutes=5)
    assert world.attempts == [(job, 2)]


def test_who_would_rather_have_none_than_two_is_asked(tmp_path: Path) -> None:
    """ON_UNKNOWN_SUBMISSION=hold."""
    with World(tmp_path, ON_UNKNOWN_SUBMISSION="hold") as world:
        job = world.submit()
        world.fail(job)
        world.deliver(job)
        with world.ci.faulty(
            lambda seen: Fault(reset_before=True) if seen.method == "POST" else None
        ):
            world.run(minutes=30)
        world.run(minutes=30)
        assert world.attempts == []
        assert len(world.alerts) == 1


def test_submissions_whose_outcome_stays_unknown_are_bounded(world: World) -> None:
    """Then a person is asked."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    with world.ci.faulty(lambda seen: Fault(reset_before=True) if seen.method == "POST" else None):
        world.run(minutes=120)
    posts = [request for request in world.ci.seen if request.method == "POST"]
    assert len(posts) == 1 + 3
    assert len(world.alerts) == 1


def test_a_refusal_for_good_is_alerted_and_not_repeated(world: World) -> None:
    """HTTP 200 with a Failed state in the body is one too."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    body = (
        b"<Response><JobsDetail><Code>InvalidArgument</Code><Message>Part is required</Message>"
        b"<State>Failed</State></JobsDetail></Response>"
    )
    with world.ci.faulty(lambda seen: Fault(body=body) if seen.method == "POST" else None):
        world.run(minutes=40)
    assert len([request for request in world.ci.seen if request.method == "POST"]) == 2
    assert "InvalidArgument" in world.alerts[0]
    assert len(world.alerts) == 1


@pytest.mark.parametrize("answer", [(429, "SlowDown"), (503, "ServiceUnavailable")])
def test_what_ci_says_it_did_not_take_is_submitted_later(world: World, answer: Any) -> None:
    """It is known not to run: no need to wait for the list."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    posts = iter([Fault(before=answer)] * 2)
    with world.ci.faulty(lambda seen: next(posts, None) if seen.method == "POST" else None):
        world.run(minutes=10)
    assert world.attempts == [(job, 2)]
    assert world.alerts == []


def test_what_ci_took_although_it_said_that_it_did_not_is_found_in_its_list(world: World) -> None:
    """A 503 may come from in front of CI, after CI accepted the job."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    posts = iter([Fault(after=(503, "ServiceUnavailable"))])
    with world.ci.faulty(lambda seen: next(posts, None) if seen.method == "POST" else None):
        world.run(minutes=10)
    assert world.attempts == [(job, 2)]
    assert world.read(f"_attempts/{job}/02.json")["job_id"] == world.ci.accepted[-1].job_id
    assert world.alerts == []


def test_a_job_that_ci_took_in_spite_of_its_503_is_no_root(world: World) -> None:
    """It fails before it is found: it is attempt 2 all the same."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    posts = iter([Fault(after=(503, "ServiceUnavailable"))])
    with world.ci.faulty(lambda seen: next(posts, None) if seen.method == "POST" else None):
        while not world.attempts:
            world.run(minutes=1)
    again = world.ci.accepted[-1].job_id
    world.fail(again)
    world.now += 3600  # its own retry is due with that of the first one
    world.deliver(again)
    world.run(minutes=30)
    assert world.attempts == [(job, 2), (job, 3)]


def test_what_ci_may_have_taken_waits_until_its_list_answers(world: World) -> None:
    """Then the job that is not in it is submitted again."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    answers = {
        "POST": [Fault(before=(503, "ServiceUnavailable"))],
        "GET": [Fault(reset_before=True)] * 2,
    }

    def fault(seen: Seen) -> Fault | None:
        return answers[seen.method].pop() if seen.path == "/jobs" and answers[seen.method] else None

    with world.ci.faulty(fault):
        world.run(minutes=20)
    assert answers == {"POST": [], "GET": []}
    assert world.attempts == [(job, 2)]
    assert world.alerts == []


def test_a_family_whose_list_is_not_known_is_held(world: World) -> None:
    """A file job's outcome can't be looked up: never submitted twice on a guess."""
    job = world.submit(
        {
            "Tag": "FileHashCode",
            "Input": {"Object": "a.mp4"},
            "Operation": {"FileHashCodeConfig": {"Type": "MD5"}},
        }
    )
    world.fail(job)
    world.deliver(job)
    posts = iter([Fault(reset_after=True)])
    with world.ci.faulty(lambda seen: next(posts, None) if seen.method == "POST" else None):
        world.run(minutes=40)
    assert world.attempts == [(job, 2)]
    assert len(world.alerts) == 1


@pytest.mark.parametrize("tag", ["DocProcess", "Snapshot", "PicProcess", "SpeechRecognition"])
def test_jobs_of_each_family_are_submitted_where_they_belong(world: World, tag: str) -> None:
    """By the endpoint of the family, from what CI tells of the job."""
    job = world.submit(TRANSLATION | {"Tag": tag})
    world.fail(job)
    world.deliver(job)
    world.run(minutes=3)
    assert world.attempts == [(job, 2)]
    assert world.ci.accepted[-1].path == ("/doc_jobs" if tag == "DocProcess" else "/jobs")


def test_a_text_that_leaves_no_room_for_the_marker_is_alerted(world: World) -> None:
    """CI takes 1,024 characters."""
    job = world.submit(UserData="x" * USER_DATA_MAX_CHARS)
    world.fail(job)
    world.deliver(job)
    world.run(minutes=3)
    assert world.attempts == []
    assert job in world.alerts[0]


def test_a_job_whose_marker_is_not_echoed_is_not_tried_a_third_time(world: World) -> None:
    """Without it nothing bounds the attempts."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    world.run(minutes=3)
    again = world.ci.jobs[world.ci.accepted[-1].job_id]
    again.request["Operation"]["UserData"] = "mine"
    world.fail(again.job_id)
    world.deliver(again.job_id)
    world.run(minutes=70)
    assert world.attempts == [(job, 2)]
    assert len(world.alerts) == 1


def test_a_lost_callback_of_a_new_job_is_made_up_for(world: World) -> None:
    """The watch asks CI, and takes its word in by the way of a callback."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    world.run(minutes=3)
    again = world.ci.accepted[-1].job_id
    world.now += 21_600
    world.run(minutes=2)
    assert world.alerts == []  # it still runs
    world.succeed(again)
    world.now += 6 * 3600
    world.run(minutes=3)
    assert outcome(world, again) == "succeeded"
    assert len(world.alerts) == 1
    assert world.keys("_outbox/") == []


def test_a_new_job_that_ci_forgets_or_never_ends_is_alerted(world: World) -> None:
    """A watch is bounded by days."""
    jobs = [world.submit(), world.submit(TRANSLATION | {"Input": {"Object": "b.pdf"}})]
    for job in jobs:
        world.fail(job)
        world.deliver(job)
    world.run(minutes=3)
    forgotten, endless = (submission.job_id for submission in world.ci.accepted[-2:])
    world.ci.forget(forgotten)
    for _ in range(12):
        world.now += 6 * 3600
        world.run(minutes=1)
    assert world.keys("_outbox/") == []
    text = "\n".join(world.alerts)
    assert forgotten in text
    assert endless in text


def test_double_is_detected_and_alerted(world: World) -> None:
    """Outside the bounds of the promise: CI's list showed the job too late."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    posts = iter([Fault(reset_after=True)])
    world.ci.lag(3 * 3600)
    with world.ci.faulty(lambda seen: next(posts, None) if seen.method == "POST" else None):
        world.run(minutes=30)
    assert world.attempts == [(job, 2), (job, 2)]
    adopted = world.read(f"_attempts/{job}/02.json")["job_id"]
    (double,) = {submission.job_id for submission in world.ci.accepted[1:]} - {adopted}
    world.now += 21_600
    world.run(minutes=2)
    assert double in world.alerts[0]
    assert len(world.alerts) == 1


def test_two_sweeps_at_once_never_both_go_on(world: World) -> None:
    """One sees the other's lease, and withdraws; a dead one's does not stand in the way."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    world.now += 3600
    lease = f"_sweep/{int(world.now):010d}-somebody"
    world.store.put(lease, b"{}")
    assert world.sweep()["status"] == "lease_held"
    assert lease in world.keys("_sweep/")
    world.now += 121
    assert world.sweep()["status"] == "done"
    assert world.keys("_sweep/") == []
    assert world.attempts == [(job, 2)]


def test_a_retry_that_comes_again_is_not_submitted_again(world: World) -> None:
    """By a redelivery, or by a write that lands late. It has no mark; `_attempts/` decides."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    (key,) = world.keys("_outbox/")
    line = world.store.get(key) or b""
    world.run(minutes=3)
    assert world.attempts == [(job, 2)]
    world.store.put(key, line)
    world.run(minutes=1)
    assert world.attempts == [(job, 2)]
    assert [name.split("-")[-1] for name in world.keys("_outbox/")] == ["watch.json"]
    assert [key for key in world.keys("_done/") if "-retry." in key] == []


def test_an_alert_in_the_place_of_a_retry_is_sent_once_however_often_that_comes(
    world: World,
) -> None:
    """The alert's own mark says that it was sent."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    (key,) = world.keys("_outbox/")
    line = world.store.get(key) or b""
    world.ci.finish(job, "Success")  # another end than the callback reported
    world.run(minutes=4)
    assert len(world.alerts) == 1
    for _ in range(3):
        world.store.put(key, line)
        world.run(minutes=2)
    assert len(world.alerts) == 1
    assert world.keys("_outbox/") == []


def test_tickets_that_are_not_due_are_left_alone(world: World) -> None:
    """However many; the listing stops at now."""
    world.store.put("_outbox/9999999999-j1-failed-retry.json", b"not even a ticket")
    assert world.sweep()["due"] == 0


def test_a_bad_ticket_does_not_stop_the_others(world: World) -> None:
    """What can't be read goes to the dead letters and is told."""
    world.store.put("_outbox/0000000000-a-failed-retry.json", b"not a ticket")
    world.store.put("_outbox/0000000000-b-failed-retry.json", b'{"schema":"ticket/1"}')
    world.store.put(
        "_outbox/0000000000-c-failed-retry.json", Ticket("retry", "c", "failed").to_json()
    )
    world.store.put("_outbox/0000000000-d-x-watch.json", Ticket("watch", "d", "x").to_json())
    world.store.put("_outbox/0000000000-e-x-dance.json", Ticket("dance", "e", "x").to_json())
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    world.run(minutes=8)
    assert world.attempts == [(job, 2)]
    assert len(world.keys("_dead/")) == 5
    assert [key for key in world.keys("_outbox/") if "watch" not in key] == []
    assert sum(alert.count("_dead/") for alert in world.alerts) >= 1


def test_a_dead_letter_is_alerted(world: World) -> None:
    """A body that nobody understands must not lie there unheard."""
    assert world.post("hello")[0] == 202
    world.run(minutes=1)
    (key,) = world.keys("_dead/")
    assert key in world.alerts[0]


def test_a_thousand_failures_make_one_message() -> None:
    """Grouped, with counts and the first few ids."""
    world = QuickWorld()
    job = world.submit()
    world.fail(job, "InvalidArgument")
    text = world.ci.callback_body(job, "JSON").decode()
    for number in range(1_000):
        world.post(text.replace(job, f"a{number:04}"))
    world.run(minutes=2)
    (alert,) = world.alerts
    assert "1000" in alert
    assert len(alert) < 4_000
    assert world.keys("_outbox/") == []


def test_a_channel_that_is_down_hears_it_later_and_the_others_not_twice(tmp_path: Path) -> None:
    """Each channel is waited for by itself, across sweeps."""
    from tests.alert_services import AlertService

    with World(tmp_path) as world, AlertService("wecom") as robot:
        world.env["ALERT_URLS"] += " " + robot.url
        robot.refuse_with = 45009
        job = world.submit()
        world.fail(job, "InvalidArgument")
        world.deliver(job)
        world.run(minutes=3)
        assert len(world.alerts) == 1
        assert robot.texts == []
        robot.refuse_with = None
        world.run(minutes=2)
        assert len(world.alerts) == 1
        assert len(robot.texts) == 1
        assert world.keys("_digests/") == []


def test_a_channel_that_keeps_refusing_is_given_up_after_a_day(world: World) -> None:
    """At ERROR, and the digest is kept where a person can look."""
    world.phone.refuse_with = 500
    assert world.post("hello")[0] == 202
    world.run(minutes=2)
    world.now += 24 * 3600
    world.run(minutes=1)
    assert world.keys("_digests/") == []
    assert len(world.keys("_undelivered/")) == 1
    assert [line["level"] for line in world.lines if line["event"] == "alert_undelivered"] == [
        "ERROR"
    ]


def test_without_a_channel_the_digest_is_logged_once_and_kept(tmp_path: Path) -> None:
    """A failure nobody hears of is the worst outcome: at least the log has it."""
    with World(tmp_path, ALERT_URLS="") as world:
        world.post("hello")
        world.run(minutes=3)
        (line,) = [line for line in world.lines if line["event"] == "alert_undelivered"]
        assert line["level"] == "ERROR"
        assert "_dead/" in line["text"]
        assert len(world.keys("_undelivered/")) == 1


def test_a_digest_that_can_not_be_read_stops_nothing(world: World) -> None:
    """It is put aside, at ERROR."""
    world.store.put("_digests/0000000000-x.json", b"{}")
    world.post("hello")
    world.run(minutes=1)
    assert len(world.alerts) == 1
    assert world.keys("_undelivered/") == ["_undelivered/0000000000-x.json"]


def test_while_ci_is_down_tickets_wait_and_the_sweep_raises_an_alert(world: World) -> None:
    """It is not asked in vain for each ticket."""
    for number in range(6):
        job = world.submit(TRANSLATION | {"Input": {"Object": f"{number}.pdf"}})
        world.fail(job)
        world.deliver(job)
    world.now += 3600
    with world.ci.faulty(lambda seen: Fault(before=(500, "InternalError"))):
        summary = world.sweep()
        assert (summary["failed"], summary["remaining"]) == (3, 3)
    world.run(minutes=10)
    assert len(world.attempts) == 6
    assert len(world.alerts) == 1


def test_submissions_of_one_sweep_are_bounded(tmp_path: Path) -> None:
    """The rest goes out in the next ones."""
    with World(tmp_path, SWEEP_MAX_SUBMITS="2") as world:
        for number in range(5):
            job = world.submit(TRANSLATION | {"Input": {"Object": f"{number}.pdf"}})
            world.fail(job)
            world.deliver(job)
        world.now += 3600
        assert world.sweep()["submitted"] == 2
        world.run(minutes=2)
        assert len(world.attempts) == 5


def test_a_lease_that_grew_old_stops_everything(world: World) -> None:
    """Looked at again right before each POST: another sweep may have begun."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    world.now += 3600

    class Slow:
        """A ledger in which reading an attempt takes two minutes."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.store, name)

        def get(self, key: str) -> bytes | None:
            if key.startswith("_attempts/"):
                world.now += 115
            return world.store.get(key)

    summary = world.sweep(store=Slow())
    assert summary["status"] == "aborted"
    assert "lease" in summary["reason"]
    assert world.attempts == []
    world.run(minutes=5)
    assert world.attempts == [(job, 2)]


WORKFLOW_JOB: dict[str, Any] = {
    "Tag": "Snapshot",
    "Input": {"Object": "in.mp4"},
    "Operation": {"Snapshot": {"Start": "0"}},
}


def workflow_job(world: World, workflow_id: str = "w1", **workflow: str) -> str:
    """A job that a workflow started has failed, and its callback came."""
    job = world.submit(WORKFLOW_JOB)
    named = {"RunId": "i1", "WorkflowId": workflow_id, "Name": "n"} | workflow
    world.ci.jobs[job].workflow = named
    world.fail(job)
    world.deliver(job)
    return job


def runs(world: World) -> int:
    """How often CI was asked to run a workflow."""
    return len([request for request in world.ci.seen if request.path == "/triggerworkflow"])


def test_a_job_born_of_a_workflow_is_alerted_unless_configured(world: World) -> None:
    """Alone it would lose the nodes behind it."""
    workflow_job(world)
    world.run(minutes=2)
    assert world.attempts == []
    assert len(world.alerts) == 1


def test_a_workflow_is_run_again_once_for_all_its_failed_jobs(tmp_path: Path) -> None:
    """Two failed nodes of one run start one new run; a job of that run belongs to attempt 2."""
    with World(tmp_path, WORKFLOW_RETRY="trigger", RETRY_MAX_ATTEMPTS="2") as world:
        for _ in range(2):
            workflow_job(world)
        world.run(minutes=5)
        assert runs(world) == 1
        assert world.alerts == []
        world.now += 600
        workflow_job(world, RunId="i2")
        world.run(minutes=5)
        assert runs(world) == 1
        assert len(world.alerts) == 1
