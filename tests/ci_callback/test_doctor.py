"""`python -m ci_callback doctor`, as a person uses it: what it prints, and what it ends with."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.commands.doctor import examine
from ci_callback.doctor.case import Case, Target
from ci_callback.doctor.checks import CHECKS, Check, run_all, run_one
from ci_callback.doctor.findings import Finding, exit_status, fault, ok, safe, skipped, warning
from handler.http_client import HttpClient
from handler.settings import Settings
from tests.alert_services import KEY, AlertService, closed_port
from tests.ci_callback.doctor_services import SWEEP, TOKEN, Services, trigger

SESSION = "session-token-8f7e6d5c"


@pytest.fixture(scope="module")
def _started() -> Iterator[Services]:
    with Services() as services:
        yield services


@pytest.fixture
def here(_started: Services) -> Services:
    """All services, well."""
    _started.reset()
    return _started


def test_where_all_is_well_it_says_so_and_ends_with_0(here: Services) -> None:
    """One line a check, with a sign and a word; a warning is no fault."""
    status, out = here.run(*here.arguments)
    assert status == 0, out
    for line in (
        "✓ ok      clock",
        "✓ ok      bucket",
        "✓ ok      versioning",
        "✓ ok      ledger",
        "✓ ok      ci  ",
        "✓ ok      ci bucket",
        "✓ ok      ci permissions",
        "– skipped ci submit",
        "✓ ok      queue media",
        "✓ ok      timer sweep",
        "✓ ok      url trigger",
        "✓ ok      function url",
        "– skipped alert",
        "! warning settings COS_ENDPOINT",
    ):
        assert line in out
    assert out.splitlines()[-1].endswith(" 0 fault, 11 skipped"), out
    assert here.cos.keys() == []
    assert here.ci.accepted == []
    assert here.robot.texts == []


def test_a_fault_has_a_line_that_mends_it_and_the_status_1(here: Services) -> None:
    """Below its own line, indented."""
    here.scf.functions = {}
    status, out = here.run(*here.arguments)
    lines = out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("✗ fault"))
    assert "SCF knows no function ci-callback in ap-guangzhou" in lines[at]
    assert lines[at + 1].startswith("    fix: --function and --namespace")
    assert status == 1


def test_json_has_every_finding_and_the_status(here: Services) -> None:
    """For a script: one line, four texts a finding."""
    status, out = here.run(*here.arguments, "--json")
    printed = json.loads(out)
    assert status == printed["exit"] == 0
    assert out.count("\n") == 1
    assert {tuple(finding) for finding in printed["findings"]} == {
        ("name", "status", "what", "fix")
    }
    here.ci.denied = {"/doc_jobs"}
    assert here.run(*here.arguments, "--json")[0] == 1


def test_wrong_settings_end_with_3_and_hide_nothing_else(here: Services) -> None:
    """All at once; the others are looked at with the default in their place."""
    here.env |= {"ALERT_LANG": "de", "LEASE_S": "soon", "ALERT_URLS": "gopher://robot"}
    findings = here.findings()
    assert here.run()[0] == 3
    assert findings["settings ALERT_LANG"][:2] == ("fault", "found 'de', expected zh or en")
    assert findings["settings LEASE_S"][0] == "fault"
    what = "found a value that is not shown, expected http(s), smtp(s) or apprise: addresses"
    assert findings["settings ALERT_URLS"][1].startswith(what)
    assert findings["bucket"][0] == "ok"


@pytest.mark.parametrize(
    "env",
    [
        {"LEDGER_URL": "s3://bucket"},
        {"CALLBACK_TOKENS": "two words"},
        {"TENCENTCLOUD_SECRETKEY": ""},
        {"RETRY_BASE_S": "x", "RETRY_CAP_S": "1"},
    ],
)
def test_without_the_settings_that_all_depend_on_nothing_is_asked(
    here: Services, env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To look at a default in their place would tell of another function."""
    monkeypatch.chdir(tmp_path)
    here.env |= env
    status, out = here.run("--json")
    findings = json.loads(out)["findings"]
    assert status == 3
    assert {finding["status"] for finding in findings} == {"fault", "skipped"}
    assert len([finding for finding in findings if finding["status"] == "skipped"]) == len(CHECKS)
    assert not here.ci.seen
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_can_not_be_reached_ends_with_4(here: Services) -> None:
    """What does not need it is looked at all the same."""
    here.env["COS_ENDPOINT"] = f"http://127.0.0.1:{closed_port()}"
    findings = here.findings()
    assert here.run(*here.arguments)[0] == 4
    assert "can't be reached" in findings["bucket"][1]
    assert findings["ledger"] == ("skipped", "checked once bucket is well", "")
    assert findings["clock"][0] == "skipped"
    assert findings["ci"][0] == "fault"
    assert findings["timer sweep"][0] == "ok"


@pytest.mark.parametrize(
    "arguments", [["--url", "ftp://x"], ["--url", "x"], ["--url", "http://["], ["--queue", "cars"]]
)
def test_usage_is_checked_first(here: Services, arguments: list[str]) -> None:
    """Exit status 2."""
    assert here.run(*arguments)[0] == 2
    assert not here.ci.seen


def test_a_folder_needs_no_cloud(here: Services, tmp_path: Path) -> None:
    """Writing, the atomic link and room are tried, and nothing stays; the rest says why not."""
    folder = tmp_path / "ledger"
    here.env = dict.fromkeys(here.env, "") | {"LEDGER_URL": f"file:{folder}"}
    status, out = here.run("--json")
    findings = {finding["name"]: finding for finding in json.loads(out)["findings"]}
    assert status == 0
    assert findings["ledger"]["what"].endswith("list, delete (put_new by an atomic link)")
    assert findings["disk"]["what"].endswith(f"free at {folder}")
    for name in ("ci", "ci bucket", "ci permissions", "queues", "timer", "clock", "versioning"):
        assert findings[name]["status"] == "skipped"
        assert findings[name]["what"]
    assert list(tmp_path.iterdir()) == []


def test_no_secret_is_ever_printed(here: Services) -> None:
    """Not of the environment, a URL or what the services say. And what is wrong says what fixes
    it."""
    foreign = "another-token-77aa88bb"
    url = f"http://user:pass-9d8c@{here.url.host}/?token={TOKEN}&x=query-value-1234"
    here.env["TENCENTCLOUD_SESSIONTOKEN"] = SESSION
    here.cos.security_token = here.ci.security_token = here.scf.token = SESSION
    here.env["RETRY_CALLBACK_URL"] = f"https://{here.url.host}/?token={foreign}"
    here.scf.functions = {
        ("default", "ci-callback"): [SWEEP, trigger("timer", TOKEN, SECRET_KEY, SESSION)]
    }

    def well() -> None:
        here.ci.queue("/ai_queue", f"https://{here.url.host}/hook/{foreign}?token={foreign}")
        here.ci.queue("/picqueue", f"https://{here.url.host}/?token={foreign}")
        here.ci.queue("/file_queue", f"https://{TOKEN}@{foreign}.example.com/?token={TOKEN}")

    def wrong_keys() -> None:
        here.cos.security_token = here.ci.security_token = "another"
        here.scf.refuse_with = f"{SECRET_KEY} query-value-1234 pass-9d8c"
        here.robot.refuse_with = 93000

    def wrong_settings() -> None:
        here.env |= {"CALLBACK_TOKENS": f"{TOKEN},two words", "ALERT_URLS": f"gopher://x/{KEY}"}

    secrets = {TOKEN, KEY, SECRET_ID, SECRET_KEY, SESSION, foreign, "pass-9d8c", "query-value-1234"}
    for spoil in (well, wrong_keys, wrong_settings):
        spoil()
        for form in ([], ["--json"]):
            arguments = [*here.arguments, "--url", url, "--send-test-alert", *form]
            _, out = here.run(*arguments)
            shown = {secret for secret in secrets - {foreign} if secret in out}
            assert not shown, f"{spoil.__name__}: {out}"
            # A part of a host name is no secret; a path and a token that are not ours may be.
            assert foreign not in out.replace(f"{foreign}.example.com", "")
            printed = json.loads(out)["findings"] if form else []
            wrong = [finding for finding in printed if finding["status"] in ("fault", "warning")]
            assert wrong or not form
            assert all(finding["what"] and finding["fix"] for finding in wrong), wrong


def test_what_comes_from_outside_can_not_steer_the_terminal(here: Services) -> None:
    """Nor does Rich take it for markup."""
    here.scf.refuse_with = "Bad\x1b[31m\r\n[bold]Code"
    status, out = here.run(*here.arguments)
    assert status == 1
    assert "\x1b" not in out
    assert "\r" not in out
    assert "Bad [31m  [bold]Code" in out


def test_a_check_that_raises_hides_no_other(here: Services) -> None:
    """It becomes a finding, by its kind alone: what it says may hold a secret."""

    def broken(case: Case) -> list[Finding]:
        raise RuntimeError(SECRET_KEY)

    case = Case(Settings.from_env(here.env), Target(), HttpClient(), lambda: 0.0)
    checks = [
        Check("first", broken),
        Check("second", lambda case: [ok("second", "well")]),
        Check("third", lambda case: [ok("third", "well")], "first"),
        Check("fourth", lambda case: [ok("fourth", "well")], "second"),
    ]
    findings = run_all(case, checks)
    assert [(finding.name, finding.status) for finding in findings] == [
        ("first", "fault"),
        ("second", "ok"),
        ("third", "skipped"),
        ("fourth", "ok"),
    ]
    assert findings[0].what == "the check itself failed with RuntimeError"


def test_a_check_has_so_long_and_no_longer(here: Services) -> None:
    """Whatever it waits for."""
    case = Case(Settings.from_env(here.env), Target(), HttpClient(), lambda: 0.0)
    release = threading.Event()

    def slow(case: Case) -> list[Finding]:
        release.wait(30)
        return []

    try:
        (finding,) = run_one(Check("slow", slow), case, 0.05)
    finally:
        release.set()
    assert (finding.status, finding.what) == ("fault", "no end within 0.05 s")


def test_a_service_that_is_slow_costs_one_time_out(
    here: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its own request; the others are told as ever."""
    monkeypatch.setattr("ci_callback.doctor.on_function.REQUEST_S", 0.1)
    with AlertService("webhook") as slow:
        slow.delay_s = 30
        findings = here.findings(url=f"http://127.0.0.1:{slow.port}")
    what = "no answer from 127.0.0.1: no whole answer within 0.1 s"
    assert findings["function url"][:2] == ("fault", what)
    assert findings["timer sweep"][0] == "ok"


def test_the_worst_decides_the_status() -> None:
    """Settings, then the store, then any fault; warnings and what was left out don't count."""
    assert exit_status([ok("a", ""), warning("b", "", ""), skipped("c", "")]) == 0
    assert exit_status([fault("a", "", ""), ok("b", "")]) == 1
    assert exit_status([fault("a", "", ""), fault("b", "", "", 4)]) == 4
    assert exit_status([fault("b", "", "", 4), fault("a", "", "", 3)]) == 3


def test_the_second_lock_redacts_every_text() -> None:
    """The longest secret first, and a long text is cut."""
    secrets = ["secret", "secret-and-more", "abc"]
    shown = safe(Finding("secret", "ok", "secret-and-more abc", "x" * 700), secrets)
    assert (shown.name, shown.what) == ("[redacted]", "[redacted] abc")
    assert shown.fix == "x" * 600 + "…"


def test_signs_of_a_terminal_without_unicode(tmp_path: Path) -> None:
    """ASCII, and no stack trace."""
    code = "import typer; from ci_callback.commands.doctor import doctor; typer.run(doctor)"
    env = {"LEDGER_URL": "file:./x", "PYTHONIOENCODING": "ascii:replace", "LANG": "C"}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=env | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert b"\n+ ok      ledger" in ran.stdout
    assert b"\n- skipped clock" in ran.stdout


def test_it_can_be_asked_without_a_command_line(here: Services) -> None:
    """`examine` gives the findings themselves."""
    http = HttpClient()
    findings = examine(here.env, Target(), http)
    http.close()
    assert "fault" not in {finding.status for finding in findings}
