"""The deployed function: its triggers, and its URL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from ci_callback.cloud_api import Cloud, CloudError
from ci_callback.deploy.actual import Trigger, triggers
from ci_callback.doctor.case import CONSOLE, REQUEST_S, Case
from ci_callback.doctor.cloud import Question, ask_about_function
from ci_callback.doctor.findings import Finding, fault, ok, skipped, warning
from ci_callback.doctor.members import members
from ci_callback.program import PROGRAM
from handler.errors import NoAnswerError
from handler.triggers import TASKS
from handler.triggers.http import HEALTH_PATH

SCF_CONSOLE = f"{CONSOLE}/scf/list"
DEPLOY = "deploy serverless.yml, which has it"


def on_scf(case: Case) -> list[Finding]:
    """The timers and the URL that the function is called by."""
    name, settings = "timer", case.settings
    question = Question(
        name,
        "scf:ListTriggers",
        lambda cloud: _of_all(cloud, case),
        lambda error: _refused(name, error, case),
    )
    all_triggers = ask_about_function(case, question)
    if isinstance(all_triggers, Finding):
        return [all_triggers]
    is_reconciled = bool(settings.reconcile_tags or settings.reconcile_queues)
    wanted = {"reconcile": is_reconciled, "forward": bool(settings.forward_urls)}
    return [*_timers(all_triggers, wanted), *_urls(all_triggers)]


def _of_all(cloud: Cloud, case: Case) -> list[Trigger]:
    """The triggers of each function of the deployment."""
    target = case.target
    found = list(triggers(cloud, target.function, target.namespace))
    for other in members(cloud, case)[1:]:
        found += triggers(cloud, other)
    return found


def _refused(name: str, error: CloudError, case: Case) -> Finding:
    target = case.target
    if not error.code:
        what = "the answer is not from SCF" if error.is_other else "SCF can't be reached"
        return fault(name, what, "can this machine reach it by https?")
    if error.code.startswith("ResourceNotFound"):
        where = f"{case.settings.region}, namespace {target.namespace}"
        what = f"SCF knows no function {target.function} in {where}"
        return fault(
            name, f"{what} ({error})", f"--function and --namespace as {SCF_CONSOLE} shows them"
        )
    if error.code == "AuthFailure.SignatureExpire":
        return fault(
            name, f"the clock is off by more than 5 minutes ({error})", "timedatectl set-ntp true"
        )
    if error.code.startswith("AuthFailure"):
        fix = f"check TENCENTCLOUD_SECRETID and _SECRETKEY against {CONSOLE}/cam/capi"
        return fault(name, f"SCF does not take the credentials ({error})", fix)
    return fault(name, f"SCF refused: {error}", SCF_CONSOLE)


_LOST = {
    "sweep": "no failure is retried or leads to an alert",
    "reconcile": "callbacks that never came are not looked for",
    "forward": "no event is sent to FORWARD_URLS",
}
"""What does not happen without a task's timer."""


def _timers(all_triggers: Sequence[Trigger], wanted: Mapping[str, bool]) -> list[Finding]:
    timers = [trigger for trigger in all_triggers if trigger.kind == "timer"]
    findings = [_timer("sweep", timers, True)]
    for task, is_needed in wanted.items():
        if is_needed or any(_task(timer) == task for timer in timers):
            findings.append(_timer(task, timers, is_needed))
    for timer in timers:
        if _task(timer) not in TASKS:
            what = f"{timer.name} asks for {_task(timer)}, which is no task of the function"
            findings.append(
                fault("timer", what, f"its argument must be {' or '.join(TASKS)}: {SCF_CONSOLE}")
            )
    return findings


def _timer(task: str, timers: Sequence[Trigger], is_needed: bool) -> Finding:
    name = f"timer {task}"
    mine = [timer for timer in timers if _task(timer) == task]
    on = [timer for timer in mine if timer.is_on]
    if on:
        cron = "; ".join(f"{timer.name}: {timer.settings.get('cron', '?')}" for timer in on)
        return ok(name, cron)
    lost = _LOST[task]
    if mine:
        return fault(
            name,
            f"{mine[0].name} is switched off: {lost}",
            f"switch it on at {SCF_CONSOLE}, Triggers",
        )
    what = f"there is none: {lost}"
    return fault(name, what, DEPLOY) if is_needed else warning(name, what, DEPLOY)


def _task(timer: Trigger) -> str:
    """An empty argument is a sweep (triggers/timer.py)."""
    return timer.argument.strip() or "sweep"


def _urls(all_triggers: Sequence[Trigger]) -> list[Finding]:
    name = "url trigger"
    urls = [trigger for trigger in all_triggers if trigger.kind == "http"]
    if not urls:
        return [fault(name, "the function has no URL that CI could call", DEPLOY)]
    problems = [problem for problem in map(_closed, urls) if problem]
    if len(problems) == len(urls):
        return [fault(name, problems[0], f"{SCF_CONSOLE}, Function URL; {DEPLOY}")]
    return [ok(name, "open to the internet, without the platform's own sign-in")]


def _closed(trigger: Trigger) -> str:
    """Why CI can't call by it."""
    if not trigger.is_on:
        return f"{trigger.name} is switched off"
    if trigger.settings.get("AuthType", "NONE") != "NONE":
        return f"{trigger.name} wants signed requests, and CI signs none (authType must be NONE)"
    net = trigger.settings.get("NetConfig")
    if isinstance(net, dict) and net.get("EnableExtranet") is False:
        return f"{trigger.name} is closed to the internet (enableExtranet must be true)"
    return ""


def url(case: Case) -> list[Finding]:
    """Does the function answer at its URL? Asked at /health, without the token."""
    name = "function url"
    if not case.target.url:
        return [skipped(name, "no URL is named", f"{PROGRAM} doctor --url https://…")]
    return [*_token(case), _answers(case)]


def _token(case: Case) -> list[Finding]:
    """Of a URL that was given with its token: is it one of these settings'?"""
    known = case.settings.callback_tokens
    if not known or not set(case.target.tokens) - set(known):
        return []
    what = "CALLBACK_TOKENS does not hold the token of --url: the function would answer 401"
    return [
        fault("function token", what, "give both the same token, here and where it is deployed")
    ]


def _answers(case: Case) -> Finding:
    name = "function url"
    host, _ = case.target.address
    scheme = case.target.url.partition(":")[0].lower()
    fix = f"the URL is shown at {SCF_CONSOLE}, Function URL"
    if ".in." in host and host.endswith((".tencentscf.com", ".tencentcs.com")):
        return fault(name, f"{host} is an intranet address: CI refuses to call it", fix)
    try:
        answer = case.http.send("GET", f"{scheme}://{host}{HEALTH_PATH}", {}, b"", REQUEST_S)
    except NoAnswerError as error:
        return fault(name, f"no answer from {error}", fix)
    if answer.status == HTTPStatus.OK and _is_ours(answer.body):
        return ok(name, f"{host} answers")
    if answer.status in (401, 503):
        what = f"{host} answers {answer.status}: its settings are wrong, or it is another function"
        return fault(name, what, f"its log names what is wrong: {SCF_CONSOLE}")
    return fault(name, f"{host} answers {answer.status}, not as this function does", fix)


def _is_ours(body: bytes) -> bool:
    try:
        return bool(json.loads(body) == {"status": "ok"})
    except (ValueError, RecursionError):
        return False
