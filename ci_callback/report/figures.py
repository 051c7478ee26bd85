"""The figures of a report as plain values, and their units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ci_callback.report.retries import Retries


@dataclass(frozen=True)
class Spread:
    """How run times are spread: count of jobs and percentiles, all in seconds."""

    count: int
    p5: float
    p25: float
    p50: float
    p75: float
    p95: float
    longest: float


@dataclass(frozen=True)
class TagRuns:
    """The run times of the jobs with one tag; None where none of them has both times."""

    tag: str
    jobs: int
    run_s: Spread | None


@dataclass(frozen=True)
class Failures:
    """Failed jobs with one code, "" where there was none; tags: how many of each, most first."""

    code: str
    jobs: int
    tags: Mapping[str, int]


@dataclass(frozen=True)
class Job:
    """A job among the slowest or the largest.

    input_bytes: as CI sent it with the input's headers. result_bytes: of the files that the
    result lists. media_s: length of the medium. Each is None where it is not known.
    """

    job_id: str
    tag: str
    outcome: str
    created_at: str
    object: str
    run_s: float | None
    input_bytes: int | None
    result_bytes: int | None
    media_s: float | None

    @property
    def bytes(self) -> int:
        """The size that it is ranked by among the largest: the larger of the two."""
        return max(self.input_bytes or 0, self.result_bytes or 0)


@dataclass(frozen=True)
class Figures:
    """Everything that a report shows. Jobs count in `days` on the UTC day of their creation.

    outcomes: jobs by outcome. tags, failures: the commonest. sized: how many jobs have a size.
    runs, reviews: workflow runs and moderation reviews by outcome; they count nowhere else.
    """

    since: date
    until: date
    jobs: int
    outcomes: Mapping[str, int]
    days: Mapping[str, Mapping[str, int]]
    run_s: Spread | None
    wait_s: Spread | None
    tags: tuple[TagRuns, ...]
    failures: tuple[Failures, ...]
    retries: Retries
    slowest: tuple[Job, ...]
    largest: tuple[Job, ...]
    sized: int
    runs: Mapping[str, int]
    reviews: Mapping[str, int]
    unreadable: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.jobs or self.runs or self.reviews or self.unreadable)
