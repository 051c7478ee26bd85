"""A chart: a drawing and, for readers who can't see it, the same as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ci_callback.report import shapes
from ci_callback.report.markup import Safe, el
from ci_callback.texts import Texts

CSS = Path(__file__).with_name("charts.css").read_text(encoding="utf-8")
"""The style sheet of charts and their tables; for light, dark and print."""


MAX_ROWS = 10
"""Rows of a drawing. The table has the others too."""


@dataclass(frozen=True)
class Chart:
    """id: also the beginning of the ids within. note: how to read it. svg, table: markup."""

    id: str
    title: str
    note: str
    svg: Safe
    table: Safe

    def html(self, texts: Texts, is_open: bool = False) -> Safe:
        """The chart as a figure, with its table beside it: folded away, unless it is open."""
        return el(
            "figure",
            el("h2", self.title, id=f"{self.id}-title"),
            el("p", self.note, class_="ch-note"),
            self.svg,
            el("details", el("summary", texts("report.numbers")), self.table, open=is_open),
            class_="ch-figure",
            aria_labelledby=f"{self.id}-title",
        )


@dataclass(frozen=True)
class Heading:
    """The heading of a chart. name: its id in the page."""

    name: str
    title: str
    note: str

    def noting(self, more: str) -> Heading:
        """The same with more text behind its note."""
        return replace(self, note=self.note + more)


@dataclass(frozen=True)
class Drawing:
    """A chart's picture. label: the same in texts, for a reader who can't see it; height: in
    pixels."""

    label: str
    height: float
    shapes: Sequence[Safe]


def make(
    heading: Heading, drawing: Drawing, heads: Sequence[str], rows: Sequence[Sequence[str]]
) -> Chart:
    label = f"{heading.title}: {drawing.label}"
    return Chart(
        heading.name,
        heading.title,
        heading.note,
        shapes.svg(heading.name, label, drawing.height, *drawing.shapes),
        table(heading.title, heads, rows),
    )


def nothing(heading: Heading, texts: Texts) -> Chart:
    label = texts("report.none_yet")
    line = shapes.text(0, 14, label, "start", "ch-dim")
    return make(heading, Drawing(label, 22, [line]), [heading.title], [[label]])


def table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Safe:
    """A table that scrolls within its own place; the first cell of a row is its head."""
    head = el("tr", *(el("th", text, scope="col") for text in heads))
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


def more(left: int, texts: Texts) -> str:
    return f" {texts('report.more', count=left)}" if left > 0 else ""
