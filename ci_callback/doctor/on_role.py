"""The deployed function's own role, tried by the function itself (handler/self_check.py).

The other checks use the keys of this machine, which may do more or less than the role. Where the
deployment is split, the function with the address may put and get, and is to have no other right;
the one that sweeps has all of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ci_callback.cloud_api import CloudError
from ci_callback.doctor.case import CONSOLE, Case
from ci_callback.doctor.cloud import Question, ask_about_function
from ci_callback.doctor.findings import Finding, fault, ok, skipped, warning
from ci_callback.doctor.members import members
from ci_callback.program import PROGRAM
from handler.triggers import SELF_CHECK

NAME = "role"
INVOKE_S = 8.0
"""A cold start, and five requests."""
POLICY = f"{CONSOLE}/cam/policy, as docs/cam-policy.json has it; `deploy` writes it"
BUSY = "ResourceLimitReached"
"""What a 432 is called: all instances that the quota allows are at work (583/51585)."""
_OF_CALLBACKS = frozenset({"cos:PutObject", "cos:GetObject"})
_OF_VERIFICATION = frozenset({"ci:DescribeMediaJob"})


def role(case: Case) -> list[Finding]:
    """One finding for each right of the function's role, and of those beside it."""
    who = Question(NAME, "scf:GetFunction", lambda cloud: members(cloud, case), _refused(NAME))
    names = ask_about_function(case, who)
    if isinstance(names, Finding):
        return [names]
    if len(names) == 1:
        return _of(case, names[0], NAME)
    needed = _OF_CALLBACKS
    if case.settings.confirms_before_storing:
        needed |= _OF_VERIFICATION
    found = _of(case, names[0], NAME, needed)
    for other in names[1:]:
        found += _of(case, other, f"{NAME} of {other}")
    return found


def _of(case: Case, function: str, name: str, needed: Collection[str] = ()) -> list[Finding]:
    """needed: the rights that it is to have, and no others; () for all that are tried."""
    asked = {
        "FunctionName": function,
        "Namespace": case.target.namespace,
        "Event": json.dumps({"task": SELF_CHECK}),
    }
    question = Question(
        name,
        "scf:InvokeFunction",
        lambda cloud: cloud.call("scf", "InvokeFunction", asked),
        _refused(name),
        timeout_s=INVOKE_S,
    )
    answer = ask_about_function(case, question)
    if isinstance(answer, Finding):
        return [answer]
    result = answer.get("Result") or {}
    if BUSY in str(result.get("ErrMsg") or ""):
        return [_busy(name)]
    return _findings(name, result, needed)


def _refused(name: str) -> Callable[[CloudError], Finding]:
    """The meaning of a refusal that is not about a permission."""

    def finding(error: CloudError) -> Finding:
        if BUSY in error.code:
            return _busy(name)
        return skipped(name, f"the function could not be invoked: {error}")

    return finding


def _busy(name: str) -> Finding:
    what = "the function is busy: its quota allows one instance, and that one is at work"
    return skipped(name, what, "run it again in a minute")


def _findings(name: str, result: Mapping[str, Any], needed: Collection[str]) -> list[Finding]:
    try:
        steps = json.loads(result.get("RetMsg") or "")["self_check"]
        rights = [(str(step["action"]), bool(step["is_granted"]), step) for step in steps]
    except (ValueError, KeyError, TypeError):
        what = "the function answers the self-check with something else"
        fix = "are its settings right, and its version of today? Its log names what is wrong"
        return [fault(name, what, fix)]
    findings = [
        fault(name, f"may not {action} ({step.get('code') or 'refused'})", POLICY)
        for action, is_granted, step in rights
        if not is_granted and (action in needed or not needed)
    ]
    granted = [action for action, is_granted, _ in rights if is_granted]
    surplus = [action for action in granted if needed and action not in needed]
    if surplus:
        what = f"may {', '.join(surplus)}, which callbacks do not need"
        findings.append(warning(name, what, f"{PROGRAM} deploy writes its policy"))
    return findings or [ok(name, f"may {', '.join(granted)}")]
