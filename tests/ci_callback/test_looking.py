"""`jobs`, `show`, `retries` and `tail`: what a person sees of a ledger."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ci_callback.commands.registry import app
from ci_callback.commands.tail import recent_keys
from ci_callback.common import moment
from ci_callback.job_lookup import find
from ci_callback.ledger_reader import DayRange, record_keys, records, resubmissions
from ci_callback.record_filter import outcomes, tags
from handler.ledger import keys
from handler.ledger.folder import FolderStore
from handler.ledger.outbox import Ticket
from tests.conftest import Invoked
from tests.records import keep, record
from tests.world import World

ESCAPE = "\x1b[31mred"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FolderStore:
    """The ledger that the commands look at."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "ledger").mkdir()
    return FolderStore(tmp_path / "ledger")


@pytest.fixture
def retried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[World, str]]:
    """A world in which a job failed, was submitted again, and has yet to end; and the job."""
    with World(tmp_path / "ledger") as world:
        for name, value in world.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("COLUMNS", "200")
        job = world.submit()
        world.fail(job)
        world.deliver(job)
        world.run(minutes=3)
        yield world, job


def run(*arguments: str, code: int = 0) -> str:
    """stdout of a command that ends with this exit status."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.stdout


def listed(*arguments: str) -> list[str]:
    """Ids of the jobs that `jobs` lists, in its order."""
    return [
        json.loads(line)["record"]["job_id"]
        for line in run("jobs", "--json", *arguments).splitlines()
    ]


# --- jobs ---


def test_jobs_lists_the_newest_first(store: FolderStore) -> None:
    """At most as many as are asked for."""
    keep(store, *(record(f"j{n}", f"2026-09-{n:02d}") for n in range(1, 6)))
    assert listed() == ["j5", "j4", "j3", "j2", "j1"]
    assert listed("--limit", "2") == ["j5", "j4"]


def test_jobs_are_chosen_by_what_they_are(store: FolderStore) -> None:
    """Tag, state, outcome and time of creation, each alone and together."""
    bad = {"outcome": "failed", "state": "Failed", "code": "InternalError"}
    keep(
        store,
        record("good", "2026-09-01"),
        record("bad", "2026-09-02", **bad),
        record("other", "2026-09-03", tag="Translation"),
        record("old", "2026-01-01", **bad),
    )
    assert listed("--failed") == ["bad", "old"]
    assert listed("--outcome", "succeeded") == ["other", "good"]
    assert listed("--tag", "Translation") == ["other"]
    assert listed("--state", "Failed", "--since", "2026-08-01") == ["bad"]
    assert listed("--until", "2026-09-02") == ["good", "old"]
    assert listed("--since", "2026-09-02T09:00:00Z") == ["other"]
    assert listed("--tag", "Snapshot") == []
    assert run("jobs", "--tag", "Snapshot") == ""


def test_jobs_that_have_not_ended_are_listed_too(store: FolderStore) -> None:
    """Where they are not excluded by what is asked for."""
    keep(store, record("j1", state="Running", outcome="unfinished", ended_at=None))
    assert listed() == listed("--outcome", "unfinished") == ["j1"]
    assert listed("--failed") == []


def test_a_job_without_a_time_of_creation_is_never_hidden_by_a_time(store: FolderStore) -> None:
    """It stands under 1970-01-01, which says nothing of when it was."""
    keep(store, record("j1", created_at=None))
    assert listed() == ["j1"]
    assert listed("--until", "2026-01-01") == ["j1"]


def test_what_a_callback_says_can_not_steer_the_terminal(store: FolderStore) -> None:
    """Nor is it taken for markup."""
    keep(
        store,
        record(f"j1{ESCAPE}", tag="[bold]Tag", outcome="failed", code=ESCAPE, state="Failed"),
    )
    out = run("jobs")
    assert "\x1b" not in out
    assert "[bold]Tag" in out
    assert "\\x1b[31mred" in out
    assert "\x1b" not in run("show", f"j1{ESCAPE}")


def test_a_table_shows_attempt_code_and_run_time(store: FolderStore) -> None:
    """What a person on call looks for first."""
    keep(
        store,
        record(
            "j2",
            outcome="failed",
            code="InternalError",
            retry={"root_job_id": "j1", "attempt": 2},
        ),
    )
    out = run("jobs")
    assert all(part in out for part in ("j2", "failed", "InternalError (attempt 2)", "60.25"))


def test_what_is_no_record_is_left_out(store: FolderStore) -> None:
    """Somebody else's file must not stop the list."""
    keep(store, record("j1"))
    store.put("jobs/dt=2026-09-20/odd.json", b"{}")
    assert listed() == ["j1"]
    assert [entry.record is None for entry in records(store, record_keys(store))] == [False, True]


def test_jobs_on_cos(on_cos: Invoked, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same commands; the ledger is named by the environment."""
    for name, value in on_cos.env.items():
        monkeypatch.setenv(name, value)
    for n in range(3):
        on_cos.post(f'{{"JobsDetail": {{"JobId": "j{n}", "State": "Success"}}}}')
    assert sorted(listed()) == ["j0", "j1", "j2"]


# --- which days ---


def test_only_the_days_that_are_asked_for_are_listed(store: FolderStore) -> None:
    """Few days: each for itself; many: all at once, and what lies outside left out."""
    days = [f"2026-{month:02d}-15" for month in range(1, 10)]
    keep(store, *(record(f"j{day}", day) for day in days))

    def listed_days(since: date | None, until: date | None) -> list[str]:
        return [key[8:18] for key in record_keys(store, DayRange(since, until))]

    assert listed_days(None, None) == days
    assert listed_days(date(2026, 3, 15), date(2026, 3, 16)) == ["2026-03-15"]
    assert listed_days(date(2026, 3, 15), date(2026, 8, 15)) == days[2:8]
    assert listed_days(date(2026, 3, 16), None) == days[3:]
    assert listed_days(None, date(2026, 2, 15)) == days[:2]


def test_a_long_time_back_is_one_listing_and_not_one_a_day() -> None:
    """A request a day would cost a year's worth of them."""

    class Counting:
        def __init__(self) -> None:
            self.asked: list[str] = []

        def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
            self.asked.append(prefix)
            return iter(())

    counting: Any = Counting()
    list(record_keys(counting, DayRange(date(2020, 1, 1)), folders=("jobs",)))
    assert counting.asked == ["jobs/dt=1970-01-01/", "jobs/dt="]
    counting.asked.clear()
    list(record_keys(counting, DayRange(date.today() - timedelta(2)), folders=("jobs",)))
    # Jobs without a day, two days back, today, and two days for clocks that are ahead.
    assert len(counting.asked) == 6


# --- show ---


def test_show_prints_all_of_a_job(retried: tuple[World, str]) -> None:
    """Its record, its attempts, the tickets that speak of it, and its times."""
    _, job = retried
    out = run("show", job)
    assert f"jobs/dt=2026-09-21/{job}.json" in out
    assert "Attempts of" in out
    assert "submitted" in out
    assert "no record yet" in out
    assert "watch" in out
    order = [
        f"{job} ",
        "failed",
        "Attempts of",
        "watch",
        "callback",
        f"jobs/dt=2026-09-21/{job}.json",
    ]
    places = [out.index(word) for word in order]
    assert places == sorted(places), "the record fills a screen, and comes last"
    printed = json.loads(run("show", job, "--json"))
    assert [printed_job["record"]["outcome"] for printed_job in printed["records"]] == ["failed"]
    assert [attempt["number"] for attempt in printed["attempts"]] == [1, 2]
    assert [timing["what"] for timing in printed["timings"]][-1] == "callback"
    assert [ticket["action"] for ticket in printed["tickets"]] == ["watch"]


def test_show_of_a_retry_names_its_root(retried: tuple[World, str]) -> None:
    """Whichever of them is asked for, the tree is the same."""
    world, job = retried
    again = world.ci.accepted[-1].job_id
    world.succeed(again)
    world.deliver(again)
    printed = json.loads(run("show", again, "--json"))
    assert printed["root_job_id"] == job
    assert [attempt["outcome"] for attempt in printed["attempts"]] == ["failed", "succeeded"]
    assert "succeeded" in run("show", again)


def test_show_of_a_job_that_nobody_knows(store: FolderStore) -> None:
    """Exit status 1, and no stack trace."""
    result = CliRunner().invoke(app, ["show", "nobody"])
    assert (result.exit_code, result.stderr) == (1, "The ledger knows no job nobody.\n")


def test_show_finds_reviews_and_unfinished_states_by_their_id(store: FolderStore) -> None:
    """Their keys hold more than the id; and one id that begins like another is not it."""
    keep(
        store,
        record("j1", kind="review"),
        record("j1", outcome="unfinished", state="Running"),
        record("j11"),
    )
    assert sorted(entry.key.partition("/")[0] for entry in find(store, "j1")) == [
        "_unfinished",
        "reviews",
    ]


def test_show_says_where_a_record_can_not_be_read(store: FolderStore) -> None:
    """And why."""
    store.put("jobs/dt=2026-09-20/j1.json", b"{}")
    assert "not a job-record/1" in run("show", "j1")


# --- retries ---


def test_an_empty_outbox_is_reported(store: FolderStore) -> None:
    """And that nothing was submitted again."""
    for arguments, why in (
        (["retries"], "The outbox is empty: nothing is pending.\n"),
        (["retries", "--made"], "No job was submitted again.\n"),
    ):
        result = CliRunner().invoke(app, arguments)
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", why)
    assert json.loads(run("retries", "--json")) == {"tickets": [], "attempts": []}


def test_retries_lists_what_waits_and_what_was_made(retried: tuple[World, str]) -> None:
    """By due time; the record that a ticket carries is not printed."""
    world, job = retried
    printed = json.loads(run("retries", "--made", "--json"))
    assert [ticket["action"] for ticket in printed["tickets"]] == ["watch"]
    assert [(attempt["root_job_id"], attempt["number"]) for attempt in printed["attempts"]] == [
        (job, 2)
    ]
    (ticket,) = (line.split("\t") for line in run("retries").splitlines())
    assert ticket[1:4] == ["watch", world.ci.accepted[-1].job_id, "0"]
    assert "attempt 2 of" in ticket[4]
    (made,) = (line.split("\t") for line in run("retries", "--made").splitlines())
    assert made[:4] == [job, "2", "submitted", world.ci.accepted[-1].job_id]


def test_retries_are_printed_in_each_form(retried: tuple[World, str]) -> None:
    """Columns by name, names first, CSV, an object a line."""
    _, job = retried
    assert run("retries", "--columns", "action,state") == "watch\tsubmitted\n"
    assert run("retries", "--columns", "action", "--header") == "action\nwatch\n"
    assert run("retries", "--made", "--columns", "root,attempt", "--csv") == (
        f"root,attempt\n{job},2\n"
    )
    out = run("retries", "--made", "--columns", "root,attempt", "--json")
    assert json.loads(out) == {"root": job, "attempt": 2}
    assert "no column tag; there are due, " in " ".join(
        CliRunner().invoke(app, ["retries", "--columns", "tag"]).stderr.split()
    )


def test_show_prints_one_table_in_each_form(retried: tuple[World, str]) -> None:
    """Records by default."""
    _, job = retried
    assert run("show", job, "--columns", "job,outcome") == f"{job}\tfailed\n"
    assert run("show", job, "--part", "attempts", "--columns", "attempt,state", "--csv") == (
        "attempt,state\n1,Failed\n2,submitted\n"
    )
    rows = run("show", job, "--part", "timings").splitlines()
    assert [row.split("\t")[0] for row in rows] == ["created", "started", "ended", "callback"]
    out = run("show", job, "--part", "tickets", "--columns", "action", "--json")
    assert json.loads(out) == {"action": "watch"}
    assert run("show", job, "--part", "events") == ""
    error = " ".join(CliRunner().invoke(app, ["show", job, "--part", "event"]).stderr.split())
    assert "no part 'event'; did you mean events? There are: attempts, events, " in error


def test_a_ticket_that_can_not_be_read_is_shown_as_such(store: FolderStore) -> None:
    """It is there, and a sweep will move it."""
    store.put("_outbox/0000000000-j1-failed-retry.json", b"x")
    store.put("_outbox/" + Ticket("alert.dead", "j2", "dead", note="[red]").name, b"{}")
    assert "unreadable" in run("retries")
    assert json.loads(run("retries", "--json"))["tickets"][0]["unreadable"] is True


def test_attempts_of_a_root_with_a_long_name_are_shown(store: FolderStore) -> None:
    """A workflow's root is made of names of one's own; what a key holds of it stands for it."""
    attempt = b'{"schema":"attempt/1","state":"submitting","since":1,"by":"x"}'
    store.put(keys.attempt("w" * 200, 2), attempt)
    store.put(keys.attempt("W:é.mp4:2026", 2), attempt)
    made = json.loads(run("retries", "--made", "--json"))["attempts"]
    assert {resubmission["root_job_id"] for resubmission in made} == {
        "W:é.mp4:2026",
        keys.name("w" * 200),
    }
    assert [step.number for step in resubmissions(store, "w" * 200)] == [2]


# --- tail ---


def test_tail_prints_what_comes_and_not_what_was_there(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends after as many as were asked for."""
    keep(store, record("old"), record("other", tag="Translation"))
    looks = iter([("new", "Transcode"), ("late", "Transcode")])

    def sleep(seconds: float) -> None:
        assert seconds == 0.5
        job, tag = next(looks)
        keep(store, record(job, tag=tag), record(f"{job}-unwanted", tag="Translation"))

    monkeypatch.setattr("ci_callback.commands.tail.time.sleep", sleep)
    out = run("tail", "--count", "2", "--every", "0.5", "--tag", "Transcode")
    assert [line.split()[0] for line in out.splitlines()] == ["new", "late"]


def test_tail_follows_a_running_function(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread writes between two looks."""
    looked, written = threading.Event(), threading.Event()

    def write() -> None:
        assert looked.wait(30)
        keep(store, record("j1", outcome="failed", code="InternalError"))
        written.set()

    def sleep(seconds: float) -> None:
        looked.set()
        assert written.wait(30)

    monkeypatch.setattr("ci_callback.commands.tail.time.sleep", sleep)
    writer = threading.Thread(target=write)
    writer.start()
    out = run("tail", "--count", "1", "--every", "0.1", "--failed", "--json")
    writer.join()
    assert json.loads(out)["record"]["job_id"] == "j1"


def test_tail_of_some_days_looks_at_those_and_at_undated_jobs(store: FolderStore) -> None:
    """Each look lists the keys of every day that it covers."""
    today = datetime.now(timezone.utc).date()
    keep(store, record("j1", f"{today}"), record("j2", "2026-01-01"))
    keep(store, record("j3")._replace(created_at=None))
    names = [key.rpartition("/")[2] for key in recent_keys(store, 1)]
    assert sorted(names) == ["j1.json", "j3.json"]


# --- words ---


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=timezone.utc)),
        ("2026-11-20T08:00:00Z", datetime(2026, 11, 20, 8, tzinfo=timezone.utc)),
        ("2026-11-20T08:00:00+08:00", datetime(2026, 11, 20, tzinfo=timezone.utc)),
    ],
)
def test_a_time_as_people_write_it(written: str, meant: datetime) -> None:
    """UTC where it names no zone."""
    assert moment(written) == meant


def test_a_time_ago() -> None:
    """In minutes, hours, days or weeks."""
    now = datetime.now(timezone.utc)
    for written, ago in (("90m", 5400), ("24h", 86400), ("7d", 604800), ("2w", 1209600)):
        assert abs((now - moment(written)).total_seconds() - ago) < 5


@pytest.mark.parametrize("written", ["yesterday", "7", "7y", "999999w", "2026-13-01", ""])
def test_what_is_no_time_is_a_usage_error(written: str) -> None:
    """It says what to write."""
    with pytest.raises(typer.BadParameter, match="write 24h"):
        moment(written)
    assert CliRunner().invoke(app, ["jobs", "--since", written]).exit_code == 2


def test_the_shell_completes_tags_and_outcomes() -> None:
    """From the catalogue."""
    assert tags("trans") == ["Transcode", "Translation"]
    assert "failed" in outcomes("f")
