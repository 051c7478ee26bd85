"""`deploy`: make the account hold what serverless.yml says."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ci_callback.common import AsJson, errors_as_messages
from ci_callback.terminal import complain, print_json, say
from handler.http_client import HttpClient

EXIT_DIFFERENT = 2
TOKEN_BYTES = 32


def deploy(
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Show what is there, what differs and what would be called; write nothing. "
            "Exit status 2 where something differs.",
        ),
    ] = False,
    name: Annotated[str, typer.Option(help="Name of the function; else serverless.yml's.")] = "",
    stage: Annotated[
        str,
        typer.Option(
            help="staging, or any other word: the function's name ends with it. production: as it "
            "is. What .env.STAGE says goes before the environment."
        ),
    ] = "production",
    region: Annotated[str, typer.Option(help="Region of bucket and function.")] = "",
    file: Annotated[
        Path | None, typer.Option(help="Another serverless.yml.", dir_okay=False)
    ] = None,
    zip_file: Annotated[
        Path | None, typer.Option("--zip", help="Another bundle.", dir_okay=False)
    ] = None,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Remove variables and triggers that the file does not name."),
    ] = False,
    adopt: Annotated[
        bool,
        typer.Option("--adopt", help="Take over a function of that name that deploy did not make."),
    ] = False,
    show_token: Annotated[
        bool, typer.Option("--show-token", help="Print the address with its token.")
    ] = False,
    endpoint: Annotated[str, typer.Option("--api", hidden=True)] = "",
    as_json: AsJson = False,
) -> None:
    """Deploy function, role, policy, triggers and settings. A second run changes nothing."""
    # Imported here: no other command needs them.
    from ci_callback.deploy import run, show
    from ci_callback.deploy.job import Request, job_of
    from ci_callback.deploy.plan import Choices

    asked = Request(name, stage, region, file, zip_file, endpoint)
    with _errors(), contextlib.closing(HttpClient()) as http:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        job, cloud = job_of(asked, os.environ, http, token, Choices(prune, adopt))
        if dry_run:
            outcome = run.look(job, cloud)
            print_json(show.as_json(outcome)) if as_json else show.show_plan(
                outcome.desired, outcome.plan
            )
            raise typer.Exit(EXIT_DIFFERENT if outcome.plan.calls else 0)
        quiet = run.View(lambda desired, plan: None, lambda at: None)
        loud = run.View(show.show_plan, lambda at: say(f"  done {at + 1}"))
        outcome = run.deploy(job, cloud, quiet if as_json else loud)
        if as_json:
            print_json(show.as_json(outcome) | {"address": show.address(outcome, show_token)})
        else:
            show.show_outcome(outcome, show_token)


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    from ci_callback.deploy.errors import DeployError

    with errors_as_messages():
        try:
            yield
        except DeployError as error:
            complain("deploy:", error.what)
            complain("    fix:", error.fix)
            raise typer.Exit(error.exit) from error
