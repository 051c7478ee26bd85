"""The kinds of drawing, out of plain numbers and texts. Pure.

Each gives the height that it takes and its elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ci_callback.report.markup import Safe, el
from ci_callback.report.scales import Log, count, ticks
from ci_callback.report.shapes import (
    WIDTH,
    Part,
    Placed,
    block,
    blocks_of,
    fit,
    hatches,
    text,
    width_of,
    within_link,
)


@dataclass(frozen=True)
class Key:
    """An entry of a legend. href: shows or hides it; is_hidden: whether it is hidden."""

    tone: str
    label: str
    value: str
    href: str = ""
    is_hidden: bool = False


@dataclass(frozen=True)
class Bar:
    """A row of ranked bars: label and value above it, `below` under it. share: 0 to 1. href: where
    it leads."""

    label: str
    value: str
    share: float
    tone: str
    below: str
    href: str = ""


@dataclass(frozen=True)
class Strip:
    """A row of spreads, in seconds."""

    label: str
    value: str
    at: tuple[float, float, float, float, float]
    hint: str
    href: str = ""


@dataclass(frozen=True)
class Stack:
    """A column of parts. hint: of the whole column; days: its first and last, for a zoom."""

    label: str
    parts: Sequence[Part]
    hint: str = ""
    href: str = ""
    days: tuple[str, str] = ("", "")


def stacked_columns(
    name: str, columns: Sequence[Stack], top: float = 8
) -> tuple[float, list[Safe]]:
    """Columns of stacked parts over an axis."""
    left, tall = 34.0, 150.0
    highest = max((sum(part.value for part in one.parts) for one in columns), default=0)
    marks = ticks(int(highest))
    drawn: list[Safe] = []
    for mark in marks:
        y = top + tall - tall * mark / marks[-1]
        drawn.append(el("line", x1=left, x2=WIDTH, y1=y, y2=y, class_="ch-grid"))
        drawn.append(text(left - 5, y + 4, count(mark), "end", "ch-dim"))
    blocks: list[Placed] = []
    pitch = (WIDTH - left) / max(len(columns), 1)
    wide = min(pitch * 0.8, 40)
    every = -(-len(columns) * 38 // int(WIDTH - left))  # a label takes 38 units
    for number, stack in enumerate(columns):
        middle = left + pitch * (number + 0.5)
        y = top + tall
        mine: list[Placed] = []
        for part in stack.parts:
            high = tall * part.value / marks[-1]
            y -= high
            mine.append((part, middle - wide / 2, y, wide, high))
        behind = el("rect", x=middle - pitch / 2, y=top, width=pitch, height=tall, class_="ch-hit")
        drawn.append(_column(stack, behind, mine))
        blocks += mine
        if number % every == 0:
            at = min(middle, WIDTH - 17)
            drawn.append(text(at, top + tall + 18, stack.label, "middle", "ch-dim"))
    return top + tall + 25, drawn + hatches(name, blocks)


def _column(stack: Stack, behind: Safe, places: Sequence[Placed]) -> Safe:
    """One column, and behind it all that belongs to it."""
    return el(
        "g",
        within_link(stack.href, behind),
        *map(block, places),
        class_="ch-column",
        data_hint=stack.hint or None,
        data_from=stack.days[0] or None,
        data_to=stack.days[1] or None,
    )


def legend(
    name: str, keys: Sequence[Key], top: float, per_line: int = 1
) -> tuple[float, list[Safe]]:
    """Swatch, label and value of each, from `top` on."""
    drawn: list[Safe] = []
    room = WIDTH / per_line
    for number, key in enumerate(keys):
        x, y = room * (number % per_line), top + 18.0 * (number // per_line)
        label = fit(key.label, room - 20 - width_of(key.value) - 10)
        value = el("tspan", f"\u2002{key.value}", class_="ch-strong")
        entry = [
            el("rect", x=x, y=y, width=room - 8, height=14, class_="ch-hit"),
            *blocks_of(name, [(Part(key.tone, 1, ""), x, y, 12, 12)]),
            el("text", label, value, x=x + 18, y=y + 10.5, class_="ch-text"),
        ]
        is_off = "ch-key ch-key-off" if key.is_hidden else "ch-key"
        drawn.append(el("g", within_link(key.href, *entry), class_=is_off))
    return top + 18.0 * -(-len(keys) // per_line), drawn


def ranked(bars: Sequence[Bar]) -> tuple[float, list[Safe]]:
    """Bars below one another. Without hatches: their labels say it all."""
    drawn: list[Safe] = []
    y = 2.0
    for bar in bars:
        wide = max(WIDTH * bar.share, 1.5)
        row = [
            el("rect", x=0, y=y, width=WIDTH, height=42, class_="ch-hit"),
            text(0, y + 10, fit(bar.label, WIDTH - width_of(bar.value) - 14), "start"),
            text(WIDTH, y + 10, bar.value, "end", "ch-strong"),
            el("rect", x=0, y=y + 15, width=WIDTH, height=8, class_="ch-track"),
            el("rect", x=0, y=y + 15, width=wide, height=8, class_=f"ch-tone-{bar.tone}"),
            text(0, y + 36.5, fit(bar.below, WIDTH), "start", "ch-dim"),
        ]
        hint = "\n".join((bar.label, bar.value, bar.below))
        drawn.append(el("g", within_link(bar.href, *row), class_="ch-row", data_hint=hint))
        y += 48.0
    return y, drawn


def strips(rows: Sequence[Strip], scale: Log, marks: Sequence[str]) -> tuple[float, list[Safe]]:
    """Spreads on one scale; marks: the labels of its ticks."""
    high = 37.0
    bottom = high * len(rows) + 4
    drawn: list[Safe] = []
    for tick, mark in zip(scale.ticks, marks, strict=True):
        at = _on_scale(scale, tick)
        anchor = "start" if tick == scale.low else "end" if tick == scale.high else "middle"
        edge = {"start": 0.0, "end": WIDTH}.get(anchor, at)
        drawn.append(el("line", x1=at, x2=at, y1=0, y2=bottom, class_="ch-grid"))
        drawn.append(text(edge, bottom + 13, mark, anchor, "ch-dim"))
    for number, row in enumerate(rows):
        y = high * number
        spread = [
            el("rect", x=0, y=y + 1, width=WIDTH, height=13, class_="ch-behind"),
            text(0, y + 11, fit(row.label, WIDTH - width_of(row.value) - 14), "start"),
            text(WIDTH, y + 11, row.value, "end", "ch-dim"),
            el("rect", x=0, y=y, width=WIDTH, height=high - 2, class_="ch-hit"),
            _box([_on_scale(scale, value) for value in row.at], y + 24),
        ]
        hint = f"{row.label}\n{row.hint}"
        drawn.append(el("g", within_link(row.href, *spread), class_="ch-row", data_hint=hint))
    return bottom + 20, drawn


def _on_scale(scale: Log, seconds: float) -> float:
    return 8.0 + (WIDTH - 16) * scale(seconds)


def _box(at: Sequence[float], middle: float) -> Safe:
    """Box and whiskers; at: where the five percentiles are."""
    p5, p25, p50, p75, p95 = at
    wide = max(p75 - p25, 2.0)
    return el(
        "g",
        el("line", x1=p5, x2=p95, y1=middle, y2=middle, class_="ch-whisker"),
        *(
            el("line", x1=end, x2=end, y1=middle - 3, y2=middle + 3, class_="ch-whisker")
            for end in (p5, p95)
        ),
        el("rect", x=p25, y=middle - 5, width=wide, height=10, rx=1, class_="ch-box"),
        el("line", x1=p50, x2=p50, y1=middle - 7, y2=middle + 7, class_="ch-median"),
    )


def split(name: str, parts: Sequence[Part], y: float, high: float) -> list[Safe]:
    """One bar of parts side by side, as wide as the chart."""
    whole = sum(part.value for part in parts) or 1
    blocks = []
    x = 0.0
    for part in parts:
        wide = WIDTH * part.value / whole
        if part.value:
            blocks.append((part, x, y, max(wide - 1, 1.0), high))
        x += wide
    return blocks_of(name, blocks)


def band(upper: tuple[float, float], top: float, lower: tuple[float, float], bottom: float) -> Safe:
    """The band from a stretch of one bar to a stretch of the next; each from left to right."""
    (x1, x2), (x3, x4) = upper, lower
    path = f"M{x1:.1f} {top:.1f}L{x2:.1f} {top:.1f}L{x4:.1f} {bottom:.1f}L{x3:.1f} {bottom:.1f}Z"
    return el("path", d=path, class_="ch-band")
