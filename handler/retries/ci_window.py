"""CI's list between two times of creation, several pages at a time.

Each page holds the marker of the next one, so the pages of one list are requested one after
another. The times between the begin and the end are split into lanes, and each lane is a list of
its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, Protocol

from handler.callback.families import Family
from handler.ci_api.client import MAX_PAGES, CiError
from handler.ci_api.job_page import JobPage, ListedJob, Window
from handler.parallel import Parallel

LANES = 8
"""Lists at a time: at 100 ms a page, 80 pages a second would be possible."""

PAGES_PER_S = 30.0
"""At most. CI takes 50 requests a second outside mainland China and for finance, and 100 elsewhere
(CI 460/36620 says so of asynchronous requests); sweeps make up to 40 (batches.py), seldom."""


class ListsJobs(Protocol):
    """The part of CI's API that is used here."""

    def list_page(self, family: Family, tag: str, window: Window, token: str | None) -> JobPage: ...


class Listed(NamedTuple):
    """The pages of a window, and up to which time of creation, not included, they hold every job
    that has ended."""

    pages: list[JobPage]
    upto: int


@dataclass
class Pace:
    """At most so many a second, among all threads. sleep and timer: seconds."""

    sleep: Callable[[float], None]
    timer: Callable[[], float]
    per_s: float = PAGES_PER_S
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self) -> None:
        """Until it is this one's turn."""
        with self._lock:
            now = self.timer()
            turn = max(now, self._next)
            self._next = turn + 1 / self.per_s
        if turn > now:
            self.sleep(turn - now)


@dataclass
class WindowReader:
    """Reads the list of one tag."""

    ci: ListsJobs
    family: Family
    tag: str
    pace: Pace
    parallel: Parallel

    def read(self, window: Window, max_pages: int) -> Listed:
        """The jobs of a window, from its begin on; all of them, or those of some max_pages pages.

        At least the first second that has jobs is read to its end, so a caller that continues from
        `upto` reaches the end of the window.

        Raises:
            CiError
        """
        limit = _Limit(max_pages)
        first = _Lane(self, window)
        while not first.is_done and first.reached == window.begin:
            limit.count()
            first.read_page()
        if first.is_done:
            return Listed(first.pages, window.end)
        lanes = [_Lane(self, part) for part in _split(Window(first.reached, window.end))]
        self.parallel(lambda lane: lane.run(limit), lanes)
        pages = [*first.pages, *(page for lane in lanes for page in lane.pages)]
        # What lies behind the first gap is listed again: one number is all there is to keep.
        upto = next((lane.upto for lane in lanes if not lane.is_done), window.end)
        return Listed(pages, upto)


class _Limit:
    """Counts pages, among all lanes."""

    def __init__(self, pages: int) -> None:
        self._left = pages
        self._lock = threading.Lock()

    def count(self) -> None:
        with self._lock:
            self._left -= 1

    @property
    def is_reached(self) -> bool:
        return self._left <= 0


class _Lane:
    """One list, page by page.

    reached: the second of creation of the last job; all jobs created before it are in the pages.
    """

    def __init__(self, reader: WindowReader, window: Window) -> None:
        self._reader = reader
        self._window = window
        self._token: str | None = None
        self.pages: list[JobPage] = []
        self.reached = window.begin
        self.is_done = window.begin >= window.end

    @property
    def upto(self) -> int:
        return self._window.end if self.is_done else self.reached

    def run(self, limit: _Limit) -> None:
        """Read until the end, or until the limit."""
        while not self.is_done and not limit.is_reached:
            limit.count()
            self.read_page()

    def read_page(self) -> None:
        reader = self._reader
        if len(self.pages) >= MAX_PAGES:
            raise CiError("list", f"no end after {MAX_PAGES} pages")
        reader.pace.wait()
        page = reader.ci.list_page(reader.family, reader.tag, self._window, self._token)
        if page.next_token is not None and page.next_token == self._token:
            raise CiError("list", "CI gave the same page again")
        self._token = page.next_token
        self.is_done = page.next_token is None
        self.pages.append(page)
        self._reach(page.jobs)

    def _reach(self, jobs: Sequence[ListedJob]) -> None:
        times = [int(job.created_at.timestamp()) for job in jobs if job.created_at]
        # What is not in the order of creation says nothing of what comes behind it.
        if times and times == sorted(times) and times[0] >= self.reached:
            self.reached = min(times[-1], self._window.end)


def _split(window: Window) -> list[Window]:
    """Equal parts, in whole seconds."""
    begin, length = window.begin, window.end - window.begin
    bounds = [begin + length * part // LANES for part in range(LANES + 1)]
    return [Window(a, b) for a, b in pairwise(bounds) if a < b]
