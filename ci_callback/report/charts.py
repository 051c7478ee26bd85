"""The charts of a report.

They are fit for a page whose Content-Security-Policy forbids inline styles and scripts: the
page brings charts.css (CSS) along. All texts in them are escaped.
"""

from __future__ import annotations

from collections.abc import Sequence

from ci_callback.report import draw
from ci_callback.report.chart import CSS as CSS
from ci_callback.report.chart import MAX_ROWS, Chart, Drawing, Heading, make, more, nothing
from ci_callback.report.draw import Key, Stack, Strip
from ci_callback.report.figures import Figures, TagRuns
from ci_callback.report.flow import retries
from ci_callback.report.links import Drawn, linked
from ci_callback.report.palette import OUTCOME_TONES
from ci_callback.report.rankings import codes, largest, slowest
from ci_callback.report.scales import Column, Log, Step, columns, count, duration, last_day
from ci_callback.report.shapes import Part
from ci_callback.texts import Texts
from handler.alerts.texts import Lang


def charts(figures: Figures, lang: Lang) -> list[Chart]:
    """All charts, in their order, without links."""
    return drawn_charts(figures, Drawn(Texts(lang)))


def drawn_charts(figures: Figures, drawn: Drawn) -> list[Chart]:
    """All charts, in their order."""
    return [
        draw_one(figures, drawn) for draw_one in (_days, retries, _run, codes, slowest, largest)
    ]


def _days(figures: Figures, drawn: Drawn) -> Chart:
    texts = drawn.texts
    step, all_columns = columns(figures.days, figures.since, figures.until)
    seen = [outcome for outcome in OUTCOME_TONES if figures.outcomes.get(outcome)]
    shown = [outcome for outcome in seen if outcome not in drawn.hidden]
    stacks = [_stack(column, step, shown, drawn) for column in all_columns]
    keys = [
        Key(
            OUTCOME_TONES[outcome],
            texts.outcome(outcome),
            count(figures.outcomes[outcome]),
            drawn.links.toggled(outcome),
            outcome in drawn.hidden,
        )
        for outcome in reversed(seen)
    ]
    high, bars = draw.stacked_columns("ch-days", stacks)
    high, listed = draw.legend("ch-days", keys, high + 6, 2)
    label = texts(
        "report.days_aria",
        jobs=count(figures.jobs),
        failed=count(figures.outcomes.get("failed", 0)),
    )
    rows = [
        [
            linked(str(column.day), drawn.links.records(**_within(column, step))),
            *(_cell(column, step, outcome, drawn) for outcome in reversed(seen)),
        ]
        for column in all_columns
    ]
    heads = [
        texts("report.col_day" if step == "day" else "report.col_from"),
        *map(texts.outcome, reversed(seen)),
    ]
    heading = Heading("ch-days", texts(f"report.days_title.{step}"), texts("report.days_note"))
    return make(heading, Drawing(label, high, [*bars, *listed]), heads, rows)


def _within(column: Column, step: Step) -> dict[str, str]:
    """The filter of the records behind a column."""
    return {"since": str(column.day), "until": str(last_day(column.day, step))}


def _cell(column: Column, step: Step, outcome: str, drawn: Drawn) -> str:
    number = column.outcomes.get(outcome, 0)
    href = drawn.links.records(outcome=outcome, **_within(column, step)) if number else ""
    return linked(count(number), href)


def _stack(column: Column, step: Step, shown: Sequence[str], drawn: Drawn) -> Stack:
    texts, links, within = drawn.texts, drawn.links, _within(column, step)
    present = [outcome for outcome in shown if column.outcomes.get(outcome)]
    named = {one: f"{texts.outcome(one)} {count(column.outcomes[one])}" for one in present}
    parts = [
        Part(
            OUTCOME_TONES[one],
            column.outcomes[one],
            f"{column.day} · {named[one]}",
            links.records(outcome=one, **within),
        )
        for one in present
    ]
    cut = {"day": slice(5, 10), "week": slice(5, 10), "month": slice(0, 7), "year": slice(0, 4)}
    title = str(column.day) if step == "day" else f"{within['since']} – {within['until']}"
    hint = "\n".join((title, *(named[one] for one in reversed(present))))
    days = (within["since"], within["until"])
    return Stack(str(column.day)[cut[step]], parts, hint, links.records(**within), days)


def _run(figures: Figures, drawn: Drawn) -> Chart:
    texts = drawn.texts
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
        href = drawn.links.records(tag=runs.tag, sort="longest") if runs.tag else ""
        strips.append(Strip(label, quantiles, at, hint, href))
    marks = [duration(tick, texts) for tick in scale.ticks]
    high, shapes = draw.strips(strips, scale, marks)
    heads = [texts("tag"), texts("jobs"), texts("report.col_timed")]
    heads += ["p5", "p25", "p50", "p75", "p95", texts("report.col_max")]
    rows = [_run_row(tag, drawn) for tag in figures.tags]
    spoken = "; ".join(f"{strip.label}: {strip.value}" for strip in strips)
    heading = heading.noting(more(len(timed) - len(shown), texts))
    return make(heading, Drawing(spoken, high, shapes), heads, rows)


def _run_row(runs: TagRuns, drawn: Drawn) -> list[str]:
    of, texts = runs.run_s, drawn.texts
    href = drawn.links.records(tag=runs.tag, sort="longest") if runs.tag else ""
    at = (of.p5, of.p25, of.p50, of.p75, of.p95, of.longest) if of else (None,) * 6
    timed = count(of.count if of else 0)
    return [
        linked(runs.tag or texts("report.no_tag"), href),
        count(runs.jobs),
        timed,
        *(duration(v, texts) for v in at),
    ]
