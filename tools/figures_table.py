"""The figures of the documents, each with the command that makes it and its spread.

A figure that no command makes (a limit of the platform, a price, a date) is no row here: the page
names its source.
"""

from __future__ import annotations

from typing import NamedTuple

COST = "python -m ci_callback cost --callbacks 1e6 --failed 2% --json"
COST_EVENTS = "python -m ci_callback cost --callbacks 1e6 --failed 2% --destinations 2 --json"
TAGS = "python -m ci_callback sample --list --json"
TORTURE = "python -m tests.slow.hostile"
BUNDLE = "python -m tools.bundle"
BACKLOG = "python -m benchmarks --only backlog"
RECONCILE = "python -m benchmarks.reconcile_backlog"
BENCH = "python -m benchmarks"

SECONDS = {
    COST: 1,
    COST_EVENTS: 1,
    TAGS: 1,
    TORTURE: 60,
    BUNDLE: 30,
    BACKLOG: 90,
    RECONCILE: 240,
    BENCH: 400,
}
"""How long each command takes, about."""


class Figure(NamedTuple):
    """One or several figures of a page.

    shown: finds them on the page; {} stands for a number. printed: finds them in the output of the
    command, in the same way. Where it begins with a dot it is a path into its JSON, and several are
    separated by blanks; behind # it is a pattern whose matches are counted. scale: a shown figure
    is the printed one divided by it. spread: the part of the shown figure by which both may differ.
    """

    page: str
    shown: str
    command: str
    printed: str
    spread: float
    scale: float = 1


def _cost(label: str, use: str, scale: float = 1) -> Figure:
    """A row of the table of a month: units and USD."""
    printed = f".use.{use} .cost.{use}"
    return Figure(
        "docs/costs.md", rf"\| {label} \| {{}} \| {{}} USD \|", COST, printed, 0.02, scale
    )


def _at_each_latency(row: str) -> str:
    """A row that the backlog has for a store of 20 ms, and again for one of 50."""
    return rf"20 ms: .*{row}\s+{{}}(?:.|\n)*50 ms: .*{row}\s+{{}}"


EVENT = r"per event, 20 ms\s+{}"

FIGURES = (
    _cost("invocations, timers included", "invocations"),
    _cost("GB-seconds", "gb_seconds"),
    _cost("COS requests", "cos_requests"),
    _cost("GB stored, records for a year", "stored_gb"),
    _cost("GB outbound", "egress_gb"),
    Figure("docs/costs.md", r"\| total \| \| {} USD \|", COST, ".total", 0.01),
    Figure(
        "docs/costs.md",
        r"the month costs\s+{} USD: .* million requests, {} GB-seconds, {} GB outbound",
        COST_EVENTS,
        ".total .use.gb_seconds .use.egress_gb",
        0.02,
    ),
    Figure("README.md", r"typed for {} tags", TAGS, '#"kind": "job"', 0),
    Figure("README.md", r"sends over {} hostile inputs", TORTURE, r"\| all \| {} \|", 0.3),
    Figure(
        "docs/testing.md",
        r"\| all \| {} \| {} \| {} \| {} \| {} \|",
        TORTURE,
        r"\| all \| {} \| {} \| {} \| {} \| {} \|",
        0.5,
    ),
    Figure(
        "docs/deploy.md",
        r"`dist/function.zip` \({} MB\)",
        BUNDLE,
        r"function\.zip\s+{} kB",
        0.1,
        1e3,
    ),
    Figure(
        "docs/events.md",
        r"runs of {} s where COS and the destinations answer within 20 ms, and of {} s\s+at 50 ms",
        BACKLOG,
        r"destinations, 20 ms: a run, s\s+{}(?:.|\n)*destinations, 50 ms: a run, s\s+{}",
        0.05,
    ),
    Figure("docs/events.md", r": {} requests per event", BACKLOG, EVENT, 0.02),
    Figure(
        "docs/costs.md",
        r"the record is stored and\s+{} for sending",
        BACKLOG,
        EVENT,
        0.02,
    ),
    Figure("docs/decisions.md", r"makes {}\s+requests for each event", BACKLOG, EVENT, 0.02),
    Figure(
        "docs/decisions.md",
        r"that are due take {} requests to COS each",
        BACKLOG,
        r"5,000 retries due, 20 ms: COS requests per submission\s+{}",
        0.02,
    ),
    *(
        Figure("docs/performance.md", rf"\| {shown} \|", BACKLOG, _at_each_latency(row), 0.02)
        for shown, row in (
            ("20,000 failures in an hour:.*last \\| {} \\| {}", "all told after the last, minutes"),
            (
                "10 million callbacks a day, 1 % failing:.*minutes \\| {} \\| {}",
                "a ticket was due, minutes",
            ),
            (
                "5,000 retries due: requests to COS per submission \\| {} \\| {}",
                "COS requests per submission",
            ),
            ("the same: submissions in one sweep of 35 s \\| {} \\| {}", "submissions in a sweep"),
            ("the longest run,.*take \\| {} \\| {}", "the longest run, s"),
            ("requests of the task to COS per event,.*callback \\| {} \\| {}", "task per event"),
        )
    ),
    Figure(
        "docs/performance.md",
        r"to COS and to CI per failure \| {} and {} \| {} and {} \|",
        BACKLOG,
        r"20 ms: COS requests of sweeps per failure\s+{}\n.*CI requests per failure\s+{}"
        r"(?:.|\n)*50 ms: COS requests of sweeps per failure\s+{}\n.*CI requests per failure\s+{}",
        0.02,
    ),
    Figure(
        "docs/performance.md",
        r"take one sweep of {} s",
        BACKLOG,
        r"100 ms: the longest sweep, s\s+{}",
        0.02,
    ),
    Figure(
        "docs/operate.md",
        r"take about {} of that hour",
        RECONCILE,
        r"20 ms a COS request:\s+work / time {}",
        0.15,
    ),
)

BARS = "docs/performance.md"
"""Its first table has a line for each bar of the benchmarks: name, two runs, the bar."""

BAR_SPREADS = (
    ("instructions", 0.05),
    ("requests", 0.02),
    ("minutes", 0.02),
    ("zip", 0.05),
    ("", 0.25),
)
"""By a word of a bar's name, the first that fits: CPU and wall time vary most."""
