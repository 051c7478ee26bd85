"""Shared by the commands: options, settings, the function on this machine, errors as messages."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ci_callback.counted import Counted, DatedStore
from ci_callback.late_bar import LateBar, log_stream
from ci_callback.named_ledgers import known_as
from ci_callback.newest import Dated
from ci_callback.program import VERBOSE
from ci_callback.terminal import complain
from ci_callback.writing import ReadOnly, ledger_name
from handler.errors import HandlerError, SettingsError, StoreError
from handler.ledger.records import Ledger
from handler.ledger.store import Store
from handler.log import Log
from handler.settings import Settings
from handler.stores import open_store

if TYPE_CHECKING:
    from handler.app import Function
    from handler.retries.context import SweepContext

EXIT_NOT_2XX = 1
EXIT_SETTINGS = 3
EXIT_STORE = 4

_AGO = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

AsJson = Annotated[
    bool,
    typer.Option("--json", envvar="CI_CALLBACK_JSON", help="Print JSON."),
]


def moment(text: str) -> datetime:
    """A point in time: 90m, 24h, 7d or 2w ago; a day; an RFC 3339 time. UTC unless it says other.

    Raises:
        typer.BadParameter: it is in none of these forms.
    """
    ago = _AGO.fullmatch(text)
    try:
        if ago:
            return datetime.now(timezone.utc) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r}: write 24h, 7d, 2026-11-20 or 2026-11-20T08:00:00Z"
        ) from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)


Since = Annotated[
    datetime | None,
    typer.Option(
        parser=moment,
        metavar="WHEN",
        help="Only jobs created since: 24h, 7d, 2026-11-20 or an RFC 3339 time.",
    ),
]
Until = Annotated[
    datetime | None,
    typer.Option(parser=moment, metavar="WHEN", help="Only jobs created before."),
]


@dataclass(frozen=True)
class Local:
    """The function on this machine, with the settings of its environment.

    What only some commands need of it is imported where they ask for it: most of the time in which
    `jobs` starts were modules that it does not use.
    """

    settings: Settings
    log: Log
    ledger: Ledger
    request_id: str
    bar: LateBar
    """Of the requests to the ledger. It is closed before a question: a bar would overwrite it."""

    @functools.cached_property
    def function(self) -> Function:
        """The function itself."""
        from handler.app import Function

        # Through the store whose requests are counted.
        store = self.ledger.store
        return Function(os.environ, time.time, self.log, open_store=lambda settings, left: store)

    @property
    def sweep_context(self) -> SweepContext:
        """The context of a sweep."""
        from handler.retries.context import Invocation, SweepContext

        function = self.function
        invocation = Invocation(function.clock, function.sleep, function.log, self.request_id)
        return SweepContext.of(self.settings, self.ledger.store, invocation)


@contextlib.contextmanager
def local(
    must_exist: bool = False, writes: bool = False, doing: str | None = "Asking the ledger"
) -> Iterator[Local]:
    """The function on this machine. Errors become a message and an exit status.

    must_exist: of a command that makes no ledger: a folder that is not there is a wrong path, and
    a prefix on COS that holds nothing probably a wrong one. writes: it asks before any request.
    doing: what the progress bar says; None where there is none, for a command that does not end.
    """
    with errors_as_messages():
        settings = Settings.from_env(os.environ)
        if must_exist:
            check_exists(settings)
        # In SCF the function's log goes to stdout; here stdout is for the result. A line for each
        # callback would drown it: those are printed with --verbose.
        log = Log(log_stream(bool(os.environ.get(VERBOSE))), time.time, settings.secrets)
        ledger = known_as(settings.ledger_url)
        bar = LateBar(doing or "", unit="requests")
        with _store(settings, bar if doing else None) as counted:
            is_cos = settings.ledger_url.scheme == "cos"
            if must_exist and is_cos and not writes and not counted.folders(""):
                complain(f"{ledger_name(settings.ledger_url)} holds nothing: is it the ledger?")
            store = ReadOnly(counted, ledger) if ledger and ledger.is_read_only else counted
            yield Local(settings, log, Ledger(store), str(uuid.uuid4()), bar)


def check_exists(settings: Settings) -> None:
    """End the command with a message where the ledger's folder is not there."""
    url = settings.ledger_url
    if url.scheme == "file" and not url.folder.is_dir():
        complain(f"There is no ledger at {url.folder}. {_ledgers_beside(url.folder)}")
        raise typer.Exit(EXIT_STORE)


def _ledgers_beside(folder: Path) -> str:
    """The ledgers there are where one is missing."""
    try:
        beside = sorted(str(made.parent) for made in folder.parent.glob("*/jobs"))
    except OSError:
        beside = []
    if beside:
        return f"There are: {', '.join(beside)}; name one with --ledger file:PATH."
    return "LEDGER_URL or --ledger names it; it is made when the first callback is stored."


@contextlib.contextmanager
def _store(settings: Settings, bar: LateBar | None) -> Iterator[Store]:
    """The ledger's store. People see how many requests it was sent while they wait; with --verbose
    the number is printed at the end too."""
    store = open_store(settings)
    if not isinstance(store, Dated):
        raise TypeError(f"requests to a {type(store).__name__} can't be counted")
    counted = Counted(cast("DatedStore", store), *((bar.step,) if bar else ()))
    try:
        yield counted
    finally:
        if bar:
            bar.close()
        if os.environ.get(VERBOSE):
            complain("requests to the ledger:", str(counted) or "none")


@contextlib.contextmanager
def errors_as_messages() -> Iterator[None]:
    """End a command with a message and an exit status in place of a stack trace."""
    try:
        yield
    except SettingsError as error:
        for problem in error.problems:
            complain("settings:", str(problem))
        raise typer.Exit(EXIT_SETTINGS) from error
    except StoreError as error:
        complain("store:", error)
        raise typer.Exit(EXIT_STORE) from error
    except (HandlerError, ValueError) as error:
        complain(error)
        raise typer.Exit(EXIT_NOT_2XX) from error
