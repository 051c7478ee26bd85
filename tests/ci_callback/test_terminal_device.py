"""At a real terminal device: nothing that a stranger wrote reaches it as a control sequence."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from handler.callback.record import JobRecord
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.folder import FolderStore
from tests.records import keep, record

HOSTILE = (
    "\x1b]8;;https://evil.example\x1b\\x\x1b]8;;\x1b\\ \x1b]0;title\x07 \x9d52;c;AAAA\x9c \x9b31m "
    "\x1bP+q\x1b\\ \u202edcba \u2066x\u2069 [link=https://evil.example]y[/link] \x08\x7f\r\x00"
)
"""OSC for links, title and clipboard, CSI and DCS, each of 7 and 8 bits where there are both; bidi
controls, markup of Rich, and characters that overwrite what is there."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\r(?!\n)")


def shown(folder: Path, *arguments: str) -> str:
    """What a command writes to a terminal, without its own colours."""
    ours, theirs = pty.openpty()
    environment = os.environ | {
        "LEDGER_URL": f"file:{folder}/ledger",
        "TERM": "xterm-256color",
        "COLUMNS": "80",
    }
    command = [sys.executable, "-m", "ci_callback", *arguments]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        deadline = threading.Timer(60, process.kill)
        deadline.start()
        written = b""
        while part := _read(ours):
            written += part
        deadline.cancel()
    os.close(ours)
    return _COLOURS.sub("", written.decode("utf-8"))


def _read(device: int) -> bytes:
    try:
        return os.read(device, 65_536)
    except OSError:  # Linux: the other side is closed
        return b""


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """A ledger with a hostile record and a hostile dead letter."""
    made = FolderStore(tmp_path / "ledger")
    keep(made, hostile_record("j1"))
    made.put(LETTER.key, LETTER.to_json())
    return made


def hostile_record(job_id: str) -> JobRecord:
    """A failed job whose texts are hostile."""
    texts = dict.fromkeys(("tag", "state", "code", "message", "user_data"), HOSTILE)
    return record(job_id + HOSTILE, outcome="failed", details={HOSTILE: HOSTILE}, **texts)


LETTER = DeadLetter(
    f'{{"DocPassword": "hunter2", "a": "{HOSTILE}"'.encode(),
    "json_invalid",
    HOSTILE,
    {HOSTILE: HOSTILE},
    HOSTILE,
    "2026-11-21T08:00:00Z",
    HOSTILE,
)
NAME = LETTER.key.rpartition("/")[2].removesuffix(".json")
SENT = HOSTILE.replace("\0", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("jobs",),
        ("jobs", "--json"),
        ("show", f"j1{SENT}"),
        ("dead", "list"),
        ("dead", "show", NAME),
        ("dead", "show", NAME, "--json"),
        ("dead", "replay", NAME),
        ("query", "SELECT * FROM jobs"),
        ("query", f'SELECT 1 AS "{SENT}"'),
        ("query", f"SELEC '{SENT}'"),
        ("sample", SENT),
        ("--ledger", SENT, "jobs"),
    ],
    ids=lambda arguments: ascii(arguments)[:30],
)
def test_a_terminal_is_given_text_only(
    store: FolderStore, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """In output, errors and advice, of the ledger's texts and of the arguments."""
    written = shown(tmp_path, *arguments)
    assert written
    assert _OBEYED.findall(written) == []
    assert "hunter2" not in written


def test_tail_gives_a_terminal_text_only(store: FolderStore, tmp_path: Path) -> None:
    """Of a record that comes while it looks."""
    ended = threading.Event()

    def write() -> None:
        number = 0
        while not ended.wait(0.05):
            keep(store, hostile_record(f"late{number}"))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        written = shown(tmp_path, "tail", "--count", "1", "--every", "0.1")
    finally:
        ended.set()
        writer.join()
    assert "late" in written
    assert _OBEYED.findall(written) == []
