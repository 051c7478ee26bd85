"""Commands that write to a ledger on COS name it first, and ask: `.env` may name production."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ci_callback.terminal import complain
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


def ledger_name(url: StoreUrl) -> str:
    """A ledger as LEDGER_URL names it."""
    if url.scheme == "cos":
        return f"cos://{url.bucket}/{url.prefix}".rstrip("/")
    return f"file:{url.folder}"


def someone_is_there() -> bool:
    """Whether a question can be answered."""
    return sys.stdin.isatty()


def confirm_writing(settings: Settings, yes: bool) -> None:
    """Name the ledger on COS that a command is about to write to, and ask. A folder is one's own.

    Raises:
        typer.Abort: the answer is no.
        typer.BadParameter: nobody can be asked, and --yes is not given.
    """
    url = settings.ledger_url
    if url.scheme != "cos":
        return
    complain("ledger:", ledger_name(url))
    if yes:
        return
    if not someone_is_there():
        raise typer.BadParameter(
            f"this writes to {ledger_name(url)}, and nobody can be asked: pass --yes, or name "
            "another ledger with --ledger"
        )
    typer.confirm("Write to it?", abort=True, err=True)
