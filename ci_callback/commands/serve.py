"""`serve`: the function on loopback as SCF would call it, its timer, and the console."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import Annotated, cast

import typer

from ci_callback.common import told_errors
from ci_callback.terminal import complain


def serve(
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 9000,
    host: Annotated[str, typer.Option(help="Address of loopback to bind to.")] = "127.0.0.1",
    ci: Annotated[
        str,
        typer.Option(
            help="local: a stand-in for CI on this machine. real: CI itself, where a retry costs "
            "money. auto: local with a ledger in a folder, real with one on COS.",
            metavar="auto|local|real",
        ),
    ] = "auto",
    sweep_every: Annotated[
        float, typer.Option(help="Seconds between two sweeps of the timer; 0: none.", min=0)
    ] = 60,
    reconcile_every: Annotated[
        float, typer.Option(help="Seconds between two reconciliations; 0: none.", min=0)
    ] = 1800,
) -> None:
    """Run the function on http://127.0.0.1:9000, timer included; a console is at /_/.

    The function's log goes to stdout, as in SCF.
    """
    # Imported here: no other command needs a web server.
    from ci_callback.devserver.running import Options, WhichCi, running

    if ci not in ("auto", "local", "real"):
        raise typer.BadParameter("--ci is auto, local or real")
    options = Options(host, port, cast("WhichCi", ci), sweep_every, reconcile_every)
    with told_errors(), running(os.environ, options, sys.stdout) as server:
        which = "a local stand-in" if server.ci else "the real one"
        complain(f"function  {server.url}/")
        complain(f"console   {server.console_url}")
        complain(f"CI        {which}")
        complain("Ctrl-C ends it.")
        wait()


def wait() -> None:
    """Until the terminal interrupts."""
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
