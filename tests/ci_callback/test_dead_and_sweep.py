"""`python -m ci_callback dead …` and `sweep`, as a person on call uses them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ci_callback.commands.registry import app
from handler.ledger.dead_letters import Content, DeadLetter
from handler.ledger.folder import FolderStore
from handler.ledger.outbox import Ticket
from handler.ledger.records import Ledger
from tests.callback.test_record import job
from tests.conftest import PAYLOADS

GOOD = (PAYLOADS / "Translation.seed.json").read_bytes()


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FolderStore:
    """The ledger that the commands work on."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    monkeypatch.setenv("LEASE_WAIT_S", "0")
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "ledger").mkdir()
    return FolderStore(tmp_path / "ledger")


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr."""
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def put_dead_letter(store: FolderStore, body: bytes, content: Content = "callback") -> str:
    """A dead letter with this body; its key."""
    dead_letter = DeadLetter(body, "test", "why", {}, "http", "2026-11-21T08:00:00Z", "r1", content)
    return Ledger(store).put_dead_letter(dead_letter)


def test_there_may_be_no_dead_letters(store: FolderStore) -> None:
    """That is said."""
    assert run("dead", "list") == (0, "", "There are no dead letters.\n")
    assert json.loads(run("dead", "list", "--json")[1]) == []


def test_dead_letters_are_listed_with_their_reason(store: FolderStore) -> None:
    """Even one that is none."""
    key = put_dead_letter(store, b"hello")
    store.put("_dead/dt=2026-11-21/odd.json", b"{}")
    store.put("_dead/dt=2026-11-21/worse.json", b"x")
    listed = json.loads(run("dead", "list", "--json")[1])
    assert [dead_letter["reason"] for dead_letter in listed] == ["test", "unreadable", "unreadable"]
    assert listed[0]["key"] == key
    assert "unreadable" in run("dead", "list")[1]


def test_a_dead_letter_is_shown_and_can_not_steer_the_terminal(store: FolderStore) -> None:
    """Escape sequences of the body are spelled out."""
    key = put_dead_letter(store, b"\x1b[31mred\n\xff")
    status, out, _ = run("dead", "show", key)
    assert status == 0
    assert "\x1b" not in out
    assert "\\x1b[31mred\n\\xff" in out
    shown = json.loads(run("dead", "show", key, "--json")[1])
    assert shown["body"] == "\x1b[31mred\n\\xff"


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize(
    "body",
    [
        b"<DocPassword>hunter2",
        b'{"Doc\\u0050assword": "hunter2"',
        b'<a DocPassword="hunter2">',
        "<DocPassword>hunter2</DocPassword>".encode("utf-16"),
    ],
)
def test_a_dead_letter_is_shown_without_secrets(
    store: FolderStore, body: bytes, options: tuple[str, ...]
) -> None:
    """Though its body could not be parsed. The dead letter itself keeps it whole."""
    key = put_dead_letter(store, body)
    _, out, _ = run("dead", "show", key, *options)
    assert "[redacted]" in out
    assert "hunter2" not in out.replace("\\x00", "").replace("\\u0000", "")


@pytest.mark.parametrize("name", ["", "0000", "_dead/"])
def test_a_name_must_mean_one_dead_letter(store: FolderStore, name: str) -> None:
    """None or several: the command says so."""
    for number in range(40):
        put_dead_letter(store, b"%d" % number)
    status, _, err = run("dead", "show", name)
    assert status == 1
    assert "dead list" in err


def test_a_dead_letter_that_is_understood_now_is_replayed_and_stays(store: FolderStore) -> None:
    """The success is noted beside it."""
    key = put_dead_letter(store, GOOD)
    sha = key.rpartition("/")[2]
    status, out, _ = run("dead", "replay", sha[:8])
    assert status == 0
    assert "kept" in out
    assert list(store.list("jobs/")) == [
        "jobs/dt=2022-07-25/ac34be3aa0bf411ed9ce39d7cc972e427.json"
    ]
    record = json.loads(store.get(next(store.list("jobs/"))) or b"")
    assert record["source"]["trigger"] == "replay"
    assert base64.b64decode(json.loads(store.get(key) or b"")["body_base64"]) == GOOD
    (listed,) = json.loads(run("dead", "list", "--json")[1])
    assert listed["replayed_at"] is not None
    (again,) = json.loads(run("dead", "replay", sha, "--json")[1])
    assert again["status"] == "duplicate"


def test_a_dead_letter_that_is_still_not_understood_makes_no_second_one(store: FolderStore) -> None:
    """The reason is told, and nothing is noted."""
    key = put_dead_letter(store, b"hello")
    status, _, err = run("dead", "replay", key)
    assert status == 1
    assert "not_xml_or_json" in err
    assert list(store.list("")) == [key]


def test_a_dead_letter_without_a_body_is_reported(store: FolderStore) -> None:
    """It was tampered with."""
    store.put("_dead/dt=2026-11-21/odd.json", b"{}")
    status, _, err = run("dead", "replay", "odd")
    assert (status, err.splitlines()[1:]) == (1, ["the dead letter holds no body"])


def test_a_conflict_can_be_replayed_once_the_other_end_is_gone(store: FolderStore) -> None:
    """A record that the sweep had put aside; while the other end stands, it stays aside."""
    record = job(State="Success")
    key = put_dead_letter(store, record.to_json(), "record")
    Ledger(store).put_record(job(State="Cancel"))
    status, _, err = run("dead", "replay", key)
    assert status == 1
    assert "another end" in err
    store.delete("jobs/dt=1970-01-01/j1.json")
    assert run("dead", "replay", key)[0] == 0
    assert json.loads(store.get("jobs/dt=1970-01-01/j1.json") or b"")["outcome"] == "succeeded"


def test_a_callback_that_is_a_conflict_is_buried_again(store: FolderStore) -> None:
    """Exit status 1: it was not taken."""
    Ledger(store).put_record(job(State="Cancel"))
    key = put_dead_letter(store, b'{"JobsDetail": {"JobId": "j1", "State": "Success"}}')
    assert run("dead", "replay", key)[0] == 1
    assert store.get(key + ".replayed.json") is None


def test_a_ticket_goes_back_to_the_outbox(store: FolderStore) -> None:
    """Once what made it fail is mended."""
    ticket = Ticket("watch", "j1", "submitted", 9_000_000_000, job(State="Failed"))
    key = put_dead_letter(store, ticket.to_json(), "ticket")
    assert run("dead", "replay", key)[0] == 0
    (key,) = store.list("_outbox/")
    assert Ticket.from_json(store.get(key) or b"") == ticket.replayed()


def test_a_dry_run_says_what_a_sweep_would_do_and_writes_nothing(store: FolderStore) -> None:
    """Each kind of ticket, in each state of its attempt."""
    failed = job(State="Failed", Code="InternalError")
    born = job(State="Failed", Workflow={"RunId": "i1"})
    put = {
        Ticket("retry", "a", "failed", record=failed).name: Ticket(
            "retry", "a", "failed", record=failed
        ),
        Ticket("retry", "b", "failed", record=born).name: Ticket(
            "retry", "b", "failed", record=born
        ),
        Ticket("retry", "c", "failed").name: Ticket("retry", "c", "failed"),
        Ticket("watch", "d", "x").name: Ticket("watch", "d", "x"),
        Ticket("alert.dead", "e", "x").name: Ticket("alert.dead", "e", "x"),
        Ticket("alert.dead", "f", "x").name: Ticket("alert.dead", "f", "x"),
    }
    for name, ticket in put.items():
        store.put(f"_outbox/{name}", ticket.to_json())
    store.put("_outbox/0000000000-g-x-retry.json", b"x")
    store.put("_done/0000000000-f-x-alert.dead.json", b"{}")
    store.put("_digests/1-x.json", b"{}")
    store.put("_sweep/1-x", b"{}")
    before = list(store.list(""))
    status, out, _ = run("sweep", "--dry-run", "--json")
    assert status == 0
    would = {entry["key"][10:]: entry["would"] for entry in json.loads(out) if entry["job_id"]}
    assert [text.split(":")[0].split(",")[0] for text in would.values()] == [
        "ask CI for the job",
        "run its workflow again",
        "move it to _dead/ and alert",
        "look whether the new job's record is there",
        "send the alert",
        "delete it",
    ]
    assert len(json.loads(out)) == 9
    assert list(store.list("")) == before
    for state, text in (
        ("submitting", "look for attempt 2"),
        ("submitted", "watch attempt 2"),
        ("refused", "alert that CI refused attempt 2"),
    ):
        store.put(
            "_attempts/j1/02.json",
            json.dumps({"schema": "attempt/1", "state": state, "since": 1, "by": "x"}).encode(),
        )
        assert text in run("sweep", "--dry-run")[1].replace("\n", " ")


def test_a_sweep_prints_what_it_did(store: FolderStore) -> None:
    """On any ledger, with the settings of the environment."""
    assert run("sweep", "--dry-run") == (0, "", "Nothing is due.\n")
    status, out, _ = run("sweep")
    assert status == 0
    assert out.startswith("status: done  due: 0")
    store.put("_outbox/0000000000-g-x-retry.json", b"x")
    summary = json.loads(run("sweep", "--json")[1])
    assert (summary["status"], summary["due"]) == ("done", 1)
    assert len(list(store.list("_dead/"))) == 1


def test_a_sweep_that_breaks_off_has_an_exit_status(store: FolderStore, tmp_path: Path) -> None:
    """So that a script notices."""
    store.put("_outbox/0000000000-j1-failed-retry.json", b"{}")
    (tmp_path / "ledger" / "_sweep").write_bytes(b"")
    status, out, _ = run("sweep")
    assert status == 1
    assert "aborted" in out


def test_a_ledger_that_is_a_file_is_none(store: FolderStore, tmp_path: Path) -> None:
    """The store's exit status."""
    (tmp_path / "ledger").rmdir()
    (tmp_path / "ledger").write_bytes(b"")
    assert [run(*command)[0] for command in (["sweep"], ["dead", "list"])] == [4, 4]
