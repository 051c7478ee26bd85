"""The charts that put something in order: failures by code, the slowest and the largest jobs."""

from __future__ import annotations

from collections.abc import Sequence

from ci_callback.report import draw
from ci_callback.report.chart import MAX_ROWS, Chart, Drawing, Heading, make, more, nothing
from ci_callback.report.draw import Bar
from ci_callback.report.figures import Figures, Job
from ci_callback.report.links import Drawn, linked
from ci_callback.report.palette import OUTCOME_TONES
from ci_callback.report.scales import count, duration, share, size
from ci_callback.texts import Texts

_JOB_HEADS = (
    "job", "tag", "outcome", "report.col_run", "report.col_in", "report.col_out",
    "report.col_media", "report.col_created", "input",
)  # fmt: skip


def codes(figures: Figures, drawn: Drawn) -> Chart:
    texts = drawn.texts
    heading = Heading("ch-codes", texts("report.codes_title"), texts("report.codes_note"))
    if not figures.failures:
        return nothing(heading, texts)
    failed = figures.outcomes.get("failed", 0)
    largest_count = figures.failures[0].jobs
    bars, rows = [], []
    for failure in figures.failures:
        value = f"{count(failure.jobs)} · {share(failure.jobs, failed)}"
        tags = ", ".join(
            f"{tag or texts('report.no_tag')} {count(n)}" for tag, n in failure.tags.items()
        )
        code = failure.code or texts("report.no_code")
        href = drawn.links.records(outcome="failed", code=failure.code) if failure.code else ""
        bars.append(Bar(code, value, failure.jobs / largest_count, "bad", tags, href))
        rows.append([linked(code, href), count(failure.jobs), share(failure.jobs, failed), tags])
    high, shapes = draw.ranked(bars[:MAX_ROWS])
    heads = [texts("code"), texts("jobs"), texts("report.col_share"), texts("report.col_tags")]
    spoken = "; ".join(f"{bar.label}: {bar.value}" for bar in bars[:MAX_ROWS])
    heading = heading.noting(more(len(bars) - MAX_ROWS, texts))
    return make(heading, Drawing(spoken, high, shapes), heads, rows)


def slowest(figures: Figures, drawn: Drawn) -> Chart:
    texts = drawn.texts
    bars = [(job, job.run_s or 0.0, duration(job.run_s, texts)) for job in figures.slowest]
    return _jobs(
        Heading("ch-slowest", texts("report.slow_title"), texts("report.slow_note")), bars, drawn
    )


def largest(figures: Figures, drawn: Drawn) -> Chart:
    texts = drawn.texts
    note = texts("report.large_note", sized=count(figures.sized), jobs=count(figures.jobs))
    bars = [(job, float(job.bytes), _sizes(job, texts)) for job in figures.largest]
    return _jobs(Heading("ch-largest", texts("report.large_title"), note), bars, drawn)


def _sizes(job: Job, texts: Texts) -> str:
    sizes = {"report.large_in": job.input_bytes, "report.large_out": job.result_bytes}
    return " · ".join(texts(key, size=size(n)) for key, n in sizes.items() if n is not None)


def _jobs(heading: Heading, ranked: Sequence[tuple[Job, float, str]], drawn: Drawn) -> Chart:
    """Jobs as bars in the tone of their outcome, each with its value as a number and a text."""
    texts = drawn.texts
    if not ranked:
        return nothing(heading, texts)
    largest_value = ranked[0][1] or 1.0
    bars = [
        Bar(
            f"{job.tag or texts('report.no_tag')} · {texts.outcome(job.outcome)}",
            text,
            value / largest_value,
            OUTCOME_TONES[job.outcome],
            job.job_id,
            drawn.links.job(job.job_id),
        )
        for job, value, text in ranked
    ]
    high, shapes = draw.ranked(bars)
    heads = [texts(key) for key in _JOB_HEADS]
    rows = [
        [
            linked(job.job_id, drawn.links.job(job.job_id)),
            job.tag or texts("report.no_tag"),
            texts.outcome(job.outcome),
            duration(job.run_s, texts),
            size(job.input_bytes),
            size(job.result_bytes),
            duration(job.media_s, texts),
            job.created_at[:16].replace("T", " "),
            job.object,
        ]
        for job, _, _ in ranked
    ]
    spoken = "; ".join(f"{bar.label} {bar.below}: {bar.value}" for bar in bars)
    return make(heading, Drawing(spoken, high, shapes), heads, rows)
