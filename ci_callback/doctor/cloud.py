"""The questions that Tencent Cloud's API answers, and what its refusals mean to a check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ci_callback.cloud_api import Cloud, CloudError, SdkMissingError
from ci_callback.doctor.case import REQUEST_S, Case
from ci_callback.doctor.findings import Finding, grant_needed, skipped
from ci_callback.program import PROGRAM

T = TypeVar("T")


@dataclass(frozen=True)
class Question(Generic[T]):
    """name: of the check. right: the permission that the keys need. ask: may raise CloudError.
    refused: the finding of any other refusal. region: "" for that of the settings. timeout_s: of
    one request."""

    name: str
    right: str
    ask: Callable[[Cloud], T]
    refused: Callable[[CloudError], Finding]
    region: str = ""
    timeout_s: float = REQUEST_S


def ask_about_function(case: Case, question: Question[T]) -> T | Finding:
    """The answer; a finding if no function is named, or it does not exist."""
    if not case.target.function:
        fix = f"{PROGRAM} doctor --function NAME"
        return skipped(question.name, "no function is named", fix)
    return ask(case, question)


def ask(case: Case, question: Question[T]) -> T | Finding:
    """The answer; a finding without one."""
    settings, name = case.settings, question.name
    if settings.credentials is None or settings.region is None:
        return skipped(name, "no credentials and COS_REGION to ask Tencent Cloud with")
    region = question.region or settings.region
    cloud = Cloud(settings.credentials, region, case.target.scf_endpoint, question.timeout_s)
    try:
        return question.ask(cloud)
    except SdkMissingError as error:
        return skipped(name, str(error))
    except CloudError as error:
        if "UnauthorizedOperation" in error.code:
            return skipped(name, f"no answer: {error}", grant_needed(question.right))
        return question.refused(error)
