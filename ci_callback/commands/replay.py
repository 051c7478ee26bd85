"""`replay`: process callbacks again, from a log or from another ledger such as production's."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated

import typer

from ci_callback.callback_body import callback_body
from ci_callback.commands.deploy_session import Stage
from ci_callback.commands.logged_bodies import CLS, LogSource, checked_source, logged_bodies
from ci_callback.common import EXIT_NOT_2XX, AsJson, Local, Since, Until, check_exists, local
from ci_callback.dead_letters import dead_letters
from ci_callback.delivery import Callback, Target, deliver
from ci_callback.delivery_output import (
    complain_of_silence,
    exit_unless_all_well,
    show_many,
    stepping,
    target_of,
)
from ci_callback.late_bar import late_bar
from ci_callback.ledger_reader import record_keys, records
from ci_callback.named_ledgers import by_name, is_address
from ci_callback.record_filter import RecordFilter, Tag, check_order
from ci_callback.terminal import complain, print_json, say
from ci_callback.views import counted
from ci_callback.writing import Yes, confirm_writing
from handler.ledger.store import Store
from handler.run import Run
from handler.settings import Settings, StoreUrl
from handler.stores import open_store
from handler.triggers import Delivery, JobResult

BATCH = 64
TIMEOUT_S = 30.0


def replay(
    from_log: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|cls:[TOPIC_ID]",
            help="The function's log: its stdout, or an export of CLS, JSON or CSV, gzip or not. "
            "cls: reads the deployed function's own log topic, cls:TOPIC_ID another one, of the "
            "last day or --since.",
            callback=checked_source,
        ),
    ] = None,
    from_ledger: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="URL|NAME",
            help="Ledger to read: cos://bucket-appid/prefix, file:./path, or a name of "
            "ci-callback.ini. It is not changed.",
        ),
    ] = None,
    since: Since = None,
    until: Until = None,
    tag: Tag = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only failed jobs.")] = False,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Send the callbacks to the function at this address instead.",
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(help="With --to: see `send --token`.", show_default=False),
    ] = None,
    dead: Annotated[
        bool,
        typer.Option("--dead", help="With --from: its dead letters, not its records."),
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="With --from: at most this many.")] = 10_000,
    accept_unauthenticated: Annotated[
        bool,
        typer.Option(
            "--accept-unauthenticated",
            help="With --from-log: do not ask about bodies from unchecked senders.",
        ),
    ] = False,
    function: Annotated[
        str,
        typer.Option(help="With cls: name of the function; default: the one in serverless.yml."),
    ] = "",
    stage: Stage = "production",
    cloud: Annotated[str, typer.Option(hidden=True)] = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Process callbacks again: from the log of a store outage, or rebuilt from another ledger.

    They go into this ledger, or to the address of --to. A callback that is already stored is a
    duplicate, and changes nothing.
    """
    if (from_log is None) == (from_ledger is None):
        raise typer.BadParameter("pass one of --from-log FILE and --from URL")
    is_file = from_log is not None and not from_log.startswith(CLS)
    if from_log is not None and (tag or failed or dead or (is_file and (since or until))):
        raise typer.BadParameter(
            "--tag, --failed and --dead go with --from, --since and --until also with cls:"
        )
    if token is not None and to is None:
        raise typer.BadParameter("--token goes with --to")
    check_order(since, until)
    missing: list[str] = []
    with local(doing=None) as here:
        into = here.settings.ledger_url if to is None else None
        if into is not None:
            confirm_writing(here.settings, yes)
        if from_log is not None:
            source = LogSource(from_log, since, until, function, stage, cloud)
            logged = logged_bodies(source, accept_unauthenticated, may_ask=not as_json)
            missing, bodies = logged.missing, iter(logged.bodies)
        else:
            wanted = RecordFilter(since, until, tag, outcome="failed" if failed else None)
            bodies = islice(_from_ledger(str(from_ledger), into, wanted, dead), limit)
        if to is not None:
            _send(target_of(to, token), list(bodies), missing, as_json)
            return
        number, outcomes = _take(here, bodies)
    counts: Counter[str] = Counter(outcome.status for outcome in outcomes)
    if as_json:
        print_json({"bodies": number, "jobs": dict(sorted(counts.items())), "missing": missing})
    else:
        say(f"{number} callbacks processed; jobs: {counted(counts) or 'none'}")
        for digest in missing:
            say("not processed:", digest)
    if missing or "retry_later" in counts:
        raise typer.Exit(EXIT_NOT_2XX)


def _send(target: Target, bodies: list[bytes], missing: list[str], as_json: bool) -> None:
    begin = time.perf_counter()
    with late_bar("Sending", len(bodies)) as bar:
        make = stepping(lambda n: Callback(None, bodies[n]), bar)
        answered = deliver(target, make, len(bodies), 1, TIMEOUT_S)
    show_many(target, answered, time.perf_counter() - begin, as_json)
    complain_of_silence(target, answered)
    for digest in missing:
        complain("not sent:", digest)
    if missing:
        raise typer.Exit(EXIT_NOT_2XX)
    exit_unless_all_well(answered)


def _from_ledger(
    url: str, into: StoreUrl | None, wanted: RecordFilter, dead: bool
) -> Iterator[bytes]:
    """Bodies out of another ledger, with this environment's credentials."""
    variables = {"LEDGER_URL": url}
    if not is_address(url):
        named = by_name(url)
        variables = {"LEDGER_URL": named.text, "COS_REGION": named.region or ""}
    settings = Settings.from_env({**os.environ, **{k: v for k, v in variables.items() if v}})
    if settings.ledger_url == into:
        raise typer.BadParameter("--from names the ledger of LEDGER_URL itself")
    check_exists(settings)
    store = open_store(settings)
    if dead:
        yield from _dead_callbacks(store)
        return
    for stored in records(store, record_keys(store, wanted.days)):
        if stored.record is not None and wanted.matches(stored.record):
            yield callback_body(stored.record)


def _dead_callbacks(store: Store) -> Iterator[bytes]:
    """Bodies of dead letters, those of records and tickets of the other ledger's own left out."""
    for dead_letter in dead_letters(store):
        if dead_letter.content != "callback":
            complain(
                "left out:", dead_letter.key, f"it holds a {dead_letter.content} of that ledger"
            )
            continue
        try:
            yield dead_letter.body
        except ValueError as error:
            complain("left out:", dead_letter.key, error)


def _take(here: Local, bodies: Iterator[bytes]) -> tuple[int, Sequence[JobResult]]:
    number, outcomes = 0, []
    with late_bar("Replaying", unit="callbacks") as bar:
        while batch := [Delivery(body) for body in islice(bodies, BATCH)]:
            number += len(batch)
            run = Run(here.request_id, time.perf_counter())
            outcomes += here.function.process(batch, "replay", here.settings, run)
            bar.step(len(batch))
    return number, outcomes
