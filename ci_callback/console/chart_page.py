"""The page of charts: which days, what is hidden, and where each mark leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, g, render_template, request, url_for

from ci_callback.console import times
from ci_callback.console.context import console
from ci_callback.report import charts
from ci_callback.report.links import Drawn
from ci_callback.report.page import tiles
from ci_callback.report.palette import OUTCOME_TONES
from ci_callback.texts import Texts

CHART_DAYS = (7, 30, 90, 365)
DEFAULT_DAYS = 30

FIRST, LAST = times.FIRST.toordinal(), times.LAST.toordinal()

chart_page = Blueprint("charts", __name__)


@dataclass(frozen=True)
class Period:
    """UTC days, both included, as they stand in the address. hidden: outcomes that the chart of
    days leaves out."""

    since: date
    until: date
    hidden: frozenset[str] = frozenset()
    has_numbers: bool = False

    @classmethod
    def asked(cls, today: date) -> Period:
        """Out of the address. 404 for a number of days that is not offered."""
        days = request.args.get("days", DEFAULT_DAYS, type=int)
        since = times.day_of(request.args.get("since", ""))
        until = times.day_of(request.args.get("until", ""))
        if since is None and until is None and days not in CHART_DAYS:
            abort(404)
        until = until or today
        since = min(since or until - timedelta(days - 1), until)
        hidden = frozenset(OUTCOME_TONES) & set(request.args.getlist("hide"))
        return cls(since, until, hidden, request.args.get("numbers") == "1")

    @property
    def days(self) -> int:
        """How many there are."""
        return (self.until - self.since).days + 1

    def ends(self, today: date) -> bool:
        """Whether its last day is today's."""
        return self.until == today

    def moved(self, by: int) -> Period:
        """The period so many times its own length later, as far as there are days."""
        step = self.days * by
        if not FIRST <= self.since.toordinal() + step <= self.until.toordinal() + step <= LAST:
            return self
        since, until = self.since + timedelta(step), self.until + timedelta(step)
        return replace(self, since=since, until=until)

    def last(self, days: int, today: date) -> Period:
        """The last days."""
        return replace(self, since=today - timedelta(days - 1), until=today)

    def numbered(self) -> Period:
        """The same with its tables opened, or closed."""
        return replace(self, has_numbers=not self.has_numbers)

    @property
    def address(self) -> str:
        """Of the page that shows it."""
        query: list[tuple[str, object]] = [("since", self.since), ("until", self.until)]
        query += [("hide", one) for one in sorted(self.hidden)]
        query += [("numbers", 1)] if self.has_numbers else []
        return f"{url_for('charts.drawn')}?{urlencode(query)}"


@dataclass(frozen=True)
class ListLinks:
    """Leads from a mark to the list of deliveries."""

    period: Period

    def records(self, **filters: str) -> str:
        range_of = {"since": str(self.period.since), "until": str(self.period.until)}
        query = {"by": "created", **range_of, **filters}
        return f"{url_for('pages.deliveries')}?{urlencode(query)}"

    def job(self, job_id: str) -> str:
        return f"{url_for('pages.job')}?{urlencode({'id': job_id})}"

    def toggled(self, outcome: str) -> str:
        return replace(self.period, hidden=self.period.hidden ^ {outcome}).address


@chart_page.get("/charts")
def drawn() -> str:
    context = console()
    today = datetime.now(timezone.utc).date()
    period = Period.asked(today)
    with context.index.open() as lookup:
        tickets: Sequence[str] = context.records.tickets()
        figures = context.index.figures(lookup, period.since, period.until, tickets)
    how = Drawn(Texts(g.lang), ListLinks(period), period.hidden)
    made = charts.drawn_charts(figures, how)
    return render_template(
        "charts.html",
        figures=figures,
        tiles=tiles(figures, g.lang),
        charts=[chart.html(how.texts, period.has_numbers) for chart in made],
        period=period,
        today=today,
        choices=CHART_DAYS,
        progress=context.index.index.progress,
    )


@chart_page.get("/charts.css")
def charts_css() -> Response:
    return Response(charts.CSS, content_type="text/css; charset=utf-8")
