"""Each limit of the platform bites, and what the platform does between two events is done."""

from __future__ import annotations

import errno
import gc
import os
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ci_callback.scf_runner import (
    MB,
    EnvironmentTooLargeError,
    Instance,
    Limits,
    ScfRunner,
    from_source,
    from_zip,
    not_enforced,
    read_only,
    timer_event,
)
from tests.scf.conftest import Deploy

IS_ROOT = os.geteuid() == 0


def test_the_answer_is_what_the_handler_returned(deploy: Deploy) -> None:
    """And the context has the keys that were observed."""
    scf = deploy("return {'event': event, 'context': sorted(context)}")
    invoked = scf.invoke({"a": "é"}, "r1")
    assert (invoked.status, invoked.answer["event"]) == (200, {"a": "é"})
    assert {"request_id", "time_limit_in_ms", "memory_limit_in_mb"} <= set(
        invoked.answer["context"]
    )


# --- files -----------------------------------------------------------------------------------

WRITE = """
try:
    with open(event, "w") as file:
        file.write("x")
except OSError as error:
    return type(error).__name__
os.remove(event)
return "written"
"""


def test_the_code_cannot_be_written_to(deploy: Deploy) -> None:
    """Neither changed nor added to."""
    scf = deploy(WRITE)
    assert scf.invoke(f"{scf.code.folder}/new.py").answer == "PermissionError"
    assert scf.invoke(f"{scf.code.folder}/index.py").answer == "PermissionError"


def test_tmp_can_be_written_to(deploy: Deploy) -> None:
    """As on the platform."""
    assert deploy(WRITE).invoke(f"/tmp/scf-test-{os.getpid()}").answer == "written"


def test_nothing_else_can_be_written_to_or_it_is_said(deploy: Deploy, tmp_path: Path) -> None:
    """pytest's folder is its user's own: only another user is kept out of it."""
    answer = deploy(WRITE).invoke(f"{tmp_path}/file").answer
    if IS_ROOT:
        assert (answer, not_enforced()) == ("PermissionError", [])
    else:
        assert answer == "written"
        assert "the rest of the disk is not" in not_enforced()[0]


def test_root_runs_it_as_nobody(deploy: Deploy) -> None:
    """Without root's groups, and without a way back."""
    scf = deploy(
        """
try:
    os.setuid(0)
except OSError:
    return [os.getuid(), os.geteuid(), os.getgroups()]
return "root"
"""
    )
    if IS_ROOT:
        assert scf.invoke({}).answer == [65534, 65534, []]
    else:
        assert scf.invoke({}).answer[:2] == [os.getuid(), os.getuid()]


def test_modules_are_still_found_by_nobody(deploy: Deploy) -> None:
    """Also those that are first imported by an event, below a folder of root's."""
    body = "import sqlite3, encodings.idna, xml.sax.saxutils\nreturn 'found'"
    assert deploy(body).invoke({}).answer == "found"


# --- memory, time, size ----------------------------------------------------------------------


def test_more_memory_than_allowed_ends_the_process(deploy: Deploy) -> None:
    """Once it is used; what is only reserved does not count."""
    scf = deploy(
        """
import mmap
reserved = mmap.mmap(-1, 1 << 30)
block = bytearray(event)
block[::4096] = b"x" * len(block[::4096])
time.sleep(0.1)
return len(block)
""",
        Limits(memory=64 * MB),
    )
    assert scf.invoke(8 * MB).answer == 8 * MB
    assert scf.invoke(80 * MB).status == 434
    assert scf.invoke(8 * MB).is_cold


def test_a_peak_between_two_looks_counts(deploy: Deploy) -> None:
    """It is freed before the answer is read."""
    body = "block = bytearray(80 << 20)\nblock[::4096] = b'x' * len(block[::4096])\nreturn 1"
    assert deploy(body, Limits(memory=64 * MB)).invoke({}).status == 434


def test_threads_are_not_memory(deploy: Deploy) -> None:
    """Their stacks are reserved, 8 MB each."""
    body = """
import threading
threads = [threading.Thread(target=time.sleep, args=(0.05,)) for _ in range(40)]
for thread in threads:
    thread.start()
return len(threads)
"""
    assert deploy(body, Limits(memory=64 * MB)).invoke({}).answer == 40


def test_a_run_that_takes_too_long_is_ended(deploy: Deploy) -> None:
    """And its instance is gone."""
    scf = deploy("calls.append(1)\ntime.sleep(event)\nreturn len(calls)", Limits(time_s=1))
    assert [scf.invoke(0).answer, scf.invoke(0).answer] == [1, 2]
    assert scf.invoke(30).status == 433
    again = scf.invoke(0)
    assert (again.answer, again.is_cold, scf.started) == (1, True, 2)


def test_code_that_loads_too_long_is_ended(tmp_path: Path) -> None:
    """Before any event."""
    (tmp_path / "index.py").write_text("import time\ntime.sleep(30)\n")
    with read_only(tmp_path) as code, ScfRunner(code, {}, Limits(init_s=0.3)) as scf:
        assert scf.invoke({}).status == 443


@pytest.mark.parametrize(
    ("text", "word"),
    [("def other(): ...", "main_handler"), ("import nothing_such", "nothing_such")],
)
def test_code_that_cannot_be_loaded_says_why(tmp_path: Path, text: str, word: str) -> None:
    """With the stack trace."""
    (tmp_path / "index.py").write_text(text)
    with read_only(tmp_path) as code, ScfRunner(code, {}) as scf:
        invoked = scf.invoke({})
    assert invoked.status == 443
    assert word in invoked.error


def test_events_and_answers_have_a_size(deploy: Deploy) -> None:
    """Of asynchronous events another one."""
    scf = deploy("return 'x' * int(event)", Limits(request_bytes=100, answer_bytes=5_000))
    assert scf.invoke("5" + " " * 100).status == 406
    assert scf.invoke("4900").answer == "x" * 4900
    assert scf.invoke("5000").status == 407
    assert scf.fire("1" + " " * 128 * 1024).status == 406


def test_open_files_are_limited(deploy: Deploy) -> None:
    """With an error in the function."""
    body = """
files = []
try:
    while True:
        files.append(open("/dev/null"))
except OSError as error:
    return [error.errno, len(files)]
"""
    number, count = deploy(body, Limits(open_files=64)).invoke({}).answer
    assert number == errno.EMFILE
    assert 40 < count < 64


def test_an_environment_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """When it is configured, as by the platform."""
    with (
        read_only(tmp_path) as code,
        pytest.raises(EnvironmentTooLargeError, match="5001 bytes"),
        ScfRunner(code, {"A": "x" * 5000}),
    ):
        pass


def test_a_function_that_raises_keeps_its_instance(deploy: Deploy) -> None:
    """Status 430, with the stack trace. An answer that is not JSON is the same."""
    scf = deploy("calls.append(1)\nreturn len(calls) if event else {1}.pop().no_such\n")
    invoked = scf.invoke(0)
    assert (invoked.status, "no_such" in invoked.error) == (430, True)
    assert (scf.invoke(1).answer, scf.started) == (2, 1)


def test_a_process_that_exits_is_replaced(deploy: Deploy) -> None:
    """Status 439."""
    scf = deploy("return os._exit(3) if event else 'well'")
    assert [scf.invoke(1).status, scf.invoke(0).answer] == [439, "well"]


# --- the log ---------------------------------------------------------------------------------


def test_a_line_above_8_kb_is_cut(deploy: Deploy) -> None:
    """Each row has its request; a last line without a break is one too."""
    scf = deploy("print('x' * 9000)\nprint('short')\nsys.stderr.write('rest')")
    rows = scf.invoke({}, "r1").rows
    assert [len(row.text) for row in rows] == [8000, 5, 4]
    assert {row.request_id for row in rows} == {"r1"}


def test_of_one_request_a_megabyte_is_taken(deploy: Deploy) -> None:
    """And 5,000 lines; the next request begins at zero."""
    scf = deploy("for _ in range(event):\n    print('x' * 999)")
    assert len(scf.invoke(1200).rows) == 1000
    assert len(scf.invoke(10).rows) == 10


def test_the_log_of_a_run_that_was_ended_is_kept(deploy: Deploy) -> None:
    """As far as it came."""
    scf = deploy("print('begun')\ntime.sleep(30)", Limits(time_s=1))
    assert [row.text for row in scf.invoke({}).rows] == ["begun"]


# --- instances -------------------------------------------------------------------------------


def test_an_instance_is_frozen_after_its_event_and_answers_the_next(deploy: Deploy) -> None:
    """Its thread runs no further, and is there when it is thawed."""
    scf = deploy(
        """
import threading
def count():
    while True:
        calls.append(1)
        time.sleep(0.001)
if not calls:
    threading.Thread(target=count, daemon=True).start()
while not calls:
    time.sleep(0.001)
return len(calls)
"""
    )
    first = scf.invoke({}).answer
    assert wait_for(scf.instances()[0].pid, "T")
    assert scf.invoke({}).answer >= first
    assert scf.started == 1
    assert wait_for(scf.instances()[0].pid, "T")


def wait_for(pid: int, states: str) -> bool:
    """Whether a process comes into one of these states (proc(5)); gone is Z."""
    stat = Path(f"/proc/{pid}/stat")
    for _ in range(1000):
        state = stat.read_text().split()[2] if stat.exists() else "Z"
        if state in states:
            return True
        time.sleep(0.01)
    return False


def test_each_instance_has_one_event_at_a_time(deploy: Deploy) -> None:
    """Four at once need four; the fifth, later, needs none."""
    scf = deploy(
        """
while not os.path.exists(event):
    time.sleep(0.01)
calls.append(1)
return len(calls)
"""
    )
    go = scf.code.folder.parent / "go"
    threads = [threading.Thread(target=scf.invoke, args=(str(go),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(scf.busy()) < 4:
        time.sleep(0.01)
    go.touch()
    for thread in threads:
        thread.join()
    assert (scf.started, len(scf.instances())) == (4, 4)
    assert scf.invoke(str(go)).answer == 2
    assert scf.started == 4


def test_a_process_that_is_killed_while_it_works_gives_no_answer(deploy: Deploy) -> None:
    """And one that is killed while it is frozen is not given an event."""
    scf = deploy("time.sleep(event)\nreturn 'well'")
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(scf.invoke(30)))
    thread.start()
    while not scf.busy():
        time.sleep(0.01)
    scf.busy()[0].kill()
    thread.join()
    assert results[0].status == 439
    assert scf.invoke(0).answer == "well"
    scf.instances()[0].kill()
    assert scf.invoke(0).answer == "well"


def test_an_instance_that_ends_right_after_its_answer_is_let_go(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its socket: one that is left open is a warning, and so an error here."""
    invoke = Instance.invoke

    def invoke_and_end(instance: Instance, *asked: Any) -> Any:
        invoked = invoke(instance, *asked)
        instance.kill()
        return invoked

    monkeypatch.setattr(Instance, "invoke", invoke_and_end)
    scf = deploy("return 'well'")
    assert scf.invoke({}).answer == "well"
    assert scf.instances() == []
    gc.collect()


def test_frozen_processes_end_with_their_platform(tmp_path: Path) -> None:
    """Also where that is killed: it can't close anything then, and they can't see it."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "index.py").write_text("def main_handler(event, context): ...\n")
    script = f"""
import os, pathlib, signal
from ci_callback.scf_runner import ScfRunner, read_only
with read_only(pathlib.Path({str(folder)!r})) as code, ScfRunner(code, {{}}) as scf:
    scf.invoke({{}})
    print(scf.instances()[0].pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    env = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env)
    assert wait_for(int(done.stdout), "Z")


def test_a_failed_timer_is_run_again_twice_a_minute_apart(deploy: Deploy) -> None:
    """A synchronous event is not."""
    scf = deploy("raise ValueError(event)")
    scf.invoke({})
    scf.fire(timer_event("sweep", scf.clock()))
    runs = []
    for _ in range(5):
        runs.append(len(scf.run_due()))
        scf.offset += 60
    assert runs == [0, 1, 1, 0, 0]


# --- clock and credentials -------------------------------------------------------------------


def test_the_clock_is_moved(deploy: Deploy) -> None:
    """An hour passes between two events of one instance; its monotonic clock stays."""
    scf = deploy("return [time.time(), time.time_ns() / 1e9, time.monotonic()]")
    before = scf.invoke({}).answer
    scf.offset += 3600
    after = scf.invoke({}).answer
    assert [round(b - a) for a, b in zip(before, after, strict=True)] == [3600, 3600, 0]


def test_credentials_are_renewed_with_each_event(deploy: Deploy) -> None:
    """In the environment of the process."""
    keys = iter("abc")
    scf = deploy("return os.environ['KEY']", credentials=lambda: {"KEY": next(keys)})
    assert [scf.invoke({}).answer, scf.invoke({}).answer] == ["b", "c"]  # "a": of its start


# --- the function itself ---------------------------------------------------------------------

EVENT = {"httpMethod": "POST", "path": "/", "headers": {}, "body": "<Response>no callback"}
ENV = {"LEDGER_URL": "file:/tmp/none-such-scf", "CALLBACK_TOKENS": "a-token"}


def test_the_function_runs_from_its_source() -> None:
    """It refuses a request without a token, and says so in its log."""
    with from_source() as code, ScfRunner(code, ENV) as scf:
        invoked = scf.invoke(EVENT)
    assert (invoked.status, invoked.answer["statusCode"]) == (200, 401)
    assert '"event":"request_refused"' in invoked.rows[-1].text


def test_a_bundle_is_unpacked_and_runs(tmp_path: Path) -> None:
    """It is all that the process can import besides the standard library."""
    archive = tmp_path / "function.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("index.py", "import own\nmain_handler = own.run\n")
        bundle.writestr(
            "own.py",
            "import importlib.util as u\n"
            "def run(event, context):\n    return [u.find_spec(n) is None for n in event]\n",
        )
    with from_zip(archive) as code, ScfRunner(code, {}) as scf:
        answer = scf.invoke(["json", "qcloud_cos", "handler", "ci_callback", "pytest"]).answer
    assert answer == [False, True, True, True, True]
