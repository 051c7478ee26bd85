"""CI: can it be reached, is the bucket bound to it, and may the function ask about jobs?

No check submits a job: that costs money, and can't be taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

from ci_callback.doctor.case import CONSOLE, REQUEST_S, Case
from ci_callback.doctor.ci_api import NoBucketError, ask, place
from ci_callback.doctor.findings import Finding, fault, grant_needed, ok, skipped, warning
from ci_callback.doctor.refusals import REFUSALS
from handler.callback import tree
from handler.callback.families import FAMILIES, Family
from handler.ci_api.client import Ci, CiAddress, CiError
from handler.parallel import in_parallel

CI_CONSOLE = f"{CONSOLE}/ci"
POLICY = f"{CONSOLE}/cam/policy, as docs/cam-policy.json has it"

_ACTIONS = {
    "media": "Media",
    "picture": "PicProcess",
    "ai": "Media",
    "speech": "Asr",
    "document": "DocProcess",
    "file": "FileProcess",
}
"""What a family's actions are called in CAM (598/98114); AI jobs go by those of media."""

_TAGS = {
    "media": "Transcode",
    "picture": "PicProcess",
    "ai": "Translation",
    "speech": "SpeechRecognition",
    "document": "DocProcess",
}
"""A tag of each family that has a list: CI lists by tag alone."""


class Trial(NamedTuple):
    """A request that must be allowed. do: raises CiError where it is not."""

    action: str
    do: Callable[[Ci], object]


def _describe(family: Family) -> Trial:
    return Trial(
        f"ci:Describe{_ACTIONS[family.name]}Job", lambda ci: ci.describe(family, _no_job(family))
    )


def _no_job(family: Family) -> str:
    """An id of the form of every sample, which no job has: CI says that it does not know it."""
    return f"{family.letter}{'0' * 32}"


def _list(family: Family, now: float) -> Trial:
    return Trial(
        f"ci:Describe{_ACTIONS[family.name]}Jobs",
        lambda ci: next(ci.list_jobs(family, _TAGS[family.name], now), None),
    )


def trials(now: float) -> list[Trial]:
    """One of each path and action: describing differs by the path, listing by the tag."""
    described = [FAMILIES[name] for name in ("media", "document", "file")]
    listed = [family for family in FAMILIES.values() if family.name in _TAGS]
    return [*map(_describe, described), *(_list(family, now) for family in listed)]


def reach(case: Case) -> list[Finding]:
    """Does CI answer, as itself, to these credentials?"""
    name = "ci"
    try:
        bucket, region = place(case)
        _ci(case).describe(FAMILIES["media"], _no_job(FAMILIES["media"]))
    except NoBucketError as error:
        return [skipped(name, str(error))]
    except CiError as error:
        if error.code in REFUSALS:
            return [fault(name, f"{REFUSALS[error.code][0]} ({error})", REFUSALS[error.code][1])]
        if error.status is None:
            fix = f"can this machine reach {bucket}.ci.{region}.myqcloud.com?"
            return [fault(name, str(error), fix)]
        if "UnBinded" in error.code:
            return [
                fault(name, f"{bucket} is not bound to CI ({error})", f"bind it at {CI_CONSOLE}")
            ]
        if not error.code:
            return [fault(name, str(error), "is it CI that answers? See COS_REGION and CI_BUCKET")]
    return [ok(name, f"answers for {bucket} in {region}")]


def bound(case: Case) -> list[Finding]:
    """Is media processing switched on for the bucket? (GET /mediabucket, 1292/48988)"""
    name = "ci bucket"
    try:
        bucket, region = place(case)
        response = ask(case, "/mediabucket", {"bucketNames": bucket}, f"ci.{region}.myqcloud.com")
    except NoBucketError as error:
        return [skipped(name, str(error))]
    except CiError as error:
        fix = grant_needed("ci:DescribeMediaBuckets") if error.status in (401, 403) else "try again"
        return [skipped(name, f"no answer: {error}", fix)]
    ids = [tree.text(node, "BucketId") for node in tree.get_all(response, "MediaBucketList")]
    if bucket in ids:
        return [ok(name, f"media processing is on for {bucket}")]
    return [
        warning(
            name,
            f"media processing is off for {bucket}: jobs of media, voice and AI are refused",
            f"switch it on at {CI_CONSOLE}, {bucket}, Media processing",
        )
    ]


def permissions(case: Case) -> list[Finding]:
    """The questions that a sweep asks CI, tried; its submissions can't be tried."""
    name = "ci permissions"
    create = skipped(
        "ci submit",
        "submitting and triggering can't be tried without a job that costs money",
        f"compare the role's policy with docs/cam-policy.json: ci:Create…,"
        f" cam:PassRole ({CONSOLE}/cam/role)",
    )
    try:
        bucket, _ = place(case)
    except NoBucketError as error:
        return [skipped(name, str(error))]
    ci = _ci(case)
    tried = trials(case.clock())
    errors = in_parallel(lambda trial: _error(trial, ci), tried)
    appid = bucket.rpartition("-")[2]
    resource = f"qcs::ci:*:uid/{appid}:bucket/{bucket}/*"
    findings: dict[str, Finding] = {}
    for trial, refused in zip(tried, errors, strict=True):
        if refused is not None:
            findings.setdefault(trial.action, _lacking(trial.action, refused, resource))
    allowed = sorted({trial.action for trial in tried} - set(findings))
    if allowed:
        findings[""] = ok(name, f"allowed: {', '.join(allowed)}")
    return [*findings.values(), create]


def _error(trial: Trial, ci: Ci) -> CiError | None:
    """Why a trial did not go through. That there is no such job or tag is no reason."""
    try:
        trial.do(ci)
    except CiError as error:
        return None if error.status == HTTPStatus.NOT_FOUND and error.code else error
    return None


def _lacking(action: str, error: CiError, resource: str) -> Finding:
    name = f"ci permission {action}"
    if error.status in (401, 403):
        # A wrong signature answers AccessDenied too (a case of 2026-07): CAM is not sure.
        fix = f"grant {action} on {resource} at {POLICY}; if it is granted, look at the clock"
        return fault(name, str(error), fix)
    if error.status is None or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return warning(name, f"no answer: {error}", "try again")
    return warning(name, f"no answer: {error}", f"is the service on for the bucket? {CI_CONSOLE}")


def _ci(case: Case) -> Ci:
    bucket, region = place(case)
    settings = case.settings
    if settings.credentials is None:
        raise AssertionError("place() has looked")
    address = CiAddress(bucket, region, settings.cos_endpoint)
    return Ci(case.http, settings.credentials, address, timeout_s=REQUEST_S)
