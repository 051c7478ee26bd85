"""What bounds a sweep: time, memory, the cap on submissions, and how each of them is made known."""

from __future__ import annotations

import contextlib
import json
import threading
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ci_callback.ci_simulator import Fault, Seen
from handler.callback.record import JobRecord
from handler.callback.tree import Tree
from handler.errors import StoreError
from handler.ledger.outbox import Ticket
from handler.retries import sweep as sweep_module
from handler.retries.batches import AT_FIRST
from tests.stores import QuickWorld, Wrapped
from tests.world import TRANSLATION, World

HOUR = 3600


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world in which everything works."""
    with World(tmp_path / "ledger") as made:
        yield made


def failed(world: Any, name: str = "a.pdf", **operation: Any) -> str:
    """A failed job whose callback came, and whose retry is due in an hour."""
    job: str = world.submit(TRANSLATION | {"Input": {"Object": name}}, **operation)
    world.fail(job)
    world.deliver(job)
    return job


def sweep(world: World, limit_s: float) -> dict[str, Any]:
    """A sweep in a function with this time limit; what it logged of itself."""
    tick = {"Type": "Timer", "TriggerName": "sweep", "Message": "sweep"}
    context = {"request_id": "t", "time_limit_in_ms": limit_s * 1000}
    world.function().handle(tick, context)
    return next(line for line in reversed(world.lines) if line["event"] == "sweep")


class TestTime:
    """The time limit of the function, and the lease."""

    @pytest.mark.parametrize("limit_s", [11, 15, 20, 55, 900])
    def test_short_time_limit_still_retries(self, world: World, limit_s: float) -> None:
        """What a step may take is taken from what is left."""
        job = failed(world)
        world.now += HOUR
        assert sweep(world, limit_s)["status"] == "done"
        assert world.attempts == [(job, 2)]

    def test_time_limit_that_fits_no_step_is_an_error_and_an_alert(self, world: World) -> None:
        """By its name; once a day, and not an INFO line each minute for ever."""
        job = failed(world)
        world.now += HOUR
        for _ in range(3):
            world.now += 60
            summary = sweep(world, 5)
            assert (summary["level"], summary["status"]) == ("ERROR", "failed")
            assert "the function's time limit" in summary["reason"]
            assert summary["remaining"] >= 1
        world.run(minutes=2)
        assert world.attempts == [(job, 2)]
        assert len([text for text in world.alerts if "time limit" in text]) == 1

    def test_alerts_are_sent_where_no_step_fits(self, world: World) -> None:
        """They need less."""
        world.post("hello")
        assert sweep(world, 5)["alerts_sent"] == 1

    def test_sweep_stops_while_there_is_time(self, world: World) -> None:
        """What is left is counted, and is no fault."""
        for number in range(6):
            failed(world, f"{number}.pdf")
        world.now += HOUR
        passed = [0.0]
        world.timer = lambda: passed[0]
        with world.ci.faulty(lambda seen: passed.__setitem__(0, passed[0] + 8)):
            summary = sweep(world, 55)
        assert (summary["status"], summary["level"]) == ("in_progress", "INFO")
        assert summary["done"] + summary["remaining"] == 6
        assert summary["submitted"] == summary["done"] > 0

    def test_lease_held_for_long_is_an_error_and_an_alert(self, world: World) -> None:
        """A lease that is held once is everyday; one that is never free is not."""
        failed(world)
        world.now += HOUR
        levels = []
        for _ in range(13):
            world.now += 60
            lease = f"_sweep/{int(world.now) - 30:010d}-other"
            world.store.put(lease, b"")
            levels.append(world.sweep()["level"])
            world.store.delete(lease)
        assert levels[:9] == ["INFO"] * 9
        assert levels[-2:] == ["ERROR"] * 2
        world.run(minutes=2)
        assert any("lease" in text for text in world.alerts)


class Forgetful(Wrapped):
    """A store in memory that holds nothing of what a sweep writes."""

    def put(self, key: str, data: bytes) -> None:
        self.inner.put(key, b"")


class TestMemory:
    """A sweep holds few tickets at a time, and few bytes."""

    def peak_of(self, count: int, action: str) -> int:
        """The most memory that a sweep over so many tickets of half a megabyte takes."""
        world = QuickWorld()
        job = failed(world)
        (key,) = world.keys("jobs/")
        record = JobRecord.from_json(world.store.get(key) or b"")
        words: dict[str, Tree] = {f"n{number}": "x" * 50 for number in range(8_000)}
        for number in range(count):
            name = f"{job}{number}"
            copy = record._replace(
                job_id=name,
                details={**record.details, "W": words},
                retry={"root_job_id": name, "attempt": 1},
            )
            world.store.put(f"jobs/dt=2026-09-21/{copy.job_id}.json", copy.to_json())
            ticket = Ticket(action, copy.job_id, "failed", 0, copy)
            world.store.put(f"_outbox/{ticket.name}", ticket.to_json())
        world.now += HOUR
        tracemalloc.start()
        try:
            summary = world.sweep(Forgetful(world.store))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert summary["done"] + summary["alerts_sent"] == count + 1, summary
        return peak

    @pytest.mark.parametrize(
        "action", [pytest.param("retry", marks=pytest.mark.slow), "alert.failed"]
    )
    def test_large_tickets_are_dealt_with_one_at_a_time(self, action: str) -> None:
        """60 failed callbacks of 1.9 MB must not end each sweep of a function of 256 MB."""
        assert self.peak_of(12, action) < 1.5 * self.peak_of(2, action)

    def test_thousands_of_names_are_not_read_where_the_cap_is_reached(self) -> None:
        """The cap comes before the first request about a ticket."""
        world = QuickWorld(SWEEP_MAX_SUBMITS="5")
        jobs = [failed(world, f"{number}.pdf") for number in range(200)]
        world.now += HOUR
        asked: Counter[str] = Counter()

        class Counting(Wrapped):
            def get(self, key: str) -> bytes | None:
                asked[key.partition("/")[0]] += 1
                return self.inner.get(key)

        summary = world.sweep(Counting(world.store))
        assert (summary["submitted"], summary["remaining"]) == (5, 195)
        assert asked["_outbox"] == 5
        assert len(world.attempts) == 5
        world.env["SWEEP_MAX_SUBMITS"] = "1000"
        world.run(minutes=3)
        assert Counter(world.attempts) == Counter((job, 2) for job in jobs)


class TestOrder:
    """Nothing waits behind a backlog of what is less urgent."""

    def test_watches_are_not_in_the_way_of_retries(self) -> None:
        """However long they have been due."""
        world = QuickWorld()
        for number in range(100):
            ticket = Ticket("watch", f"w{number}", "submitted", 1)
            world.store.put(f"_outbox/{ticket.name}", ticket.to_json())
        job = failed(world)
        world.now += HOUR
        order: list[str] = []

        class Noting(Wrapped):
            def get(self, key: str) -> bytes | None:
                if key.startswith("_outbox/"):
                    order.append(key.rpartition("-")[2])
                return self.inner.get(key)

        world.sweep(Noting(world.store))
        assert world.attempts == [(job, 2)]
        assert order[0] == "retry.json"

    def test_names_that_are_no_tickets_are_passed_over(self) -> None:
        """A console's folder marker, a desktop's file: no dead letter each minute, and no stop."""
        world = QuickWorld()
        names = ("", ".DS_Store", "0", "0000000000-a-b.json", "0000000000-a-b-RETRY.json")
        for name in names:
            world.store.put(f"_outbox/{name}", b"")
        job = failed(world)
        world.run(minutes=3)
        assert world.attempts == [(job, 2)]
        assert world.alerts == []
        assert world.keys("_dead/") == []
        assert {key.removeprefix("_outbox/") for key in world.keys("_outbox/")} > set(names)

    def test_few_are_tried_until_ci_has_answered(self) -> None:
        """A CI that is down is not asked in vain sixteen times at once."""
        world = QuickWorld()
        for number in range(40):
            failed(world, f"{number}.pdf")
        world.now += HOUR
        world.ci.fault = lambda seen: Fault(before=(500, "InternalError"))
        summary = world.sweep()
        assert (summary["failed"], summary["remaining"]) == (AT_FIRST, 40 - AT_FIRST)

    def test_what_was_done_without_ci_says_nothing_of_it(self) -> None:
        """A callback to verify is stored unasked while CI is down."""
        world = QuickWorld(VERIFY_CALLBACKS="always")
        for number in range(40):
            failed(world, f"{number}.pdf")
        record = JobRecord.from_json(world.store.get(world.keys("jobs/")[0]) or b"")
        verify = Ticket("verify", "other", "failed", 0, record._replace(job_id="other"))
        world.store.put(f"_outbox/{verify.name}", verify.to_json())
        world.now += HOUR
        world.ci.fault = lambda seen: Fault(before=(500, "InternalError"))
        summary = world.sweep()
        assert (summary["done"], summary["failed"]) == (1, AT_FIRST)

    def test_no_second_has_more_requests_to_ci_than_it_takes(self) -> None:
        """Of any kind: verifications, retries and watches follow each other."""
        world = QuickWorld()
        for number in range(99):
            failed(world, f"{number}.pdf")
        world.now += HOUR
        world.sweep()
        for number in range(100, 160):
            failed(world, f"{number}.pdf")
        world.now += 7 * HOUR  # now the watches of the first ones are due as well
        moments: list[float] = []

        def note(seen: Seen) -> None:
            moments.append(world.now)

        world.ci.fault = note
        world.sweep()
        assert len(moments) > 200
        busiest = max(
            sum(at <= other < at + 1 for other in moments) for at in dict.fromkeys(moments)
        )
        assert busiest <= 50

    def test_submissions_keep_to_a_rate(self) -> None:
        """CI takes some requests a second; the rest is not sent to be refused."""
        world = QuickWorld()
        for number in range(99):
            failed(world, f"{number}.pdf")
        world.now += HOUR
        world.sweep()
        moments = [submission.at for submission in world.ci.accepted if submission.marker]
        assert len(moments) == 99
        assert max(moments) - min(moments) > 3


class TestSeveralAtATime:
    """Tickets that are worked on at a time share a lease, and may be about one attempt."""

    def test_two_tickets_of_one_job_submit_it_once(self) -> None:
        """Both are read before either has claimed the attempt."""
        world = QuickWorld()
        job = failed(world)
        body = json.loads(world.ci.callback_body(job, "JSON"))
        for second in range(2, 7):
            body["JobsDetail"][0]["EndTime"] = f"2026-09-21T22:13:{second:02}+0800"
            world.post(json.dumps(body))
        world.now += HOUR
        together = threading.Barrier(AT_FIRST, timeout=5)

        class Together(Wrapped):
            """Tickets that are read at the same moment."""

            def get(self, key: str) -> bytes | None:
                if key.startswith("_outbox/") and not together.broken:
                    with contextlib.suppress(threading.BrokenBarrierError):
                        together.wait()
                return self.inner.get(key)

        assert len([key for key in world.keys("_outbox/") if "retry" in key]) >= AT_FIRST
        world.sweep(Together(world.store))
        world.run(minutes=5)
        assert world.attempts == [(job, 2)]

    def test_write_without_an_answer_stops_every_worker(self) -> None:
        """It may land late, over what another one has noted since."""
        world = QuickWorld()
        for number in range(3):
            failed(world, f"{number}.pdf")
        world.now += HOUR
        failing = threading.Event()

        class Failing(Wrapped):
            """The first claim gets no answer; the others wait until that is known."""

            def put(self, key: str, data: bytes) -> None:
                if key.startswith("_attempts/"):
                    if not failing.is_set():
                        failing.set()
                        raise StoreError("put", key, "COS gave no answer in time")
                    import time

                    time.sleep(0.2)
                self.inner.put(key, data)

        summary = world.sweep(Failing(world.store))
        assert summary["status"] == "aborted"
        assert world.attempts == []
        assert [key for key in world.keys("_sweep/") if "held" not in key] != []
        world.run(minutes=30)
        assert len(world.attempts) == 3


class TestNeverVerified:
    """VERIFY_CALLBACKS=never."""

    @pytest.fixture(autouse=True)
    def quiet(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As in a new process."""
        monkeypatch.setattr(sweep_module, "_warned", set())

    def test_first_sweep_of_a_process_warns(self, tmp_path: Path) -> None:
        """And no other."""
        with World(tmp_path, VERIFY_CALLBACKS="never") as world:
            world.run(minutes=3)
            lines = [line for line in world.lines if line["event"] == "unverified_retries"]
        (line,) = lines
        assert line["level"] == "WARNING"
        assert "VERIFY_CALLBACKS" in line["reason"]

    def test_others_do_not_warn(self, world: World) -> None:
        """Failures are confirmed by CI."""
        world.run(minutes=1)
        assert [line for line in world.lines if line["event"] == "unverified_retries"] == []

    @pytest.mark.parametrize(
        ("allowed", "output", "is_submitted"),
        [
            ("", "elsewhere-1250000000", False),
            ("elsewhere-1250000000", "elsewhere-1250000000", True),
            ("1250000000", "elsewhere-1250000000", True),
            ("", "records-1250000000", True),
        ],
    )
    def test_output_bucket_that_nothing_names_is_refused(
        self, tmp_path: Path, allowed: str, output: str, is_submitted: bool
    ) -> None:
        """With an alert; and not where the operator allows it."""
        body = {
            "JobsDetail": {
                "JobId": "a" + "1" * 32,
                "Tag": "Translation",
                "State": "Failed",
                "Code": "InternalError",
                "Input": {"Object": "a.pdf"},
                "Operation": {
                    "Translation": {"Lang": "zh"},
                    "Output": {"Bucket": output, "Region": "ap-guangzhou", "Object": "o"},
                },
            }
        }
        with World(tmp_path, VERIFY_CALLBACKS="never", ALLOWED_BUCKETS=allowed) as world:
            world.post(json.dumps(body))
            world.run(minutes=3)
            assert bool(world.attempts) == is_submitted
            assert any(output in text for text in world.alerts) == (not is_submitted)

    @pytest.mark.parametrize(
        "output",
        [
            {"Bucket": ["records-1250000000", "evil-1250000001"]},
            {"Bucket": [["evil-1250000001"]]},
            {"Bucket": {"x": "evil-1250000001"}},
            {"x": [{"TargetBucket": "evil-1250000001"}]},
            {"BucketName": "evil-1250000001"},
            {"BUCKETID": "evil-1250000001"},
        ],
        ids=str,
    )
    def test_output_bucket_is_found_however_it_is_sent(
        self, tmp_path: Path, output: dict[str, Any]
    ) -> None:
        """A node that came twice would be sent twice, and CI takes one of the two."""
        detail = {
            "JobId": "a" + "1" * 32,
            "Tag": "Translation",
            "State": "Failed",
            "Code": "InternalError",
            "Input": {"Object": "a.pdf"},
            "Operation": {"Translation": {"Lang": "zh"}, "Output": output | {"Object": "o"}},
        }
        with World(tmp_path, VERIFY_CALLBACKS="never") as world:
            world.post(json.dumps({"JobsDetail": detail}))
            world.run(minutes=3)
            assert world.attempts == []
            assert any("evil-1250000001" in text for text in world.alerts)


class TestWhatIsSentAgain:
    """The request that is made again, and what is said of it."""

    def test_lowered_number_of_attempts_holds_for_retries_that_wait(self, world: World) -> None:
        """They are given up, and told."""
        job = failed(world)
        world.env["RETRY_MAX_ATTEMPTS"] = "1"
        world.run(minutes=3)
        assert world.attempts == []
        assert "gave up" in world.alerts[0].lower()
        assert job in world.alerts[0]

    def test_end_in_2099_is_no_reason_to_wait(self, world: World) -> None:
        """Neither for the retry nor for what follows."""
        job = world.submit()
        world.fail(job)
        body = json.loads(world.ci.callback_body(job, "JSON"))
        body["JobsDetail"][0]["EndTime"] = "2099-01-01T00:00:00+0800"
        world.post(json.dumps(body))
        world.run(minutes=3)
        assert world.attempts == [(job, 2)]

    def test_user_data_of_the_callback_is_kept_where_ci_shows_none(self, world: World) -> None:
        """The job is submitted with it, and its record has it."""
        job = world.submit()
        world.fail(job)
        body = world.ci.callback_body(job, "JSON").decode()
        del world.ci.jobs[job].request["Operation"]["UserData"]
        world.post(body)
        world.run(minutes=3)
        again = world.ci.accepted[-1]
        assert again.user_data.startswith("mine/ci-retry:")

    def test_refusal_that_quotes_the_callback_address_shows_no_token(self, tmp_path: Path) -> None:
        """Neither in the alert nor in the attempt nor in the log."""
        address = "https://example.com/callback?token=s3cr3t-t0ken-0f-mine"
        with World(tmp_path, RETRY_CALLBACK_URL=address) as world:
            failed(world)
            message = f"CallBack {address} is not allowed".replace("&", "&amp;")
            refusal = (
                f"<Error><Code>InvalidArgument</Code><Message>{message}</Message></Error>"
            ).encode()
            fault = Fault(before=(400, "InvalidArgument"), body=refusal)
            with world.ci.faulty(lambda seen: fault if seen.method == "POST" else None):
                world.run(minutes=3)
            assert "InvalidArgument" in world.alerts[0]
            kept = b"".join(world.store.get(key) or b"" for key in world.keys(""))
            everything = kept.decode() + world.output.getvalue() + "".join(world.alerts)
            assert "s3cr3t" not in everything
