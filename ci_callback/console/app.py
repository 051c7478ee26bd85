"""The console as a Flask application: language, errors, and what every template needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timezone, tzinfo
from typing import TypeVar
from urllib.parse import urlencode

from flask import Flask, Response, g, render_template, request, url_for
from jinja2 import StrictUndefined
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from ci_callback.console import guard, times
from ci_callback.console.actions import actions
from ci_callback.console.body import pretty
from ci_callback.console.chart_page import chart_page
from ci_callback.console.context import EXTENSION, ConsoleContext, Keeping, LedgerIndex, Plans
from ci_callback.console.detail_pages import detail_pages
from ci_callback.console.event_page import event_page
from ci_callback.console.pages import pages
from ci_callback.console.record_cache import RecordCache
from ci_callback.console.times import ZONES, Zone
from ci_callback.devserver.local_function import LocalFunction
from ci_callback.program import PROGRAM
from ci_callback.record_index.database import IndexFileError
from ci_callback.terminal import visible_lines
from ci_callback.texts import LANGS, TEXTS, Texts
from handler.callback import converters
from handler.errors import StoreError

MOUNT = "/_"
"""Where it is: no callback path begins so, and SCF's own has no such pages."""

BROWSER_ZONE = "console_browser_zone"
"""The cookie in which console.js tells the browser's time zone."""

COOKIES = {"lang": "console_lang", "zone": "console_zone"}
T = TypeVar("T", bound=str)
YEAR_S = 365 * 24 * 3600


def create_console(
    function: LocalFunction,
    port: int,
    ci: Plans | None,
    sweep_every_s: float,
    keeping: Keeping = Keeping(),  # noqa: B008  (it is frozen)
) -> Flask:
    """The application, to be mounted at MOUNT. port: where the server listens."""
    app = Flask(__name__)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    index = LedgerIndex(function, keeping)
    context = ConsoleContext(function, RecordCache(function), index, port, ci, sweep_every_s)
    guard.install(app, port)
    app.extensions[EXTENSION] = context
    app.register_blueprint(pages)
    app.register_blueprint(detail_pages)
    app.register_blueprint(event_page)
    app.register_blueprint(chart_page)
    app.register_blueprint(actions)
    _speak(app)
    _furnish(app, context)
    _filter(app, context)

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> tuple[str, int]:
        status = error.code or 500
        return _error_page(status, error.description or ""), status

    @app.errorhandler(StoreError)
    def no_ledger(error: StoreError) -> tuple[str, int]:
        return _error_page(503, str(error)), 503

    @app.errorhandler(IndexFileError)
    def no_index(error: IndexFileError) -> tuple[str, int]:
        if error.is_broken:
            index.index.begin_again()
        return _page_of("index_unusable", str(error)), 503

    return app


def _error_page(status: int, why: str) -> str:
    key = f"error.{status}"
    return _page_of(key if key in TEXTS else "error", why)


def _page_of(heading: str, why: str) -> str:
    return render_template("error.html", heading=heading, why=why)


def _speak(app: Flask) -> None:
    """Language and time zone: those asked for, else those chosen before, else the browser's."""

    @app.before_request
    def choose() -> None:
        g.lang = _chosen("lang", LANGS, request.accept_languages.best_match(LANGS) or LANGS[0])
        g.zone = _chosen("zone", ZONES, ZONES[0])
        g.tz = _tz(g.zone)

    @app.after_request
    def remember(response: Response) -> Response:
        # A request that is refused has no language, and chooses none.
        for name, choices in (("lang", LANGS), ("zone", ZONES)):
            if name in g and request.args.get(name) in choices:
                response.set_cookie(
                    COOKIES[name],
                    g.get(name),
                    YEAR_S,
                    path=f"{MOUNT}/",
                    httponly=True,
                    samesite="Strict",
                )
        return response


def _chosen(name: str, choices: Sequence[T], default: T) -> T:
    sent = (request.args.get(name), request.cookies.get(COOKIES[name]))
    return next((choice for text in sent for choice in choices if choice == text), default)


def _furnish(app: Flask, context: ConsoleContext) -> None:
    """Give templates their functions and values."""

    @app.context_processor
    def furniture() -> dict[str, object]:
        # Where a request is refused before its language is chosen, the page is in English.
        lang, zone = g.get("lang", LANGS[0]), g.get("zone", ZONES[0])

        def chosen(name: str, choice: str) -> str:
            # The query is put behind the address, and not given to url_for: some names of
            # parameters, such as _method and endpoint, are url_for's own.
            here = request.endpoint if request.method == "GET" else None
            page = (
                url_for(here, **(request.view_args or {})) if here else url_for("pages.deliveries")
            )
            return f"{page}?{urlencode({**request.args.to_dict(), name: choice})}"

        return {
            "t": Texts(lang),
            "lang": lang,
            "chosen": chosen,
            "address": _address,
            "zone": zone,
            "zones": ZONES,
            "browser_zone": request.cookies.get(BROWSER_ZONE, ""),
            "context": context,
            "program": PROGRAM,
            "now": context.function.clock(),
        }


def _filter(app: Flask, context: ConsoleContext) -> None:
    """Give templates their filters, and take secrets out of all that they write."""

    def harmless(value: object) -> object:
        """Whatever a page shows, no secret of the settings is in it, and no character that is not
        shown: U+202E, for one, would turn round what is read behind it."""
        if isinstance(value, Markup) or not isinstance(value, str):
            return value
        return visible_lines(context.function.safe(value).replace("\r\n", "\n"))

    app.jinja_env.finalize = harmless
    app.jinja_env.filters["clock"] = lambda at: times.clock(at, _here())
    app.jinja_env.filters["whole"] = lambda at: times.whole(at, _here())
    app.jinja_env.filters["offset"] = lambda at, zone: times.offset(at, _tz(zone))
    app.jinja_env.filters["zone_of"] = lambda at: times.offset(at, _here())
    app.jinja_env.filters["utc"] = times.utc
    app.jinja_env.filters["count"] = lambda number: f"{number:,}"
    app.jinja_env.filters["pretty"] = pretty
    app.jinja_env.filters["of_log"] = of_log
    app.jinja_env.filters["from_json"] = json.loads
    # What markup.py made is escaped already.
    app.jinja_env.filters["markup"] = Markup


def _address(query: Mapping[str, str], **changes: object) -> str:
    """This page with another query. Not by url_for, which takes some names for its own."""
    page = request.endpoint or "pages.deliveries"
    return f"{url_for(page, **(request.view_args or {}))}?{urlencode({**query, **changes})}"


def _here() -> tzinfo:
    """The zone in which the page shows times."""
    zone: tzinfo = g.get("tz", timezone.utc)
    return zone


def _tz(zone: Zone) -> tzinfo:
    return times.tz_of(zone, request.cookies.get(BROWSER_ZONE, ""))


def of_log(time: str) -> float:
    """The time of a line of the function's log, in epoch seconds."""
    moment = converters.moment(time)
    return moment.timestamp() if moment else 0.0
