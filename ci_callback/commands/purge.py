"""`purge`: removes everything that is kept of a job."""

from __future__ import annotations

from typing import Annotated

import typer

from ci_callback import purge as purging
from ci_callback.command_language import localised
from ci_callback.common import EXIT_NOT_2XX, AsJson, local
from ci_callback.terminal import complain, print_json, say
from ci_callback.writing import name_for_writing, someone_is_there
from handler.stores import open_spill


def purge(
    job_id: Annotated[
        str, typer.Argument(metavar="JOB_ID", help="The job, or one of its retries.")
    ],
    yes: Annotated[
        bool, typer.Option("--yes", help="Remove it without being asked, twice.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be removed, and remove nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove all that the ledger keeps of a job and its retries.

    Records, tickets, attempts, events, dead letters. It asks twice, and can't be undone. CI's own
    list of jobs and the log are not touched.
    """
    if not job_id.strip():
        raise typer.BadParameter("JOB_ID is empty")
    with local(must_exist=True, writes=True, doing="Looking for what is kept") as here:
        name_for_writing(here.settings)
        store, spill = here.ledger.store, open_spill(here.settings)
        kept = purging.find(store, job_id)
        spilled = purging.spilled(spill, kept.job) if spill is not None else []
        here.bar.close()
        if as_json:
            print_json(
                {
                    "jobs": list(kept.job.ids),
                    "removed": list(kept.gone),
                    "rewritten": list(kept.rest),
                    "spilled": spilled,
                }
            )
        else:
            _show(kept, spilled)
        if not (kept.gone or kept.rest or spilled):
            complain(f"nothing is kept of {job_id}")
            raise typer.Exit(EXIT_NOT_2XX)
        if dry_run:
            return
        _ask(job_id, len(kept.gone) + len(kept.rest) + len(spilled), yes)
        if spill is not None and spilled:
            spill.delete_many(spilled)
        purging.remove(store, kept)
    complain("removed; a callback that CI sends again is stored again")


def _show(kept: purging.Kept, spilled: list[str]) -> None:
    if len(kept.job.ids) > 1:
        say("job and retries:", ", ".join(kept.job.ids))
    for what, names in (
        ("removed", kept.gone),
        ("written without it", tuple(kept.rest)),
        ("removed from SPILL_URL", spilled),
    ):
        for name in names:
            say(f"  {what}:", name)


def _ask(job_id: str, count: int, yes: bool) -> None:
    """
    Raises:
        typer.Abort, typer.Exit: an answer is no.
        typer.BadParameter: nobody can be asked.
    """
    if yes:
        return
    if not someone_is_there():
        raise typer.BadParameter("nobody can be asked: pass --yes")
    words = f"Remove these {count} objects? It can't be undone."
    typer.confirm(localised(words), abort=True, err=True)
    if typer.prompt(localised("Type the JOB_ID to remove them"), err=True) != job_id:
        complain("that is not its id; nothing was removed")
        raise typer.Exit(EXIT_NOT_2XX)
