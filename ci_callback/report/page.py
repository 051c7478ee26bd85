"""The report as one page of HTML, which holds all that it needs: no script, no network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ci_callback.report.charts import CSS, charts
from ci_callback.report.figures import Figures
from ci_callback.report.markup import Safe, el, join
from ci_callback.report.palette import OUTCOME_TONES
from ci_callback.report.scales import DASH, count, duration, share
from ci_callback.report.texts import Words
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
    words = Words(lang)
    jobs, outcomes = figures.jobs, figures.outcomes
    succeeded, failed = outcomes.get("succeeded", 0), outcomes.get("failed", 0)
    run, wait = figures.run_s, figures.wait_s
    of_all = words("share_note", count=count(succeeded), jobs=count(jobs))
    longest = words("p95_note", longest=duration(run.longest, words)) if run else ""
    median = words("wait_note", median=duration(wait.p50, words)) if wait else ""
    return [
        Tile(words("jobs"), count(jobs), words("jobs_note")),
        Tile(words("share"), share(succeeded, jobs) if succeeded or jobs else DASH, of_all),
        Tile(words("failed_jobs"), count(failed), words("failed_note", share=share(failed, jobs))),
        Tile(words("p50"), duration(run.p50 if run else None, words), words("p50_note")),
        Tile(words("p95"), duration(run.p95 if run else None, words), longest),
        Tile(words("wait"), duration(wait.p95 if wait else None, words), median),
    ]


def page(figures: Figures, lang: Lang, made_at: str) -> str:
    """The whole page. made_at: RFC 3339."""
    words = Words(lang)
    period = words("period", since=figures.since, until=figures.until)
    body = _empty(words) if figures.is_empty else _full(figures, lang, words)
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"{words('title')}, {period}"),
        el("style", Safe(CSS + PAGE_CSS)),
    )
    main = el("main", el("h1", words("title")), el("p", period, class_="period"), body)
    foot = el("footer", words("made", at=made_at, version=__version__))
    whole = el("html", head, el("body", main, foot), lang="zh-CN" if lang == "zh" else "en")
    return f"<!doctype html>\n{whole}\n"


def _full(figures: Figures, lang: Lang, words: Words) -> Safe:
    told = [
        el(
            "div",
            el("dt", tile.label),
            el("dd", tile.value, class_="value"),
            el("dd", tile.note, class_="more"),
            class_="tile",
        )
        for tile in tiles(figures, lang)
    ]
    drawn = [chart.html(words) for chart in charts(figures, lang)]
    unread = figures.unreadable
    return join(
        el("p", words("unreadable", count=count(unread)), class_="warning") if unread else "",
        el("dl", *told, class_="tiles"),
        el("div", *drawn, class_="charts"),
        _besides(figures, words),
    )


def _besides(figures: Figures, words: Words) -> Safe:
    kinds: dict[str, Mapping[str, int]] = {"runs": figures.runs, "reviews": figures.reviews}
    lines = [
        join(el("dt", words(kind)), el("dd", _listed(outcomes, words)))
        for kind, outcomes in kinds.items()
        if outcomes
    ]
    if not lines:
        return join()
    return el(
        "section",
        el("h2", words("besides")),
        el("p", words("besides_note"), class_="ch-note"),
        el("dl", *lines),
        class_="besides ch-figure",
    )


def _listed(outcomes: Mapping[str, int], words: Words) -> str:
    named = (one for one in reversed(list(OUTCOME_TONES)) if one in outcomes)
    return ", ".join(f"{words(one)} {count(outcomes[one])}" for one in named)


def _empty(words: Words) -> Safe:
    hints = [el("li", el("code", code), f" – {words(key)}") for key, code in _HINTS.items()]
    return el(
        "section",
        el("h2", words("empty")),
        el("p", words("empty_why")),
        el("ul", *hints),
        class_="empty",
    )


_HINTS = {
    "empty_since": "--since 2026-01-01",
    "empty_ledger": "LEDGER_URL",
    "empty_try": "python -m ci_callback invoke tests/payloads/Translation.seed.xml",
}
