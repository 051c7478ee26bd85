"""`doctor` on the function's role: what each answer to the self-check means."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.cloud_simulator import CloudSimulator
from ci_callback.cloud_simulator.scf_function import DEFAULTS, Function, Version
from ci_callback.doctor import on_role
from ci_callback.doctor.case import Case, Target
from ci_callback.doctor.findings import Finding
from handler.http_client import HttpClient
from handler.settings import Settings

KEYS = {"TENCENTCLOUD_SECRETID": SECRET_ID, "TENCENTCLOUD_SECRETKEY": SECRET_KEY}
COS = {"LEDGER_URL": "cos://records-1250000000/ci", "COS_REGION": "ap-guangzhou", **KEYS}


@pytest.fixture
def account() -> Iterator[CloudSimulator]:
    """One with the function; a test says what it answers."""
    with CloudSimulator() as made:
        version = Version(dict(DEFAULTS), b"")
        made.scf.functions["ci-callback"] = Function("ci-callback", version, "1250000000-x")
        yield made


def answers(account: CloudSimulator, value: Any) -> Callable[[], list[Finding]]:
    """What doctor finds where the function answers this."""
    account.scf.run = lambda function, qualifier, event: {"RetMsg": json.dumps(value)}
    return lambda: found(account)


def found(account: CloudSimulator, env: dict[str, str] | None = None) -> list[Finding]:
    """What doctor finds."""
    client = HttpClient()
    target = Target("ci-callback", scf_endpoint=account.endpoint)
    try:
        settings = Settings.from_env(COS if env is None else env)
        return on_role.role(Case(settings, target, client, lambda: 0.0))
    finally:
        client.close()


def step(action: str, is_granted: bool, code: str = "") -> dict[str, Any]:
    """One step of the self-check."""
    return {"action": action, "is_granted": is_granted, "code": code}


def test_each_right_that_is_refused_is_a_fault(account: CloudSimulator) -> None:
    """With the refusal's code, and the policy that grants it."""
    steps = [step("cos:PutObject", True), step("cos:DeleteObject", False, "AccessDenied")]
    (finding,) = answers(account, {"self_check": steps})()
    assert (finding.status, finding.what) == ("fault", "may not cos:DeleteObject (AccessDenied)")
    assert "docs/cam-policy.json" in finding.fix
    (finding,) = answers(account, {"self_check": [step("cos:PutObject", True)]})()
    assert (finding.status, finding.what) == ("ok", "may cos:PutObject")


@pytest.mark.parametrize(
    "value", [None, {}, {"jobs": []}, {"self_check": 7}, {"self_check": [{}]}, "x"]
)
def test_an_answer_of_another_kind_is_a_fault(account: CloudSimulator, value: Any) -> None:
    """An older version of the function takes the event for a callback."""
    (finding,) = answers(account, value)()
    assert (finding.status, "something else" in finding.what) == ("fault", True)


@pytest.mark.parametrize(
    ("code", "fix"), [("UnauthorizedOperation.CAM", "scf:InvokeFunction"), ("InternalError", "")]
)
def test_where_it_can_not_be_invoked_it_is_skipped(
    account: CloudSimulator, code: str, fix: str
) -> None:
    """The right to invoke is the operator's, not the function's."""
    account.faults.refuse("InvokeFunction", code)
    (finding,) = found(account)
    assert finding.status == "skipped"
    assert code in finding.what
    assert fix in finding.fix


def test_without_keys_or_the_sdk_it_is_skipped(
    account: CloudSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked."""
    assert found(account, {})[0].status == "skipped"
    monkeypatch.setitem(sys.modules, "tencentcloud.common.credential", None)
    assert "pip install" in found(account)[0].what
