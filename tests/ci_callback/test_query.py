"""`query`: SQL over the ledger, as a person runs it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from ci_callback import compacted_day
from ci_callback.commands import query as query_module
from ci_callback.commands.registry import app
from ci_callback.compaction import compact
from ci_callback.query import cache
from ci_callback.query.database import NotAQueryError, check_statement, records_database
from handler.ledger.folder import FolderStore
from tests.conftest import Invoked
from tests.fake_cos import FakeCos
from tests.ledger.test_stores import cos_store
from tests.records import keep, record


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FolderStore:
    """A ledger of three jobs."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    monkeypatch.setenv("NO_COLOR", "1")
    made = FolderStore(tmp_path / "ledger")
    keep(made, record("j1"), record("j2", code="[bold]"), record("t1", tag="Translation"))
    return made


def run(*arguments: str, stdin: str = "", code: int = 0) -> str:
    """stdout, or where it fails stderr, of a query that ends with this exit status."""
    result = CliRunner().invoke(app, ["query", *arguments], input=stdin)
    assert result.exit_code == code, result.output
    return result.stderr if code else result.stdout


COUNT = "SELECT tag, count(*) AS n FROM jobs GROUP BY tag ORDER BY n"


def test_a_query_gives_a_table_or_a_line_of_json_a_row(store: FolderStore) -> None:
    """The same rows."""
    assert [json.loads(line) for line in run(COUNT, "--json").splitlines()] == [
        {"tag": "Translation", "n": 1},
        {"tag": "Transcode", "n": 2},
    ]
    out = run(COUNT)
    assert "Transcode" in out
    assert "[bold]" in run("SELECT code FROM jobs WHERE job_id = 'j2'")


def test_json_holds_any_value_of_duckdb(store: FolderStore) -> None:
    """Maps by number or day, NaN, decimals and intervals."""
    sql = (
        "SELECT MAP {1: [MAP {DATE '2026-09-20': 'x'}]} AS m, ['nan'::DOUBLE, 1.5] AS f, "
        "1.10::DECIMAL(4, 2) AS d, INTERVAL 1 DAY AS i"
    )
    assert json.loads(run(sql, "--json")) == {
        "m": {"1": [{"2026-09-20": "x"}]},
        "f": [None, 1.5],
        "d": "1.10",
        "i": "1 day, 0:00:00",
    }


def test_a_query_comes_from_stdin_too(store: FolderStore) -> None:
    """For those that are longer than a line."""
    assert run("-", "--json", stdin=COUNT) == run(COUNT, "--json")


@pytest.mark.parametrize("arguments", [[b"query", b"SELECT '\xff'"], [b"query", b"-"]])
@pytest.mark.parametrize("errors", ["surrogateescape", "strict"])
def test_a_query_that_is_not_utf8_is_refused_by_name(
    tmp_path: Path, arguments: list[bytes], errors: str
) -> None:
    """As the shell passes it on, or as standard input holds it."""
    environment = os.environ | {"LEDGER_URL": f"file:{tmp_path}", "COLUMNS": "200"}
    ended = subprocess.run(
        [sys.executable, "-m", "ci_callback", *arguments],
        input=b"SELECT '\xff'",
        capture_output=True,
        env=environment | {"PYTHONIOENCODING": f"utf-8:{errors}"},
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert b"the query is not valid UTF-8" in ended.stderr
    assert b"Traceback" not in ended.stderr


ATTACKS = [
    "COPY jobs TO '{key}'",
    "COPY (SELECT 1 AS a) TO '{folder}/jobs' (FORMAT csv, PARTITION_BY (a), OVERWRITE_OR_IGNORE)",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{key}'",
    "explain /* SELECT 1; */ analyze copy (SELECT 1) TO '{key}'",
    "EXPLAIN COPY jobs TO '{key}'",
    "WITH t AS (COPY (SELECT 1) TO '{key}') SELECT 1",
    "WITH t AS MATERIALIZED (DELETE FROM jobs RETURNING *) SELECT * FROM t",
    "WITH t AS (INSERT INTO jobs SELECT * FROM jobs RETURNING *) SELECT * FROM t",
    "EXPLAIN ANALYZE DELETE FROM jobs",
    "SELECT * FROM query('COPY jobs TO ''{key}''')",
    "PRAGMA enable_profiling='json'",
    "PRAGMA profile_output='{key}'",
    "ATTACH '{folder}/new.db'",
    "ATTACH '{key}' AS x",
    "EXPORT DATABASE '{folder}'",
    "IMPORT DATABASE '{folder}'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{key}'",
    "SET enable_external_access = true",
    "RESET enable_external_access",
    "SET allowed_directories = ['{folder}']",
    "SET lock_configuration = false",
    "SET temp_directory = '{folder}'",
    "SET log_query_path = '{key}'",
    "CREATE TABLE t AS SELECT 1",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE PERSISTENT SECRET s (TYPE http)",
    "CREATE OR REPLACE VIEW jobs AS SELECT 1",
    "DROP TABLE jobs",
    "UPDATE jobs SET code = ''",
    "INSERT INTO jobs (job_id) VALUES ('x')",
    "PREPARE p AS COPY jobs TO '{key}'",
    "SELECT 1; COPY jobs TO '{key}'",
    "SELECT 1; DROP TABLE jobs",
    "VACUUM",
    "CHECKPOINT",
]
"""Statements that would write, each in its own way. {key}: a record's file; {folder}: the folder
of the ledger."""

REFUSED_EARLY = [
    "",
    "-- nothing",
    ";",
    "SELECT * FROM enable_logging(storage='file', storage_path='{folder}')",
    "SELECT * FROM Enable_Logging(storage='stdout')",
    "SELECT * FROM \"enable_profiling\"(save_location='{key}'), range(9)",
    "CALL enable_logging(storage='file', storage_path='{folder}')",
    "UPDATE EXTENSIONS",
]
"""What never reaches the database. DuckDB 1.5 opens the file of a log only when it closes: access
is denied then too, and the process aborts."""

OTHER_FILES = [
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM read_blob('{secret}')",
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM sniff_csv('{secret}')",
    "SELECT * FROM '{secret}.csv'",
    "SELECT * FROM glob('{secret}*')",
    "SELECT * FROM read_json_objects('{key}')",
    "SELECT * FROM read_csv('http://127.0.0.1:1/x')",
    "EXPLAIN ANALYZE SELECT * FROM read_text('{secret}')",
    "SELECT * FROM jobs, LATERAL (SELECT * FROM read_text('{secret}'))",
]


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Each file below a folder, its bytes and the time of its last change."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def filled(sql: str, folder: Path) -> str:
    """An attack on the ledger in a folder."""
    (key,) = (folder / "ledger").rglob("j1.json")
    (folder / "secret").write_text("opens-every-door")
    return sql.format(key=key, folder=folder / "ledger", secret=folder / "secret")


@pytest.mark.parametrize("sql", [*ATTACKS, *REFUSED_EARLY])
def test_no_statement_writes(
    store: FolderStore, sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused by the command, with a reason; every byte is as it was, and no file is new."""
    monkeypatch.chdir(tmp_path)
    attack = filled(sql, tmp_path)
    before = tree(tmp_path)
    result = CliRunner().invoke(app, ["query", attack])
    assert result.exit_code in (1, 2), result.output
    assert result.stderr.strip()
    assert tree(tmp_path) == before


def test_a_statement_without_a_name_in_duckdbs_module_is_refused_in_our_words() -> None:
    """Its type has a number that the module does not know."""
    with pytest.raises(NotAQueryError, match="one statement that reads"):
        check_statement("UPDATE EXTENSIONS")


@pytest.mark.parametrize("sql", ATTACKS)
def test_the_database_lets_no_statement_write(
    store: FolderStore, sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the command would let through: the database itself can't."""
    monkeypatch.chdir(tmp_path)
    attack = filled(sql, tmp_path)
    before = tree(tmp_path)
    with records_database(tmp_path / "ledger") as database:
        with contextlib.suppress(duckdb.Error):
            database.execute(attack).fetchall()
        assert database.sql("SELECT count(*) FROM records.jobs").fetchall() == [(3,)]
    assert tree(tmp_path) == before


def test_offline_the_command_asks_cos_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cos: FakeCos
) -> None:
    """A train has no network; and a listing of 100,000 keys takes seconds."""
    for name, value in cos.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    keep(cos_store(cos), record("a"))
    assert "no copy" in run("--offline", COUNT, code=1)
    copied = run(COUNT)
    cos.seen.clear()
    assert run("--offline", COUNT) == copied
    assert cos.seen == []


def test_what_a_query_may_read_is_a_copy(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB can't tell reading from writing: a statement that finds its files out spoils them for
    itself, and neither the ledger nor the cache."""
    monkeypatch.setattr(cache, "MIN_RECORDS", 1)
    days = sorted({compacted_day.day_of(key) for key in store.list("jobs/")})
    compact(store, days[0])
    keep(store, record("new", "2026-09-29"))
    copies = tmp_path / "copies"
    with records_database(tmp_path / "ledger", cache=copies):
        pass
    before = tree(tmp_path)
    with records_database(tmp_path / "ledger", cache=copies) as database:
        (found,) = database.execute(
            "SELECT path FROM duckdb_databases() WHERE database_name = 'records'"
        ).fetchall()
        scratch = Path(found[0]).parent
        read = sorted(scratch.rglob("*.parquet"))
        assert len(read) >= 2
        for path in (*read, *(tmp_path / "ledger").rglob("*.parquet"), *copies.rglob("*.parquet")):
            for form in ("", "(FORMAT csv, USE_TMP_FILE false)"):
                with contextlib.suppress(duckdb.Error):
                    database.execute(f"COPY (SELECT 1) TO '{path}' {form}")
        with contextlib.suppress(duckdb.Error):
            database.execute(f"COPY (SELECT 1) TO '{scratch}/new.csv'")
        assert not (scratch / "new.csv").exists()
    assert tree(tmp_path) == before
    assert not scratch.exists()


@pytest.mark.parametrize("sql", OTHER_FILES)
def test_a_query_reads_records_and_no_file(store: FolderStore, sql: str, tmp_path: Path) -> None:
    """Nor the network."""
    err = run(filled(sql, tmp_path), code=1)
    assert "Permission Error" in err
    assert "opens-every-door" not in err


def call(name: str, kind: str, arguments: str) -> str:
    """A call of a function of DuckDB."""
    return f"SELECT {'* FROM ' if kind.startswith('table') else ''}{name}({arguments})"


def test_no_function_of_duckdb_reads_or_writes_a_file(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that this version has, of which there may be new ones in the next."""
    monkeypatch.chdir(tmp_path)
    for name in ("secret.csv", "secret.json", "secret.parquet"):
        (tmp_path / name).write_text('{"a": "opens-every-door"}\n')
    before, tried = tree(tmp_path), 0
    with records_database(tmp_path / "ledger") as database:
        functions = database.execute(
            "SELECT DISTINCT function_name, function_type FROM duckdb_functions() "
            "WHERE function_name SIMILAR TO '[a-z_0-9]+' AND function_type <> 'aggregate'"
        ).fetchall()
        for name, kind in functions:
            if re.fullmatch("(enable|disable)_(logging|profiling)", name):
                continue  # refused before: REFUSED_EARLY
            for arguments in ("'secret.csv'", f"'{tmp_path}/secret.json'", "'secret.csv', 'x'"):
                tried += 1
                with contextlib.suppress(duckdb.Error):
                    rows = database.execute(call(name, kind, arguments)).fetchmany(10)
                    assert "opens-every-door" not in str(rows), name
    assert tried > 1_000
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "sql",
    [
        "EXPLAIN SELECT * FROM jobs",
        "EXPLAIN ANALYZE SELECT count(*) FROM jobs",
        "DESCRIBE jobs",
        "SUMMARIZE SELECT job_id FROM jobs",
        "SHOW TABLES",
        "FROM jobs SELECT job_id",
        "VALUES (1)",
        "WITH t AS (SELECT job_id FROM jobs) SELECT * FROM t",
    ],
)
def test_whatever_reads_is_a_query(store: FolderStore, sql: str) -> None:
    """EXPLAIN too, and what DuckDB writes shorter."""
    assert run(sql)


def test_days_that_are_not_asked_for_are_not_loaded(store: FolderStore) -> None:
    """The first and the last day are."""
    keep(store, record("n1", "2026-09-21"), record("n2", "2026-09-22"))
    for arguments, ids in (
        (("--since", "2026-09-21"), ["n1", "n2"]),
        (("--until", "2026-09-21"), ["j1", "j2", "n1", "t1"]),
        (("--since", "2026-09-21", "--until", "2026-09-21"), ["n1"]),
    ):
        rows = run("SELECT job_id FROM jobs ORDER BY 1", "--json", *arguments).splitlines()
        assert [json.loads(row)["job_id"] for row in rows] == ids


def test_a_wrong_query_is_reported_in_the_words_of_duckdb(store: FolderStore) -> None:
    """Without a stack trace."""
    err = run("SELECT nothing FROM jobs", code=1)
    assert "nothing" in err
    assert "Traceback" not in err
    assert "query:" in run("SELEC", code=1)


def test_a_table_for_people_ends(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so."""
    monkeypatch.setattr(query_module, "ROWS", 2)
    assert run("SELECT job_id FROM jobs") == "j1\nj2\nt1\n"
    monkeypatch.setattr(query_module, "is_terminal", lambda: True)
    assert "The first 2 rows" in run("SELECT job_id FROM jobs")


def test_a_ledger_on_cos_is_copied_down_first(
    on_cos: Invoked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each time only what is new."""
    for name, value in on_cos.env.items():
        monkeypatch.setenv(name, value)
    on_cos.post('{"JobsDetail": {"JobId": "j1", "State": "Success", "Tag": "Transcode"}}')
    copies = ("--copies", str(tmp_path / "copies"), "--json")
    assert run(COUNT, *copies) == '{"tag": "Transcode", "n": 1}\n'
    on_cos.post('{"JobsDetail": {"JobId": "j2", "State": "Success", "Tag": "Transcode"}}')
    assert run(COUNT, *copies) == '{"tag": "Transcode", "n": 2}\n'


def test_without_duckdb_it_says_what_to_install(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is large, and only this command needs it."""
    import sys

    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert "pip install duckdb" in run(COUNT, code=1)


def test_an_error_of_the_database_points_at_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On lines of its own: the mark stands below the word."""
    monkeypatch.chdir(tmp_path)
    keep(FolderStore(tmp_path / "ledger"), record("j1"))
    result = CliRunner().invoke(
        app, ["--ledger", "file:./ledger", "query", "SELECT nope FROM jobs"]
    )
    lines = result.stderr.splitlines()
    assert result.exit_code == 1
    (place,) = (number for number, line in enumerate(lines) if "LINE 1" in line)
    assert lines[place].index("nope") == lines[place + 1].index("^")
    assert not any("\\n" in line for line in lines)
