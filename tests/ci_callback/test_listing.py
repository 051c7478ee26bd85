"""listing.py: rows are printed whole, in a terminal, in a pipe, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ci_callback import listing
from ci_callback.commands.registry import app
from ci_callback.listing import Form, say_rows
from ci_callback.terminal import Cell, Styled, text_width
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.folder import FolderStore
from tests.records import keep, record

NAMES = ("job", "tag", "code")
LONG = "j13bda182c0f5e411e9aa97f1b2c3d4e5f6"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """People look, at 80 columns."""
    monkeypatch.setattr(listing, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")


def printed(
    capsys: pytest.CaptureFixture[str],
    rows: Sequence[Sequence[Cell]],
    form: Form | None = None,
    names: Sequence[str] = NAMES,
) -> str:
    """What is printed of rows."""
    assert say_rows(names, rows, form or Form(), empty="Nothing.") == len(rows)
    return capsys.readouterr().out


def test_a_pipe_gets_whole_values_between_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    """No names unless asked for; a tab inside of a value is its escape; None is empty."""
    rows = [[LONG * 5, Styled("failed", "red"), None], ["a\tb\nc", {"a": [1]}, 2]]
    lines = printed(capsys, rows).splitlines()
    assert lines == [f"{LONG * 5}\tfailed\t", 'a\\tb\\nc\t{"a": [1]}\t2']
    assert printed(capsys, rows, Form(header=True)).splitlines()[0] == "job\ttag\tcode"


@pytest.mark.usefixtures("terminal")
def test_a_second_line_of_empty_values_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """A ticket that has no note is one line."""
    lines = printed(capsys, [[LONG, LONG, ""], [LONG, LONG, "a longer note"]]).splitlines()
    assert [bool(line.strip()) for line in lines] == [True] * 6


def test_columns_are_chosen_by_name_and_order(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown one is an error that names those that there are."""
    assert printed(capsys, [["a", "b", "c"]], Form("code, job")) == "c\ta\n"
    with pytest.raises(typer.BadParameter, match="no column x; there are job, tag, code"):
        printed(capsys, [], Form("job,x"))
    with pytest.raises(typer.BadParameter, match="no column is named"):
        printed(capsys, [], Form(","))


def test_csv_is_read_back_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    """Names first. What a spreadsheet would take for a formula is a text; a number stays one."""
    out = printed(capsys, [['a"b,c', "=1+1", -2]], Form(csv=True))
    assert list(csv.reader(io.StringIO(out))) == [["job", "tag", "code"], ['a"b,c', "'=1+1", "-2"]]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_cell_of_csv_is_a_formula(begin: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor one in full width, nor a name that a query gave its column."""
    text = f"{begin}1+1"
    say_rows([text], [[text]], Form(csv=True))
    assert capsys.readouterr().out == f"'{text}\n'{text}\n"


@pytest.mark.usefixtures("terminal")
def test_rows_that_fit_are_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns stand below each other, Chinese characters are two wide."""
    out = printed(capsys, [["j1", "转码", "x"], ["j22", "a", "y"]])
    _, _, first, second = out.splitlines()
    assert text_width(first[: first.index("x")]) == text_width(second[: second.index("y")])


@pytest.mark.usefixtures("terminal")
def test_a_row_that_does_not_fit_goes_on_in_a_second_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the names in the same way; nothing is cut."""
    out = printed(capsys, [[LONG, "t" * 40, "c" * 20]]).splitlines()
    assert [line.split() for line in out] == [
        ["job", "tag"],
        ["code"],
        ["─" * 80],
        [LONG, "t" * 40],
        ["c" * 20],
    ]
    assert all(text_width(line) <= 80 for line in out)


@pytest.mark.usefixtures("terminal")
def test_a_long_last_value_is_wrapped_below_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """Between words, Chinese anywhere; nothing is cut, and no line is too long."""
    text = " ".join(["the queue is paused", "x" * 30, "数据万象" * 20])
    out = printed(capsys, [["j1", "Transcode", text]]).splitlines()
    assert all(text_width(line) <= 80 for line in out)
    begin = out[0].index("code")
    assert {line[:begin].strip() for line in out[3:]} == {""}
    assert "".join(line[begin:] for line in out[2:]).replace(" ", "") == text.replace(" ", "")
    assert out[2][begin:] == f"the queue is paused {'x' * 30}"


@pytest.mark.usefixtures("terminal")
def test_a_value_that_is_longer_than_a_line_stays_in_one_piece(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """So that it can be copied; what has blanks goes on below its name's column."""
    out = printed(capsys, [["j" * 100, "Transcode", "the queue " * 12]]).splitlines()
    assert out[0] == f"job  {'j' * 100}"
    assert out[2].startswith("code the queue")
    assert out[3].startswith("     queue the")
    assert all(len(line) <= 80 for line in out[1:])


@pytest.mark.usefixtures("terminal")
def test_a_row_of_very_many_columns_is_a_block(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each value that there is."""
    names = [f"column{number}" for number in range(25)]
    rows = [[f"value{number}" if number else None for number in range(25)] for _ in range(2)]
    out = printed(capsys, rows, names=names)
    assert out.count("column7 ") == 2
    assert out.count("value24") == 2
    assert "column0 " not in out


def test_no_rows_are_said_so_where_people_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe gets nothing."""
    say_rows(NAMES, [], Form(), empty="Nothing.")
    assert capsys.readouterr() == ("", "Nothing.\n")
    monkeypatch.setattr(listing, "is_terminal", lambda: True)
    say_rows(NAMES, [], Form(), empty="Nothing.")
    assert capsys.readouterr() == ("Nothing.\n", "")


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    """A ledger with a failed job with a long id, and a dead letter."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}")
    store = FolderStore(tmp_path)
    keep(store, record(LONG, outcome="failed", code="InternalError", state="Failed"))
    letter = DeadLetter(b"x", "test", "e", {}, "http", "2026-09-20T08:00:00Z", "r1")
    store.put(letter.key, letter.to_json())
    return store


@pytest.mark.parametrize(
    ("arguments", "whole"),
    [
        (("jobs",), LONG),
        (("jobs", "--columns", "code,job"), f"InternalError\t{LONG}"),
        (("query", "SELECT code, job_id FROM jobs"), f"InternalError\t{LONG}"),
        (("query", "SELECT job_id, code FROM jobs", "--columns", "code"), "InternalError\n"),
        (("query", "SELECT * FROM jobs"), LONG),
        (("dead", "list"), ".json\ttest\t2026-09-20T08:00:00Z\t1\t"),
        (("dead", "list", "--csv"), ".json,test,2026-09-20T08:00:00Z,1,"),
    ],
    ids=str,
)
def test_commands_print_whole_values(
    ledger: FolderStore, arguments: tuple[str, ...], whole: str
) -> None:
    """So what they print can be pasted, and piped."""
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert whole in result.stdout


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("query", ["SELECT * FROM jobs", "SELECT job_id, code, run_s FROM jobs"])
def test_a_query_shows_each_column_at_80(ledger: FolderStore, query: str) -> None:
    """None is dropped."""
    result = CliRunner().invoke(app, ["query", query], catch_exceptions=False)
    assert {LONG, "InternalError", "60.25"} <= set(result.stdout.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("jobs", "--columns", "job,code", "--json"),
        ("query", "SELECT code, job_id AS job, tag FROM jobs", "--columns", "job,code", "--json"),
    ],
    ids=str,
)
def test_json_of_chosen_columns(ledger: FolderStore, arguments: tuple[str, ...]) -> None:
    """One object a line."""
    (line,) = CliRunner().invoke(app, arguments).stdout.splitlines()
    assert json.loads(line) == {"job": LONG, "code": "InternalError"}


@pytest.mark.parametrize(
    "arguments",
    [("jobs",), ("dead", "list"), ("tail",), ("query", "SELECT job_id FROM jobs")],
    ids=str,
)
def test_an_unknown_column_is_a_usage_error(
    ledger: FolderStore, arguments: tuple[str, ...]
) -> None:
    """Before anything is waited for."""
    result = CliRunner().invoke(app, [*arguments, "--columns", "nix"])
    assert result.exit_code == 2
    assert "no column nix" in result.output
