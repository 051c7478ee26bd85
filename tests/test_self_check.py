"""`self-check`: what the function's role may do, tried from inside the function."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from ci_callback.ci_simulator import BUCKET, CiSimulator
from handler.app import Function
from handler.log import Log
from tests.fake_cos import FakeCos, Fault, Seen

EVENT = {"task": "self-check"}


def invoke(env: dict[str, str], event: Any = EVENT) -> Any:
    """A direct invoke."""
    log = Log(io.StringIO(), lambda: 0.0)
    function = Function(env, lambda: 1e9, log, lambda seconds: None)
    return function.handle(event, {"request_id": "r/1"})


def steps(answer: Any) -> dict[str, tuple[bool, str]]:
    """By action: whether it is granted, and the refusal's code."""
    return {step["action"]: (step["is_granted"], step["code"]) for step in answer["self_check"]}


ALL = (
    "cos:PutObject",
    "cos:GetObject",
    "cos:GetBucket",
    "cos:DeleteObject",
    "ci:DescribeMediaJob",
)


def test_every_right_of_the_role_is_tried_and_nothing_is_left(cos: FakeCos) -> None:
    """In JSON, as a direct invoke returns it; the object is below `_doctor/`."""
    with CiSimulator(cos=cos) as ci:
        answer = invoke(cos.env | {"COS_ENDPOINT": ci.endpoint, "CI_BUCKET": BUCKET})
        assert ci.accepted == []
    assert steps(json.loads(json.dumps(answer))) == dict.fromkeys(ALL, (True, ""))
    assert cos.keys() == []
    assert {seen.key for seen in cos.seen if seen.key} == {"ci/_doctor/r~2F1"}


@pytest.mark.parametrize(
    ("method", "action"),
    [("PUT", "cos:PutObject"), ("DELETE", "cos:DeleteObject")],
)
def test_a_right_that_the_role_lacks_is_named_with_the_refusal(
    cos: FakeCos, method: str, action: str
) -> None:
    """The others are tried all the same."""

    def fault(seen: Seen) -> Fault | None:
        return Fault(before=(403, "AccessDenied")) if seen.method == method else None

    with CiSimulator(cos=cos) as ci, cos.faulty(fault):
        found = steps(invoke(cos.env | {"COS_ENDPOINT": ci.endpoint, "CI_BUCKET": BUCKET}))
    assert found[action] == (False, "AccessDenied")
    assert found["cos:GetBucket"] == (True, "")
    assert len(found) == len(ALL)


def test_ci_that_can_not_be_asked_is_a_step_that_failed(tmp_path: Path) -> None:
    """As where the ledger is a folder."""
    found = steps(invoke({"LEDGER_URL": f"file:{tmp_path}"}))
    assert found["cos:PutObject"] == (True, "")
    assert not found["ci:DescribeMediaJob"][0]


def test_only_a_direct_invoke_can_ask_for_it(tmp_path: Path) -> None:
    """A callback that looks like it, over HTTP, is a body like any other."""
    env = {"LEDGER_URL": f"file:{tmp_path}"}
    event = {"httpMethod": "POST", "path": "/", "body": json.dumps(EVENT)}
    answer = invoke(env, event)
    assert answer["statusCode"] == 202
    assert "self_check" not in answer["body"]
    assert "jobs" in invoke(env, {**EVENT, "more": 1})
