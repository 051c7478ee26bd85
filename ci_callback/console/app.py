"""The console as a Flask application: language, errors, and what every template needs."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from urllib.parse import urlencode

from flask import Flask, Response, g, render_template, request, url_for
from jinja2 import StrictUndefined
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from ci_callback.console import guard
from ci_callback.console.actions import actions
from ci_callback.console.body import pretty
from ci_callback.console.context import EXTENSION, ConsoleContext, Plans
from ci_callback.console.pages import pages
from ci_callback.console.record_cache import RecordCache
from ci_callback.devserver.local_function import LocalFunction
from ci_callback.texts import LANGS, TEXTS, Texts
from handler.callback import converters
from handler.errors import StoreError

MOUNT = "/_"
"""Where it is: no callback path begins so, and SCF's own has no such pages."""

LANG_COOKIE = "console_lang"
YEAR_S = 365 * 24 * 3600


def create_console(
    function: LocalFunction, port: int, ci: Plans | None, sweep_every_s: float
) -> Flask:
    """The application, to be mounted at MOUNT. port: where the server listens."""
    app = Flask(__name__)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    context = ConsoleContext(function, RecordCache(function), port, ci, sweep_every_s)
    guard.install(app, port)
    app.extensions[EXTENSION] = context
    app.register_blueprint(pages)
    app.register_blueprint(actions)
    _speak(app)
    _furnish(app, context)

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> tuple[str, int]:
        status = error.code or 500
        return _error_page(status, error.description or ""), status

    @app.errorhandler(StoreError)
    def no_ledger(error: StoreError) -> tuple[str, int]:
        return _error_page(503, str(error)), 503

    return app


def _error_page(status: int, why: str) -> str:
    key = f"error.{status}"
    return render_template("error.html", heading=key if key in TEXTS else "error", why=why)


def _speak(app: Flask) -> None:
    """The language: the one asked for, else the one chosen before, else the browser's."""

    @app.before_request
    def choose() -> None:
        chosen = (request.args.get("lang"), request.cookies.get(LANG_COOKIE))
        best = request.accept_languages.best_match(LANGS) or LANGS[0]
        g.lang = next((lang for lang in chosen if lang in LANGS), best)

    @app.after_request
    def remember(response: Response) -> Response:
        # A request that is refused has no language, and chooses none.
        if "lang" in g and request.args.get("lang") in LANGS:
            response.set_cookie(
                LANG_COOKIE, g.lang, YEAR_S, path=f"{MOUNT}/", httponly=True, samesite="Strict"
            )
        return response


def _furnish(app: Flask, context: ConsoleContext) -> None:
    """Give templates their functions and values."""

    @app.context_processor
    def furniture() -> dict[str, object]:
        # Where a request is refused before its language is chosen, the page is in English.
        lang = g.get("lang", LANGS[0])

        def in_lang(other: str) -> str:
            # The query is put behind the address, and not given to url_for: some names of
            # parameters, such as _method and endpoint, are url_for's own.
            here = request.endpoint if request.method == "GET" else None
            page = (
                url_for(here, **(request.view_args or {})) if here else url_for("pages.deliveries")
            )
            return f"{page}?{urlencode({**request.args.to_dict(), 'lang': other})}"

        return {
            "t": Texts(lang),
            "lang": lang,
            "in_lang": in_lang,
            "context": context,
            "now": context.function.clock(),
        }

    def harmless(value: object) -> object:
        """Whatever a page shows, no secret of the settings is in it."""
        if isinstance(value, Markup) or not isinstance(value, str):
            return value
        return context.function.safe(value)

    app.jinja_env.finalize = harmless
    app.jinja_env.filters["clock"] = clock
    app.jinja_env.filters["utc"] = utc
    app.jinja_env.filters["pretty"] = pretty
    app.jinja_env.filters["of_log"] = of_log
    app.jinja_env.filters["from_json"] = json.loads
    # What markup.py made is escaped already.
    app.jinja_env.filters["markup"] = Markup


def clock(epoch_s: float) -> str:
    """A time as the clock on this machine's wall shows it; with its day unless it is today's."""
    at = datetime.fromtimestamp(epoch_s).astimezone()
    is_today = at.date() == datetime.now().astimezone().date()
    return at.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M:%S")


def utc(epoch_s: float) -> str:
    """For machines: 2022-07-25T08:35:39Z."""
    return datetime.fromtimestamp(epoch_s, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def of_log(time: str) -> float:
    """The time of a line of the function's log, in epoch seconds."""
    moment = converters.moment(time)
    return moment.timestamp() if moment else 0.0
