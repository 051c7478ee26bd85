"""Pages and files about one delivery or one job: as it came, to edit, to compare, what was sent."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template, request

from ci_callback.callback_body import callback_body
from ci_callback.console import body
from ci_callback.console.bulk import bulk
from ci_callback.console.compare import differences
from ci_callback.console.context import ConsoleContext, console
from ci_callback.console.filters import Filter
from ci_callback.console.record_cache import is_record_key
from ci_callback.console.searching import search_of
from ci_callback.devserver.history import Request
from ci_callback.ledger_reader import StoredRecord
from handler.callback.record import JobRecord
from handler.redaction.text import redact_body

detail_pages = Blueprint("details", __name__)


@detail_pages.get("/deliveries/<int:number>/body")
def body_file(number: int) -> Response:
    """The body as it came, but for secrets."""
    context = console()
    sent = _request(context, number)
    text = context.function.safe(redact_body(sent.body))
    return _file(text, f"delivery-{number}.{_ending(sent.body)}")


@detail_pages.get("/deliveries/<int:number>/request")
def request_file(number: int) -> Response:
    """The whole request, as HTTP writes it."""
    context = console()
    sent = _request(context, number)
    query = f"?{sent.query}" if sent.query else ""
    lines = [f"{sent.method} {sent.path}{query} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in sent.headers]
    # A header holds no line break: what is shown of one must not look like two.
    head = "\n".join("".join(c if c.isprintable() else "\ufffd" for c in line) for line in lines)
    text = f"{head}\n\n{redact_body(sent.body)}"
    return _file(context.function.safe(text), f"delivery-{number}.http")


@detail_pages.get("/job/record")
def record_file() -> Response:
    """The record as it is stored."""
    context = console()
    record = _record(context, "key")
    text = context.function.safe(record.to_json().decode("utf-8", "replace"))
    return _file(text, "record.json")


@detail_pages.get("/deliveries/<int:number>/edit")
def edit(number: int) -> str:
    """A form that sends a delivery's body again, changed."""
    context = console()
    sent = _request(context, number)
    return _form(context, sent.body, number)


@detail_pages.get("/job/edit")
def edit_record() -> str:
    """The same for a job whose request is not kept: with the body that is made of its record."""
    context = console()
    return _form(context, callback_body(_record(context, "key")), None)


@detail_pages.get("/compare")
def compare() -> str:
    """Two attempts beside each other."""
    context = console()
    first, second = _record(context, "first"), _record(context, "second")
    return render_template(
        "compare.html",
        first=first,
        second=second,
        keys=(request.args["first"], request.args["second"]),
        differences=differences(first, second),
    )


@detail_pages.get("/retry")
def retry() -> str:
    """What a bulk retry would do, before it is done."""
    context = console()
    asked = Filter.of(request.args)
    with context.index.open() as lookup:
        found = bulk(lookup, search_of(context, lookup, asked), context.records.tickets())
    return render_template(
        "retry.html",
        failed=found.failed,
        waiting=len(found.tickets),
        query=asked.query(outcome="failed"),
    )


def _form(context: ConsoleContext, sent: bytes, number: int | None) -> str:
    if len(sent) > body.MAX_CHARS:
        abort(413)
    return render_template("edit.html", body=context.function.safe(body.shown(sent)), number=number)


def _request(context: ConsoleContext, number: int) -> Request:
    invocation = context.history.get(number)
    if invocation is None or invocation.request is None:
        abort(404)
    return invocation.request


def _record(context: ConsoleContext, name: str) -> JobRecord:
    """The record whose key is a parameter."""
    key = request.args.get(name, "")
    stored: StoredRecord | None = None
    if is_record_key(key):
        stored = context.records.read([key]).get(key)
    if stored is None or stored.record is None:
        abort(404)
    return stored.record


def _ending(raw: bytes) -> str:
    begin = raw.lstrip()[:1]
    return {b"<": "xml", b"{": "json", b"[": "json"}.get(begin, "txt")


def _file(text: str, name: str) -> Response:
    """A download. No browser shows it, whatever it holds."""
    return Response(
        text.encode("utf-8", "replace"),
        content_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
