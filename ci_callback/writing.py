"""Commands that write to a ledger name it first. One on COS they ask about, since `.env` may name
production; one that its file calls read-only they leave alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from ci_callback.command_language import localised
from ci_callback.named_ledgers import NamedLedger, known_as
from ci_callback.newest import Dated
from ci_callback.terminal import Styled, complain
from handler.errors import HandlerError
from handler.ledger.store import Store
from handler.settings import Settings, StoreUrl

Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        "-y",
        envvar="CI_CALLBACK_YES",
        help="Do not ask before writing to a ledger on COS.",
    ),
]


class ReadOnlyError(HandlerError):
    """A command would write to a ledger that its file calls read-only."""

    def __init__(self, ledger: NamedLedger) -> None:
        super().__init__(
            f"{ledger.name} is read-only ({ledger.file}): name another ledger with --ledger"
        )


def ledger_name(url: StoreUrl) -> str:
    """A ledger as LEDGER_URL names it."""
    if url.scheme == "cos":
        return f"cos://{url.bucket}/{url.prefix}".rstrip("/")
    return f"file:{url.folder}"


def shown_ledger(url: StoreUrl) -> Styled:
    """A ledger for people: with its name and in its colour, where it has them."""
    known = known_as(url)
    if known is None:
        return Styled(ledger_name(url), "")
    return Styled(f"{known.name} ({ledger_name(url)})", f"bold {known.colour}".strip())


def someone_is_there() -> bool:
    """Whether a question can be answered."""
    return sys.stdin.isatty()


def name_for_writing(settings: Settings) -> None:
    """Name the ledger that a command is about to write to.

    Raises:
        ReadOnlyError, SettingsError
    """
    complain("ledger:", shown_ledger(settings.ledger_url))
    known = known_as(settings.ledger_url)
    if known is not None and known.is_read_only:
        raise ReadOnlyError(known)


def confirm_writing(settings: Settings, yes: bool) -> None:
    """As `name_for_writing`, and ask about a ledger on COS. A folder is one's own.

    Raises:
        ReadOnlyError, SettingsError
        typer.Abort: the answer is no.
        typer.BadParameter: there is no terminal to ask at, and --yes is not given.
    """
    name_for_writing(settings)
    url = settings.ledger_url
    if url.scheme != "cos" or yes:
        return
    if not someone_is_there():
        raise typer.BadParameter(
            f"this writes to {ledger_name(url)}, and there is no terminal to ask at: "
            "pass --yes, or name another ledger with --ledger"
        )
    typer.confirm(localised("Write to it?"), abort=True, err=True)


class ReadOnly:
    """A Store that can only be read, for a ledger that its file calls read-only. It also covers a
    command that does not check. Each write raises ReadOnlyError."""

    def __init__(self, store: Store, ledger: NamedLedger) -> None:
        self._store = store
        self._ledger = ledger

    def get(self, key: str) -> bytes | None:
        return self._store.get(key)

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        return self._store.list(prefix, stop, after)

    def folders(self, prefix: str) -> Sequence[str]:
        return self._store.folders(prefix)

    def dated(self, prefix: str) -> Iterator[tuple[str, str]]:
        """As the store's own."""
        if not isinstance(self._store, Dated):
            raise TypeError(f"a {type(self._store).__name__} knows no times")
        return self._store.dated(prefix)

    def put_new(self, key: str, data: bytes) -> bool:
        raise ReadOnlyError(self._ledger)

    def put(self, key: str, data: bytes) -> None:
        raise ReadOnlyError(self._ledger)

    def delete(self, key: str) -> None:
        raise ReadOnlyError(self._ledger)

    def delete_many(self, names: Sequence[str]) -> None:
        raise ReadOnlyError(self._ledger)
