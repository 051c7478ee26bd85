"""ci_window.py: CI's list between two times, several pages at a time."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.callback.families import FAMILIES, Family
from handler.ci_api.client import CiError
from handler.ci_api.job_page import JobPage, ListedJob, Window
from handler.parallel import in_parallel
from handler.retries.ci_window import LANES, Pace, WindowReader

SIZE = 3
TIMES = st.lists(st.integers(0, 40), max_size=60)


class List:
    """A list of jobs that were created at these seconds, SIZE a page."""

    def __init__(self, times: list[int], in_order: bool = True) -> None:
        self.times = sorted(times) if in_order else times
        self.asked = 0
        self.repeats = False

    def list_page(self, family: Family, tag: str, window: Window, token: str | None) -> JobPage:
        self.asked += 1
        jobs = [
            ListedJob(f"j{number}", datetime.fromtimestamp(at, timezone.utc), None)
            for number, at in enumerate(self.times)
            if window.begin <= at < window.end
        ]
        begin = int(token or 0)
        more = str(begin if self.repeats else begin + SIZE)
        return JobPage(jobs[begin : begin + SIZE], more if begin + SIZE < len(jobs) else None, b"")


def reader(of: List) -> WindowReader:
    """A reader without a pace."""
    pace = Pace(lambda seconds: None, lambda: 0.0)
    return WindowReader(of, FAMILIES["ai"], "Translation", pace, in_parallel)


def ids(pages: list[JobPage], upto: int) -> set[str]:
    """The jobs that were created before a time."""
    return {
        job.job_id
        for page in pages
        for job in page.jobs
        if job.created_at and job.created_at.timestamp() < upto
    }


@given(TIMES, st.integers(1, 30))
def test_what_is_before_the_end_of_a_part_is_all_there(times: list[int], max_pages: int) -> None:
    """Each part has at least a second, so the parts come to the end."""
    of = List(times)
    begin, end = 0, 41
    seen: set[str] = set()
    while begin < end:
        pages, upto = reader(of).read(Window(begin, end), max_pages)
        assert begin < upto <= end
        expected = {f"j{n}" for n, at in enumerate(of.times) if begin <= at < upto}
        assert ids(pages, upto) == expected
        seen |= expected
        begin = upto
    assert len(seen) == len(times)


def test_a_short_list_is_one_request() -> None:
    """No lanes for what fits on a page."""
    of = List([1, 2, 3])
    assert reader(of).read(Window(0, 1_000), 50).upto == 1_000
    assert of.asked == 1


def test_a_list_that_begins_with_the_newest_is_read_to_its_end() -> None:
    """What comes behind a page is not known from it."""
    of = List(list(range(60, 0, -1)), in_order=False)
    pages, upto = reader(of).read(Window(0, 100), 2)
    assert (len(pages), upto) == (20, 100)


def test_a_long_list_is_read_in_lanes_up_to_a_number_of_pages() -> None:
    """Beyond the number by what was on its way."""
    of = List(list(range(3_000)))
    pages, upto = reader(of).read(Window(0, 3_000), 40)
    assert 0 < upto < 3_000
    assert 40 <= len(pages) <= 40 + LANES


def test_the_same_page_again_is_an_error() -> None:
    """It would never end."""
    of = List([5] * 9)
    of.repeats = True
    with pytest.raises(CiError, match="same page"):
        reader(of).read(Window(0, 10), 40)


def test_pages_are_asked_for_at_a_pace() -> None:
    """Among all lanes."""
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pace = Pace(sleep, lambda: now[0], per_s=10)
    for _ in range(5):
        pace.wait()
    assert now[0] == pytest.approx(0.4)
    now[0] += 10
    pace.wait()
    assert len(slept) == 4
