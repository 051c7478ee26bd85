"""The report as one page of HTML, which holds all that it needs: no script, no network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ci_callback.program import PROGRAM
from ci_callback.report.charts import CSS, charts
from ci_callback.report.figures import Figures
from ci_callback.report.markup import Safe, el, join
from ci_callback.report.palette import OUTCOME_TONES
from ci_callback.report.scales import DASH, count, duration, share
from ci_callback.texts import Texts
from handler import __version__
from handler.alerts.texts import Lang

PAGE_CSS = Path(__file__).with_name("page.css").read_text(encoding="utf-8")

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Whatever got into the page, a browser would fetch and run nothing."""


class Tile(NamedTuple):
    """A head figure."""

    label: str
    value: str
    note: str


def tiles(figures: Figures, lang: Lang) -> list[Tile]:
    """The head figures."""
    texts = Texts(lang)
    jobs, outcomes = figures.jobs, figures.outcomes
    succeeded, failed = outcomes.get("succeeded", 0), outcomes.get("failed", 0)
    run, wait = figures.run_s, figures.wait_s
    of_all = texts("report.share_note", count=count(succeeded), jobs=count(jobs))
    longest = texts("report.p95_note", longest=duration(run.longest, texts)) if run else ""
    median = texts("report.wait_note", median=duration(wait.p50, texts)) if wait else ""
    return [
        Tile(texts("report.jobs"), count(jobs), texts("report.jobs_note")),
        Tile(texts("report.share"), share(succeeded, jobs) if succeeded or jobs else DASH, of_all),
        Tile(
            texts("report.failed_jobs"),
            count(failed),
            texts("report.failed_note", share=share(failed, jobs)),
        ),
        Tile(
            texts("report.p50"), duration(run.p50 if run else None, texts), texts("report.p50_note")
        ),
        Tile(texts("report.p95"), duration(run.p95 if run else None, texts), longest),
        Tile(texts("report.wait"), duration(wait.p95 if wait else None, texts), median),
    ]


def page(figures: Figures, lang: Lang, made_at: str) -> str:
    """The whole page. made_at: RFC 3339."""
    texts = Texts(lang)
    period = texts("report.period", since=figures.since, until=figures.until)
    body = _empty(texts) if figures.is_empty else _full(figures, lang, texts)
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"{texts('report.title')}, {period}"),
        el("style", Safe(CSS + PAGE_CSS)),
    )
    main = el("main", el("h1", texts("report.title")), el("p", period, class_="period"), body)
    foot = el("footer", texts("report.made", at=made_at, version=__version__))
    whole = el("html", head, el("body", main, foot), lang="zh-CN" if lang == "zh" else "en")
    return f"<!doctype html>\n{whole}\n"


def _full(figures: Figures, lang: Lang, texts: Texts) -> Safe:
    items = [
        el(
            "div",
            el("dt", tile.label),
            el("dd", tile.value, class_="value"),
            el("dd", tile.note, class_="more"),
            class_="tile",
        )
        for tile in tiles(figures, lang)
    ]
    drawn = [chart.html(texts) for chart in charts(figures, lang)]
    unread = figures.unreadable
    return join(
        el("p", texts("report.unreadable", count=count(unread)), class_="warning")
        if unread
        else "",
        el("dl", *items, class_="tiles"),
        el("div", *drawn, class_="charts"),
        _besides(figures, texts),
    )


def _besides(figures: Figures, texts: Texts) -> Safe:
    kinds: dict[str, Mapping[str, int]] = {
        "report.runs": figures.runs,
        "report.reviews": figures.reviews,
    }
    lines = [
        join(el("dt", texts(key)), el("dd", _listed(outcomes, texts)))
        for key, outcomes in kinds.items()
        if outcomes
    ]
    if not lines:
        return join()
    return el(
        "section",
        el("h2", texts("report.besides")),
        el("p", texts("report.besides_note"), class_="ch-note"),
        el("dl", *lines),
        class_="besides ch-figure",
    )


def _listed(outcomes: Mapping[str, int], texts: Texts) -> str:
    named = (outcome for outcome in reversed(list(OUTCOME_TONES)) if outcome in outcomes)
    return ", ".join(f"{texts.outcome(outcome)} {count(outcomes[outcome])}" for outcome in named)


def _empty(texts: Texts) -> Safe:
    hints = [el("li", el("code", code), f" – {texts(key)}") for key, code in _HINTS.items()]
    return el(
        "section",
        el("h2", texts("report.empty")),
        el("p", texts("report.empty_why")),
        el("ul", *hints),
        class_="empty",
    )


_HINTS = {
    "report.empty_since": "--since 2026-01-01",
    "report.empty_ledger": "LEDGER_URL",
    "report.empty_try": f"{PROGRAM} invoke tests/payloads/Translation.seed.xml",
}
