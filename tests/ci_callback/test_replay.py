"""`python -m ci_callback replay --from-log FILE`: what only the log holds comes back."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ci_callback.commands.registry import app
from ci_callback.scf_runner.log_service import LogService
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.folder import FolderStore
from handler.ledger.outbox import Ticket
from handler.ledger.records import Ledger
from tests.conftest import PAYLOADS, Invoked
from tests.fake_cos import FakeCos, Fault
from tests.records import record

NOISE = random.Random(1).randbytes(15_000).hex()
BIG = json.dumps({"JobsDetail": {"JobId": "big", "State": "Success", "Text": NOISE}})
BODIES = [*((path.read_bytes()).decode() for path in sorted(PAYLOADS.glob("*.seed.*"))), BIG, "odd"]


@pytest.fixture
def log(on_cos: Invoked, cos: FakeCos, tmp_path: Path) -> Path:
    """The log of a function whose store was away while callbacks came, some of them twice; as CLS
    exports it, of all that the function wrote."""
    service = LogService(lambda: on_cos.now)
    with cos.faulty(lambda seen: Fault(before=(403, "AccessDenied"))):
        for number, body in enumerate([*BODIES, BODIES[0]]):
            assert on_cos.post(body)[0] == 503
            written, on_cos.output = on_cos.output.getvalue(), io.StringIO()
            service.request(f"r{number}").write(f"START RequestId: x\n{{broken\n{written}[]\n")
    path = tmp_path / "log"
    path.write_text(service.json_lines())
    return path


def run(path: Path, *more: str) -> tuple[int, str]:
    """Exit status and stdout."""
    result = CliRunner().invoke(app, ["replay", "--from-log", str(path), *more])
    return result.exit_code, result.stdout


def test_everything_that_the_log_holds_is_kept(
    log: Path, cos: FakeCos, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each body once, dead letters included; a second replay changes nothing."""
    for name, value in cos.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CI_CALLBACK_YES", "1")
    status, out = run(log, "--json")
    assert status == 0
    printed = json.loads(out)
    assert (printed["bodies"], printed["missing"]) == (6, [])
    assert printed["jobs"] == {"dead_letter": 1, "duplicate": 1, "kept": 4} or printed["jobs"] == {
        "dead_letter": 1,
        "kept": 5,
    }
    kept = {key: cos.read(key) for key in cos.keys("ci/jobs/")}
    assert len(kept) == 4
    assert run(log) == (0, "6 callbacks processed; jobs: 1 dead_letter, 5 duplicate\n")
    monkeypatch.setenv("CI_CALLBACK_VERBOSE", "1")
    result = CliRunner().invoke(app, ["replay", "--from-log", str(log)])
    assert re.search(r"^requests to the ledger: \d+ GET, \d+ PUT$", result.stderr, re.M)
    assert {key: cos.read(key) for key in cos.keys("ci/jobs/")} == kept


def test_a_body_that_is_not_whole_is_reported(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part is missing, or was changed: exit status 1, and the others are kept."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/other")
    lines = log.read_text().splitlines()
    log.write_text("\n".join(line for line in lines if '\\"part\\":2' not in line))
    status, out = run(log)
    assert status == 1
    assert "5 callbacks processed" in out
    assert "1 of 4 parts are missing: 2" in out


@pytest.mark.parametrize("text", ["", "START RequestId: x\n", "[]", '{"event": 5}', "a,b\n"])
def test_a_file_without_a_body_is_an_error(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong file or a wrong search would otherwise read as an outage in which nothing came."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/other")
    (tmp_path / "log").write_text(text)
    result = CliRunner().invoke(app, ["replay", "--from-log", str(tmp_path / "log")])
    assert result.exit_code == 1
    assert "no line `callback_not_stored`" in result.stderr


def test_a_log_may_be_packed(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As CLS offers it; one that is cut is an error and not an empty log."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/other")
    log.write_bytes(gzip.compress(log.read_bytes()))
    status, out = run(log, "--json")
    assert (status, json.loads(out)["bodies"]) == (0, 6)
    log.write_bytes(log.read_bytes()[:-100])
    result = CliRunner().invoke(app, ["replay", "--from-log", str(log)])
    assert result.exit_code == 1
    assert "can't be read" in result.stderr


@pytest.fixture
def unchecked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of a time when CALLBACK_TOKENS was missing, and then was there."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/other")
    function = Invoked({"TENCENTCLOUD_RUNENV": "SCF"})
    assert function.post(BODIES[0])[0] == 503
    function.env["CALLBACK_TOKENS"] = "a-token"
    assert function.post(BODIES[1], queryString={"token": "a-token"})[0] == 503
    path = tmp_path / "log"
    path.write_text(function.output.getvalue())
    return path


def test_bodies_whose_sender_was_not_checked_are_left_out(unchecked: Path) -> None:
    """Nobody can be asked here: anyone may have sent them."""
    status, out = run(unchecked, "--json")
    printed = json.loads(out)
    assert (status, printed["bodies"]) == (1, 1)
    assert "its sender was not checked" in printed["missing"][0]


def test_they_are_taken_in_where_that_is_wanted(unchecked: Path) -> None:
    """By an option."""
    status, out = run(unchecked, "--json", "--accept-unauthenticated")
    assert (status, json.loads(out)["bodies"]) == (0, 2)


@pytest.mark.parametrize(("answer", "status", "number"), [("y", 0, 2), ("n", 1, 1)])
def test_at_a_terminal_a_person_is_asked(
    unchecked: Path, monkeypatch: pytest.MonkeyPatch, answer: str, status: int, number: int
) -> None:
    """Who knows whether the address was known to others."""
    monkeypatch.setattr("ci_callback.commands.logged_bodies._is_terminal", lambda: True)
    result = CliRunner().invoke(app, ["replay", "--from-log", str(unchecked)], input=answer)
    assert result.exit_code == status
    assert "1 of 2 bodies arrived while CALLBACK_TOKENS" in result.stdout
    assert f"{number} callbacks processed" in result.stdout


# --- out of another ledger ---


@pytest.fixture
def production(cos: FakeCos, on_cos: Invoked) -> FakeCos:
    """A ledger on COS that is not the one of the commands: three jobs, and a dead letter."""
    for body in BODIES:
        on_cos.post(body)
    on_cos.post(json.dumps({"JobsDetail": {"JobId": "bad", "State": "Failed", "Code": "X"}}))
    return cos


@pytest.fixture
def here(production: FakeCos, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FolderStore:
    """The ledger of the commands: a folder, with the credentials for the other one."""
    for name, value in production.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    return FolderStore(tmp_path / "ledger")


def from_ledger(cos: FakeCos, *more: str, code: int = 0) -> dict[str, object]:
    """What a replay from COS tells."""
    url = cos.env["LEDGER_URL"]
    result = CliRunner().invoke(app, ["replay", "--from", url, "--json", *more])
    assert result.exit_code == code, result.output
    printed: dict[str, object] = json.loads(result.stdout)
    return printed


def test_records_of_production_come_into_a_folder(production: FakeCos, here: FolderStore) -> None:
    """The same records, but for how they reached it; production is not changed."""
    before = production.keys()
    assert from_ledger(production)["jobs"] == {"kept": 5}
    assert production.keys() == before
    for key in here.list("jobs/"):
        mine = json.loads(here.get(key) or b"")
        theirs = json.loads(production.read(f"ci/{key}"))
        assert mine.pop("source")["trigger"] == "replay"
        theirs.pop("source")
        assert mine == theirs
    assert from_ledger(production)["jobs"] == {"duplicate": 5}


def test_a_failure_of_production_calls_for_what_it_called_for_there(
    production: FakeCos, here: FolderStore
) -> None:
    """Only the failed ones are asked for: their tickets are there to be looked at."""
    printed = from_ledger(production, "--failed")
    assert printed["jobs"] == {"kept": 1}
    assert [key for key in here.list("_outbox/") if "bad" in key]


def test_they_are_chosen_by_tag_time_and_number(production: FakeCos, here: FolderStore) -> None:
    """As `jobs` chooses them."""
    assert from_ledger(production, "--tag", "Translation")["bodies"] == 1
    assert from_ledger(production, "--since", "2030-01-01")["bodies"] == 0
    assert from_ledger(production, "--limit", "2")["bodies"] == 2


def test_dead_letters_of_production_are_run_here(production: FakeCos, here: FolderStore) -> None:
    """With the code of today: what is still not understood is a dead letter here too."""
    assert from_ledger(production, "--dead") == {
        "bodies": 1,
        "jobs": {"dead_letter": 1},
        "missing": [],
    }


def test_one_source_must_be_named(here: FolderStore) -> None:
    """Neither none nor both, nor the ledger itself."""
    run = CliRunner().invoke
    assert run(app, ["replay"]).exit_code == 2
    assert run(app, ["replay", "--from", "file:./x", "--from-log", __file__]).exit_code == 2
    itself = os.environ["LEDGER_URL"]
    assert run(app, ["replay", "--from", itself]).exit_code == 2


def test_records_of_production_are_sent_to_an_address(
    production: FakeCos, here: FolderStore, tmp_path: Path
) -> None:
    """The ledger there has them then, and the one here has not."""
    other = Invoked({"LEDGER_URL": f"file:{tmp_path}/other"})

    class Url(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = other.post(body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *arguments: object) -> None:
            """Nothing on stderr."""

    with HTTPServer(("127.0.0.1", 0), Url) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        printed = from_ledger(production, "--to", f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
        thread.join()
    assert printed["answers"] == {"200": 5}
    assert list(here.list("jobs/")) == []
    assert len(list(FolderStore(tmp_path / "other").list("jobs/"))) == 5


def test_an_address_where_nobody_answers_is_reported(
    production: FakeCos, here: FolderStore
) -> None:
    """Exit status 1, and what to do."""
    url = production.env["LEDGER_URL"]
    result = CliRunner().invoke(app, ["replay", "--from", url, "--to", "http://127.0.0.1:1/"])
    assert result.exit_code == 1
    assert "ci_callback serve" in result.stderr


def test_dead_letters_of_the_other_ledgers_own_are_left_out(tmp_path: Path) -> None:
    """Its records and tickets are no callbacks; one that can't be read stops no other."""
    other = FolderStore(tmp_path / "other")
    ledger = Ledger(other)
    day = "2026-09-20T08:00:00Z"
    body = (PAYLOADS / "Translation.seed.json").read_bytes()
    ticket = Ticket("retry", "j1", "failed").to_json()
    for dead_letter in (
        DeadLetter(body, "too_large", "", {}, "http", day, "r1"),
        DeadLetter(ticket, "ticket", "", {}, "timer", day, "r2", "ticket"),
        DeadLetter(record("j1").to_json(), "conflict", "", {}, "timer", day, "r3", "record"),
    ):
        ledger.put_dead_letter(dead_letter)
    other.put("_dead/dt=2026-09-20/odd.json", b"{}")
    done = CliRunner().invoke(
        app,
        ["replay", "--from", f"file:{tmp_path}/other", "--dead", "--json"],
        env={"LEDGER_URL": f"file:{tmp_path}/ledger"},
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"bodies": 1, "jobs": {"kept": 1}, "missing": []}
    assert done.stderr.count("left out:") == 3
