"""`serve`: the function behind a real address, its timer, and the stand-in for CI."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import socket
import struct
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ci_callback.ci_simulator import callbacks
from ci_callback.commands import serve as command
from ci_callback.commands.registry import app
from ci_callback.common import EXIT_STORE
from ci_callback.devserver import loopback, samples
from ci_callback.devserver.history import History, Invocation, Request
from ci_callback.devserver.local_function import LocalFunction
from ci_callback.devserver.running import CannotServeError, Options, Running, running, url_of
from ci_callback.devserver.samples import Asked
from ci_callback.ledger_reader import record_keys, records, resubmissions
from handler.callback.lineage import Lineage
from handler.ledger.folder import FolderStore
from tests.conftest import PAYLOADS
from tests.fake_cos import FakeCos

GOOD = (PAYLOADS / "Translation.seed.json").read_bytes()
QUIET = Options(port=0, sweep_every_s=0, reconcile_every_s=0, ci_run_s=0)
ENOUGH_S = 20.0
"""A bound for what takes a moment: no test waits for it to pass."""


@contextmanager
def served(
    tmp_path: Path, options: Options = QUIET, log: io.StringIO | None = None, **env: str
) -> Iterator[Running]:
    """A server over the ledger of a test."""
    known = {"LEDGER_URL": f"file:{tmp_path}/ledger", "LEASE_WAIT_S": "0", "RETRY_BASE_S": "1"}
    with running({**known, **env}, options, log or io.StringIO()) as server:
        yield server


def ask(
    server: Running, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, Mapping[str, str], bytes]:
    """One request: status, headers and body of the answer."""
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=ENOUGH_S)
    try:
        connection.request(
            method, path, body or None, {k.replace("_", "-"): v for k, v in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def until(server: Running, is_so: Any) -> None:
    """Wait for the invocation after which it is so."""
    history = server.function.history
    seen = -1
    while not is_so():
        now = history.wait(seen, ENOUGH_S)
        assert now != seen, "nothing came of it"
        assert now is not None
        seen = now


# --- as SCF calls it ---


@pytest.mark.parametrize("place", ["file/below", "file", "loop"])
def test_a_ledger_whose_folder_can_not_be_made_is_an_error(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is in its place, or above it, or there is a circle of links."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/{place}")
    result = CliRunner().invoke(app, ["serve", "--port", "0"])
    assert result.exit_code == EXIT_STORE
    assert f"store: make {tmp_path}/{place}" in result.stderr


def test_a_callback_is_taken_at_the_address(tmp_path: Path) -> None:
    """Body in, record kept, answer out; the function's log is written as on SCF's stdout."""
    log = io.StringIO()
    with served(tmp_path, log=log) as server:
        status, headers, body = ask(server, "POST", "/", GOOD, Content_Type="application/json")
        assert (status, headers["Content-Type"]) == (200, "application/json")
        [job] = json.loads(body)["jobs"]
    assert job["status"] == "kept"
    assert FolderStore(tmp_path / "ledger").get(job["key"])
    assert json.loads(log.getvalue())["event"] == "callback"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/health", 200),
        ("POST", "/callback", 400),
        ("POST", "/elsewhere", 404),
        ("PUT", "/", 405),
        ("GET", "/", 405),
    ],
)
def test_other_requests_are_answered_as_deployed(
    tmp_path: Path, method: str, path: str, expected: int
) -> None:
    """Paths and methods are the function's own matter."""
    with served(tmp_path) as server:
        assert ask(server, method, path)[0] == expected


def test_headers_of_the_answer_are_passed_on(tmp_path: Path) -> None:
    """Such as which method is allowed."""
    with served(tmp_path) as server:
        assert ask(server, "PUT", "/")[1]["Allow"] == "POST"


def test_tokens_are_asked_for_and_not_shown(tmp_path: Path) -> None:
    """Neither in the query nor in a header."""
    with served(tmp_path, CALLBACK_TOKENS="first-token,second-token") as server:
        assert ask(server, "POST", "/", GOOD)[0] == 401
        assert ask(server, "POST", "/?token=first-token&a=1", GOOD)[0] == 200
        assert ask(server, "POST", "/", GOOD, Authorization="Bearer second-token")[0] == 200
        shown = repr([delivery.request for delivery in server.function.history.deliveries()])
    assert "-token" not in shown
    assert "token=[redacted]&a=1" in shown


def test_a_body_that_is_no_text_reaches_the_function(tmp_path: Path) -> None:
    """As base64 in the event: it becomes a dead letter with just these bytes."""
    with served(tmp_path) as server:
        status, _, answer = ask(server, "POST", "/", b"\xff\xfe\x00")
        assert (status, json.loads(answer)["status"]) == (202, "dead_letter")
        [delivery] = server.function.history.deliveries()
        assert delivery.request
        assert delivery.request.body == b"\xff\xfe\x00"


def test_more_than_the_platform_takes_is_refused_unread(tmp_path: Path) -> None:
    """6 MiB, as SCF; the function never sees it."""
    with (
        served(tmp_path) as server,
        socket.create_connection(
            ("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=ENOUGH_S
        ) as sender,
    ):
        sender.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6291457\r\n\r\n")
        assert b" 413 " in sender.makefile("rb").readline()
        assert server.function.history.version == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.org"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
    ],
)
def test_a_page_of_another_site_reaches_nothing(tmp_path: Path, headers: dict[str, str]) -> None:
    """A browser says where a request comes from."""
    with served(tmp_path) as server:
        assert ask(server, "POST", "/", GOOD, **headers)[0] == 403
        assert server.function.history.version == 0


def test_a_reader_who_resets_the_connection_leaves_no_file_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_open: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: left_open.append(repr(what.exc_value)))
    reset_at_close = struct.pack("ii", 1, 0)
    with served(tmp_path) as server:
        before = set(threading.enumerate())
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        for _ in range(10):
            with socket.create_connection(address) as reader:
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset_at_close)
                reader.sendall(
                    f"GET /_/static/console.css HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n"
                    "\r\n".encode()
                )
                assert reader.recv(1) == b"H"
        for answering in set(threading.enumerate()) - before:
            answering.join(ENOUGH_S)
    gc.collect()
    assert left_open == []


def test_a_fault_of_the_code_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by the platform: 500, and the log says why."""
    with served(tmp_path) as server:
        monkeypatch.setattr("handler.app.Function.handle", lambda *_: 1 / 0)
        assert ask(server, "POST", "/", GOOD)[0] == 500
        [delivery] = server.function.history.deliveries()
    assert "ZeroDivisionError" in delivery.lines[0]["traceback"]
    assert delivery.troubles


def test_what_is_no_response_is_answered_as_json() -> None:
    """So the platform does with what has no statusCode."""
    from ci_callback.devserver.http_gateway import response_of

    response = response_of({"a": 1})
    assert (response.status_code, response.json) == (200, {"a": 1})


# --- where it may listen ---


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", ""])
def test_it_binds_to_loopback_alone(tmp_path: Path, host: str) -> None:
    """Whoever reaches it sees the ledger."""
    with pytest.raises(CannotServeError, match="loopback"), served(tmp_path, Options(host=host)):
        pass


def test_a_port_that_is_taken_is_reported(tmp_path: Path) -> None:
    """And what to do about it."""
    with served(tmp_path) as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(CannotServeError, match="--port"), served(tmp_path, Options(port=port)):
            pass


def test_the_other_loopback_address_is_as_good() -> None:
    """It stands in brackets in an address."""
    loopback.check_address("::1")
    assert url_of("::1", 9000) == "http://[::1]:9000"


def test_names_of_this_server() -> None:
    """Others may point to 127.0.0.1 too (DNS rebinding)."""
    assert loopback.is_own_host("127.0.0.1:9000", 9000)
    assert loopback.is_own_host("LOCALHOST:9000", 9000)
    assert loopback.is_own_host("[::1]", 80)
    assert not loopback.is_own_host("127.0.0.1:9001", 9000)
    assert not loopback.is_own_host("127.0.0.1", 9000)
    assert not loopback.is_own_host("rebound.example.org:9000", 9000)


# --- which CI ---


def test_a_ledger_on_cos_goes_with_the_real_ci(tmp_path: Path, cos: FakeCos) -> None:
    """Callbacks are kept there, and the stand-in is refused: its endpoint would be COS's too."""
    with served(tmp_path, QUIET, None, **cos.env) as server:
        assert server.ci is None
        assert ask(server, "POST", "/", GOOD)[0] == 200
        assert len(list(record_keys(server.function.store))) == 1
    with (
        pytest.raises(CannotServeError, match="--ci local"),
        served(tmp_path, Options(port=0, ci="local"), None, **cos.env),
    ):
        pass


def test_a_ledger_in_a_folder_can_go_with_the_real_ci(tmp_path: Path) -> None:
    """Where that is asked for."""
    with served(tmp_path, Options(port=0, ci="real", sweep_every_s=0)) as server:
        assert server.ci is None


def sample(server: Running, failures: int = 0, **asked: str) -> str:
    """A failed job, of which a callback tells; its JobId."""
    made = samples.make(Asked(**{"name": "Translation", **asked}))
    assert server.ci
    server.ci.plan_retries(made.job_id, failures, made.format)
    server.function.send(made.body, "sample")
    return made.job_id


def sweep(server: Running) -> Invocation:
    """Retries that wait are made due, then a sweep."""
    store = server.function.store
    server.function.run_now([key.rpartition("/")[2] for key in store.list("_outbox/")])
    return server.function.tick("sweep", "button")


def test_a_failure_is_retried_and_recovers(tmp_path: Path) -> None:
    """Everything but CI is the real thing: token, callback, ticket, sweep, marker."""
    with served(tmp_path, CALLBACK_TOKENS="a token/with+signs".replace(" ", "-")) as server:
        root = sample(server, form="json")
        swept = sweep(server)
        assert [line["status"] for line in swept.lines if line["event"] == "ticket"] == [
            "submitted"
        ]
        until(server, lambda: resubmissions(server.function.store, root)[0].ended)
        [step] = resubmissions(server.function.store, root)
        ended = step.ended.record if step.ended else None
        assert ended
        assert ended.outcome == "succeeded"
        assert ended.lineage == Lineage(root, 2)
        assert ended.source["format"] == "json"
        assert server.ci
        assert server.ci.submissions == 1
        # Where the callback overtook the note of its submission, only the second sweep knows.
        until(
            server, lambda: "alert_undelivered" in [line["event"] for line in sweep(server).lines]
        )


def test_a_callback_that_is_on_its_way_at_the_end_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stand-in for CI would wait for ten seconds for a server that has stopped."""
    begun, statuses = threading.Event(), []
    send = callbacks.send

    def watched(url: str, content: bytes, form: str = "XML") -> int:
        begun.set()
        statuses.append(send(url, content, form))
        return statuses[-1]

    monkeypatch.setattr(callbacks, "send", watched)
    with served(tmp_path) as server:
        sample(server)
        sweep(server)
        assert begun.wait(30)
    assert statuses == [200]


def test_a_failure_of_every_tag_recovers(tmp_path: Path) -> None:
    """The stand-in takes each request that is made again, whatever CI adds to it as a result."""
    with served(tmp_path, SWEEP_MAX_SUBMITS="100") as server:
        tags = samples.names()["job"]
        roots = {tag: sample(server, name=tag) for tag in tags}
        sweep(server)

        def outcomes() -> dict[str, str]:
            made = {tag: resubmissions(server.function.store, root) for tag, root in roots.items()}
            ended = {tag: steps[0].ended for tag, steps in made.items() if steps and steps[0].ended}
            return {
                tag: entry.record.outcome for tag, entry in ended.items() if entry and entry.record
            }

        until(server, lambda: len(outcomes()) == len(tags))
        assert set(outcomes().values()) == {"succeeded"}


def test_a_retry_can_fail_until_it_is_given_up(tmp_path: Path) -> None:
    """With the code that the first attempt had."""
    with served(tmp_path, RETRY_MAX_ATTEMPTS="2") as server:
        root = sample(server, failures=99, code="ServiceUnavailable")
        sweep(server)
        until(server, lambda: resubmissions(server.function.store, root)[0].ended)
        [step] = resubmissions(server.function.store, root)
        assert step.ended
        assert step.ended.record
        assert step.ended.record.code == "ServiceUnavailable"
        # Where the callback overtakes the note of its submission, the next sweep gives up.
        until(server, lambda: sweep(server) and any("gave-up" in key for key in tickets(server)))


def tickets(server: Running) -> list[str]:
    """Keys of those that wait, and of those that are done."""
    store = server.function.store
    return [*store.list("_outbox/"), *store.list("_done/")]


def test_what_comes_from_outside_is_known_to_the_stand_in(tmp_path: Path) -> None:
    """So a failure that was posted by hand recovers as well."""
    with served(tmp_path) as server:
        failed = (PAYLOADS / "made" / "Transcode.failed.xml").read_bytes()
        ask(server, "POST", "/", failed)
        sweep(server)
        until(server, lambda: len(list(record_keys(server.function.store))) == 2)
        [before, after] = [
            entry.record
            for entry in records(server.function.store, record_keys(server.function.store))
        ]
    assert before
    assert after
    assert (before.outcome, after.outcome) == ("failed", "succeeded")


def test_what_is_no_job_teaches_the_stand_in_nothing(tmp_path: Path) -> None:
    """No callback at all, a review, and a job whose end is known already."""
    with served(tmp_path) as server:
        for body in (b"hello", samples.make(Asked("ReviewImage", "Success")).body, GOOD, GOOD):
            server.function.send(body, "sample")
        [_, second, *_] = server.function.history.deliveries()
        assert second.jobs[0].status == "kept"


# --- samples ---


def test_a_sample_is_made_of_every_name(tmp_path: Path) -> None:
    """In each state that the form offers, or it is said why not."""
    listed = samples.names()
    assert set(listed) == {"job", "review", "workflow"}
    for names in listed.values():
        for name in names:
            for state in (*samples.STATES, samples.PARTIAL):
                refused = [samples.NoSuchSampleError] if state == samples.PARTIAL else []
                with contextlib.suppress(*refused):
                    made = samples.make(Asked(name, state))
                    assert made.job_id.encode() in made.body


@pytest.mark.parametrize(
    "asked",
    [
        Asked("NoSuchTag"),
        Asked("Translation", "Odd"),
        Asked("Translation", form="yaml"),
        Asked("ReviewImage", form="xml"),
    ],
)
def test_a_sample_that_can_not_be_is_refused(asked: Asked) -> None:
    """With the reason."""
    with pytest.raises(samples.NoSuchSampleError):
        samples.make(asked)


def test_the_results_of_a_retry_are_those_of_its_tag() -> None:
    """None where there is no such tag."""
    assert "SpeechRecognitionResult" in samples.results_of("SpeechRecognition")
    assert samples.results_of("NoSuchTag") == {}


# --- timer and history ---


def test_the_timer_runs_both_tasks(tmp_path: Path) -> None:
    """A sweep that has nothing to do is remembered, and not listed."""
    often = Options(port=0, sweep_every_s=0.02, reconcile_every_s=0.02)
    with served(tmp_path, often) as server:
        history = server.function.history
        tasks: set[str] = set()

        def both() -> bool:
            if history.last_idle:
                tasks.add(history.last_idle.task)
            return tasks == {"sweep", "reconcile"}

        until(server, both)
        assert history.tasks() == []


def request(body: bytes = b"") -> Request:
    """A request with this body."""
    return Request("POST", "/", "", (), body)


def test_history_is_bounded() -> None:
    """By number and by bytes; the newest always stays."""
    history = History(max_deliveries=3, max_sweeps=1, max_bytes=1_000)
    for size in (1, 1, 1, 1):
        history.add(Invocation("http", 0, 0, "", request=request(b"x" * size)))
    assert [delivery.number for delivery in history.deliveries()] == [4, 3, 2]
    history.add(Invocation("http", 0, 0, "", request=request(b"x" * 996)))
    assert [delivery.number for delivery in history.deliveries()] == [5]
    history.add(Invocation("http", 0, 0, "", request=request(b"x" * 9_900)))
    assert [delivery.number for delivery in history.deliveries()] == [6]
    assert history.get(5) is None
    assert history.get(6) is not None


def test_whoever_waits_is_woken() -> None:
    """By a new invocation, by the time, and by the end."""
    history = History()
    assert history.wait(0, 0.001) == 0
    history.add(Invocation("timer", 0, 0, ""))
    assert history.wait(0, ENOUGH_S) == 1
    history.close()
    assert history.wait(1, ENOUGH_S) is None


def test_an_invocation_without_an_answer() -> None:
    """Has no status and no jobs."""
    invocation = Invocation("timer", 0, 0, "", raw={"status": "done"})
    assert (invocation.status, invocation.answer, invocation.jobs) == (None, None, ())


def test_retries_that_can_not_be_hastened_are_left(tmp_path: Path) -> None:
    """One that is gone, one that is dealt with, and one that can't be read."""
    env = {"LEDGER_URL": f"file:{tmp_path}/ledger"}
    function = LocalFunction(env, History(), io.StringIO())
    store = function.store
    function.send(samples.make(Asked("Translation")).body, "sample")
    [key] = store.list("_outbox/")
    name = key.rpartition("/")[2]
    store.put("_outbox/odd", b"{}")
    assert function.run_now(["gone", "odd"]) == 0
    store.put(f"_done/{name}", b"{}")
    assert function.run_now([name]) == 0
    assert function.history.tasks() == []


# --- the command ---


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *arguments: str) -> tuple[int, str]:
    """Exit status and stderr of the command, interrupted as soon as it serves."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(command, "wait", lambda: None)
    app = typer.Typer()
    app.command()(command.serve)
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.stderr


def test_the_command_says_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And which CI it speaks with."""
    status, printed = run(monkeypatch, tmp_path, "--port", "0")
    assert status == 0
    assert "/_/" in printed
    assert "local simulator" in printed
    assert "the real service" in run(monkeypatch, tmp_path, "--port", "0", "--ci", "real")[1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(("--ci", "other"), 2), (("--host", "0.0.0.0"), 1), (("--port", "70000"), 2)],
)
def test_the_command_refuses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], expected: int
) -> None:
    """What it can't do as asked."""
    assert run(monkeypatch, tmp_path, *arguments)[0] == expected


def test_wrong_settings_are_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Before anything is served."""
    monkeypatch.setenv("RETRY_BASE_S", "soon")
    status, printed = run(monkeypatch, tmp_path, "--port", "0")
    assert status == 3
    assert "RETRY_BASE_S" in printed


def test_it_ends_by_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """As from the terminal."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("threading.Event.wait", interrupt)
    command.wait()
