"""The process in which the function runs, as SCF's runtime runs it. Started by instance.py.

It is a script of its own, and imports nothing of this project but the function:
`index.main_handler`, from the root of the code. Both sides write JSON lines to one socket, whose
number is the argument:

    ► {"code": …, "packages": […], "env": {…}, "user": 65534, "open_files": 1024, "offset": 0.0}
    ◄ {"ready": true} or {"failed": "a stack trace"}
    ► {"event": …, "context": {…}, "env": {…}, "offset": 3600.0}
    ◄ {"log": "a piece of stdout"} …
    ◄ {"answer": …} or {"raised": "a stack trace"}

offset: seconds by which `time.time` is ahead; whatever reads the time by it is moved. env of an
invocation: added to os.environ, since the platform renews credentials so.
"""

from __future__ import annotations

import ctypes
import importlib
import io
import json
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4

Handler: TypeAlias = Callable[[Any, Any], Any]
"""A main_handler: from event and context to the answer."""


class Clock:
    """`time.time`, moved. offset: seconds."""

    def __init__(self) -> None:
        self._real = time.time
        self.offset = 0.0

    def time(self) -> float:
        """Epoch seconds."""
        return self._real() + self.offset

    def time_ns(self) -> int:
        """Epoch nanoseconds."""
        return int(self.time() * 1e9)


class Channel:
    """Both directions of the socket."""

    def __init__(self, number: int) -> None:
        self._read = os.fdopen(number, "rb", closefd=False)
        self._write = os.fdopen(number, "wb", buffering=0, closefd=False)
        self._one_line = threading.Lock()

    def send(self, **values: Any) -> None:
        """One line. Raises TypeError or ValueError where a value is not JSON's."""
        line = memoryview(json.dumps(values).encode() + b"\n")
        with self._one_line:
            while line:  # of many megabytes a part may be written
                line = line[self._write.write(line) :]

    def receive(self) -> Any:
        """The next line; None where the other side is gone."""
        line = self._read.readline()
        return json.loads(line) if line else None


class Stdout(io.StringIO):
    """stdout and stderr, that go to the log service."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def write(self, text: str) -> int:
        self._channel.send(log=text)
        return len(text)


def become(user: int) -> None:
    """Give up root's rights.

    Python itself may be below a folder that only root can enter. So the folders that modules come
    from are opened first; those that can't be entered any more are named by their descriptors.
    """
    packages = [module for module in sys.modules.values() if getattr(module, "__path__", None)]
    folders = {*sys.path, *(path for package in packages for path in package.__path__)}
    opened = {folder: os.open(folder, os.O_RDONLY) for folder in folders if os.path.isdir(folder)}
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    # A process that changed its user may not look into its own /proc/self/fd until this is said.
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)

    def reachable(folder: str) -> str:
        if folder not in opened or os.access(folder, os.R_OK | os.X_OK):
            return folder
        return f"/proc/self/fd/{opened[folder]}"

    sys.path[:] = [reachable(folder) for folder in sys.path]
    for package in packages:
        package.__path__ = [reachable(path) for path in package.__path__]
    sys.path_importer_cache.clear()


def prepare(start: Mapping[str, Any], clock: Clock) -> Handler:
    """Everything before the first event; the function's main_handler."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (start["open_files"],) * 2)
    sys.path[:] = [start["code"], *sys.path, *start["packages"]]
    os.chdir(start["code"])
    if start["user"] is not None:
        become(start["user"])
    if sys.platform == "linux":
        # A frozen process would not see that the other side is gone.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    os.environ.clear()
    os.environ.update(start["env"])
    time.time, time.time_ns = clock.time, clock.time_ns
    clock.offset = start["offset"]
    main_handler: Handler = importlib.import_module("index").main_handler
    return main_handler


def invoke(main_handler: Handler, asked: Mapping[str, Any], channel: Channel) -> None:
    """One event, and what became of it."""
    try:
        answer = main_handler(asked["event"], asked["context"])
        channel.send(answer=answer)
    except Exception:  # of any function: the platform reports it, and goes on with this process
        channel.send(raised=traceback.format_exc())


def main() -> None:
    """Until the other side is gone."""
    channel, clock = Channel(int(sys.argv[1])), Clock()
    sys.stdout = sys.stderr = Stdout(channel)
    try:
        main_handler = prepare(channel.receive(), clock)
    except Exception:  # as above: it can't be loaded, for whatever reason
        channel.send(failed=traceback.format_exc())
        return
    channel.send(ready=True)
    while (asked := channel.receive()) is not None:
        os.environ.update(asked["env"])
        clock.offset = asked["offset"]
        invoke(main_handler, asked, channel)


if __name__ == "__main__":
    main()
