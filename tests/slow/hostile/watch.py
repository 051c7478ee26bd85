"""Tells which files, sockets and programs the interpreter opens: an audit hook (PEP 578).

What it can't see, code in C that opens a file for itself, the bait in run.py is for.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

_PROJECT = Path(__file__).parents[3]
_CODE = tuple(
    os.path.realpath(folder) + os.sep
    for folder in {
        *sysconfig.get_paths().values(),
        sys.prefix,
        sys.base_prefix,
        str(_PROJECT / "handler"),
        str(_PROJECT / "ci_callback"),
    }
)
"""Where modules are imported from."""
_CODE_ENDS = (".py", ".pyc", ".so", ".pyd", ".zip", ".dylib")

_FILES = {
    # event: how many of its first arguments are paths
    "open": 1,
    "os.chdir": 1,
    "os.chmod": 1,
    "os.chown": 1,
    "os.link": 2,
    "os.listdir": 1,
    "os.mkdir": 1,
    "os.remove": 1,
    "os.rename": 2,
    "os.rmdir": 1,
    "os.scandir": 1,
    "os.symlink": 2,
    "os.truncate": 1,
    "os.utime": 1,
}
_NEVER = (
    "ctypes.",
    "ftplib.",
    "http.client.",
    "imaplib.",
    "mmap.",
    "nntplib.",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.kill",
    "os.posix_spawn",
    "os.putenv",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pickle.",
    "poplib.",
    "pty.",
    "shutil.",
    "smtplib.",
    "socket.",
    "sqlite3.",
    "subprocess.",
    "syslog.",
    "telnetlib.",
    "tempfile.",
    "urllib.",
    "webbrowser.",
)


class Watch:
    """Remembers what was opened, while it is on. There is no taking it off again: a hook stays
    for as long as its process."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._allowed = ""
        self._is_on = False
        sys.addaudithook(self._hear)

    def start(self, allowed: Path) -> None:
        """Listen from now on; what lies below `allowed` may be opened."""
        self._allowed = os.path.realpath(allowed) + os.sep
        self.seen.clear()
        self._is_on = True

    def stop(self) -> None:
        """Listen no longer."""
        self._is_on = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on:
            return
        if event.startswith(_NEVER):
            self.seen.append(f"{event} {arguments[:3]!r}"[:200])
        elif event in _FILES:
            for path in arguments[: _FILES[event]]:
                if not self._may(event, path, arguments):
                    self.seen.append(f"{event} {path!r}"[:200])

    def _may(self, event: str, path: Any, arguments: tuple[Any, ...]) -> bool:
        if isinstance(path, int):
            return True  # a descriptor that is open already
        # Not realpath: it would look at the disk for every event, and a link is no way out
        # here, since whatever made one has been heard.
        asked = os.path.abspath(os.fsdecode(path))
        if (asked + os.sep).startswith(self._allowed):
            return True
        if event == "open":
            flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else 0
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            return not writes and asked.endswith(_CODE_ENDS) and asked.startswith(_CODE)
        # An import looks at the folders that modules may be in.
        return event in ("os.listdir", "os.scandir") and (asked + os.sep).startswith(_CODE)
