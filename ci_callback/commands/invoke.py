"""`invoke`: run the function on callbacks in files."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from ci_callback import events
from ci_callback.common import EXIT_NOT_2XX, AsJson, errors_as_messages
from ci_callback.delivery import SUCCESS
from ci_callback.program import PROGRAM, VERBOSE
from ci_callback.terminal import Styled, complain, print_json, print_log, progress, say, say_json
from ci_callback.views import counted
from ci_callback.writing import Yes, confirm_writing
from handler.app import main_handler
from handler.ledger.store import Store
from handler.settings import Settings
from handler.stores import open_store

STDIN = Path("-")


@dataclass(frozen=True)
class Invoked:
    """The function's answer to one file, and the records that the answer names."""

    file: str
    answer: Any
    kept: list[dict[str, Any]]

    @property
    def status(self) -> int:
        """The HTTP status; 200 for a trigger that answers in another form."""
        return int(self.answer.get("statusCode", 200)) if isinstance(self.answer, dict) else 200

    @property
    def is_well(self) -> bool:
        """Whether it was answered 2xx, and all of it was understood."""
        return self.status in SUCCESS and not self.dead_letters

    @property
    def dead_letters(self) -> list[dict[str, Any]]:
        """The parts of its answer that became dead letters."""
        body = _body(self.answer)
        parts = body.get("jobs") or [body]
        return [part for part in parts if part.get("status") == "dead_letter"]


def invoke(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Bodies of callbacks, XML or JSON: files, folders, or - for stdin.",
            metavar="FILE...",
        ),
    ],
    event: Annotated[
        bool, typer.Option("--event", help="Each file is a whole SCF event: pass it unchanged.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Run the function on callbacks, and show the answer and the records.

    For several files it prints one line per callback that needs a look, and a summary. The exit
    status is 1 where one was not answered 2xx, or became a dead letter. The function's log is
    printed with -v, before the command's name.
    """
    paths = list(_files(files))
    with errors_as_messages():
        settings = Settings.from_env(os.environ)
        confirm_writing(settings, yes)
        done = _run(paths, settings, event)
        if as_json:
            results = [_as_object(invocation, len(paths) > 1) for invocation in done]
            for result in results:
                print_json(result)
        elif len(paths) == 1:
            _show(done[0])
        else:
            _summarise(done)
    for invocation in done:
        for job in invocation.dead_letters:
            complain(f"{invocation.file}: a dead letter, {_about(job)} {job.get('key') or ''}")
    if not all(invocation.is_well for invocation in done):
        if not os.environ.get(VERBOSE):
            complain(f"The function's log says more: {PROGRAM} -v invoke …")
        raise typer.Exit(EXIT_NOT_2XX)


def _files(named: list[Path]) -> Iterator[Path]:
    """The files, those of a folder in the order of their names."""
    for path in named:
        if path == STDIN or path.is_file():
            yield path
        elif path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.suffix in (".xml", ".json"))
            if not files:
                raise typer.BadParameter(f"there is no .xml or .json file in {path}")
            yield from files
        else:
            raise typer.BadParameter(f"there is no file {path}")


def _run(paths: list[Path], settings: Settings, as_event: bool) -> list[Invoked]:
    store = open_store(settings)
    done = []
    # The function logs to stdout, as in SCF; here stdout is for the result, and the log would
    # drown it: --verbose shows it on stderr.
    for path in progress(paths, "Invoking", len(paths) > 1):
        data = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
        event = _event(data, settings, as_event)
        log = io.StringIO()
        with contextlib.redirect_stdout(log):
            answer = main_handler(event, events.context())
        invocation = Invoked(str(path), answer, _kept(answer, store))
        if os.environ.get(VERBOSE):
            print_log(log.getvalue())
        done.append(invocation)
    return done


def _event(data: bytes, settings: Settings, as_event: bool) -> Any:
    if not as_event:
        token = settings.callback_tokens[0] if settings.callback_tokens else None
        return events.http_event(data, token)
    try:
        return json.loads(data)
    except ValueError as error:
        raise typer.BadParameter(f"an event must be JSON: {error}") from error


def _kept(answer: Any, store: Store) -> list[dict[str, Any]]:
    """Each key that the answer names, and the object under it."""
    objects = []
    for job in _body(answer).get("jobs", ()):
        data = store.get(job["key"]) if job["key"] else None
        objects.append({"key": job["key"], "record": json.loads(data) if data else None})
    return objects


def _body(answer: Any) -> dict[str, Any]:
    body = json.loads(answer["body"]) if "body" in answer else answer
    return body if isinstance(body, dict) else {}


def _as_object(invocation: Invoked, named: bool) -> dict[str, Any]:
    result = {"answer": invocation.answer, "kept": invocation.kept}
    return {"file": invocation.file, **result} if named else result


def _show(invocation: Invoked) -> None:
    if "statusCode" in invocation.answer:
        say(Styled("Answer", "bold"), invocation.status)
        say_json(json.loads(invocation.answer["body"]))
    else:
        say(Styled("Answer", "bold"))
        say_json(invocation.answer)
    for kept in invocation.kept:
        say(Styled("Key   ", "bold"), kept["key"])
        say(Styled("Record", "bold"))
        say_json(kept["record"])


def _summarise(done: list[Invoked]) -> None:
    statuses: Counter[str] = Counter()
    for invocation in done:
        body = _body(invocation.answer)
        jobs = body.get("jobs") or [body]
        statuses.update(str(job.get("status")) for job in jobs)
        odd = [job for job in jobs if job.get("status") not in ("kept", "duplicate", "ignored")]
        if odd:
            why = "; ".join(f"{job.get('status')} {_about(job)}".strip() for job in odd)
            say(invocation.status, invocation.file, why, sep="  ")
    answers = Counter(invocation.status for invocation in done)
    by_answer = ", ".join(f"{count} × {status}" for status, count in sorted(answers.items()))
    say(f"{len(done)} callbacks: answers {by_answer}; jobs {counted(statuses)}")


def _about(job: dict[str, Any]) -> str:
    return str(job.get("job_id") or job.get("reason") or "")
