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
from ci_callback.terminal import Styled, print_json, print_log, progress, say, say_json
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
        """Whether it was answered 2xx."""
        return self.status in SUCCESS


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
    as_json: AsJson = False,
) -> None:
    """Run the function on callbacks, and show the answer and the records.

    For several files it prints one line per callback that needs a look, and a summary.
    """
    paths = list(_files(files))
    with errors_as_messages():
        settings = Settings.from_env(os.environ)
        done = _run(paths, settings, event, is_quiet=as_json or len(paths) == 1)
        if as_json:
            results = [_as_object(one, len(paths) > 1) for one in done]
            for result in results:
                print_json(result)
        elif len(paths) == 1:
            _show(done[0])
        else:
            _summarise(done)
    if not all(one.is_well for one in done):
        raise typer.Exit(EXIT_NOT_2XX)


def _files(named: list[Path]) -> Iterator[Path]:
    """The files, those of a folder in the order of their names."""
    for path in named:
        if path == STDIN or path.is_file():
            yield path
        elif path.is_dir():
            found = sorted(one for one in path.rglob("*") if one.suffix in (".xml", ".json"))
            if not found:
                raise typer.BadParameter(f"there is no .xml or .json file in {path}")
            yield from found
        else:
            raise typer.BadParameter(f"there is no file {path}")


def _run(paths: list[Path], settings: Settings, as_event: bool, is_quiet: bool) -> list[Invoked]:
    store = open_store(settings)
    done = []
    # The function logs to stdout, as in SCF; here stdout is for the result. With many files the
    # log would drown the summary, so it is shown only for answers other than 2xx.
    for path in progress(paths, "Invoking", not is_quiet):
        sent = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
        event = _event(sent, settings, as_event)
        log = io.StringIO()
        with contextlib.redirect_stdout(log):
            answer = main_handler(event, events.context())
        one = Invoked(str(path), answer, _kept(answer, store))
        if len(paths) == 1 or not one.is_well:
            print_log(log.getvalue())
        done.append(one)
    return done


def _event(sent: bytes, settings: Settings, as_event: bool) -> Any:
    if not as_event:
        token = settings.callback_tokens[0] if settings.callback_tokens else None
        return events.http_event(sent, token)
    try:
        return json.loads(sent)
    except ValueError as error:
        raise typer.BadParameter(f"an event must be JSON: {error}") from error


def _kept(answer: Any, store: Store) -> list[dict[str, Any]]:
    """Each key that the answer names, and the object under it."""
    found = []
    for job in _body(answer).get("jobs", ()):
        data = store.get(job["key"]) if job["key"] else None
        found.append({"key": job["key"], "record": json.loads(data) if data else None})
    return found


def _body(answer: Any) -> dict[str, Any]:
    body = json.loads(answer["body"]) if "body" in answer else answer
    return body if isinstance(body, dict) else {}


def _as_object(one: Invoked, named: bool) -> dict[str, Any]:
    result = {"answer": one.answer, "kept": one.kept}
    return {"file": one.file, **result} if named else result


def _show(one: Invoked) -> None:
    if "statusCode" in one.answer:
        say(Styled("Answer", "bold"), one.status)
        say_json(json.loads(one.answer["body"]))
    else:
        say(Styled("Answer", "bold"))
        say_json(one.answer)
    for kept in one.kept:
        say(Styled("Key   ", "bold"), kept["key"])
        say(Styled("Record", "bold"))
        say_json(kept["record"])


def _summarise(done: list[Invoked]) -> None:
    statuses: Counter[str] = Counter()
    for one in done:
        body = _body(one.answer)
        jobs = body.get("jobs") or [body]
        statuses.update(str(job.get("status")) for job in jobs)
        odd = [job for job in jobs if job.get("status") not in ("kept", "duplicate", "ignored")]
        if odd:
            why = "; ".join(f"{job.get('status')} {_about(job)}".strip() for job in odd)
            say(one.status, one.file, why, sep="  ")
    answers = Counter(one.status for one in done)
    by_answer = ", ".join(f"{count} × {status}" for status, count in sorted(answers.items()))
    by_status = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    say(f"{len(done)} callbacks: answers {by_answer}; jobs {by_status}")


def _about(job: dict[str, Any]) -> str:
    return str(job.get("job_id") or job.get("reason") or "")
