"""The charts of a report.

They are fit for a page whose Content-Security-Policy forbids inline styles and scripts: the
page brings charts.css (CSS) along. All texts in them are escaped.
"""

from __future__ import annotations

from ci_callback.report import draw
from ci_callback.report.chart import CSS as CSS
from ci_callback.report.chart import MAX_ROWS, Chart, Drawing, Heading, make, more, nothing
from ci_callback.report.draw import Key, Strip
from ci_callback.report.figures import Figures, TagRuns
from ci_callback.report.flow import retries
from ci_callback.report.palette import OUTCOME_TONES
from ci_callback.report.rankings import codes, largest, slowest
from ci_callback.report.scales import Log, columns, count, duration
from ci_callback.report.shapes import Part
from ci_callback.texts import Texts
from handler.alerts.texts import Lang


def charts(figures: Figures, lang: Lang) -> list[Chart]:
    """All charts, in their order."""
    texts = Texts(lang)
    return [
        draw_one(figures, texts) for draw_one in (_days, retries, _run, codes, slowest, largest)
    ]


def _days(figures: Figures, texts: Texts) -> Chart:
    step, all_columns = columns(figures.days, figures.since, figures.until)
    title = texts(f"report.days_title.{step}")
    seen = [outcome for outcome in OUTCOME_TONES if figures.outcomes.get(outcome)]
    parts = [
        [
            Part(
                OUTCOME_TONES[outcome],
                column.outcomes[outcome],
                f"{column.day} · {texts.outcome(outcome)} {count(column.outcomes[outcome])}",
            )
            for outcome in seen
            if column.outcomes.get(outcome)
        ]
        for column in all_columns
    ]
    cut = {"day": slice(5, 10), "week": slice(5, 10), "month": slice(0, 7), "year": slice(0, 4)}
    labels = [str(column.day)[cut[step]] for column in all_columns]
    keys = [
        Key(OUTCOME_TONES[outcome], texts.outcome(outcome), count(figures.outcomes[outcome]))
        for outcome in reversed(seen)
    ]
    high, drawn = draw.stacked_columns("ch-days", labels, parts)
    high, listed = draw.legend("ch-days", keys, high + 6, 2)
    label = texts(
        "report.days_aria",
        jobs=count(figures.jobs),
        failed=count(figures.outcomes.get("failed", 0)),
    )
    rows = [
        [str(column.day), *(count(column.outcomes.get(outcome, 0)) for outcome in reversed(seen))]
        for column in all_columns
    ]
    heads = [
        texts("report.col_day" if step == "day" else "report.col_from"),
        *map(texts.outcome, reversed(seen)),
    ]
    heading = Heading("ch-days", title, texts("report.days_note"))
    return make(heading, Drawing(label, high, [*drawn, *listed]), heads, rows)


def _run(figures: Figures, texts: Texts) -> Chart:
    heading = Heading("ch-run", texts("report.run_title"), texts("report.run_note"))
    timed = [(tag, tag.run_s) for tag in figures.tags if tag.run_s is not None]
    if not timed:
        return nothing(heading, texts)
    shown = timed[:MAX_ROWS]
    scale = Log.around([value for _, of in shown for value in (of.p5, of.p95)])
    strips = []
    for runs, of in shown:
        at = (of.p5, of.p25, of.p50, of.p75, of.p95)
        quantiles = texts(
            "report.run_right", p50=duration(of.p50, texts), p95=duration(of.p95, texts)
        )
        label = f"{runs.tag or texts('report.no_tag')} ({count(of.count)})"
        hint = " · ".join(duration(value, texts) for value in at)
        strips.append(Strip(label, quantiles, at, hint))
    marks = [duration(tick, texts) for tick in scale.ticks]
    high, drawn = draw.strips(strips, scale, marks)
    heads = [texts("tag"), texts("jobs"), texts("report.col_timed")]
    heads += ["p5", "p25", "p50", "p75", "p95", texts("report.col_max")]
    rows = [_run_row(tag, texts) for tag in figures.tags]
    spoken = "; ".join(f"{strip.label}: {strip.value}" for strip in strips)
    heading = heading.noting(more(len(timed) - len(shown), texts))
    return make(heading, Drawing(spoken, high, drawn), heads, rows)


def _run_row(runs: TagRuns, texts: Texts) -> list[str]:
    of = runs.run_s
    at = (of.p5, of.p25, of.p50, of.p75, of.p95, of.longest) if of else (None,) * 6
    timed = count(of.count if of else 0)
    return [
        runs.tag or texts("report.no_tag"),
        count(runs.jobs),
        timed,
        *(duration(v, texts) for v in at),
    ]
