"""The deployed function's own role, tried by the function itself (handler/self_check.py).

The other checks use the keys of this machine, which may do more or less than the role.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ci_callback.doctor.case import CONSOLE, Case
from ci_callback.doctor.cloud import Question, ask_about_function
from ci_callback.doctor.findings import Finding, fault, ok, skipped
from handler.triggers import SELF_CHECK

NAME = "role"
INVOKE_S = 8.0
"""A cold start, and five requests."""
POLICY = f"{CONSOLE}/cam/policy, as docs/cam-policy.json has it; `deploy` writes it"


def role(case: Case) -> list[Finding]:
    """One finding for each right of the function's role."""
    target = case.target
    asked = {
        "FunctionName": target.function,
        "Namespace": target.namespace,
        "Event": json.dumps({"task": SELF_CHECK}),
    }
    question = Question(
        NAME,
        "scf:InvokeFunction",
        lambda cloud: cloud.call("scf", "InvokeFunction", asked),
        lambda error: skipped(NAME, f"the function could not be invoked: {error}"),
        timeout_s=INVOKE_S,
    )
    answer = ask_about_function(case, question)
    return [answer] if isinstance(answer, Finding) else _findings(answer.get("Result") or {})


def _findings(result: Mapping[str, Any]) -> list[Finding]:
    try:
        steps = json.loads(result.get("RetMsg") or "")["self_check"]
        rights = [(str(step["action"]), bool(step["is_granted"]), step) for step in steps]
    except (ValueError, KeyError, TypeError):
        what = "the function answers the self-check with something else"
        fix = "are its settings right, and its version of today? Its log names what is wrong"
        return [fault(NAME, what, fix)]
    refused = [step for _, is_granted, step in rights if not is_granted]
    if not refused:
        return [ok(NAME, f"may {', '.join(action for action, _, _ in rights)}")]
    return [
        fault(NAME, f"may not {step['action']} ({step.get('code') or 'refused'})", POLICY)
        for step in refused
    ]
