"""Shared by the commands of deploy: their options, and the way to the account."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ci_callback.common import errors_as_messages
from ci_callback.terminal import complain, say
from handler.http_client import HttpClient

if TYPE_CHECKING:
    from ci_callback.deploy.calls import Call
    from ci_callback.deploy.errors import DeployError
    from ci_callback.deploy.job import Request, Session

EXIT_DIFFERENT = 2
TOKEN_BYTES = 32

Name = Annotated[
    str, typer.Option(help="Name of the function; default: the one in serverless.yml.")
]
Stage = Annotated[
    str,
    typer.Option(
        help="staging, or any other word: the end of the function's name. production: no "
        "ending. .env.STAGE takes precedence over the environment."
    ),
]
Region = Annotated[str, typer.Option(help="Region of bucket and function; default: COS_REGION.")]
To = Annotated[
    str,
    typer.Option(
        help="Rehearse with `serve --cloud`, which simulates Tencent Cloud on this machine.",
        metavar="http://127.0.0.1:PORT",
    ),
]
Yes = Annotated[
    bool, typer.Option("--yes", help="Replace addresses of other systems without asking.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the calls, and make none.")]


def carry_out(session: Session, calls: Sequence[Call], dry_run: bool) -> None:
    """Show calls, and make them unless it is a dry run."""
    # Imported here, as everywhere in these commands: no other one needs them.
    from ci_callback.deploy import show
    from ci_callback.deploy.run import carry_out_alone

    show.show_calls(calls)
    if dry_run:
        raise typer.Exit(EXIT_DIFFERENT)
    carry_out_alone(calls, session.cloud)
    say("done")


@contextlib.contextmanager
def session_of(request: Request) -> Iterator[Session]:
    """A session whose errors become a message and an exit status."""
    from ci_callback.cloud_api import CloudError
    from ci_callback.deploy.advice import advised
    from ci_callback.deploy.job import session

    with deploy_errors(request.to), contextlib.closing(HttpClient()) as http:
        try:
            yield session(request, os.environ, http)
        except CloudError as error:
            raise advised(error) from error


@contextlib.contextmanager
def deploy_errors(to: str) -> Iterator[None]:
    """Errors become a message and an exit status. to: of a rehearsal, or ""."""
    from ci_callback.deploy.errors import DeployError

    with errors_as_messages():
        try:
            yield
        except DeployError as error:
            shown = _in_rehearsal(error, to)
            complain("deploy:", shown.what)
            complain(f"    fix: {shown.fix}")
            raise typer.Exit(error.exit) from error


def _in_rehearsal(error: DeployError, to: str) -> DeployError:
    """The error; in a rehearsal, an address without an answer is not the network's fault."""
    from ci_callback.deploy.errors import EXIT_UNREACHABLE
    from ci_callback.deploy.job import not_there

    if not to or error.exit != EXIT_UNREACHABLE:
        return error
    return not_there(to, error.what)


def own_topic(session: Session) -> str:
    """The id of the function's log topic.

    Raises:
        CloudError
        DeployError: it has none.
    """
    from ci_callback.deploy import actual
    from ci_callback.deploy.errors import DeployError

    function = actual.function_version(session.cloud, session.description.name)
    topic = str(function.answer.get("ClsTopicId") or "") if function else ""
    if not topic:
        what = f"{session.description.name} has no log topic of its own"
        raise DeployError(what, "deploy --logs")
    return topic
