"""The deployed function's own role, tried by the function itself (handler/self_check.py).

The other checks use the keys of this machine, which may do more or less than the role.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ci_callback.cloud_api import Cloud, CloudError, SdkMissingError
from ci_callback.doctor.case import CONSOLE, Case
from ci_callback.doctor.findings import Finding, fault, grant_needed, ok, skipped
from ci_callback.program import PROGRAM
from handler.triggers import SELF_CHECK

NAME = "role"
INVOKE_S = 8.0
"""A cold start, and five requests."""
POLICY = f"{CONSOLE}/cam/policy, as docs/cam-policy.json has it; `deploy` writes it"


def role(case: Case) -> list[Finding]:
    """One finding for each right of the function's role."""
    settings, target = case.settings, case.target
    if not target.function:
        return [skipped(NAME, "no function is named", f"{PROGRAM} doctor --function NAME")]
    if settings.credentials is None or settings.region is None:
        return [skipped(NAME, "no credentials and COS_REGION to ask SCF with")]
    cloud = Cloud(settings.credentials, settings.region, target.scf_endpoint, INVOKE_S)
    asked = {
        "FunctionName": target.function,
        "Namespace": target.namespace,
        "Event": json.dumps({"task": SELF_CHECK}),
    }
    try:
        answer = cloud.call("scf", "InvokeFunction", asked)
    except SdkMissingError as error:
        return [skipped(NAME, str(error))]
    except CloudError as error:
        if error.is_in("UnauthorizedOperation", "AuthFailure.UnauthorizedOperation"):
            return [skipped(NAME, f"no answer: {error}", grant_needed("scf:InvokeFunction"))]
        return [skipped(NAME, f"the function could not be invoked: {error}")]
    return _findings(answer.get("Result") or {})


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
