"""Progress bars on stderr for work that takes longer than people wait without a word.

A bar appears once the work is late, so that quick commands flash nothing, and is gone when it ends.
None is shown where stderr is a pipe. Texts of strangers never reach it: a bar has our own words and
numbers only.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO, cast

from rich.console import Console

from ci_callback.command_language import localised

if TYPE_CHECKING:
    from rich.progress import Progress

LATE_S = 0.5
"""Work that takes no longer has no bar."""

_INFO = re.compile(r'^\{"time":"[^"]*","level":"INFO",')
"""A line of the log as handler/log.py begins it."""


class LateBar:
    """How much is done, and a bar of it once it is late. Threads may share it."""

    def __init__(self, description: str, total: int | None = None, unit: str = "") -> None:
        """total: None where it is not known. unit: of what is counted, such as requests."""
        self._about = (description, total, unit)
        self._lock = threading.Lock()
        self._begin = time.monotonic()
        self._done = 0
        self._is_wanted = sys.stderr.isatty()
        self._shown: Progress | None = None

    def step(self, count: int = 1) -> None:
        """So much more is done."""
        with self._lock:
            self._done += count
            if self._shown is None and self._is_wanted and self._is_late():
                self._shown = _progress(*self._about)
            if self._shown is not None:
                self._shown.update(self._shown.task_ids[0], completed=self._done)

    def close(self) -> None:
        """Remove it: the next line takes its place."""
        with self._lock:
            self._is_wanted = False
            if self._shown is not None:
                self._shown.stop()
                self._shown = None

    def _is_late(self) -> bool:
        return time.monotonic() - self._begin >= LATE_S


@contextlib.contextmanager
def late_bar(description: str, total: int | None = None, unit: str = "") -> Iterator[LateBar]:
    """A LateBar that is gone at the end."""
    bar = LateBar(description, total, unit)
    try:
        yield bar
    finally:
        bar.close()


def log_stream(is_whole: bool) -> TextIO:
    """stderr for the function's log, as it is at each write: while a bar is shown, Rich stands in
    for it and keeps lines and bar apart. is_whole: with the lines of level INFO, one or more for
    each callback, too."""
    return cast("TextIO", _LogStream(is_whole))


class _LogStream(io.TextIOBase):
    def __init__(self, is_whole: bool) -> None:
        super().__init__()
        self._is_whole = is_whole

    def write(self, text: str) -> int:
        if self._is_whole or not _INFO.search(text):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _progress(description: str, total: int | None, unit: str) -> Progress:
    from rich import progress  # no command that is quick needs it

    done = "{task.completed:,.0f}"
    counted = done if total is None else f"{done}/{{task.total:,.0f}}"
    made = progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TextColumn(f"{counted} {unit}".rstrip()),
        progress.TimeElapsedColumn(),
        # A line of the log is not wrapped, so that it can be copied.
        console=Console(stderr=True, highlight=False, soft_wrap=True),
        transient=True,
    )
    made.add_task(localised(description), total=total)
    made.start()
    return made
