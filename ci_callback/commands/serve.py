"""`serve`: run the function on loopback as SCF would, with its timer and the console."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import Annotated, cast

import typer

from ci_callback.common import errors_as_messages
from ci_callback.program import PROGRAM
from ci_callback.terminal import complain
from ci_callback.writing import Yes, confirm_writing
from handler.errors import StoreError
from handler.ledger.folder import FOLDER_MODE
from handler.settings import Settings

COPIES = Path(".ci-callback")
"""Where the console keeps its index, beside the copies of `query`."""


def serve(
    port: Annotated[int, typer.Option(help="Port; 0: any free one.", min=0, max=65535)] = 9000,
    host: Annotated[str, typer.Option(help="Loopback address to bind to.")] = "127.0.0.1",
    ci: Annotated[
        str,
        typer.Option(
            help="local: a simulator of CI on this machine. real: CI itself, where a retry costs "
            "money. auto: local for a ledger in a folder, real for one on COS.",
            metavar="auto|local|real",
        ),
    ] = "auto",
    sweep_every: Annotated[
        float, typer.Option(help="Seconds between two sweeps; 0: no sweeps.", min=0)
    ] = 60,
    reconcile_every: Annotated[
        float, typer.Option(help="Seconds between two reconciliations; 0: none.", min=0)
    ] = 1800,
    cloud: Annotated[
        bool,
        typer.Option(
            "--cloud",
            help="Simulate Tencent Cloud, to rehearse `deploy --to`: an empty account, COS"
            " in the folder ./cloud, and the function once it is deployed.",
        ),
    ] = False,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Run the function under SCF's limits, in processes of its own: code that can't be "
            "written to, another user (as root), memory, time, sizes, open files, log lines.",
        ),
    ] = False,
    yes: Yes = False,
) -> None:
    """Run the function and its timer on http://127.0.0.1:9000; the console is at /_/.

    The function's log goes to stdout, as in SCF.
    """
    # Imported here: no other command needs a web server.
    from ci_callback.devserver.running import Options, WhichCi, running

    if cloud:
        _serve_cloud(port, sweep_every)
        return
    if ci not in ("auto", "local", "real"):
        raise typer.BadParameter("--ci must be auto, local or real")
    options = Options(
        host, port, cast("WhichCi", ci), sweep_every, reconcile_every, strict=strict, cache=COPIES
    )
    with errors_as_messages():
        settings = Settings.from_env(os.environ)
        confirm_writing(settings, yes)
        if settings.ledger_url.scheme == "file":
            # So that `tail` and `listen` can wait for the first callback.
            make_folder(settings.ledger_url.folder)
    with errors_as_messages(), running(os.environ, options, sys.stdout) as server:
        which = "a local simulator" if server.ci else "the real service"
        complain(f"function  {server.url}/")
        complain(f"console   {server.console_url}")
        complain(f"CI        {which}")
        if strict:
            for limit in limits():
                complain(f"strict    {limit}")
        complain("Press Ctrl-C to stop.")
        wait()


def make_folder(folder: Path) -> None:
    """Make the folder of a ledger.

    Raises:
        StoreError: it can't be made.
    """
    try:
        folder.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError("make", str(folder), error.strerror or "") from error


def _serve_cloud(port: int, sweep_every: float) -> None:
    from ci_callback.devserver.local_cloud import LocalCloud  # as above, and only on Unix

    with errors_as_messages(), LocalCloud(Path("cloud"), port) as account:
        complain(f"cloud     {account.url}")
        complain(f"deploy    LEDGER_URL={account.ledger} COS_REGION={account.region}")
        complain(f"          {PROGRAM} deploy --to {account.url}")
        complain("Press Ctrl-C to stop.")
        with account.timers(sweep_every):
            wait()


def limits() -> list[str]:
    """What --strict enforces here, and what it can't, a line each."""
    from ci_callback.scf_runner import MB, Limits, not_enforced  # as above

    known = Limits()
    return [f"{known.memory // MB} MB, {known.time_s:.0f} s for each invocation", *not_enforced()]


def wait() -> None:
    """Wait until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
