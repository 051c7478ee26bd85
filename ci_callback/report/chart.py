"""A chart: a drawing and, for whoever can't see it, the same as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ci_callback.report import shapes
from ci_callback.report.markup import Safe, el
from ci_callback.report.texts import Words

CSS = Path(__file__).with_name("charts.css").read_text(encoding="utf-8")
"""The style sheet of charts and their tables; for light, dark and print."""


MOST_ROWS = 10
"""Rows of a drawing. The table has the others too."""


@dataclass(frozen=True)
class Chart:
    """id: also the beginning of the ids within. note: how to read it. svg, table: markup."""

    id: str
    title: str
    note: str
    svg: Safe
    table: Safe

    def html(self, words: Words) -> Safe:
        """The chart as a figure, with its table folded away."""
        return el(
            "figure",
            el("h2", self.title, id=f"{self.id}-title"),
            el("p", self.note, class_="ch-note"),
            self.svg,
            el("details", el("summary", words("numbers")), self.table),
            class_="ch-figure",
            aria_labelledby=f"{self.id}-title",
        )


def make(
    name: str,
    title: str,
    note: str,
    told: str,
    high: float,
    drawn: Sequence[Safe],
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
) -> Chart:
    return Chart(
        name,
        title,
        note,
        shapes.svg(name, f"{title}: {told}", high, *drawn),
        table(title, heads, rows),
    )


def nothing(name: str, title: str, note: str, words: Words) -> Chart:
    told = words("none_yet")
    line = shapes.text(0, 14, told, "start", "ch-dim")
    return make(name, title, note, told, 22, [line], [title], [[told]])


def table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Safe:
    """A table that scrolls within its own place; the first cell of a row is its head."""
    head = el("tr", *(el("th", one, scope="col") for one in heads))
    body = [
        el("tr", el("th", row[0], scope="row"), *(el("td", cell) for cell in row[1:]))
        for row in rows
    ]
    return el(
        "div",
        el("table", el("caption", caption), el("thead", head), el("tbody", *body)),
        class_="ch-table",
        tabindex=0,
        role="region",
        aria_label=caption,
    )


def more(left: int, words: Words) -> str:
    return f" {words('more', count=left)}" if left > 0 else ""
