"""The figures of a report: what is counted, where, and what became of failures."""

from __future__ import annotations

from array import array
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ci_callback.report import tally
from ci_callback.report.figures import Figures
from ci_callback.report.gather import gather
from ci_callback.report.retries import Retries
from ci_callback.report.scales import Log, columns, duration, share, size, ticks
from ci_callback.report.tally import spread
from ci_callback.texts import Texts
from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.ledger import keys
from handler.ledger.attempts import Attempt, Attempts, State
from handler.ledger.folder import FolderStore
from handler.ledger.keys import OUTBOX
from handler.ledger.outbox import Outbox, about
from handler.ledger.records import Ledger
from handler.ledger.store import Store
from handler.settings import Settings
from handler.stores import open_store
from tests.fake_cos import FakeCos
from tests.records import DAY, keep, record

SINCE, UNTIL = date(2026, 9, 1), date(2026, 9, 30)
EN, ZH = Texts("en"), Texts("zh")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """A ledger in a folder, empty."""
    return FolderStore(tmp_path)


def figures(store: Store, since: date = SINCE, until: date = UNTIL) -> Figures:
    """The figures of September 2026."""
    return gather(store, since, until)


def failed(job_id: str, code: str = "InternalError", **fields: Any) -> JobRecord:
    """A job that failed."""
    return record(job_id, state="Failed", outcome="failed", code=code, **fields)


def again(job_id: str, root: str, attempt: int, outcome: str, **fields: Any) -> JobRecord:
    """A re-submission, and how it ended."""
    retry = {"root_job_id": root, "attempt": attempt}
    return record(job_id, outcome=outcome, retry=retry, **fields)


def note(store: Store, root: str, number: int, state: State, job_id: str = "") -> None:
    """How a re-submission stands."""
    attempt = Attempt(state, 1.0, "sweep-1", 1, job_id, f"{DAY}T08:00:00Z")
    Attempts(store).put(Lineage(root, number), attempt)


# --- counting -----------------------------------------------------------------------------


def test_jobs_count_on_the_day_of_their_creation_by_outcome(store: FolderStore) -> None:
    """Both ends of the period belong to it."""
    keep(store, record("a", day="2026-09-01"), failed("b", day="2026-09-01"))
    keep(store, record("c", day="2026-09-30"))
    keep(store, record("before", day="2026-08-31"), record("after", day="2026-10-01"))
    report = figures(store)
    assert report.days == {
        "2026-09-01": {"succeeded": 1, "failed": 1},
        "2026-09-30": {"succeeded": 1},
    }
    assert (report.jobs, report.outcomes) == (3, {"succeeded": 2, "failed": 1})


def test_runs_and_reviews_are_counted_apart(store: FolderStore) -> None:
    """Else a failure within a workflow would count twice."""
    keep(store, record("w", kind="workflow", outcome="failed", tag=None))
    keep(store, record("r", kind="review", tag=None))
    report = figures(store)
    assert (report.jobs, report.retries.failed) == (0, 0)
    assert (report.runs, report.reviews) == ({"failed": 1}, {"succeeded": 1})
    assert not report.is_empty


def test_what_can_not_be_read_is_reported(store: FolderStore) -> None:
    """And nothing else is lost by it."""
    (key,) = keep(store, record("a"))
    store.put(key.replace("a.json", "b.json"), b"{}")
    report = figures(store)
    assert (report.jobs, report.unreadable) == (1, 1)


def test_an_empty_ledger_has_empty_figures(store: FolderStore) -> None:
    """No percentile of nothing."""
    report = figures(store)
    assert report.is_empty
    assert (report.jobs, report.run_s, report.wait_s, report.slowest) == (0, None, None, ())


def test_percentiles_lie_between_the_nearest_values() -> None:
    """Of one value they are all that value."""
    summary = spread(array("d", range(101)))
    assert summary is not None
    assert (summary.p5, summary.p25, summary.p50, summary.p75, summary.p95) == (5, 25, 50, 75, 95)
    assert (summary.count, summary.longest) == (101, 100)
    halves = spread(array("d", [2, 1]))
    assert halves is not None
    assert halves.p50 == 1.5
    single = spread(array("d", [7]))
    assert single is not None
    assert (single.p5, single.p95) == (7, 7)


def test_tags_are_in_the_order_of_their_jobs(store: FolderStore) -> None:
    """A tag without times is there, without a spread."""
    keep(store, record("a", tag="Snapshot", run_s=None), record("b"), record("c", run_s=2.5))
    common, rare = figures(store).tags
    assert (common.tag, common.jobs, rare.tag, rare.run_s) == ("Transcode", 2, "Snapshot", None)
    assert common.run_s is not None
    assert common.run_s.longest == 60.25


def test_failures_are_split_by_code_and_tag(store: FolderStore) -> None:
    """The commonest first."""
    keep(
        store,
        failed("a", "B"),
        failed("b", "A"),
        failed("c", "A", tag="Snapshot"),
        failed("d", "A"),
    )
    assert [(failure.code, failure.jobs, failure.tags) for failure in figures(store).failures] == [
        ("A", 3, {"Transcode": 2, "Snapshot": 1}),
        ("B", 1, {"Transcode": 1}),
    ]


def test_the_slowest_are_few_and_in_order(store: FolderStore) -> None:
    """Of equals the one whose id comes first, in whatever order they are read."""
    keep(store, *(record(f"j{n:02d}", run_s=float(n * 11 % 30 // 2)) for n in range(30)))
    slowest = figures(store).slowest
    assert [job.run_s for job in slowest] == [14, 14, 13, 13, 12, 12, 11, 11, 10, 10]
    assert [job.job_id for job in slowest[:4]] == ["j08", "j19", "j16", "j27"]


def test_size_is_that_of_the_input_or_of_the_result(store: FolderStore) -> None:
    """Told by the input's headers, the medium, the result itself, or a list of files."""
    media = {"media": {"format": {"size_bytes": 700, "duration_s": 13.5}}, "files": [{"md5": "x"}]}
    keep(store, record("in", input={"object": "a.mp4", "headers": {"Size": "900"}}))
    keep(store, record("media", result=media))
    keep(store, record("list", result={"pictures": [{"size_bytes": 100}, {"size_bytes": 20}]}))
    keep(store, record("plain", result={"size_bytes": 5}, input={"url": "https://u"}))
    keep(store, record("none"))
    report = figures(store)
    assert [(job.job_id, job.input_bytes, job.result_bytes) for job in report.largest] == [
        ("in", 900, None),
        ("media", None, 700),
        ("list", None, 120),
        ("plain", None, 5),
    ]
    assert report.sized == 4
    assert (report.largest[0].object, report.largest[3].object) == ("a.mp4", "https://u")
    assert report.largest[1].media_s == 13.5


@pytest.mark.parametrize("size_header", ["-1", "9" * 30, "1e9", "٣", "", None, [], True, -4])
def test_a_size_that_is_none_is_left_out(store: FolderStore, size_header: Any) -> None:
    """Headers come from outside."""
    keep(store, record("a", input={"headers": {"Size": size_header}}))
    assert figures(store).largest == ()


def test_a_time_below_zero_is_left_out(store: FolderStore) -> None:
    """The clocks of two machines differ."""
    keep(store, record("a", run_s=-1.0, wait_s=-0.5))
    report = figures(store)
    assert (report.jobs, report.run_s, report.wait_s, report.slowest) == (1, None, None, ())


def test_texts_from_outside_are_cut_and_can_not_reorder_what_is_shown(store: FolderStore) -> None:
    """A record's fields may be megabytes; half a surrogate could not be written."""
    (key,) = keep(store, failed("a", code="x" * 10_000, tag="HERE"))
    line = store.get(key) or b""
    store.put(key, line.replace(b"HERE", rb"T\u202e\u0000\ud800\n\u4e2d"))
    (failure,) = figures(store).failures
    assert len(failure.code) == tally.MAX_TEXT_CHARS
    assert list(failure.tags) == ["T\ufffd\ufffd\ufffd\ufffd中"]


def test_a_record_against_the_schema_is_counted_as_unreadable(store: FolderStore) -> None:
    """An outcome that job-record/1 does not have is none that the function wrote."""
    new = record("a", outcome="dozing")
    store.put(keys.job("a", new.created_at), new.to_json())
    assert (figures(store).jobs, figures(store).unreadable) == (0, 1)


def test_the_figures_of_a_ledger_on_cos_are_the_same(cos: FakeCos, store: FolderStore) -> None:
    """Listings and reads are those of the store."""
    there = open_store(Settings.from_env(cos.env))
    kept = [
        failed("a"),
        again("b", "a", 2, "succeeded"),
        failed("c"),
        record("w", kind="workflow"),
    ]
    for ledger in (there, store):
        keep(ledger, *kept)
        note(ledger, "a", 2, "submitted", "b")
        note(ledger, "c", 2, "refused")
    report = figures(there)
    assert report == figures(store)
    assert fates(report.retries) == {"recovered": 1, "refused": 1}


# --- retries ------------------------------------------------------------------------------


def fates(retries: Retries) -> dict[str, int]:
    """Those that are not 0."""
    return {fate: count for fate, count in retries.fates.items() if count}


def test_a_failure_that_recovered_counts_once(store: FolderStore) -> None:
    """Three jobs, one family; the attempt that did it is told."""
    keep(store, failed("a"), again("b", "a", 2, "failed"), again("c", "a", 3, "succeeded"))
    retries = figures(store).retries
    assert (retries.failed, retries.retried, retries.not_retried) == (1, 1, 0)
    assert (fates(retries), retries.recovered_at) == ({"recovered": 1}, {3: 1})


def test_the_newest_attempt_decides_in_whatever_order_they_are_read(store: FolderStore) -> None:
    """Keys are in the order of ids, and ids say nothing of time."""
    keep(store, again("a", "c", 3, "succeeded"), again("b", "c", 2, "failed"), failed("c"))
    retries = figures(store).retries
    assert (retries.failed, retries.recovered_at) == (1, {3: 1})


def test_the_last_failure_that_nothing_follows_gave_up(store: FolderStore) -> None:
    """A first one that nothing follows was not retried."""
    keep(store, failed("a"), again("b", "a", 2, "failed"), failed("c", "InvalidArgument"))
    retries = figures(store).retries
    assert (fates(retries), retries.not_retried, retries.failed) == ({"gave_up": 1}, 1, 2)


def test_a_retry_that_is_due_is_waited_for(store: FolderStore) -> None:
    """The first, or a later one; a ticket that speaks of an earlier attempt says nothing."""
    second = again("c", "b", 2, "failed")
    third = again("e", "d", 3, "failed")
    keep(store, failed("a"), failed("b"), second, failed("d"), third)
    outbox = Outbox(Ledger(store))
    for waiting in (failed("a"), second, failed("d")):
        outbox.put(about(waiting, "retry", 1))
    outbox.put(about(third, "alert.gave-up"))
    store.put(f"{OUTBOX}0-x-y-retry.json", b"no ticket")
    retries = figures(store).retries
    assert (retries.waiting, fates(retries)) == (1, {"pending": 1, "gave_up": 1})


@pytest.mark.parametrize(
    ("state", "is_due", "fate"),
    [
        ("refused", False, "refused"),
        ("submitted", False, "pending"),
        ("submitting", False, "held"),
        ("submitting", True, "pending"),
        ("not_taken", True, "pending"),
    ],
)
def test_a_re_submission_without_an_end_is_what_is_noted_of_it(
    store: FolderStore, state: State, is_due: bool, fate: str
) -> None:
    """Where nothing is due any more, a person has been asked."""
    keep(store, failed("a"))
    note(store, "a", 2, state, "b")
    if is_due:
        Outbox(Ledger(store)).put(about(failed("a"), "retry", 1))
    retries = figures(store).retries
    assert (retries.retried, fates(retries)) == (1, {fate: 1})


def test_a_record_says_more_than_what_is_noted_of_its_submission(store: FolderStore) -> None:
    """Although the note does not lead to the record: CI's answer told another time."""
    keep(store, failed("a"), again("b", "a", 2, "failed", day="2026-09-21"))
    note(store, "a", 2, "submitted", "b")
    assert fates(figures(store).retries) == {"gave_up": 1}


def test_an_end_after_the_period_counts(store: FolderStore) -> None:
    """A failure of yesterday that recovered today has recovered."""
    keep(store, failed("a", day="2026-09-30"))
    late = again("b", "a", 2, "succeeded", day="2026-10-01")
    keep(store, late)
    attempt = Attempt("submitted", 1.0, "sweep-1", 1, "b", late.created_at)
    Attempts(store).put(Lineage("a", 2), attempt)
    assert fates(figures(store).retries) == {"recovered": 1}


def test_a_cancelled_re_submission_is_neither(store: FolderStore) -> None:
    """Nor is one that succeeded in part."""
    keep(store, failed("a"), again("b", "a", 2, "cancelled"), again("c", "d", 2, "partial"))
    assert fates(figures(store).retries) == {"other": 2}


def test_an_attempt_that_can_not_be_read_costs_only_itself(store: FolderStore) -> None:
    """The report is made all the same."""
    keep(store, failed("a"), failed("b"))
    store.put(keys.attempt("a", 2), b"{}")
    note(store, "b", 2, "refused")
    retries = figures(store).retries
    assert (retries.not_retried, fates(retries)) == (1, {"refused": 1})


# --- scales -------------------------------------------------------------------------------


def test_numbers_are_written_for_people() -> None:
    """Two or three figures that count, with their unit."""
    kept = [duration(seconds, EN) for seconds in (None, 0, 0.25, 42, 59.99, 210, 5400, 200_000)]
    assert kept == ["–", "0 s", "0.25 s", "42 s", "1 min", "3.5 min", "1.5 h", "2.3 d"]
    assert duration(90, ZH) == "1.5 分钟"
    assert [size(size_bytes) for size_bytes in (None, 0, 999, 1_909_389, 10**12)] == [
        "–",
        "0 B",
        "999 B",
        "1.9 MB",
        "1 TB",
    ]
    kept = [share(*counts) for counts in ((0, 0), (0, 9), (1, 9999), (9999, 10000), (1, 3), (2, 2))]
    assert kept == ["–", "0 %", "< 0.1 %", "> 99.9 %", "33.3 %", "100 %"]


@pytest.mark.parametrize("highest", [0, 1, 2, 3, 4, 7, 19, 98, 101, 999, 12_345])
def test_ticks_are_few_and_reach_the_highest_column(highest: int) -> None:
    """Whole numbers, from 0 on."""
    values = ticks(highest)
    assert values[0] == 0
    assert values[-1] >= max(highest, 1) > values[-2]
    assert len(values) <= 5


def test_a_logarithmic_scale_ends_on_its_ticks() -> None:
    """One value alone has a scale too, and what lies beyond is drawn at the edge."""
    scale = Log.around([2.0, 300.0])
    assert (scale.ticks, scale(1.0), scale(600.0)) == ([1.0, 10.0, 60.0, 600.0], 0, 1)
    assert scale(10.0) < 0.5 < scale(60.0)
    assert (scale(0.0), scale(1e9)) == (0, 1)
    assert Log.around([10.0]) == Log(10.0, 100.0)
    assert Log.around([0.0, 1e9]).ticks[0] == 0.01


@pytest.mark.parametrize(
    ("since", "until", "days", "step", "firsts"),
    [
        ("2026-09-01", "2026-09-03", ["2026-09-02"], "day", ["09-01", "09-02", "09-03"]),
        ("2020-01-01", "2026-12-31", ["2026-09-02"], "day", ["09-02"]),
        (
            "2026-01-01",
            "2026-12-31",
            ["2026-08-01", "2026-11-01"],
            "week",
            [
                *("07-27", "08-03", "08-10", "08-17", "08-24", "08-31", "09-07", "09-14"),
                *("09-21", "09-28", "10-05", "10-12", "10-19", "10-26"),
            ],
        ),
        ("2015-01-01", "2026-12-31", ["2016-05-05", "2026-12-31"], "year", None),
        ("2026-01-01", "9999-12-31", [], "day", ["01-01"]),
    ],
)
def test_columns_are_days_while_these_are_few(
    since: str, until: str, days: list[str], step: str, firsts: list[str] | None
) -> None:
    """Then weeks, months, years; none is left out for having no job, and no job is lost."""
    counts = {day: {"failed": 2} for day in days}
    unit, drawn = columns(counts, date.fromisoformat(since), date.fromisoformat(until))
    assert unit == step
    assert sum(column.outcomes.get("failed", 0) for column in drawn) == 2 * len(days)
    if firsts is None:
        assert [column.day.year for column in drawn] == list(range(2016, 2027))
    else:
        assert [str(column.day)[5:] for column in drawn] == firsts


def test_months_follow_one_another() -> None:
    """The short one too."""
    days = {"2024-01-31": {"failed": 1}, "2026-03-01": {"failed": 1}}
    step, drawn = columns(days, date(2020, 1, 1), date(2026, 12, 31))
    assert (step, len(drawn)) == ("month", 27)
    assert all(column.day.day == 1 for column in drawn)
