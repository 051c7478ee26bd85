"""Every command over a ledger in which each text is hostile: what is printed stays text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ci_callback.commands.registry import app
from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.ledger import keys
from handler.ledger.attempts import Attempt, Attempts
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.folder import FolderStore
from handler.ledger.outbox import Outbox, Ticket
from handler.ledger.records import Ledger
from tests.ci_callback.test_terminal import HOSTILE, SHOWN, is_obeyed
from tests.records import DAY, keep, record

STRUCTURE = {"kind", "outcome", "created_at", "started_at", "ended_at"}
"""Fields with a form of their own: a record in which they hold anything else is no record."""


def hostile(value: Any) -> Any:
    """A value with each text in it replaced, names of fields aside."""
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, dict):
        return {name: hostile(member) for name, member in value.items()} | {HOSTILE: HOSTILE}
    if isinstance(value, list):
        return [*map(hostile, value), HOSTILE]
    return value


def hostile_record(kind: str, outcome: str) -> JobRecord:
    """A record in which every text that a callback gives is hostile."""
    plain = record("j1", kind=kind, outcome=outcome)
    printed = {
        "job_id": HOSTILE,
        "event": HOSTILE,
        "tag": HOSTILE,
        "state": HOSTILE,
        "code": HOSTILE,
        "message": HOSTILE,
        "queue_id": HOSTILE,
        "queue_type": HOSTILE,
        "sub_tag": HOSTILE,
        "custom_id": HOSTILE,
        "user_data": HOSTILE,
        "input": hostile({"bucket": "b", "object": "o", "url": None, "region": "", "headers": {}}),
        "outputs": [hostile({"bucket": "b", "region": "r", "object": "o"})],
        "workflow": hostile(dict.fromkeys(("run_id", "workflow_id", "workflow_name", "node"), "")),
        "result": hostile({"found": ["x"]}),
        "details": hostile({"JobId": "j1", "Deep": {"List": ["x"]}}),
        "retry": {"root_job_id": HOSTILE, "attempt": 2 if kind == "job" else 1},
        "source": {**plain.source, "request_id": HOSTILE},
    }
    assert set(printed) | STRUCTURE | {"wait_s", "run_s", "job_level", "progress_percent"} == set(
        JobRecord._fields
    )
    return plain._replace(**printed)


class _Hostile(BaseHTTPRequestHandler):
    """Answers everything with a hostile error."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        text = HOSTILE.replace("<", "").replace("\x1b", "").replace("\x07", "").replace("\x7f", "")
        body = f"<Error><Code>{text}</Code><Message>{text}</Message></Error>".encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/xml")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = _answer  # http.server's names

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a service that is hostile."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hostile) as http:
        thread = Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: str) -> FolderStore:
    """A ledger with each kind of object that there is, every text of it hostile."""
    for name, value in {
        "LEDGER_URL": f"file:{tmp_path}/ledger",
        "COS_ENDPOINT": server,
        "COS_REGION": "ap-guangzhou",
        "CI_BUCKET": "b-1250000000",
        "TENCENTCLOUD_SECRETID": "id",
        "TENCENTCLOUD_SECRETKEY": "key",
        "LEASE_WAIT_S": "0",
        "COLUMNS": "1000",
        "NO_COLOR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    made = FolderStore(tmp_path / "ledger")
    ledger = Ledger(made)
    failed = hostile_record("job", "failed")
    keep(
        made,
        failed,
        hostile_record("job", "unfinished"),
        hostile_record("workflow", "partial"),
        hostile_record("review", "succeeded"),
    )
    Outbox(ledger).put(Ticket("retry", HOSTILE, HOSTILE, 1, failed, HOSTILE, 1, {HOSTILE: HOSTILE}))
    Outbox(ledger).put(Ticket("watch", HOSTILE, HOSTILE, 1, None, HOSTILE))
    made.put(f"_outbox/0000000000-{'[b]'}-x-retry.json", b"{}")
    attempt = Attempt("submitted", 1, HOSTILE, 1, HOSTILE, None, HOSTILE, HOSTILE)
    Attempts(made).put(Lineage(HOSTILE, 2), attempt)
    ledger.put_dead_letter(
        DeadLetter(HOSTILE.encode(), HOSTILE, HOSTILE, {}, HOSTILE, f"{DAY}T08:00:00Z", HOSTILE)
    )
    made.put("_digests/1-x[b].json", b"{}")
    made.put("_sweep/1-x[b]", b"{}")
    return made


def dead_letter_name(store: FolderStore) -> str:
    """The SHA-256 of the one dead letter."""
    (key,) = store.list("_dead/")
    return key.rpartition("/")[2]


OUR_OWN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
"""Colours, and the cursor of the progress bar. None of the hostile texts holds such a sequence."""

Arguments = Callable[[FolderStore, Path, str], list[list[str]]]

WALK: dict[str, Arguments] = {
    "invoke": lambda store, folder, server: [
        [str(_file(folder))],
        [str(_file(folder)), str(_file(folder, "other")), f"{folder}"],
        ["--json", str(_file(folder))],
    ],
    "sample": lambda store, folder, server: [
        ["Transcode", "--message", HOSTILE, "--json"],
        ["--list"],
        ["Transcode", "--out", str(folder / "out[b]\u202e.xml")],
    ],
    "send": lambda store, folder, server: [
        ["Transcode", "--to", server],
        ["Transcode", "--to", server, "--json"],
        ["Transcode", "--to", server, "--repeat", "2"],
    ],
    "jobs": lambda store, folder, server: [
        [],
        ["--json"],
        ["--failed"],
        ["--outcome", "unfinished"],
    ],
    "show": lambda store, folder, server: [
        [HOSTILE],
        [HOSTILE, "--json"],
        [f"no {HOSTILE}"],
        [HOSTILE, "--part", "records"],
        [HOSTILE, "--part", "attempts", "--csv"],
    ],
    "tail": lambda store, folder, server: [
        ["--count", "1"],
        ["--count", "1", "--json"],
        ["--count", "1", "--csv"],
    ],
    "retries": lambda store, folder, server: [[], ["--made"], ["--made", "--json"]],
    "query": lambda store, folder, server: [
        ["SELECT * FROM jobs"],
        ["SELECT * FROM workflows", "--json"],
        ["SELECT * FROM reviews"],
        [f'SELECT 1 AS "{HOSTILE}"'],
        [f'SELECT nothing FROM "{HOSTILE}"'],
    ],
    "report": lambda store, folder, server: [
        ["--out", str(folder / "r[b]\u202e.html")],
        ["--json"],
    ],
    "cost": lambda store, folder, server: [[], ["--json"]],
    "doctor": lambda store, folder, server: [["--url", "http://127.0.0.1:1/"]],
    "sweep": lambda store, folder, server: [["--dry-run"], ["--dry-run", "--json"], [], ["--json"]],
    "reconcile": lambda store, folder, server: [
        ["--tag", HOSTILE],
        ["--tag", "Transcode"],
        ["--tag", "Transcode", "--json"],
    ],
    "replay": lambda store, folder, server: [
        ["--from", f"file:{_other(folder)}"],
        ["--from", f"file:{_other(folder)}", "--json"],
        ["--from", f"file:{_other(folder)}", "--to", server],
    ],
    "compact": lambda store, folder, server: [["--all-stale"], ["--all-stale", "--json"]],
    "dead list": lambda store, folder, server: [[], ["--json"]],
    "dead show": lambda store, folder, server: [
        [dead_letter_name(store)],
        [dead_letter_name(store), "--json"],
        [HOSTILE],
    ],
    "purge": lambda store, folder, server: [
        [HOSTILE, "--dry-run"],
        [HOSTILE, "--dry-run", "--json"],
        [f"no {HOSTILE}", "--yes"],
    ],
    "dead replay": lambda store, folder, server: [[dead_letter_name(store)], [HOSTILE]],
    "events": lambda store, folder, server: [[], ["--json"], ["--type", "job.failed"]],
    "events resend": lambda store, folder, server: [
        [HOSTILE],
        ["--to", server],
        ["--to", server, "--json"],
    ],
    "listen": lambda store, folder, server: [
        ["--forward-to", server, "--count", "1"],
        ["--forward-to", server, "--count", "1", "--json"],
    ],
}
"""Arguments of each command that prints what the ledger, a file or a service holds."""

NOT_WALKED = {"serve"}
"""It prints its own addresses, and the function's log, which is ASCII."""
OWN_ACCOUNT = {"deploy", "logs"}
"""Commands, or groups of them, that print what the user's own account holds;
tests/ci_callback/deploy walks over them."""


def _file(folder: Path, name: str = "body") -> Path:
    """A callback in which each text is hostile, in a file with a hostile name."""
    path = folder / f"{name}[b]\u202e.json"
    body = {
        "EventName": "TaskFinish",
        "JobsDetail": [hostile({"JobId": "j", "Tag": "t", "State": "s", "Code": "c"})],
    }
    path.write_text(json.dumps(body))
    return path


def _other(folder: Path) -> Path:
    """Another ledger that is hostile."""
    other = folder / "other"
    keep(FolderStore(other), hostile_record("job", "failed"))
    return other


def names(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command, as it is typed."""
    group = group or typer.main.get_command(app)
    for name, listed in group.commands.items():
        command = group.loaded(name) if hasattr(group, "loaded") else listed
        if hasattr(command, "commands"):
            if command.invoke_without_command:
                yield " ".join((*path, name))
            yield from names(command, (*path, name))
        else:
            yield " ".join((*path, name))


def test_the_walk_covers_every_command() -> None:
    """A new one needs its arguments here."""
    others = {name for name in names() if name.split()[0] not in OWN_ACCOUNT}
    assert others == {*WALK, *NOT_WALKED}


@pytest.fixture(params=[False, True], ids=["pipe", "terminal"])
def colour(
    request: pytest.FixtureRequest, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> bool:
    """Whether the output is that for a terminal."""
    if request.param:
        monkeypatch.delenv("NO_COLOR")
        monkeypatch.setenv("FORCE_COLOR", "1")
    return bool(request.param)


@pytest.fixture
def _late_records(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each wait of `tail` and `listen` ends with one more record."""
    late = (hostile_record("job", "failed")._replace(job_id=f"{n}{HOSTILE}") for n in range(99))
    monkeypatch.setattr(
        "ci_callback.commands.tail.time.sleep", lambda seconds: keep(store, next(late))
    )


@pytest.mark.usefixtures("_late_records")
@pytest.mark.parametrize("command", WALK)
def test_a_hostile_ledger_is_printed_as_text(
    command: str, colour: bool, store: FolderStore, tmp_path: Path, server: str
) -> None:
    """No stack trace, no link, nothing that the terminal obeys but our own colours."""
    (tmp_path / "work").mkdir()
    for arguments in WALK[command](store, tmp_path / "work", server):
        done = CliRunner().invoke(app, [*command.split(), *arguments])
        assert done.exception is None or isinstance(done.exception, SystemExit), arguments
        assert done.exit_code in (0, 1, 2), done.output
        written = OUR_OWN.sub("", done.stdout + done.stderr)
        assert not [
            character for character in written if is_obeyed(character) and character not in "\n\t"
        ], arguments
        assert "⚠" not in written
        if "--json" in arguments and not colour:
            for line in done.stdout.splitlines():
                json.loads(line)


@pytest.mark.parametrize(
    ("arguments", "times"),
    [
        (["jobs", "--failed"], 3),  # id, tag, code
        (["retries"], 4),  # job and note of each ticket
        (["query", "SELECT job_id, code, input.object FROM jobs"], 3),
        (["dead", "list"], 1),
    ],
    ids=lambda parameter: str(parameter),
)
def test_markup_is_shown_as_it_was_sent(
    arguments: list[str], times: int, store: FolderStore
) -> None:
    """Nothing of it is taken away."""
    written = CliRunner().invoke(app, arguments).stdout
    assert written.count(SHOWN) == times, written


def test_json_holds_what_was_sent(store: FolderStore) -> None:
    """Exactly: a program decodes the escapes."""
    (line,) = CliRunner().invoke(app, ["jobs", "--failed", "--json"]).stdout.splitlines()
    printed = json.loads(line)["record"]
    assert printed == hostile_record("job", "failed").values()
    assert keys.record(hostile_record("job", "failed")) == json.loads(line)["key"]
