"""The pages: each reads, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from ci_callback import ledger_reader as reading
from ci_callback.console import body, digests
from ci_callback.console.context import ConsoleContext, console
from ci_callback.console.events import Timeline
from ci_callback.console.filters import MAX_PAGE, Filter
from ci_callback.console.paging import place_of
from ci_callback.console.record_cache import MAX_TICKETS, is_record_key
from ci_callback.console.rows import NO_JOB, OUTCOMES, Wanted, page
from ci_callback.console.searching import search_of
from ci_callback.console.tickets import KINDS, waiting
from ci_callback.dead_letters import (
    NoSuchDeadLetterError,
    StoredDeadLetter,
    find,
    newest_keys,
    read_all,
)
from ci_callback.devserver import samples
from ci_callback.devserver.history import Invocation
from ci_callback.job_lookup import find as find_job
from ci_callback.record_index.search import SORTS
from handler.failure_codes import CODES
from handler.redaction.text import redact_body

MAX_SHOWN = 300
"""Digests on a page."""

HEARTBEAT_S = 15.0
"""Between two lines of a silent stream: a browser that is gone shows when it is written to."""

pages = Blueprint("pages", __name__)


class JobPart(NamedTuple):
    """One job of a delivery: its record, and its time line."""

    key: str
    stored: reading.StoredRecord | None
    timeline: Timeline | None


@pages.get("/")
def deliveries() -> str:
    context = console()
    asked = Filter.of(request.args)
    with context.index.open() as lookup:
        wanted = Wanted(asked, search_of(context, lookup, asked), _page())
        shown = page(context.history.deliveries(), context.records, lookup, wanted)
    return render_template(
        "deliveries.html",
        page=shown,
        wanted=asked,
        outcomes=(*OUTCOMES, *NO_JOB),
        sorts=SORTS,
        progress=context.index.index.progress,
        can_retry=shown.counts.get("failed") and asked.outcome in ("", "failed"),
    )


@pages.get("/deliveries/<int:number>")
def delivery(number: int) -> str:
    context = console()
    invocation = _known(context, number)
    if invocation.request is None:
        abort(404)
    return render_template(
        "delivery.html",
        one=invocation,
        body=context.function.safe(_text(invocation.request.body)),
        is_raw=_is_raw(),
        parts=list(_parts(context, invocation)),
    )


@pages.get("/job")
def job() -> str | BaseResponse:
    context = console()
    key = request.args.get("key", "")
    if job_id := request.args.get("id"):
        with context.index.open() as lookup:
            found = lookup.keys_of(job_id)
        if not found and not context.index.index.progress.is_whole:
            found = [stored.key for stored in find_job(context.records.store, job_id)]
        key = next(iter(found), "")
        return redirect(url_for("pages.job", key=key)) if key else abort(404)
    stored = context.records.read([key]).get(key) if is_record_key(key) else None
    if stored is None:
        abort(404)
    part = JobPart(key, stored, context.timelines().build(stored))
    return render_template("job.html", part=part)


@pages.get("/sweeps")
def sweeps() -> str:
    context = console()
    return render_template(
        "sweeps.html", tasks=context.history.tasks(), idle=context.history.last_idle
    )


@pages.get("/sweeps/<int:number>")
def sweep(number: int) -> str:
    context = console()
    return render_template("sweep.html", one=_known(context, number))


@pages.get("/outbox")
def outbox() -> str:
    context = console()
    kind = next((one for one in KINDS if one == request.args.get("kind")), KINDS[0])
    with context.index.open() as lookup:
        store, names = context.records.store, context.records.tickets()
        shown = waiting(store, names, lookup, kind, _page())
    return render_template(
        "outbox.html",
        waiting=shown,
        kinds=KINDS,
        is_cut=len(names) >= MAX_TICKETS,
        digests=digests.kept(context.records.store, MAX_SHOWN),
    )


@pages.get("/dead")
def dead() -> str:
    store = console().records.store
    keys = newest_keys(store)
    place = place_of(_page(), len(keys))
    listed = read_all(store, keys[place.skip : place.last])
    listed.sort(key=lambda stored: str(stored.values.get("received_at") or ""), reverse=True)
    return render_template("dead.html", dead_letters=listed, place=place)


@pages.get("/dead/<name>")
def dead_letter(name: str) -> str:
    context = console()
    stored = _dead_letter(context, name)
    try:
        text = context.function.safe(body.shown(stored.body))
    except ValueError:
        text = ""
    return render_template("dead_letter.html", dead_letter=stored, body=text)


@pages.get("/send")
def send() -> str:
    return render_template(
        "send.html",
        names=samples.names(),
        states=(*samples.STATES, samples.PARTIAL),
        codes=sorted(CODES),
        formats=samples.FORMATS,
    )


@pages.get("/live")
def live() -> Response:
    context = console()
    return Response(_versions(context), content_type="text/event-stream")


def _versions(context: ConsoleContext) -> Iterator[str]:
    """A line for each change, so that the page reloads its parts; else a comment."""
    seen = context.history.changes
    yield f"retry: 2000\ndata: {seen}\n\n"
    while (now := context.history.wait(seen, HEARTBEAT_S)) is not None:
        yield f"data: {now}\n\n" if now != seen else ": still here\n\n"
        context.index.index.look()  # others may have written
        seen = now


def _known(context: ConsoleContext, number: int) -> Invocation:
    return context.history.get(number) or abort(404)


def _parts(context: ConsoleContext, invocation: Invocation) -> Iterator[JobPart]:
    timelines = context.timelines()
    for job in invocation.jobs:
        kept = job.key if is_record_key(job.key) else _kept_key(context, job.job_id)
        stored = context.records.read([kept]).get(kept) if kept else None
        yield JobPart(job.key, stored, timelines.build(stored) if stored else None)


def _kept_key(context: ConsoleContext, job_id: str) -> str:
    """The key of the record of a delivery's job where the delivery itself was not kept: the job of
    a conflict, for example, was delivered before."""
    answered = (
        job
        for invocation in context.history.deliveries()
        for job in invocation.jobs
        if job.job_id == job_id
    )
    return next((job.key for job in answered if is_record_key(job.key)), "")


def _dead_letter(context: ConsoleContext, name: str) -> StoredDeadLetter:
    try:
        return find(context.records.store, name)
    except NoSuchDeadLetterError:
        abort(404)


def _is_raw() -> bool:
    return request.args.get("raw") == "1"


def _text(sent: bytes) -> str:
    """A body as it is shown: indented, or as it came."""
    return redact_body(sent)[: body.MAX_CHARS] if _is_raw() else body.shown(sent)


def _page() -> int:
    return min(request.args.get("page", 1, type=int), MAX_PAGE)
