"""The deployed function's own settings, as SCF has them, against those of this machine.

The function reads its environment, not this machine's: a difference means that something else runs
than what the other checks looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ci_callback.cloud_api import Cloud
from ci_callback.deploy import layout
from ci_callback.deploy.actual import FunctionVersion
from ci_callback.deploy.desired import DEFAULT
from ci_callback.doctor.case import Case
from ci_callback.doctor.cloud import Question, ask_about_function
from ci_callback.doctor.findings import Finding, fault, ok, skipped, warning
from ci_callback.doctor.members import members
from ci_callback.program import PROGRAM
from handler.errors import SettingsError
from handler.settings import Settings

NAME = "function settings"
DEPLOY = f"{PROGRAM} deploy --dry-run shows what differs from serverless.yml"
MIN_MEMORY_MB = 256
"""At 128 a callback near MAX_BODY_BYTES ends the function, at every delivery."""
SWEEP_INTERVAL_S = 60
"""Between two sweeps: one that runs longer meets the next."""


def settings(case: Case) -> list[Finding]:
    """State, role, memory, time limit, and the environment."""
    question = Question(
        NAME,
        "scf:GetFunction and scf:GetReservedConcurrencyConfig",
        lambda cloud: _of_all(cloud, case),
        lambda error: skipped(NAME, f"SCF did not show the function: {error}"),
    )
    found = ask_about_function(case, question)
    if isinstance(found, Finding):
        return [found]
    return [finding for one in found for finding in _judged(one, case)]


class _Shown(NamedTuple):
    """One function of the deployment, as SCF shows it. quota_mb: 0 for none."""

    function: str
    version: FunctionVersion
    quota_mb: int


def _of_all(cloud: Cloud, case: Case) -> list[_Shown]:
    first = _shown(cloud, case, case.target.function)
    return [first, *(_shown(cloud, case, other) for other in members(cloud, case)[1:])]


def _shown(cloud: Cloud, case: Case, function: str) -> _Shown:
    named = {"FunctionName": function, "Namespace": case.target.namespace}
    version = FunctionVersion(cloud.call("scf", "GetFunction", {**named, "Qualifier": DEFAULT}))
    quota = cloud.call("scf", "GetReservedConcurrencyConfig", named)
    return _Shown(function, version, int(quota.get("ReservedMem") or 0))


def _judged(shown: _Shown, case: Case) -> list[Finding]:
    function, found, quota_mb = shown
    name = NAME if function == case.target.function else f"{NAME} of {function}"
    problems = [problem for rule in _RULES for problem in rule(found, case.settings)]
    problems += _quota(function, quota_mb, found)
    findings = [
        fault(name, what, DEPLOY) if is_fault else warning(name, what, DEPLOY)
        for is_fault, what in problems
    ]
    return findings or [ok(name, f"version {found.number} has those of this machine")]


class _Problem(NamedTuple):
    is_fault: bool
    what: str


def _quota(function: str, quota_mb: int, found: FunctionVersion) -> list[_Problem]:
    """One instance for sweeps that have a function of their own; none for what CI calls."""
    memory_mb = int(found.answer.get("MemorySize") or 0)
    if function.endswith(layout.SUFFIXES[0]):
        if quota_mb == memory_mb:
            return []
        what = f"its reserved quota is {quota_mb or 'not set'}, not its memory of {memory_mb} MB"
        return [_Problem(False, f"{what}: two sweeps may run at a time")]
    if not quota_mb:
        return []
    what = f"a reserved quota of {quota_mb} MB: requests beyond it are refused with 432"
    return [_Problem(True, what)]


def _platform(found: FunctionVersion, mine: Settings) -> list[_Problem]:
    answer = found.answer
    timeout_s, memory_mb = answer.get("Timeout"), answer.get("MemorySize")
    problems = []
    if found.status != "Active":
        problems.append(_Problem(True, f"it is {found.status or 'of no known state'}"))
    if not answer.get("Role"):
        problems.append(_Problem(True, "it has no role, so it has no credentials"))
    if isinstance(memory_mb, int) and memory_mb < MIN_MEMORY_MB:
        what = f"{memory_mb} MB of memory: a large callback ends the function"
        problems.append(_Problem(False, what))
    if isinstance(timeout_s, int) and timeout_s >= SWEEP_INTERVAL_S:
        what = f"a time limit of {timeout_s} s: a sweep may meet the next one"
        problems.append(_Problem(False, what))
    return problems


def _environment(found: FunctionVersion, mine: Settings) -> list[_Problem]:
    """The settings that the function reads from its own environment."""
    credentials = mine.credentials
    if credentials is None:
        raise AssertionError("the check has looked")
    env: Mapping[str, str] = {
        **found.variables,
        "COS_REGION": found.variables.get("COS_REGION", mine.region or ""),
        "TENCENTCLOUD_RUNENV": "SCF",
        "TENCENTCLOUD_SECRETID": credentials.secret_id,
        "TENCENTCLOUD_SECRETKEY": credentials.secret_key,
    }
    try:
        theirs = Settings.from_env(env)
    except SettingsError as error:
        names = ", ".join(problem.variable for problem in error.problems)
        return [_Problem(True, f"it answers 503: wrong or missing in its environment: {names}")]
    problems = []
    if theirs.ledger_url != mine.ledger_url:
        what = "its LEDGER_URL differs from this machine's: the other checks used another ledger"
        problems.append(_Problem(True, what))
    if set(theirs.callback_tokens or ()) != set(mine.callback_tokens or ()):
        what = "its CALLBACK_TOKENS differ from this machine's"
        problems.append(_Problem(False, what))
    return problems


_RULES: tuple[Callable[[FunctionVersion, Settings], list[_Problem]], ...] = (
    _platform,
    _environment,
)
