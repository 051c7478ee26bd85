"""`query`: SQL over the ledger's records, by DuckDB."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ci_callback.common import EXIT_NOT_2XX, AsJson, local, moment
from ci_callback.ledger_mirror import local_folder
from ci_callback.ledger_reader import DayRange
from ci_callback.listing import AsCsv, Columns, Form, Header, print_objects, say_rows
from ci_callback.program import PROGRAM
from ci_callback.record_filter import check_order
from ci_callback.terminal import complain, is_terminal, say

if TYPE_CHECKING:
    import duckdb

SLOW_S = 3.0

ROWS = 1_000
"""What a terminal shows ends after so many rows."""


def query(
    sql: Annotated[
        str, typer.Argument(help="A query over jobs, workflows, reviews; - reads it from stdin.")
    ],
    since: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="WHEN", help="Load only records from this day on."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="WHEN", help="Load only records up to this day."),
    ] = None,
    copies: Annotated[
        Path,
        typer.Option(help="Folder for copies of ledgers on COS, and for records already loaded."),
    ] = Path(".ci-callback"),
    offline: Annotated[
        bool,
        typer.Option(
            "--offline", help="Query the last copy of a ledger on COS, and ask COS nothing."
        ),
    ] = False,
    columns: Columns = None,
    header: Header = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Query the ledger in SQL. docs/queries.md has examples.

    A ledger on COS is copied first; only new records are transferred. In a pipe, values are
    separated by tabs. --json prints one object per row.
    """
    try:
        import duckdb
    except ModuleNotFoundError as error:
        complain("query needs DuckDB: pip install duckdb")
        raise typer.Exit(EXIT_NOT_2XX) from error
    from ci_callback.query.cache import cache_folder
    from ci_callback.query.database import NotAQueryError, check_statement, records_database

    check_order(since, until)
    text = _statement(sql)
    days = DayRange(since.date() if since else None, until.date() if until else None)
    with local(must_exist=not offline, doing=None) as here:
        try:
            check_statement(text)
            began = time.perf_counter()
            folder = local_folder(here.settings, here.ledger.store, copies, offline)
            with records_database(folder, days, cache_folder(copies, folder)) as database:
                _hint(time.perf_counter() - began)
                result = database.execute(text)
                names = [column[0] for column in result.description or ()]
                form = Form(columns, as_csv, header)
                if as_json:
                    print_objects(names, _rows(result), form)
                else:
                    _print(names, _rows(result), form)
        except NotAQueryError as error:
            raise typer.BadParameter(str(error)) from error
        except duckdb.Error as error:
            for line in filter(None, str(error).split("\n")):
                complain("query:", line)
            raise typer.Exit(EXIT_NOT_2XX) from error


def _hint(seconds: float) -> None:
    """Say what makes the next query faster, if people wait."""
    if seconds > SLOW_S and sys.stderr.isatty():
        complain(
            f"Loading the records took {seconds:.0f} s; the next query has them. "
            f"`{PROGRAM} compact` folds each day into one file."
        )


def _statement(sql: str) -> str:
    """The text of a query, which DuckDB takes in UTF-8 only. An argument that is not has surrogates
    in place of its bytes; so has standard input, or it can't be read, by the locale."""
    try:
        text = sys.stdin.read() if sql == "-" else sql
        text.encode("utf-8")
    except UnicodeError as error:
        raise typer.BadParameter("the query is not valid UTF-8") from error
    return text


def _rows(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[object, ...]]:
    while some := result.fetchmany(ROWS):
        yield from some


def _print(names: list[str], rows: Iterator[tuple[object, ...]], form: Form) -> None:
    is_limited = is_terminal() and not form.csv
    count = say_rows(names, islice(rows, ROWS) if is_limited else rows, form)
    if is_limited and count == ROWS:
        say(f"The first {ROWS} rows; a pipe, --csv and --json have all.")
