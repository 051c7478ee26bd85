"""The ways of those who read a ledger, typed at a real terminal of 80 and of 120 columns.

`make test` types a sample of them, `make test-slow` the others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ci_callback.terminal import text_width
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.folder import FolderStore
from handler.ledger.outbox import Ticket
from tests.at_terminal import (
    ALWAYS_LATE,
    AS_INSTALLED,
    AS_MODULE,
    WITHOUT_DUCKDB,
    Terminal,
    cells,
    screen,
)
from tests.fake_cos import FakeCos
from tests.records import keep, record

PAYLOAD = str(Path(__file__).parents[1] / "payloads" / "Translation.seed.xml")
FAILED = "j13bda182c0f5e411e9aa97f1b2c3d4e5f6"
GOOD = "j24cde293d1a6f522fabba8a2c3d4e5f607"
MESSAGE = "the input object is not there, or its format is none that this job reads"
LETTER = DeadLetter(b"x", "json_invalid", "e", {}, "http", "2026-09-20T08:00:00Z", "r1")


@pytest.fixture
def narrow(tmp_path: Path) -> Terminal:
    """A terminal of 80 columns in a folder with a ledger: a failed job, a good one, a dead letter
    and a ticket."""
    store = FolderStore(tmp_path / "ledger")
    bad = {"outcome": "failed", "state": "Failed", "code": "InternalError", "message": MESSAGE}
    keep(store, record(FAILED, "2026-09-20", **bad), record(GOOD, "2026-09-21"))
    store.put(LETTER.key, LETTER.to_json())
    ticket = Ticket("alert.gave-up", FAILED, "failed", note="tried three times")
    store.put("_outbox/" + ticket.name, ticket.to_json())
    return Terminal(80, tmp_path, {})


@pytest.fixture(params=[80, 120])
def at(request: pytest.FixtureRequest, narrow: Terminal) -> Terminal:
    """The same, and one of 120 columns: for what depends on the width."""
    return replace(narrow, columns=request.param)


LISTINGS: Sequence[tuple[Sequence[str], Sequence[str]]] = (
    (("jobs",), ("job", "created", "outcome", "tag", "run_s", "code")),
    (("jobs", "--failed", "--columns", "job,message"), ("job", "message")),
    (("dead", "list"), ("key", "reason", "received_at", "bytes")),
    (("retries",), ("due", "action", "job", "tries", "note")),
    (("show", FAILED, "--part", "attempts"), ("root", "attempt", "state", "job", "message")),
    (("query", "SELECT job_id, code, run_s, message FROM jobs"), ("job_id", "code", "message")),
)


# --- 1: what is listed ----------------------------------------------------------------------


@pytest.mark.parametrize(("command", "columns"), LISTINGS, ids=str)
def test_a_terminal_shows_every_column_and_value_whole(
    command: Sequence[str], columns: Sequence[str], at: Terminal
) -> None:
    """As a table, on two lines, wrapped, or as blocks."""
    seen = at.run(*command)
    assert seen.status == 0, seen.raw
    words = seen.words.split()
    assert set(columns) <= set(words)
    value = LETTER.key if command[0] == "dead" else FAILED
    assert value in "".join(seen.screen)
    if "message" in columns:
        assert MESSAGE in seen.words
    if command[0] != "dead":  # its key is longer than a line, and stands on one all the same
        assert all(text_width(line) <= at.columns for line in seen.screen)


@pytest.mark.parametrize(("command", "columns"), LISTINGS, ids=str)
def test_a_pipe_gets_values_between_tabs_and_no_colour(
    command: Sequence[str], columns: Sequence[str], narrow: Terminal
) -> None:
    """Names by --header; nothing on stderr."""
    seen = narrow.run(*command, "--header", into_pipe=True)
    names, *rows = map(cells, seen.piped.splitlines())
    assert set(columns) <= set(names)
    assert rows
    assert all(len(row) == len(names) for row in rows)
    assert "\x1b" not in seen.piped
    assert seen.raw == ""


@pytest.mark.slow
def test_select_star_shows_each_column_that_has_a_value(at: Terminal) -> None:
    """25 of them were 7."""
    whole = json.loads(
        at.run("query", "SELECT * FROM jobs", "--json", into_pipe=True).piped.splitlines()[0]
    )
    shown = at.run("query", "SELECT * FROM jobs")
    filled = {name for name, value in whole.items() if value not in (None, "")}
    assert filled <= set(shown.words.split())


@pytest.mark.slow
def test_show_tells_a_job_from_its_tickets_to_its_record(at: Terminal) -> None:
    """Each table under its title."""
    seen = at.run("show", FAILED)
    titles = [line for line in seen.screen if line.strip() in ("Timings", "Tickets")]
    assert titles == ["Tickets", "Timings"]
    assert f"Attempts of {FAILED}" in seen.words
    assert "alert.gave-up" in seen.words


# --- 5, 8: help -----------------------------------------------------------------------------


@pytest.mark.slow
def test_help_fits_and_names_the_command_as_it_is_called(at: Terminal) -> None:
    """Completion is offered by the installed one only."""
    module = at.run("--help")
    installed = at.run("--help", before=AS_INSTALLED)
    for seen in (module, installed):
        assert seen.status == 0
        assert all(text_width(line) <= at.columns for line in seen.screen)
    assert "Usage: python -m ci_callback" in module.words
    assert "--install-completion" not in module.raw
    assert "Usage: ci-callback" in installed.words
    assert "--install-completion" in installed.words
    assert "python -m" not in installed.words


@pytest.mark.slow
@pytest.mark.parametrize("command", ["jobs", "retries", "cost", "dead list", "replay", "query"])
def test_an_installed_command_never_says_python(command: str, narrow: Terminal) -> None:
    """In its help, its example, or an error."""
    for arguments in ((*command.split(), "--help"), (*command.split(), "--no-such-option")):
        seen = narrow.run(*arguments, before=AS_INSTALLED)
        assert "ci-callback" in seen.words
        assert "python -m" not in seen.words


@pytest.mark.slow
def test_query_says_how_to_get_duckdb(narrow: Terminal) -> None:
    """Where it is missing."""
    seen = narrow.run("query", "SELECT 1", before=AS_MODULE + WITHOUT_DUCKDB)
    assert (seen.status, "pip install duckdb" in seen.words) == (1, True)


@pytest.mark.slow
def test_cost_ends_in_a_total(at: Terminal) -> None:
    """With its currency, on one screen."""
    seen = at.run("cost")
    assert seen.status == 0
    assert "cost in USD" in seen.words
    assert next(line for line in seen.screen if line.startswith("total")).split()[-1] == "2.17"
    assert all(text_width(line) <= at.columns for line in seen.screen)


@pytest.mark.slow
def test_invoke_prints_the_log_only_where_it_is_asked_for(narrow: Terminal) -> None:
    """The answer and the record in any case."""
    seen = narrow.run("invoke", PAYLOAD)
    assert (seen.status, "Answer 200" in seen.words) == (0, True)
    assert '"event":"callback"' not in seen.raw
    assert '"event":"callback"' in narrow.run("-v", "invoke", PAYLOAD).raw


# --- 6: typos -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "status", "says"),
    [
        (("jobs", "--tag", "Transcod"), 2, "did you mean Transcode? There are: "),
        (("jobs", "--state", "failed"), 2, "did you mean Failed? There are: "),
        (("jobs", "--outcome", "fail"), 2, "did you mean failed? There are: cancelled, "),
        (("jobs", "--limit", "ten"), 2, "must be a whole number such as 10"),
        (("events", "--type", "job.fail"), 2, "did you mean job.failed?"),
        (
            ("--ledger", "file:./legder", "tail"),
            4,
            "There is no ledger at legder. There are: ledger",
        ),
        (("--ledger", "production", "jobs"), 2, "no ledger is named 'production'"),
        (("replay", "--from-log", PAYLOAD), 1, "export those lines, as JSON or CSV"),
        (("report", "--since", "yesterday", "--json"), 2, "write 24h, 7d, "),
        (("show", "j0"), 1, "The ledger knows no job j0."),
    ],
    ids=str,
)
def test_a_typo_is_an_error_that_lists_what_there_is(
    command: Sequence[str], status: int, says: str, narrow: Terminal
) -> None:
    """Never silent success, and in our own words."""
    seen = narrow.run(*command)
    assert seen.status == status, seen.raw
    assert says in seen.words
    assert "Input should" not in seen.words


@pytest.mark.slow
def test_report_takes_24h_as_jobs_does(narrow: Terminal) -> None:
    """And invoke fails where a callback became a dead letter, and says which."""
    assert narrow.run("report", "--since", "24h", "--out", "r.html").status == 0
    (narrow.folder / "bad.json").write_text("{")
    seen = narrow.run("invoke", "bad.json")
    assert seen.status == 1
    assert "bad.json: a dead letter, json_invalid" in seen.words


# --- 7: what am I talking to? ---------------------------------------------------------------


NAMED = "[production]\nurl = {url}\ncolour = red\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("invoke", PAYLOAD),
        ("sweep",),
        ("replay", "--from", "file:./ledger"),
        ("serve", "--port", "0"),
    ],
    ids=str,
)
def test_before_a_ledger_on_cos_is_written_it_is_named_and_asked_about(
    command: Sequence[str], narrow: Terminal, cos: FakeCos
) -> None:
    """By its name, in its colour. No is an end; nothing was asked of COS."""
    (narrow.folder / "ci-callback.ini").write_text(NAMED.format(url=cos.env["LEDGER_URL"]))
    there = replace(narrow, variables=cos.env)
    seen = there.run(*command, typed="n\n")
    assert seen.status == 1
    assert f"\x1b[1;31mproduction ({cos.env['LEDGER_URL']})\x1b[0m" in seen.raw
    assert "Write to it? [y/N]" in seen.words
    assert not cos.requests()


def test_yes_writes(narrow: Terminal, cos: FakeCos) -> None:
    """By an answer, or by --yes."""
    there = replace(narrow, variables=cos.env)
    assert there.run("invoke", PAYLOAD, typed="y\n").status == 0
    assert "duplicate" in there.run("invoke", PAYLOAD, "--yes").words


@pytest.mark.slow
def test_a_read_only_ledger_is_refused_without_a_question(narrow: Terminal) -> None:
    """The file says so."""
    (narrow.folder / "ci-callback.ini").write_text(
        NAMED.format(url="file:./ledger") + "read-only = yes\n"
    )
    seen = narrow.run("--ledger", "production", "invoke", PAYLOAD)
    assert seen.status == 1
    assert "production is read-only (ci-callback.ini)" in seen.words
    assert narrow.run("--ledger", "production", "jobs", "--limit", "1").status == 0


# --- 9: bars --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "bar"),
    [
        (("report", "--json"), "Reading records"),
        (("sweep",), "Sweeping"),
        (("replay", "--from", "file:./other"), "Replaying"),
        (("retries",), "Asking the ledger"),
        (("events",), "Reading events"),
        (("doctor",), "Checking"),
        (("invoke", PAYLOAD, PAYLOAD), "Invoking"),
        (("compact", "--all-stale"), "Folding records"),
    ],
    ids=str,
)
def test_what_takes_long_shows_a_bar_that_is_gone_at_the_end(
    command: Sequence[str], bar: str, narrow: Terminal
) -> None:
    """On stderr, while stdout goes into a pipe."""
    keep(FolderStore(narrow.folder / "other"), record("j1"))
    seen = narrow.run(*command, before=AS_MODULE + ALWAYS_LATE, into_pipe=True)
    assert bar in seen.raw
    assert bar not in " ".join(seen.screen)
    assert "\x1b" not in seen.piped
    assert bar not in seen.piped


@pytest.mark.slow
def test_a_bar_is_gone_before_a_question(narrow: Terminal) -> None:
    """It would overwrite what is typed."""
    seen = narrow.run("purge", GOOD, typed=f"y\n{GOOD}\n", before=AS_MODULE + ALWAYS_LATE)
    assert seen.status == 0, seen.raw
    assert "Looking for what is kept" in seen.raw
    before, _, after = seen.raw.partition("objects? It can't be undone. [y/N]")
    assert "Looking for what is kept" in before
    assert "Looking for what is kept" not in after
    assert narrow.run("show", GOOD).status == 1


def test_the_screen_follows_what_bars_consist_of() -> None:
    """A test of the tests' own screen."""
    assert screen("a\r\nb\x1b[1mc\x1b[0m\r\nx 10%\rx 20%\r\x1b[2K\x1b[1A\x1b[2Kd") == ["a", "d", ""]
