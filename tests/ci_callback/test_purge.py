"""`purge JOB_ID`: everything that a ledger keeps of a job is removed, and nothing else."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ci_callback import purge as purging
from ci_callback.commands.registry import app
from ci_callback.compaction import compact
from handler.alerts.digest import Message
from handler.alerts.stored import Digest
from handler.ledger import keys
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.folder import FolderStore
from handler.ledger.store import Store
from handler.settings import Settings
from handler.stores import open_store
from tests.fake_cos import FakeCos, Fault
from tests.forwarding.receivers import ForwardWorld
from tests.records import keep, record
from tests.world import World

OTHERS = ("j10", "aj1", "j2")
"""Ids that hold the job's, j1, or stand beside it."""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FolderStore:
    """A ledger with a job and others, in every place that names jobs."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    monkeypatch.setenv("NO_COLOR", "1")
    made = FolderStore(tmp_path / "ledger")
    fill(made, "j1", *OTHERS)
    return made


def fill(store: Store, *job_ids: str) -> None:
    """What the function writes about jobs, and what people make of it."""
    keep(store, *(record(job_id) for job_id in job_ids))
    keep(store, *(record(job_id, outcome="unfinished", state="Running") for job_id in job_ids))
    for job_id in job_ids:
        for prefix in (keys.OUTBOX, keys.DONE):
            store.put(f"{prefix}1790000000-{keys.name(job_id)}-failed-retry.json", b"{}\n")
        store.put(f"{keys.EVENTS}1790000000-{job_id}-failed-20260920-own.json", b"{}\n")
        store.put(keys.final_events(job_id), b'{"finals": []}')
        store.put(keys.lineage(job_id), json.dumps({"root_job_id": job_id, "attempt": 1}).encode())
        body = json.dumps({"JobsDetail": {"JobId": job_id, "Tag": "?"}}).encode()
        letter = DeadLetter(body, "why", "so", {}, "http", "2026-09-20T08:00:00Z", "r")
        store.put(letter.key, letter.to_json())
        store.put(f"{letter.key}.replayed.json", b"{}")
    events = [{"head": {"job_id": job_id}, "record_key": f"x/{job_id}.json"} for job_id in job_ids]
    store.put(keys.deliveries("2026-09-20T08:00:00Z", "run"), line({"events": events}))
    store.put(f"{keys.PENDING}0123456789abcdef/1-1-r.json", line({"events": events}))
    message = Message("m", "title", tuple(f"job {job_id} failed" for job_id in job_ids), "en")
    tickets = tuple(f"0000000000-{job_id}-failed-alert.failed.json" for job_id in job_ids)
    store.put(f"{keys.DIGESTS}1-w.json", Digest(message, tickets, 1.0).to_json())
    store.put(f"{keys.UNDELIVERED}1-w.json", Digest(message, tickets, 1.0).to_json())
    store.put(f"{keys.RECONCILE}Transcode.json", b"{}")


def line(values: dict[str, Any]) -> bytes:
    """As it is stored."""
    return json.dumps(values).encode() + b"\n"


def run(*arguments: str, answers: str = "", **env: str) -> Result:
    """The command."""
    result = CliRunner().invoke(app, ["purge", *arguments], input=answers, env=env)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def naming(store: Store, *job_ids: str) -> list[str]:
    """The keys whose name or content names one of some jobs, in base64 too."""
    job = purging.Job(job_ids)
    return [key for key in store.list("") if job.is_named_in(f"{key}\n{text(store, key)}")]


def text(store: Store, key: str) -> str:
    """An object, and the body that it may hold."""
    data = store.get(key) or b""
    if b"body_base64" in data:
        data += base64.b64decode(json.loads(data)["body_base64"])
    return data.decode("utf-8", "replace")


def everything(store: Store) -> dict[str, bytes | None]:
    """By key."""
    return {key: store.get(key) for key in store.list("")}


def test_nothing_of_the_job_is_left_and_all_of_the_others(
    store: FolderStore, tmp_path: Path
) -> None:
    """Of a ledger that has it in every place, the result is one that never had it."""
    assert len(naming(store, "j1")) >= 12
    result = run("j1", "--yes")
    assert result.exit_code == 0, result.output
    assert naming(store, "j1") == []
    never = FolderStore(tmp_path / "never")
    fill(never, *OTHERS)
    mine, theirs = everything(store), everything(never)
    assert mine.keys() == theirs.keys()
    for key, data in theirs.items():
        found = mine[key]
        assert found == data or json.loads(found or b"") == json.loads(data or b""), key


def test_every_prefix_of_the_ledger_is_looked_at_or_names_no_job() -> None:
    """A new one must be decided about."""
    assert purging.WHERE.keys() == keys.PREFIXES.keys()


def test_the_keys_are_shown_first_and_two_answers_are_needed(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A no, or another id, leaves everything."""
    before = everything(store)
    monkeypatch.setattr("ci_callback.commands.purge.someone_is_there", lambda: True)
    no = run("j1", answers="n\n")
    assert "  removed: jobs/dt=2026-09-20/j1.json" in no.stdout
    assert "  written without it: _deliveries/" in no.stdout
    assert "ledger:" in no.stderr
    assert (no.exit_code, everything(store) == before) == (1, True)
    other = run("j1", answers="y\nj10\n")
    assert (other.exit_code, everything(store) == before) == (1, True)
    assert "nothing was removed" in other.stderr
    assert run("j1", answers="y\nj1\n").exit_code == 0
    assert naming(store, "j1") == []


def test_where_nobody_can_be_asked_it_wants_yes(store: FolderStore) -> None:
    """And --dry-run removes nothing."""
    before = everything(store)
    assert run("j1").exit_code == 2
    dry = run("j1", "--dry-run", "--json")
    assert (dry.exit_code, "jobs/dt=2026-09-20/j1.json" in json.loads(dry.stdout)["removed"]) == (
        0,
        True,
    )
    assert everything(store) == before


def test_of_a_job_that_is_not_there_nothing_is_removed(store: FolderStore) -> None:
    """It says so."""
    before = everything(store)
    result = run("j3", "--yes")
    assert (result.exit_code, "nothing is kept of j3" in result.stderr) == (1, True)
    assert everything(store) == before


@pytest.fixture
def retried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[World, str]]:
    """A world in which a job failed, was submitted again, and has yet to end; and the job."""
    with World(tmp_path / "ledger") as world:
        for name, value in world.env.items():
            monkeypatch.setenv(name, value)
        job = world.submit()
        world.fail(job)
        world.deliver(job)
        world.run(minutes=3)
        yield world, job


def test_a_job_goes_with_its_retries(retried: tuple[World, str], tmp_path: Path) -> None:
    """Whichever of them is named: they have the same input."""
    _, job = retried
    store = FolderStore(tmp_path / "ledger")
    (attempt,) = store.list(keys.ATTEMPTS)
    again = json.loads(store.get(attempt) or b"")["job_id"]
    assert again not in (job, "")
    result = run(again, "--yes")
    assert f"job and retries: {job}, {again}" in result.stdout
    assert naming(store, job, again) == []


def test_what_was_sent_about_it_goes_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As the function itself writes it; another job's events stay."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    store = FolderStore(tmp_path / "ledger")
    world = ForwardWorld()
    first, second = world.ended(), world.ended("Failed", "InvalidArgument")
    world.forward()
    for key in world.keys(""):
        store.put(key, world.memory.get(key) or b"")
    assert run(first, "--yes").exit_code == 0
    assert naming(store, first) == []
    assert any(key.startswith(keys.DELIVERIES) for key in naming(store, second))


def test_a_compacted_day_that_holds_it_goes_and_is_made_again(store: FolderStore) -> None:
    """It is a copy; a day without the job stays."""
    keep(store, record("j7", "2026-09-22"))
    for day in ("2026-09-20", "2026-09-22"):
        compact(store, day)
    assert run("j1", "--yes").exit_code == 0
    assert sorted(store.folders(f"{keys.COMPACTED}dt=")) == [f"{keys.COMPACTED}dt=2026-09-22/"]


def test_a_spilled_callback_goes_too(store: FolderStore, tmp_path: Path) -> None:
    """Else a sweep would take it in."""
    there = FolderStore(tmp_path / "spill")
    for job_id in ("j1", "j10"):
        body = json.dumps({"JobsDetail": {"JobId": job_id}}).encode()
        values = {"schema": "spill/1", "body_base64": base64.b64encode(body).decode()}
        there.put(f"{keys.SPILL}20260920T080000-{len(body)}-{job_id}.json", line(values))
    result = run("j1", "--yes", SPILL_URL=f"file:{tmp_path}/spill")
    assert "removed from SPILL_URL" in result.stdout
    assert len(list(there.list(keys.SPILL))) == 1


def test_what_can_not_be_read_is_left(store: FolderStore) -> None:
    """Unless its name is the job's."""
    store.put(f"{keys.DELIVERIES}dt=2026-09-20/bad.json", b"{ j1")
    store.put(f"{keys.DEAD}dt=2026-09-20/bad.json", b"[]")
    store.put(f"{keys.COMPACTED}dt=2026-09-20/_manifest.json", b"[]")
    store.put(keys.attempt("j1", 2), b"[]")
    store.put(keys.lineage("j1"), b"[]")
    assert run("j1", "--yes").exit_code == 0
    assert naming(store, "j1") == [f"{keys.DELIVERIES}dt=2026-09-20/bad.json"]


def test_a_ledger_on_cos_is_purged_too(cos: FakeCos, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the keys of the environment; a run that breaks off is finished by the next."""
    for name, value in cos.env.items():
        monkeypatch.setenv(name, value)
    store = open_store(Settings.from_env(cos.env))
    fill(store, "j1", *OTHERS)
    refused = Fault(before=(403, "AccessDenied"))
    with cos.faulty(lambda seen: refused if seen.method in ("POST", "DELETE") else None):
        assert run("j1", "--yes").exit_code == 4
    assert run("j1", "--yes").exit_code == 0
    assert naming(store, "j1") == []
    assert len(naming(store, "j10")) >= 12


@pytest.mark.parametrize("job_id", [",", '"', ":", "*", "/", "~", "..", "-"])
def test_an_id_without_a_letter_or_digit_takes_nothing_that_names_another(
    store: FolderStore, job_id: str
) -> None:
    """Texts are full of such characters."""
    before = everything(store)
    assert run(job_id, "--yes").exit_code == 1
    assert everything(store) == before


@pytest.mark.parametrize("job_id", ["", " "])
def test_an_empty_id_is_refused(store: FolderStore, job_id: str) -> None:
    """Such as that of a variable of a shell that is not set."""
    before = everything(store)
    assert run(job_id, "--yes").exit_code == 2
    assert everything(store) == before
    kept = purging.Job(("",))
    assert not kept.is_named_in('{"job_id": "j1", "root": ""}')


def test_an_id_that_goes_on_behind_a_dash_or_an_underscore_is_another(
    store: FolderStore,
) -> None:
    """In texts too, where it stands as it was sent."""
    for job_id in ("j1-2", "0-j1", "j1_2", "j1中"):
        body = json.dumps({"JobsDetail": {"JobId": job_id}}, ensure_ascii=False).encode()
        letter = DeadLetter(body, "why", "so", {}, "http", "2026-09-20T08:00:00Z", "r")
        store.put(letter.key, letter.to_json())
        kept = purging.find(store, "j1")
        assert letter.key not in kept.gone


@pytest.mark.parametrize("root", ["", None, ["j2"]])
def test_a_damaged_lineage_leads_to_no_other_job(store: FolderStore, root: object) -> None:
    """The job that was named is looked for."""
    store.put(keys.lineage("j1"), json.dumps({"root_job_id": root}).encode())
    assert purging.find(store, "j1").job.ids == ("j1",)


def test_what_was_sent_while_a_person_was_asked_is_not_written_again(store: FolderStore) -> None:
    """Else its alert would be sent twice, and what came in between be lost."""
    kept = purging.find(store, "j1")
    digest, pending = sorted(kept.rest, key=lambda key: not key.startswith(keys.DIGESTS))[:2]
    assert digest.startswith(keys.DIGESTS)
    store.delete(digest)
    store.put(pending, line({"events": [{"head": {"job_id": "j9"}}]}))
    purging.remove(store, kept)
    assert store.get(digest) is None
    assert store.get(pending) == line({"events": [{"head": {"job_id": "j9"}}]})
