"""The parts of drawings: the sheet, lines of text, and blocks with their hatches. Pure.

A drawing is 360 units wide, so that on a phone a unit is about a pixel, and as high as it has
to be. It has no script, no style of its own and no colour: charts.css gives those by class.
Tones have meanings (palette.py); most have a hatch besides their colour.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ci_callback.report.markup import Safe, el, join

WIDTH = 360.0
TEXT = 12.0
"""Height of the letters at the most; charts.css makes them smaller where there is room."""


@dataclass(frozen=True)
class Part:
    """A part of a bar. hint: shown when the pointer is on it. href: where it leads."""

    tone: str
    value: float
    hint: str
    href: str = ""


Placed: TypeAlias = tuple[Part, float, float, float, float]
"""A part and its x, y, width and height."""


def svg(name: str, label: str, height: float, *children: object) -> Safe:
    """The drawing: for a screen reader one picture with a label."""
    hatches = [_hatch(name, tone) for tone in _HATCHES]
    return el(
        "svg",
        el("defs", *hatches),
        *children,
        class_="ch-svg",
        viewBox=f"0 0 {WIDTH:.0f} {height:.0f}",
        role="img",
        aria_label=label,
        xmlns="http://www.w3.org/2000/svg",
    )


def text(x: float, y: float, content: str, anchor: str, more: str = "") -> Safe:
    """A line of text; anchor: start, middle or end."""
    return el("text", content, x=x, y=y, text_anchor=anchor, class_=f"ch-text {more}".strip())


def fit(content: str, width: float) -> str:
    """The text, cut where it would be wider; letters are taken to be of a usual width."""
    if width_of(content) <= width:
        return content
    room, kept = width - TEXT, 0
    while room >= _width(content[kept]):
        room -= _width(content[kept])
        kept += 1
    return content[:kept].rstrip() + "…"


def width_of(content: str) -> float:
    return sum(map(_width, content))


@functools.lru_cache(4_096)
def _width(char: str) -> float:
    if unicodedata.east_asian_width(char) in "WF":
        return TEXT
    return TEXT * (0.64 if char.isupper() else 0.55)


def blocks_of(name: str, places: Sequence[Placed]) -> list[Safe]:
    """Parts, and over them one hatch for each tone: each shape with a
    hatch of its own would make a printed page ten times as large."""
    return [*map(block, places), *hatches(name, places)]


def block(place: Placed) -> Safe:
    """A part in its colour."""
    part, x, y, wide, high = place
    hint = [el("title", part.hint)] if part.hint else []
    tone = f"ch-tone-{part.tone}"
    drawn = el("rect", *hint, x=x, y=y, width=wide, height=high, class_=tone)
    return within_link(part.href, drawn)


def within_link(href: str, *drawn: Safe) -> Safe:
    """Shapes that lead somewhere. The table of a chart has the same links for the keyboard."""
    return el("a", *drawn, href=href, tabindex=-1) if href else join(*drawn)


def hatches(name: str, places: Sequence[Placed]) -> list[Safe]:
    """Distinguishes parts without colour."""
    paths: dict[str, str] = {}
    for part, x, y, wide, high in places:
        if part.tone in _HATCHES:
            path = f"M{x:.2f} {y:.2f}h{wide:.2f}v{high:.2f}h{-wide:.2f}z"
            paths[part.tone] = paths.get(part.tone, "") + path
    return [
        el("path", d=path, fill=f"url(#{name}-{tone})", class_="ch-over")
        for tone, path in paths.items()
    ]


_HATCHES = {
    "bad": "M-1 1L1 -1M0 5L5 0M4 6L6 4",
    "part": "M1.5 2.5H3.5M2.5 1.5V3.5",
    "off": "M0 2.5H5",
    "open": "M2.5 0V5",
    "odd": "M0 2.5H5M2.5 0V5",
    "stop": "M-1 4L1 6M0 0L5 5M4 -1L6 1",
}


def _hatch(name: str, tone: str) -> Safe:
    return el(
        "pattern",
        el("path", d=_HATCHES[tone], class_="ch-hatch"),
        id=f"{name}-{tone}",
        width=5,
        height=5,
        patternUnits="userSpaceOnUse",
    )
