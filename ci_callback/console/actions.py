"""The buttons: each does one thing, and leads to the page that shows what came of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from ci_callback.callback_body import callback_body
from ci_callback.console.bulk import bulk
from ci_callback.console.context import console
from ci_callback.console.filters import Filter
from ci_callback.console.follow import TicketName
from ci_callback.console.record_cache import is_record_key
from ci_callback.console.searching import search_of
from ci_callback.devserver import samples
from ci_callback.devserver.history import Invocation
from handler.errors import HandlerError, StoreError

_PAGE = re.compile(r"/_/[!-\[\]-~]*")
"""A page of the console: no control character, and no \\ or //, behind which a host might be."""

RETRY_FAILURES = ("0", "1", "99")
"""How often the retry of a sample fails before it succeeds."""

actions = Blueprint("actions", __name__)


@actions.post("/samples")
def sample() -> Response:
    context = console()
    asked = samples.Asked(
        *(
            request.form.get(name, "").strip()
            for name in ("name", "state", "code", "message", "form", "user_data")
        )
    )
    if context.is_real and request.form.get("really") != "yes":
        return _back("flash.really", "pages.send")
    try:
        made = samples.make(asked)
    except samples.NoSuchSampleError as error:
        return _back("flash.sample_refused", "pages.send", why=str(error))
    failures = request.form.get("failures", "0")
    if context.ci is not None and failures in RETRY_FAILURES:
        context.ci.plan_retries(made.job_id, int(failures), made.format)
    return _delivered("flash.sent", context.function.send(made.body, "sample"))


@actions.post("/deliveries/<int:number>/again")
def again(number: int) -> Response:
    context = console()
    invocation = context.history.get(number)
    if invocation is None or invocation.request is None:
        abort(404)
    return _delivered(
        "flash.again", context.function.send(invocation.request.body, "again", number)
    )


@actions.post("/job/again")
def record_again() -> Response:
    context = console()
    key = request.form.get("key", "")
    stored = context.records.read([key]).get(key) if is_record_key(key) else None
    if stored is None or stored.record is None:
        abort(404)
    return _delivered("flash.again", context.function.send(callback_body(stored.record), "again"))


@actions.post("/edited")
def edited() -> Response:
    """Deliver a body that was edited in its form."""
    context = console()
    number = request.form.get("number", type=int)
    if context.is_real and request.form.get("really") != "yes":
        return _back("flash.really", "pages.deliveries")
    # A form sends each line break as two characters.
    sent = request.form.get("body", "").replace("\r\n", "\n").strip("\n")
    body = sent.encode("utf-8", "replace")
    known = number if number is not None and context.history.get(number) else None
    return _delivered("flash.edited", context.function.send(body, "edited", known))


@actions.post("/retry")
def retry() -> Response:
    """Make the retries due that wait for what a filter shows, and sweep."""
    context = console()
    asked = Filter.of(request.form)
    with context.index.open() as lookup:
        found = bulk(lookup, search_of(context, lookup, asked), context.records.tickets())
    moved = context.function.run_now(found.tickets)
    summary = _summary(context.function.tick("sweep", "button"))
    _note("flash.retried", n=moved, submitted=summary.get("submitted", 0))
    return redirect(url_for("pages.deliveries") + f"?{urlencode(asked.query())}", 303)


@actions.post("/sweeps")
def sweep() -> Response:
    context = console()
    hurried = request.form.get("ticket", "")
    if hurried == "all":
        context.function.run_now(context.records.tickets())
    elif TicketName.of(hurried).action:
        context.function.run_now([hurried])
    swept = context.function.tick("sweep", "button")
    target = request.form.get("to", "")
    is_page = _PAGE.fullmatch(target) and "//" not in target
    return _swept(swept, target if is_page else url_for("pages.sweeps"))


@actions.post("/dead/<name>/replay")
def replay(name: str) -> Response:
    context = console()
    try:
        outcomes = context.function.replay(name)
    except StoreError:
        raise
    except (HandlerError, ValueError) as error:
        return _back("flash.not_replayed", "pages.dead_letter", name=name, why=str(error))
    statuses = ", ".join(f"{outcome.job_id or ''} {outcome.status}".strip() for outcome in outcomes)
    return _back("flash.replayed", "pages.dead_letter", name=name, status=statuses)


def _delivered(key: str, invocation: Invocation) -> Response:
    _note(key, status=invocation.status)
    return redirect(url_for("pages.delivery", number=invocation.number), 303)


def _swept(invocation: Invocation, target: str) -> Response:
    summary = _summary(invocation)
    names = ("due", "submitted", "alerts_sent")
    values = {name: summary.get(name, 0) for name in names}
    status = summary.get("status")
    if status == "lease_held":
        _note("flash.lease_held")
    elif status not in ("done", "in_progress"):
        _note("flash.swept_badly")
    else:
        _note("flash.idle" if invocation.is_idle else "flash.swept", **values)
    return redirect(target, 303)


def _summary(invocation: Invocation) -> Mapping[str, Any]:
    return next((line for line in invocation.lines if line.get("event") == "sweep"), {})


def _back(key: str, endpoint: str, name: str | None = None, **values: str) -> Response:
    _note(key, **values)
    return redirect(url_for(endpoint, name=name), 303)


def _note(key: str, **values: object) -> None:
    """Words for the next page, by their key: it may be in another language."""
    flash(json.dumps([key, values]))
