"""The table: rows of figures by peer, ratios, fitted exponents, and the bars. Nothing is measured
here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

OURS = "ours"

PEERS: Mapping[str, str] = {
    OURS: "this function, from tools/bundle.py",
    "typical": "xmltodict or json, an SDK client made at import; pip install --no-compile",
    "boto3": "the same with boto3, virtual-host addressing, check sums when_required",
    "framework": "pydantic, Powertools' parser and idempotency over the bucket, boto3",
    "limit": "the SDK as documented storing a ready-made record, nothing parsed, compiled",
    "bare": "http.client and a signature by hand, a ready-made record: the floor",
    "typical+pyc": "typical, compiled ahead as ours is",
    "limit+": "limit on our bundle's own packages, with trust_env off as ours",
}
"""The columns, in order, and what stands in each."""


@dataclass(frozen=True)
class Row:
    """One line of the table. values: by peer; a word stands in place of a figure ("lost")."""

    key: str
    title: str
    unit: str
    values: Mapping[str, float | str]
    samples: int = 1
    """Of which each value is the median."""

    def of(self, peer: str) -> float:
        """A peer's figure; not a number where it has none."""
        value = self.values.get(peer)
        return float(value) if isinstance(value, (int, float)) else math.nan


@dataclass(frozen=True)
class Bar:
    """What must hold: `ratio(rows)` at most `most`."""

    name: str
    top: str
    """ROW of ours; or ROW@PEER."""
    bottom: str
    """ROW@PEER that it is divided by; "" for the figure itself."""
    limit: float
    exactly: bool = False

    def measured(self, rows: Mapping[str, Row]) -> float:
        """The ratio, or the figure; not a number where it was not measured."""
        top = _figure(rows, self.top)
        if not self.bottom:
            return top
        bottom = _figure(rows, self.bottom)
        return top / bottom if bottom else math.nan

    @property
    def bound(self) -> str:
        """As it is shown: ≤ 0.6, = 1."""
        return f"{'=' if self.exactly else '≤'} {self.limit:g}"

    def shown(self, rows: Mapping[str, Row]) -> str:
        """The figure; "" where it was not measured."""
        value = self.measured(rows)
        return "" if math.isnan(value) else f"{value:.2f}"

    def holds(self, rows: Mapping[str, Row]) -> bool | None:
        """Whether it holds; None where it was not measured."""
        value = self.measured(rows)
        if math.isnan(value):
            return None
        return value == self.limit if self.exactly else value <= self.limit


def _figure(rows: Mapping[str, Row], name: str) -> float:
    key, _, peer = name.partition("@")
    return rows[key].of(peer or OURS) if key in rows else math.nan


def _requests(kind: str, count: int) -> Bar:
    return Bar(f"COS requests, {kind.replace('_', ' ')}", f"requests.{kind}", "", count, True)


MEASURES: Mapping[str, str] = {"cpu": "CPU", "ir": "instructions"}
"""What is compared of a cold start: a time, and a count that does not waver."""


def _cold(scheme: str, over: str, peer: str, limit: float) -> Iterator[Bar]:
    for measure, title in MEASURES.items():
        row = f"cold.{scheme}.{measure}"
        yield Bar(f"cold start, {over}, {title} / {peer}", row, f"{row}@{peer}", limit)


def _warm(name: str, title: str, limit: float) -> Bar:
    # What limit puts is the same whatever arrived.
    ready_made = "warm.ir.translation_xml@limit"
    return Bar(f"warm instructions, {title} / limit", f"warm.ir.{name}", ready_made, limit)


BARS: tuple[Bar, ...] = (
    *_cold("https", "TLS", "limit", 0.60),
    *_cold("https", "TLS", "limit+", 0.75),
    *_cold("https", "TLS", "typical", 0.30),
    *_cold("https", "TLS", "typical+pyc", 0.60),
    *_cold("http", "http", "limit", 0.65),
    *(
        Bar(
            f"refused, cold, {title} / limit's cold start, TLS",
            f"refused.{measure}",
            f"cold.https.{measure}@limit",
            0.22,
        )
        for measure, title in MEASURES.items()
    ),
    Bar(
        "refused, cold, instructions / limit's cold start, http",
        "refused.ir",
        "cold.http.ir@limit",
        0.22,
    ),
    _warm("translation_xml", "Translation XML", 0.85),
    _warm("translation_json", "Translation JSON", 0.85),
    _warm("split_xml", "SplitVideoParts XML", 1.20),
    _warm("split_json", "SplitVideoParts JSON", 1.20),
    _warm("failed", "failed", 1.10),
    Bar("20 ms store: kept / limit", "slow.kept", "slow.kept@limit", 1.10),
    Bar("20 ms store: failed / limit", "slow.failed", "slow.kept@limit", 2.15),
    *(
        _requests(kind, count)
        for kind, count in (
            ("kept", 1),
            ("kept_forwarded", 2),
            ("idle_forward", 1),
            ("duplicate", 2),
            ("failed", 2),
            ("failed_duplicate", 3),
            ("recovered", 3),
            ("dead_letter", 2),
            ("refused", 0),
            ("idle_sweep", 1),
        )
    ),
    Bar("peak memory, small, TLS, MB", "memory.https", "", 24.0),
    Bar("peak memory with 1 MB, MB", "memory.1mb", "", 34.0),
    Bar("peak memory with 1 MB / typical", "memory.1mb", "memory.1mb@typical", 1.0),
    Bar("refused, cold: the SDK is imported", "refused.sdk", "", 0, True),
    Bar("zip / requirements by pip", "size.zip", "size.zip_requirements", 0.5),
    Bar("parse growth exponent, XML", "growth.parse_xml", "", 1.05),
    Bar("parse growth exponent, JSON", "growth.parse_json", "", 1.05),
    Bar("sweep: 100 due of 100,000 / of 100", "sweep.100000", "sweep.100", 1.2),
    *(
        bar
        for ms in (20, 50)
        for bar in (
            Bar(f"20,000 failures in an hour, {ms} ms, minutes", f"backlog.burst.{ms}", "", 10.0),
            Bar(
                f"20,000 failures: over CI's limit, {ms} ms",
                f"backlog.burst_refused.{ms}",
                "",
                0,
                True,
            ),
            Bar(
                f"20,000 failures: sweeps killed, {ms} ms",
                f"backlog.burst_killed.{ms}",
                "",
                0,
                True,
            ),
            Bar(f"10 M a day, 1 % failing, {ms} ms, minutes due", f"backlog.day.{ms}", "", 3.0),
            Bar(f"10 M a day: over CI's limit, {ms} ms", f"backlog.day_refused.{ms}", "", 0, True),
            Bar(f"5,000 due: COS requests / submission, {ms} ms", f"backlog.due.{ms}", "", 10.0),
        )
    ),
    *(
        bar
        for ms in (20, 50)
        for bar in (
            Bar(
                f"1 M events a day, two destinations, {ms} ms: a run, s",
                f"events.run.{ms}",
                "",
                55.0,
            ),
            Bar(f"the same: COS requests per event, {ms} ms", f"events.cos.{ms}", "", 3.0),
            Bar(f"the same: events left, {ms} ms", f"events.left.{ms}", "", 0, True),
            Bar(f"the same: sent twice, {ms} ms", f"events.twice.{ms}", "", 0, True),
        )
    ),
    Bar("2,000 alerts at 100 ms: a sweep, s", "backlog.alerts", "", 55.0),
    Bar("2,000 alerts: sweeps killed", "backlog.alerts_killed", "", 0, True),
    Bar("2,000 alerts: sent twice", "backlog.alerts_twice", "", 0, True),
    Bar("2,000 alerts: never sent", "backlog.alerts_never", "", 0, True),
    Bar("reconcile, 10 M jobs a day, 20 ms", "reconcile_day.20", "", 1.0),
    Bar("reconcile, 10 M jobs a day, 50 ms", "reconcile_day.50", "", 1.0),
    *(
        bar
        for place, title in (("folder", "a folder"), ("cos", "COS, 20 ms"))
        for bar in (
            Bar(f"jobs --limit 20, {title}: GETs", f"tool.{place}.jobs.gets", "", 30),
            Bar(f"jobs --limit 20, {title}, s", f"tool.{place}.jobs", "", 1.5),
            Bar(f"show, {title}: GETs", f"tool.{place}.show.gets", "", 15),
            Bar(f"show, ten days ago, {title}: GETs", f"tool.{place}.show_old.gets", "", 15),
            Bar(f"query, first time, {title}, s", f"tool.{place}.query_first", "", 10.0),
            Bar(f"query, next time, {title}, s", f"tool.{place}.query_next", "", 1.0),
        )
    ),
    *(
        Bar(f"a page of the console, {page}, ms", f"pages.{page}", "", 300)
        for page in ("list", "last", "search", "common", "failed", "longest", "charts", "job")
    ),
    Bar("queue batch of 100 / one after another", "queue.100", "queue.100_in_turn", 0.15),
)


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """k of y = a * x**k, fitted by least squares over the logarithms; not a number where fewer
    than two points are positive."""
    logs = [(math.log(x), math.log(y)) for x, y in points if x > 0 and y > 0]
    if len({x for x, _ in logs}) < 2:
        return math.nan
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    above = sum((x - mean_x) * (y - mean_y) for x, y in logs)
    return above / sum((x - mean_x) ** 2 for x, _ in logs)


@dataclass
class Table:
    """All rows, in order."""

    about: Mapping[str, Any] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)

    def add(self, key: str, title: str, unit: str, samples: Mapping[str, Sequence[float]]) -> None:
        """A row of medians."""
        limit = max((len(series) for series in samples.values()), default=0)
        values = {peer: median(series) for peer, series in samples.items() if series}
        self.rows[key] = Row(key, title, unit, values, limit)

    def put(self, key: str, title: str, unit: str, **values: float | str) -> None:
        """A row of figures that need no median."""
        self.rows[key] = Row(key, title, unit, values)

    def failing(self) -> list[str]:
        """The names of the bars that fail."""
        return [bar.name for bar in BARS if bar.holds(self.rows) is False]

    def to_json(self) -> dict[str, Any]:
        """All of it, ratios and bars included."""
        return {
            "about": dict(self.about),
            "peers": dict(PEERS),
            "rows": [
                {
                    "key": row.key,
                    "title": row.title,
                    "unit": row.unit,
                    "samples": row.samples,
                    "values": dict(row.values),
                    "to_typical": ratio(row, "typical"),
                    "to_limit": ratio(row, "limit"),
                }
                for row in self.rows.values()
            ],
            "bars": [
                {
                    "name": bar.name,
                    "measured": None if math.isnan(value) else value,
                    "bar": bar.limit,
                    "holds": bar.holds(self.rows),
                }
                for bar in BARS
                for value in (bar.measured(self.rows),)
            ],
        }

    def to_text(self) -> str:
        """For a terminal: the rows, and what must hold."""
        return self.rows_to_text() + "\n\n" + self.bars_to_text()

    def rows_to_text(self) -> str:
        """Peers in columns, and the ratios of ours behind them."""
        shown = [peer for peer in PEERS if any(peer in row.values for row in self.rows.values())]
        head = ["", *shown, "/typical", "/limit"]
        lines = [
            [_title(row), *(_cell(row.values.get(peer)) for peer in shown)]
            for row in self.rows.values()
        ]
        for line, row in zip(lines, self.rows.values(), strict=True):
            line += [_ratio(ratio(row, "typical")), _ratio(ratio(row, "limit"))]
        return columns([head, *lines])

    def bars_to_text(self) -> str:
        """What must hold, and whether it does in this run."""
        words = {True: "holds", False: "FAILS", None: "not measured"}
        lines = [["what must hold", "measured", "bar", ""]]
        for bar in BARS:
            word = words[bar.holds(self.rows)]
            lines.append([bar.name, bar.shown(self.rows), bar.bound, word])
        return columns(lines)


def ratio(row: Row, peer: str) -> float | None:
    """Ours to a peer's; None where one of them has none."""
    ours, theirs = row.of(OURS), row.of(peer)
    return None if math.isnan(ours) or math.isnan(theirs) or not theirs else ours / theirs


def _title(row: Row) -> str:
    return f"{row.title}, {row.unit}" if row.unit else row.title


def _cell(value: float | str | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def columns(lines: Sequence[Sequence[str]]) -> str:
    """Lines of equally many texts, the first one of each aligned left, the others right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            text.ljust(width) if column == 0 else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
