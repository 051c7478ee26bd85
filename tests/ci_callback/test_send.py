"""`python -m ci_callback send`, over real sockets."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from ci_callback.ci_simulator.server import Reply, ResetError, Seen, Server
from ci_callback.commands import send as module
from ci_callback.commands.send import send
from ci_callback.delivery import Answered, Callback, NoTargetError, Target, figures, percentiles
from tests.callback.test_record import records
from tests.conftest import PAYLOADS, Invoked

app = typer.Typer()
app.command()(send)

SECRET = "the-token-of-the-test"


class Url:
    """An address that answers as `answer` says, and remembers what it was sent."""

    def __init__(self, answer: Callable[[Seen], Reply]) -> None:
        self.seen: list[Seen] = []
        self._answer = answer
        self._server = Server(self._take)
        self.url = f"http://127.0.0.1:{self._server.port}/"

    def _take(self, seen: Seen) -> Reply:
        self.seen.append(seen)
        return self._answer(seen)

    @property
    def job_ids(self) -> list[str]:
        return [records(seen.body)[0].job_id for seen in self.seen]

    def stop(self) -> None:
        self._server.stop()


@contextmanager
def answering(answer: Callable[[Seen], Reply]) -> Iterator[Url]:
    """An address for a while."""
    url = Url(answer)
    try:
        yield url
    finally:
        url.stop()


def ok(seen: Seen) -> Reply:
    """The answer to everything."""
    return Reply(200, b'{"status": "kept"}', (("Content-Type", "application/json"),))


@pytest.fixture
def url() -> Iterator[Url]:
    """An address that takes everything."""
    with answering(ok) as address:
        yield address


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain text, wide enough, and none of the machine's own settings."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    monkeypatch.delenv("CALLBACK_TOKENS", raising=False)


def run(*arguments: str) -> Result:
    """Exit status, stdout and stderr."""
    return CliRunner().invoke(app, list(arguments))


# --- one ----------------------------------------------------------------------------------


def test_a_tag_arrives_and_is_kept(on_disk: Invoked, ledger: Path) -> None:
    """The function behind an address, and its own answer shown."""

    def function(seen: Seen) -> Reply:
        status, answer = on_disk.post(seen.body, headers=seen.headers)
        return Reply(status, json.dumps(answer).encode())

    with answering(function) as url:
        result = run("Translation", "--to", url.url, "--job-id", "a1")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("200  ")
    assert '"status": "kept"' in result.stdout
    assert [path.stem for path in ledger.glob("jobs/*/*.json")] == ["a1"]


def test_the_request_is_the_one_of_the_capture(url: Url) -> None:
    """The same headers and no others; the body is the sample."""
    assert run("Transcode", "--to", url.url, "--state", "Failed").exit_code == 0
    (seen,) = url.seen
    assert (seen.method, seen.uri) == ("POST", "/")
    assert seen.headers == {
        "host": url.url.split("/")[2],
        "user-agent": "Go-http-client/1.1",
        "content-length": str(len(seen.body)),
        "content-type": "application/xml",
        "accept-encoding": "gzip",
    }
    (read,) = records(seen.body)
    assert (read.tag, read.outcome) == ("Transcode", "failed")


@pytest.mark.parametrize(
    ("more", "version"), [((), "Detail"), (("--simple",), "Simple")], ids=["detail", "simple"]
)
def test_a_review_names_its_form(url: Url, more: tuple[str, ...], version: str) -> None:
    """In a header that jobs have not."""
    assert run("ReviewImage", "--to", url.url, *more).exit_code == 0
    assert url.seen[0].headers["x-ci-content-version"] == version


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.seed.*")), ids=lambda path: path.name)
def test_a_file_goes_as_it_is(url: Url, path: Path) -> None:
    """Byte by byte."""
    assert run(str(path), "--to", url.url).exit_code == 0
    assert url.seen[0].body == path.read_bytes()


def test_json_is_for_machines(url: Url) -> None:
    """The answer, decoded, and the time."""
    printed = json.loads(run("Transcode", "--to", url.url, "--json", "--job-id", "j1").stdout)
    assert printed.pop("ms") > 0
    assert printed == {
        "to": url.url,
        "job_id": "j1",
        "status": 200,
        "answer": {"status": "kept"},
        "error": None,
    }


def test_an_answer_that_is_no_2xx_is_a_failure() -> None:
    """Exit status 1; what it says can't steer the terminal."""
    with answering(lambda seen: Reply(503, b"\x1b[2Jlater")) as url:
        result = run("Transcode", "--to", url.url)
    assert result.exit_code == 1
    assert result.stdout.startswith("503  ")
    assert "\\x1b[2Jlater" in result.stdout


def test_a_redirect_is_not_followed(url: Url) -> None:
    """CI's does not say that it would, and a token must not go elsewhere."""
    with answering(lambda seen: Reply(302, b"", (("Location", url.url),))) as first:
        assert run("Transcode", "--to", first.url).exit_code == 1
    assert url.seen == []


def test_no_proxy_of_the_environment_has_a_say(url: Url, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would not reach this machine anyway."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert run("Transcode", "--to", url.url).exit_code == 0


# --- the token ----------------------------------------------------------------------------


def test_a_token_is_sent_and_not_shown(url: Url) -> None:
    """Behind what stands in the address already."""
    result = run("Transcode", "--to", f"{url.url}callback?a=1", "--token", f"{SECRET}&+")
    assert result.exit_code == 0
    assert url.seen[0].params == {"a": "1", "token": f"{SECRET}&+"}
    assert SECRET not in result.output


@pytest.mark.parametrize("repeat", ["1", "2"])
def test_nor_is_one_of_the_address_shown(repeat: str) -> None:
    """Also where nobody answers."""
    result = run("Transcode", "--to", f"{_nobody()}?token={SECRET}", "--repeat", repeat)
    assert result.exit_code == 1
    assert SECRET not in result.output + repr(result.exception)
    assert SECRET not in repr(Target.of(f"http://h/?token={SECRET}").with_token(SECRET))


def test_this_machine_gets_the_tokens_of_the_settings(
    url: Url, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one, unless the address or an option has one; none where they say so."""
    monkeypatch.setenv("CALLBACK_TOKENS", f"{SECRET},another")
    run("Transcode", "--to", url.url)
    run("Transcode", "--to", f"{url.url}?token=own")
    run("Transcode", "--to", url.url, "--token", "own")
    monkeypatch.setenv("CALLBACK_TOKENS", "none")
    run("Transcode", "--to", url.url)
    printed = [seen.params.get("token") for seen in url.seen]
    assert printed == [SECRET, "own", "own", None]


def test_another_machine_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret goes out only where somebody says so."""
    monkeypatch.setenv("CALLBACK_TOKENS", SECRET)
    targets: list[Target] = []

    def deliver(target: Target, *_: Any) -> list[Answered]:
        targets.append(target)
        return [Answered(None, 200, 1.0, b"")]

    monkeypatch.setattr(module, "deliver", deliver)
    assert run("Transcode", "--to", "https://example.com/").exit_code == 0
    assert run("Transcode", "--to", "https://example.com/", "--token", SECRET).exit_code == 0
    assert [SECRET in target.url for target in targets] == [False, True]


# --- many ---------------------------------------------------------------------------------


def test_many_are_summed_up_in_figures(url: Url) -> None:
    """Answers by status, rate and percentiles."""
    result = run("Transcode", "--to", url.url, "--repeat", "7", "--json")
    printed = json.loads(result.stdout)
    assert (printed["sent"], printed["answers"], printed["errors"]) == (7, {"200": 7}, {})
    assert list(printed["ms"]) == ["p50", "p90", "p99", "max"]
    assert (
        0
        < printed["ms"]["p50"]
        <= printed["ms"]["p90"]
        <= printed["ms"]["p99"]
        <= printed["ms"]["max"]
    )
    assert printed["per_second"] > 0
    shown = run("Transcode", "--to", url.url, "--repeat", "7").stdout
    assert "7 sent to" in shown
    assert "200: 7" in shown
    assert "p99" in shown


def test_each_is_a_job_of_its_own_unless_the_same_is_asked_for(url: Url) -> None:
    """A job id of one's own is the same one, too."""
    run("Transcode", "--to", url.url, "--repeat", "3")
    assert len(set(url.job_ids)) == 3
    url.seen.clear()
    run("Transcode", "--to", url.url, "--repeat", "3", "--same")
    assert len(set(url.job_ids)) == 1
    url.seen.clear()
    run("Transcode", "--to", url.url, "--repeat", "3", "--job-id", "j1")
    assert set(url.job_ids) == {"j1"}


def test_so_many_are_sent_at_a_time() -> None:
    """All three are under way before the first one is answered."""
    together = threading.Barrier(3)

    def answer(seen: Seen) -> Reply:
        together.wait(30)
        return ok(seen)

    with answering(answer) as url:
        result = run("Transcode", "--to", url.url, "--repeat", "6", "--concurrency", "3")
    assert result.exit_code == 0
    assert len(url.seen) == 6


def test_one_bad_answer_among_many_is_a_failure() -> None:
    """Exit status 1, and the figures say how many."""
    turns = iter([200, 200, 503])
    with answering(lambda seen: Reply(next(turns), b"")) as url:
        result = run("Transcode", "--to", url.url, "--repeat", "3", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["answers"] == {"200": 2, "503": 1}


def test_a_lost_answer_is_counted_and_the_others_go_on() -> None:
    """The connection broke; the next one may not."""
    turns = iter([True, False, True])

    def answer(seen: Seen) -> Reply:
        if next(turns):
            return ok(seen)
        raise ResetError

    with answering(answer) as url:
        result = run("Transcode", "--to", url.url, "--repeat", "3", "--json")
    assert result.exit_code == 1
    printed = json.loads(result.stdout)
    assert (printed["answers"], list(printed["errors"].values())) == ({"200": 2}, [1])
    assert "the connection broke" in result.stderr


# --- nobody answers -------------------------------------------------------------------------


def _nobody() -> str:
    """An address of this machine at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return f"http://127.0.0.1:{port}/"


@pytest.mark.parametrize("more", [(), ("--json",)], ids=["people", "json"])
def test_it_says_what_to_do_where_nobody_listens(more: tuple[str, ...]) -> None:
    """Exit status 1; stdout stays readable for a machine."""
    result = run("Transcode", "--to", _nobody(), *more)
    assert result.exit_code == 1
    assert "no connection" in result.stderr
    assert "python -m ci_callback serve" in result.stderr
    if more:
        assert json.loads(result.stdout)["status"] is None


def test_it_asks_for_the_address_where_another_machine_is_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Starting a server here would not help."""
    silent = Answered("j1", None, 1.0, b"", "example.com: no connection")
    monkeypatch.setattr(module, "deliver", lambda *_: [silent])
    result = run("Transcode", "--to", "https://example.com/")
    assert result.exit_code == 1
    assert "example.com: no connection. Check the address" in result.stderr


def test_many_give_up_where_nobody_listens() -> None:
    """After the first one of each worker."""
    result = run("Transcode", "--to", _nobody(), "--repeat", "500", "--concurrency", "2", "--json")
    printed = json.loads(result.stdout)
    assert result.exit_code == 1
    assert printed["sent"] <= 2
    assert (printed["answers"], printed["ms"], printed["per_second"]) == ({}, {}, 0.0)
    shown = run("Transcode", "--to", _nobody(), "--repeat", "500").stdout
    assert "1 without an answer" in shown


def test_a_late_answer_is_none() -> None:
    """After so many seconds."""
    over = threading.Event()

    def answer(seen: Seen) -> Reply:
        over.wait(30)
        return ok(seen)

    with answering(answer) as url:
        result = run("Transcode", "--to", url.url, "--timeout", "0.2")
        over.set()
    assert result.exit_code == 1
    assert "no whole answer within 0.2 s" in result.stderr


# --- usage ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (("no-such-file.xml",), "there is no file"),
        (("no/such/file",), "there is no file"),
        (("Transcod",), "did you mean Transcode"),
        (("Transcode", "--state", "Done"), "one of Success"),
        ((str(PAYLOADS / "Translation.seed.xml"), "--state", "Failed"), "options of a sample"),
        (("Transcode", "--repeat", "0"), "--repeat"),
        (("Transcode", "--concurrency", "0"), "--concurrency"),
        (("Transcode", "--to", "127.0.0.1:9000"), "http://127.0.0.1:9000/"),
        (("Transcode", "--to", "ftp://127.0.0.1/"), "http://127.0.0.1:9000/"),
        (("Transcode", "--to", "http:///callback"), "http://127.0.0.1:9000/"),
        (("Transcode", "--to", "http://h:99999/"), "port"),
        (("Transcode", "--to", "http://[::1/"), "port"),
    ],
)
def test_wrong_usage_is_reported(arguments: tuple[str, ...], printed: str) -> None:
    """Exit status 2, and nothing is sent."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert printed in result.stderr


# --- addresses and figures --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "shown", "is_loopback"),
    [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/", True),
        ("http://localhost/a?b=c#d", "http://localhost/a", True),
        ("http://[::1]:80/", "http://[::1]:80/", True),
        ("https://example.com/callback?token=x", "https://example.com/callback", False),
        ("http://10.0.0.1/", "http://10.0.0.1/", False),
    ],
)
def test_an_address_is_shown_without_its_query(address: str, shown: str, is_loopback: bool) -> None:
    """Which may hold a token."""
    target = Target.of(address)
    assert (target.shown, target.is_loopback) == (shown, is_loopback)
    assert target.has_token == ("token=" in address)


def test_a_password_in_an_address_is_refused() -> None:
    """CI sends none, and it would be shown."""
    with pytest.raises(NoTargetError) as caught:
        Target.of(f"http://user:{SECRET}@127.0.0.1/")
    assert SECRET not in str(caught.value)


@given(st.lists(st.integers(0, 10**9).map(lambda us: us / 1000), min_size=1))
def test_percentiles_rise_within_the_values_and_depend_on_no_order(values: list[float]) -> None:
    """Of one value, each is that value."""
    quantiles = percentiles(values)
    at = list(quantiles.values())
    assert list(quantiles) == ["p50", "p90", "p99", "max"]
    assert at == sorted(at)
    assert min(values) <= at[0]
    assert at[-1] == max(values)
    assert percentiles(sorted(values)) == quantiles


def test_percentiles_are_interpolated() -> None:
    """Between the two nearest values; of no value there are none."""
    assert percentiles([float(ms) for ms in range(101)]) == {
        "p50": 50.0,
        "p90": 90.0,
        "p99": 99.0,
        "max": 100.0,
    }
    assert percentiles([1.0, 2.0])["p50"] == 1.5
    assert percentiles([]) == {}


def test_figures_leave_out_the_time_of_what_was_not_answered() -> None:
    """It says nothing of the function."""
    printed = figures(
        [Answered("j1", 200, 5.0, b""), Answered("j2", None, 900.0, b"", "h: broke")], 2.0
    )
    assert printed.ms == {"p50": 5.0, "p90": 5.0, "p99": 5.0, "max": 5.0}
    assert (printed.sent, printed.answers, printed.errors) == (2, {"200": 1}, {"h: broke": 1})
    assert printed.per_second == 0.5
    assert Callback("j1", b"").content_version is None
