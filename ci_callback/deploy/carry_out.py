"""Carries out the calls of a plan, one after the other, and waits where the platform needs time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ci_callback.cloud_api import CloudError
from ci_callback.deploy import lifecycle
from ci_callback.deploy.actual import Api, FunctionVersion, function_version
from ci_callback.deploy.calls import Call, LostAnswerError
from ci_callback.deploy.desired import LATEST
from ci_callback.deploy.errors import DeployError
from ci_callback.deploy.patience import ALREADY

POLL_S = 2.0
MAX_POLLS = 90
"""Three minutes: a function is active after some seconds."""

_CHANGES_LATEST = ("CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration")


class AlreadyThereError(Exception):
    """The account holds what a read did not show a moment ago: the plan is to be made again."""


@dataclass(frozen=True)
class Hands:
    """sleep: seconds. put: puts an object below the ledger's prefix. done: called after each call
    with its place in the plan. expire: sets the lifecycle of the bucket."""

    api: Api
    sleep: Callable[[float], object]
    put: Callable[[str, bytes], object]
    done: Callable[[int], object]
    expire: Callable[[Mapping[str, Any]], object] = lambda params: None


def carry_out(calls: Sequence[Call], hands: Hands) -> dict[str, Mapping[str, Any]]:
    """The answers by action, of several the last one.

    Raises:
        CloudError, StoreError
        DeployError: the platform could not make the function.
        AlreadyThereError
    """
    answers: dict[str, Mapping[str, Any]] = {}
    for at, call in enumerate(calls):
        if call.action == lifecycle.PUT:
            hands.expire(call.params)
        elif call.service == "cos":
            hands.put(call.params["Key"], call.params["Body"].bundle.code)
        else:
            answers[call.action] = _made(call, answers, hands)
            _wait_after(call, answers[call.action], hands)
        hands.done(at)
    return answers


def _made(call: Call, answers: Mapping[str, Mapping[str, Any]], hands: Hands) -> dict[str, Any]:
    try:
        return hands.api.call(call.service, call.action, call.filled(answers))
    except LostAnswerError as error:
        raise AlreadyThereError from error
    except CloudError as error:
        if error.is_in(*ALREADY):
            raise AlreadyThereError from error
        raise


def _wait_after(call: Call, answer: Mapping[str, Any], hands: Hands) -> None:
    name, action = str(call.params.get("FunctionName") or ""), call.action
    if action in _CHANGES_LATEST:
        wait_active(name, LATEST, hands)
    elif action == "PublishVersion":
        wait_active(name, str(answer["FunctionVersion"]), hands)
    elif action == "DeleteFunction":
        _wait(name, LATEST, hands, lambda version: version is None)


def wait_active(name: str, qualifier: str, hands: Hands) -> None:
    """
    Raises:
        DeployError: it failed, or takes longer than MAX_POLLS.
    """
    _wait(name, qualifier, hands, lambda version: bool(version and version.status == "Active"))


def _wait(
    name: str,
    qualifier: str,
    hands: Hands,
    is_done: Callable[[FunctionVersion | None], bool],
) -> None:
    status = "not there"
    for _ in range(MAX_POLLS):
        version = function_version(hands.api, name, qualifier)
        if is_done(version):
            return
        status = version.status if version else "not there"
        if version and status.endswith("Failed"):
            fix = "is CLS activated, and the bundle whole? Run deploy again"
            raise DeployError(f"{name} is {status}: {version.reason or 'no reason given'}", fix)
        hands.sleep(POLL_S)
    fix = "run deploy again: it goes on where it was"
    raise DeployError(f"{name} is still {status} after {MAX_POLLS * POLL_S:.0f} s", fix)
