"""`query`: SQL over the ledger's records, by DuckDB."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ci_callback.common import EXIT_NOT_2XX, AsJson, local
from ci_callback.ledger_mirror import local_folder
from ci_callback.query.view import view_sql
from ci_callback.terminal import Table, complain, print_json, say, say_table

ROWS = 1_000
"""A table for people ends after so many rows; --json gives all."""


def query(
    sql: Annotated[
        str, typer.Argument(help="A query over jobs, workflows, reviews; - reads it from stdin.")
    ],
    copies: Annotated[
        Path, typer.Option(help="Where a ledger on COS is copied to, and kept for the next query.")
    ] = Path(".ci-callback"),
    as_json: AsJson = False,
) -> None:
    """Ask the ledger in SQL. docs/queries.md has examples. A ledger on COS is copied down first:
    only what is new. --json prints one object a row."""
    try:
        import duckdb
    except ModuleNotFoundError as error:
        complain("query needs DuckDB: pip install duckdb")
        raise typer.Exit(EXIT_NOT_2XX) from error
    reading = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
    text = sys.stdin.read() if sql == "-" else sql
    with local() as here:
        folder = local_folder(here.settings, here.ledger.store, copies)
        with duckdb.connect() as connection:
            try:
                connection.execute(view_sql(folder))
                connection.execute(_lock(folder))
                if any(one.type not in reading for one in connection.extract_statements(text)):
                    raise typer.BadParameter("a query reads: SELECT, or EXPLAIN")
                result = connection.execute(text)
                names = [column[0] for column in result.description or ()]
                _print(names, _rows(result), as_json)
            except duckdb.Error as error:
                complain("query:", error)
                raise typer.Exit(EXIT_NOT_2XX) from error


def _lock(folder: Path) -> str:
    """A query reads the ledger's folder and nothing else of this machine."""
    root = str(folder.resolve()).replace("'", "''")
    return (
        f"SET allowed_directories = ['{root}/']; SET enable_external_access = false; "
        "SET lock_configuration = true;"
    )


def _rows(result: Any) -> Iterator[tuple[Any, ...]]:
    while some := result.fetchmany(1_000):
        yield from some


def _print(names: list[str], rows: Iterator[tuple[Any, ...]], as_json: bool) -> None:
    if as_json:
        for row in rows:
            print_json(dict(zip(names, row, strict=True)))
        return
    made = Table(names)
    shown = 0
    for row in rows:
        if shown == ROWS:
            break
        shown += 1
        made.add(*row)
    say_table(made)
    if shown == ROWS:
        say(f"The first {ROWS} rows; --json gives all.")
