"""`doctor`: everything that the function depends on, looked at from this machine."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated
from urllib.parse import urlsplit

import typer

from ci_callback.commands.deploy_session import To, deploy_errors
from ci_callback.common import AsJson
from ci_callback.doctor import on_settings
from ci_callback.doctor.case import Case, Target
from ci_callback.doctor.checks import CHECKS, Check, run_all
from ci_callback.doctor.findings import Finding, exit_status, safe, skipped
from ci_callback.doctor.on_queues import KINDS
from ci_callback.late_bar import LateBar, late_bar
from ci_callback.named_ledgers import known_as
from ci_callback.terminal import Styled, can_show, print_json, say
from handler.ci_api.responses import ANSWER_LIMITS
from handler.errors import SettingsError
from handler.http_client import Http, HttpClient
from handler.settings import Settings

WRITES = "ledger"
"""The check that writes to the ledger."""

_LOOK = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "fault": ("✗", "bold red"),
    "skipped": ("–", "dim"),
}
_ASCII = {"✓": "+", "✗": "x", "–": "-"}
"""For a terminal that has no others."""


def examine(
    env: Mapping[str, str],
    target: Target,
    http: Http,
    clock: Callable[[], float] = time.time,
    checks: Sequence[Check] = CHECKS,
) -> list[Finding]:
    """Every finding, the settings' first, each safe to be shown."""
    settings, findings = on_settings.read(env)
    if settings is None:
        why = "the settings that it needs are wrong"
        findings += [skipped(check.name, why) for check in checks]
    else:
        case = Case(settings, target, http, clock)
        known = {finding.name for finding in findings}
        # Of a setting that is wrong, its default is no news.
        findings += [
            finding for finding in on_settings.opinions(settings) if finding.name not in known
        ]
        findings += run_all(case, checks)
    secrets = {*on_settings.secrets_of(env, settings), *target.secrets}
    return [safe(finding, secrets) for finding in findings]


def doctor(
    function: Annotated[
        str, typer.Option(help="Name of the deployed function, to check its triggers.")
    ] = "",
    namespace: Annotated[str, typer.Option(help="The function's namespace.")] = "default",
    url: Annotated[
        str, typer.Option(help="The function's URL: CI's queues must call it, and it must answer.")
    ] = "",
    queue: Annotated[
        list[str] | None,
        typer.Option(
            help=f"A kind of queue that must call ({', '.join(KINDS)}); may be given again."
            " Without it: all are looked at, and one must."
        ),
    ] = None,
    send_test_alert: Annotated[
        bool,
        typer.Option(
            "--send-test-alert", help="Send a test message to each address of ALERT_URLS."
        ),
    ] = False,
    to: To = "",
    scf_endpoint: Annotated[str, typer.Option(hidden=True)] = "",
    as_json: AsJson = False,
) -> None:
    """Check settings, credentials, bucket, permissions, CI, queues, triggers and clock.

    It writes one key of its own and deletes it; it submits no job.
    """
    env: Mapping[str, str] = os.environ
    if to:
        # Imported here: without a rehearsal, nothing of deploy is needed.
        from ci_callback.deploy.job import rehearsal_env

        with deploy_errors(to):
            env = rehearsal_env(to, env)
    target = Target(
        function, namespace, _checked_url(url), _checked(queue), send_test_alert, scf_endpoint or to
    )
    http = HttpClient(ANSWER_LIMITS.max_bytes)
    try:
        checks = _checks_here()
        with late_bar("Checking", len(checks)) as bar:
            watched = [check._replace(run=_stepping(check.run, bar)) for check in checks]
            findings = examine(env, target, http, checks=watched)
    finally:
        http.close()
    code = exit_status(findings)
    if as_json:
        names = ("name", "status", "what", "fix")
        shown = [{name: getattr(finding, name) for name in names} for finding in findings]
        print_json({"exit": code, "findings": shown})
    else:
        _show(findings)
    raise typer.Exit(code)


def _stepping(
    run: Callable[[Case], list[Finding]], bar: LateBar
) -> Callable[[Case], list[Finding]]:
    def stepped(case: Case) -> list[Finding]:
        try:
            return run(case)
        finally:
            bar.step()

    return stepped


def _checks_here() -> list[Check]:
    """The checks; of a ledger that its file calls read-only, none that writes to it."""
    with contextlib.suppress(SettingsError):
        ledger = known_as(Settings.from_env(os.environ).ledger_url)
        if ledger is not None and ledger.is_read_only:
            why = f"{ledger.name} is read-only ({ledger.file}): nothing is tried on it"
            left_out = Check(WRITES, lambda case: [skipped(WRITES, why)])
            return [left_out if check.name == WRITES else check for check in CHECKS]
    return list(CHECKS)


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        bad = parts.scheme not in ("http", "https") or not parts.hostname
    except ValueError:
        bad = True
    if url and (bad or not url.isprintable()):
        raise typer.BadParameter("--url: an https address, as the console shows it")
    return url


def _checked(queues: list[str] | None) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(queues or ()))
    if not set(chosen) <= set(KINDS):
        raise typer.BadParameter(f"--queue: one of {', '.join(KINDS)}")
    return chosen


def _show(findings: Sequence[Finding]) -> None:
    """Print one line per finding, and below it how to fix it."""
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        sign, style = _LOOK[finding.status]
        sign = sign if can_show(sign) else _ASCII.get(sign, sign)
        say(Styled(f"{sign} {finding.status:7}", style), f"{finding.name:{width}} ", finding.what)
        if finding.fix:
            say(Styled(f"    fix: {finding.fix}", "" if finding.status == "fault" else "dim"))
    counted = Counter(str(finding.status) for finding in findings)
    say(", ".join(f"{counted[status]} {status}" for status in _LOOK))
