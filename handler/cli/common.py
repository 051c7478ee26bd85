"""What the commands share: settings, the function as SCF would run it, errors told as such."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console

from handler.app import Function, open_store
from handler.errors import HandlerError, SettingsError, StoreError
from handler.ledger.ledger import Ledger
from handler.log import Log
from handler.recovery.bench import Bench
from handler.recovery.sweep import make_bench
from handler.settings import Settings

EXIT_NOT_2XX = 1
EXIT_SETTINGS = 3
EXIT_STORE = 4

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]


@dataclass(frozen=True)
class Local:
    """The function on this machine, with the settings of its environment."""

    settings: Settings
    function: Function
    ledger: Ledger
    request_id: str

    @property
    def bench(self) -> Bench:
        """The tools of a sweep."""
        function = self.function
        return make_bench(
            self.settings,
            self.ledger.store,
            None,
            function.clock,
            function.sleep,
            function.log,
            self.request_id,
        )


@contextlib.contextmanager
def local() -> Iterator[Local]:
    """The function on this machine; its faults become a message and an exit status."""
    with told_errors():
        settings = Settings.from_env(os.environ)
        # The function's log is on stdout in SCF; here stdout is for the result.
        log = Log(sys.stderr, time.time, settings.secrets)
        function = Function(os.environ, time.time, log)
        yield Local(settings, function, Ledger(open_store(settings)), str(uuid.uuid4()))


@contextlib.contextmanager
def told_errors() -> Iterator[None]:
    """Settings, store and other faults as a message and an exit status, not a stack trace."""
    try:
        yield
    except SettingsError as error:
        for problem in error.problems:
            typer.echo(f"settings: {problem}", err=True)
        raise typer.Exit(EXIT_SETTINGS) from error
    except StoreError as error:
        typer.echo(f"store: {error}", err=True)
        raise typer.Exit(EXIT_STORE) from error
    except (HandlerError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_NOT_2XX) from error


def console() -> Console:
    """stdout for people."""
    return Console(highlight=False, soft_wrap=True)


def echo_json(value: Any) -> None:
    """stdout for machines: one line."""
    typer.echo(json.dumps(value, ensure_ascii=False))
