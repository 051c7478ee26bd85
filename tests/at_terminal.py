"""A command of the tool at a real terminal device, of a width, with keys that are typed; and the
screen that its output makes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROWS = 50
MAX_S = 60.0

AS_MODULE = "import sys; sys.argv[0] = '/x/ci_callback/__main__.py'; "
"""As `python -m ci_callback` with something to do before; Typer does not know of the -m then."""
AS_INSTALLED = "import sys; sys.argv[0] = '/x/bin/ci-callback'; "
ALWAYS_LATE = "from ci_callback import late_bar; late_bar.LATE_S = 0.0; "
"""Work is late at once, so that a bar appears however quick the machine is."""
WITHOUT_DUCKDB = "sys.modules['duckdb'] = None; "
RUN = "from ci_callback.main import run; run()"

_CONTROL = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+")


@dataclass(frozen=True)
class Seen:
    """What a command wrote. raw: to the terminal, control sequences included. piped: to stdout
    where that is a pipe."""

    status: int
    raw: str
    piped: str

    @property
    def screen(self) -> list[str]:
        """The lines that stand on the screen at the end, without colours."""
        return screen(self.raw)

    @property
    def words(self) -> str:
        """The screen's text on one line, without frames."""
        return " ".join(" ".join(self.screen).replace("│", " ").split())


@dataclass(frozen=True)
class Terminal:
    """Where commands are typed. variables: of the environment, in place of this process's own."""

    columns: int
    folder: Path
    variables: Mapping[str, str]

    def run(
        self, *arguments: str, typed: str = "", before: str = "", into_pipe: bool = False
    ) -> Seen:
        """Run a command. before: Python to run first. into_pipe: as `command | cat` does."""
        program = ["-c", before + RUN] if before else ["-m", "ci_callback"]
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, self.columns, 0, 0))
        with subprocess.Popen(
            [sys.executable, *program, *arguments],
            stdin=theirs,
            stdout=subprocess.PIPE if into_pipe else theirs,
            stderr=theirs,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
            | {"LANG": "C.UTF-8", "HOME": str(self.folder)}
            | dict(self.variables),
        ) as process:
            os.close(theirs)
            deadline = threading.Timer(MAX_S, process.kill)
            deadline.start()
            os.write(ours, typed.encode())
            written: list[bytes] = []
            reading = threading.Thread(target=_read_all, args=(ours, written))
            reading.start()
            piped = process.stdout.read() if process.stdout else b""
            reading.join()
            deadline.cancel()
        os.close(ours)
        return Seen(process.returncode, b"".join(written).decode(), piped.decode())


def _read_all(device: int, written: list[bytes]) -> None:
    while part := _read(device):
        written.append(part)


def _read(device: int) -> bytes:
    try:
        return os.read(device, 65_536)
    except OSError:  # Linux: the other side is closed
        return b""


def screen(raw: str) -> list[str]:
    """The lines that an output leaves: carriage returns, erased lines and moves up are followed,
    which are what bars consist of. Lines are as long as they were written."""
    lines: list[str] = [""]
    row = column = 0
    for found in _CONTROL.finditer(raw):
        text, code, letter = found[0], found[1], found[2]
        if text == "\r":
            column = 0
        elif text == "\n":
            row += 1
            lines.extend([""] * (row + 1 - len(lines)))
        elif letter == "K":
            lines[row] = "" if code == "2" else lines[row][:column]
        elif letter == "A":
            row = max(0, row - int(code or 1))
        elif letter is None:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + text + line[column + len(text) :]
            column += len(text)
    return lines


def cells(line: str) -> Sequence[str]:
    """The values of a line between tabs."""
    return line.rstrip("\n").split("\t")
