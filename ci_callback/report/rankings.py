"""The charts that put something in order: failures by code, the slowest and the largest jobs."""

from __future__ import annotations

from collections.abc import Sequence

from ci_callback.report import draw
from ci_callback.report.chart import MAX_ROWS, Chart, Drawing, Heading, make, more, nothing
from ci_callback.report.draw import Bar
from ci_callback.report.figures import Figures, Job
from ci_callback.report.palette import OUTCOME_TONES
from ci_callback.report.scales import count, duration, share, size
from ci_callback.report.texts import Words


def codes(figures: Figures, words: Words) -> Chart:
    heading = Heading("ch-codes", words("codes_title"), words("codes_note"))
    if not figures.failures:
        return nothing(heading, words)
    failed = figures.outcomes.get("failed", 0)
    largest_count = figures.failures[0].jobs
    bars, rows = [], []
    for one in figures.failures:
        value = f"{count(one.jobs)} · {share(one.jobs, failed)}"
        tags = ", ".join(f"{tag or words('no_tag')} {count(n)}" for tag, n in one.tags.items())
        code = one.code or words("no_code")
        bars.append(Bar(code, value, one.jobs / largest_count, "bad", tags))
        rows.append([code, count(one.jobs), share(one.jobs, failed), tags])
    high, drawn = draw.ranked(bars[:MAX_ROWS])
    heads = [words("col_code"), words("col_jobs"), words("col_share"), words("col_tags")]
    spoken = "; ".join(f"{bar.label}: {bar.value}" for bar in bars[:MAX_ROWS])
    heading = heading.noting(more(len(bars) - MAX_ROWS, words))
    return make(heading, Drawing(spoken, high, drawn), heads, rows)


def slowest(figures: Figures, words: Words) -> Chart:
    bars = [(job, job.run_s or 0.0, duration(job.run_s, words)) for job in figures.slowest]
    return _jobs(Heading("ch-slowest", words("slow_title"), words("slow_note")), bars, words)


def largest(figures: Figures, words: Words) -> Chart:
    note = words("large_note", sized=count(figures.sized), jobs=count(figures.jobs))
    bars = [(job, float(job.bytes), _sizes(job, words)) for job in figures.largest]
    return _jobs(Heading("ch-largest", words("large_title"), note), bars, words)


def _sizes(job: Job, words: Words) -> str:
    sizes = {"large_in": job.input_bytes, "large_out": job.result_bytes}
    return " · ".join(words(key, size=size(n)) for key, n in sizes.items() if n is not None)


def _jobs(heading: Heading, found: Sequence[tuple[Job, float, str]], words: Words) -> Chart:
    """Jobs as bars in the tone of their outcome, each with its value as a number and a text."""
    if not found:
        return nothing(heading, words)
    largest_value = found[0][1] or 1.0
    bars = [
        Bar(
            f"{job.tag or words('no_tag')} · {words(job.outcome)}",
            text,
            value / largest_value,
            OUTCOME_TONES[job.outcome],
            job.job_id,
        )
        for job, value, text in found
    ]
    high, drawn = draw.ranked(bars)
    cells = ("job", "tag", "outcome", "run", "in", "out", "media", "created", "object")
    rows = [
        [
            job.job_id,
            job.tag or words("no_tag"),
            words(job.outcome),
            duration(job.run_s, words),
            size(job.input_bytes),
            size(job.result_bytes),
            duration(job.media_s, words),
            job.created_at[:16].replace("T", " "),
            job.object,
        ]
        for job, _, _ in found
    ]
    spoken = "; ".join(f"{bar.label} {bar.below}: {bar.value}" for bar in bars)
    heads = [words(f"col_{cell}") for cell in cells]
    return make(heading, Drawing(spoken, high, drawn), heads, rows)
