"""The deployed function's own settings, as SCF has them, against those of this machine.

The function reads its environment, not this machine's: a difference means that something else runs
than what the other checks looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ci_callback.cloud_api import Cloud, CloudError, SdkMissingError
from ci_callback.deploy.actual import FunctionVersion
from ci_callback.doctor.case import REQUEST_S, Case
from ci_callback.doctor.findings import Finding, fault, grant_needed, ok, skipped, warning
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
    mine, target = case.settings, case.target
    if not target.function:
        return [skipped(NAME, "no function is named", f"{PROGRAM} doctor --function NAME")]
    if mine.credentials is None or mine.region is None:
        return [skipped(NAME, "no credentials and COS_REGION to ask SCF with")]
    cloud = Cloud(mine.credentials, mine.region, target.scf_endpoint, REQUEST_S)
    asked = {
        "FunctionName": target.function,
        "Namespace": target.namespace,
        "Qualifier": "$DEFAULT",
    }
    try:
        found = FunctionVersion(cloud.call("scf", "GetFunction", asked))
    except SdkMissingError as error:
        return [skipped(NAME, str(error))]
    except CloudError as error:
        if error.is_in("UnauthorizedOperation", "AuthFailure.UnauthorizedOperation"):
            return [skipped(NAME, f"no answer: {error}", grant_needed("scf:GetFunction"))]
        return [skipped(NAME, f"SCF did not show the function: {error}")]
    problems = [problem for rule in _RULES for problem in rule(found, mine)]
    findings = [
        fault(NAME, what, DEPLOY) if is_fault else warning(NAME, what, DEPLOY)
        for is_fault, what in problems
    ]
    return findings or [ok(NAME, f"version {found.number} has those of this machine")]


class _Problem(NamedTuple):
    is_fault: bool
    what: str


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
    """What its own environment means, as the function reads it."""
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
        what = "its LEDGER_URL is another than this machine's: the other checks looked elsewhere"
        problems.append(_Problem(True, what))
    if set(theirs.callback_tokens or ()) != set(mine.callback_tokens or ()):
        what = "its CALLBACK_TOKENS are others than this machine's"
        problems.append(_Problem(False, what))
    return problems


_RULES: tuple[Callable[[FunctionVersion, Settings], list[_Problem]], ...] = (
    _platform,
    _environment,
)
