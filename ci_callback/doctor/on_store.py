"""The ledger's store: is it there, in that region, without versioning, with room?"""

from __future__ import annotations

import shutil

from ci_callback.doctor.case import CONSOLE, Case
from ci_callback.doctor.cos_api import CosRefusedError, ask
from ci_callback.doctor.findings import (
    EXIT_STORE,
    Finding,
    fault,
    grant_needed,
    ok,
    skipped,
    warning,
)
from ci_callback.doctor.refusals import REFUSALS
from handler.callback import tree
from handler.errors import NoAnswerError

MIB = 1024 * 1024
MIN_FREE_BYTES = 100 * MIB
NO_ROOM = 5 * MIB


def store(case: Case) -> list[Finding]:
    """Is the bucket there, in that region, and do the credentials open it? Of a folder: room."""
    url = case.settings.ledger_url
    if url.scheme == "file":
        return [_room(case)]
    name = "bucket"
    where = f"{url.bucket} in {case.settings.region}"
    try:
        location = tree.text(ask(case, {"location": ""}), "LocationConstraint") or ""
    except NoAnswerError as error:
        fix = f"can this machine reach {case.settings.region}'s COS? See also COS_REGION"
        return [fault(name, f"COS can't be reached: {error}", fix, EXIT_STORE)]
    except CosRefusedError as error:
        return [_refused(where, error)]
    # An older page of GET Bucket location (436/8275) prints "cos.ap-beijing".
    region = location.removeprefix("cos.")
    if region and region != case.settings.region:
        return [
            fault(
                name,
                f"{url.bucket} is in {region}, not in {case.settings.region}",
                f"COS_REGION={region}",
            )
        ]
    return [ok(name, f"{where} exists, and the credentials are valid")]


def _refused(where: str, error: CosRefusedError) -> Finding:
    """The finding about a refusal to name the bucket's region."""
    name, page = "bucket", f"{CONSOLE}/cos/bucket"
    if error.code == "NoSuchBucket":
        fix = f"create it at {page}, or correct LEDGER_URL and COS_REGION"
        return fault(name, f"COS knows no bucket {where}", fix)
    if error.code in REFUSALS:
        why, fix = REFUSALS[error.code]
        return fault("credentials", f"{why} ({error})", fix)
    if error.code == "AccessDenied":
        # The function's role does not need this right: whether the ledger works is tried below.
        return ok(name, f"{where} answers; its region is not shown without cos:GetBucketLocation")
    return fault(name, f"COS refused to describe {where}: {error}", page)


def versioning(case: Case) -> list[Finding]:
    """Off? Where it was ever on, COS ignores x-cos-forbid-overwrite, which put_new is made of."""
    name = "versioning"
    url = case.settings.ledger_url
    if url.scheme == "file":
        return [skipped(name, "a folder has none")]
    try:
        answer = ask(case, {"versioning": ""})
    except (NoAnswerError, CosRefusedError) as error:
        fix = f"{grant_needed('cos:GetBucketVersioning')}; or look at {CONSOLE}/cos/bucket"
        return [skipped(name, f"COS did not answer: {error}", fix)]
    status = tree.text(answer, "VersioningConfiguration.Status")
    if status is None:
        return [ok(name, "was never on")]
    return [
        fault(
            name,
            f"{status}: put_new (x-cos-forbid-overwrite) does not hold with versioning, so that a"
            " callback delivered twice may change a record",
            "versioning can't be taken back: create a bucket without it at"
            f" {CONSOLE}/cos/bucket, and name it in LEDGER_URL",
        )
    ]


def _room(case: Case) -> Finding:
    """Free space where the folder is, or will be."""
    folder = case.settings.ledger_url.folder.absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return judge_room(shutil.disk_usage(there).free, str(folder))


def judge_room(free: int, folder: str) -> Finding:
    """free: in bytes."""
    what = f"{free // MIB:,} MiB are free at {folder}"
    fix = f"df -h {folder}: free some, or name another folder in LEDGER_URL"
    if free < NO_ROOM:
        return fault("disk", what, fix)
    if free < MIN_FREE_BYTES:
        return warning("disk", what, fix)
    return ok("disk", what)
