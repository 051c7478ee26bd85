"""The README's chart: a few rows of the table as bars, in light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from benchmarks.figures import OURS, Row, Table

SHOWN: Sequence[tuple[str, str]] = (
    ("cold.https.wall", "Cold start to the first record"),
    ("warm.cpu.translation_xml", "Warm callback, CPU"),
    ("memory.1mb", "Peak memory, a 1 MB callback"),
    ("size.zip", "Bundle, zipped"),
)
"""Rows of the table, and what the chart calls them."""

PEERS = (OURS, "typical", "boto3", "framework", "limit", "bare")

WIDTH, PANEL, LEFT, RIGHT = 960, 480, 84, 96
BAR, GAP, HEAD = 16, 6, 40

_STYLE = """
    text { font: 13px system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif; fill: #1f2328 }
    .head { font-weight: 600; font-size: 14px }
    .small { fill: #59636e }
    .bar { fill: #afb8c1 }
    .ours { fill: #0969da }
    .mine { font-weight: 600 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc } .small { fill: #9198a1 }
      .bar { fill: #4b535d } .ours { fill: #4493f8 }
    }
  """


def draw(table: Table) -> str:
    """The SVG. A row that was not measured is left out."""
    panels = [(table.rows[key], title) for key, title in SHOWN if key in table.rows]
    heights = [_height(row) for row, _ in panels]
    lines = []
    top = 8
    for start in range(0, len(panels), 2):
        for column, (row, title) in enumerate(panels[start : start + 2]):
            lines += _panel(row, title, column * PANEL, top)
        top += max(heights[start : start + 2])
    label = "; ".join(f"{title}: {_label(row)}" for row, title in panels)
    about = f"Python {table.about.get('python', '')}, medians of interleaved runs in one session"
    lines.append(f'  <text class="small" x="16" y="{top + 8}">{escape(about)}</text>')
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 22}" role="img" '
            'aria-labelledby="t d">',
            '  <title id="t">This function beside other ways to store the same callback</title>',
            f'  <desc id="d">{escape(label)}</desc>',
            f"  <style>{_STYLE}</style>",
            *lines,
            "</svg>",
            "",
        ]
    )


def _shown(row: Row) -> list[str]:
    return [peer for peer in PEERS if peer in row.values]


def _height(row: Row) -> int:
    return HEAD + len(_shown(row)) * (BAR + GAP) + 16


def _panel(row: Row, title: str, x: int, y: int) -> list[str]:
    peers = _shown(row)
    highest = max(row.of(peer) for peer in peers)
    scale = (PANEL - LEFT - RIGHT) / highest
    lines = [
        f'  <text class="head" x="{x + 16}" y="{y + 22}">{escape(title)}'
        f'<tspan class="small" font-weight="400"> ({escape(row.unit)})</tspan></text>'
    ]
    for number, peer in enumerate(peers):
        at = y + HEAD + number * (BAR + GAP)
        width = max(1.0, row.of(peer) * scale)
        mine = " mine" if peer == OURS else ""
        kind = "ours" if peer == OURS else "bar"
        lines += [
            f'  <text class="{mine.strip() or "small"}" x="{x + LEFT}" y="{at + 12}" '
            f'text-anchor="end">{escape(peer)}</text>',
            f'  <rect class="{kind}" x="{x + LEFT + 8}" y="{at}" width="{width:.1f}" '
            f'height="{BAR}" rx="2"/>',
            f'  <text class="small{mine}" x="{x + LEFT + 14 + width:.1f}" y="{at + 12}">'
            f"{_figure(row.of(peer))}</text>",
        ]
    return lines


def _label(row: Row) -> str:
    return ", ".join(f"{peer} {_figure(row.of(peer))} {row.unit}" for peer in _shown(row))


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2g}" if value < 1 else f"{value:,.1f}"
