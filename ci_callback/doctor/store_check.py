"""The ledger, by trying: the operations of the store on a key of its own, as the function does."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from typing import NamedTuple

from ci_callback.doctor.case import CONSOLE, Case
from ci_callback.doctor.findings import EXIT_FAULT, EXIT_STORE, Finding, fault, ok
from ci_callback.doctor.refusals import REFUSALS
from handler.errors import StoreError
from handler.ledger.keys import DOCTOR
from handler.ledger.store import Store
from handler.stores import open_store


class _Step(NamedTuple):
    """One operation of a store. do: what is wrong, "" where nothing is."""

    name: str
    action: str
    do: Callable[[Store, str], str]


def _put_new(kept: Store, key: str) -> str:
    if not kept.put_new(key, b"one"):
        return "says that a key exists that was never written"
    if kept.put_new(key, b"two"):
        return "wrote over a key that exists: a callback delivered twice may change a record"
    return ""


def _put(kept: Store, key: str) -> str:
    kept.put(key, b"three")
    return ""


def _get(kept: Store, key: str) -> str:
    return "" if kept.get(key) in (b"three", None) else "read something else than was written"


def _list(kept: Store, key: str) -> str:
    # A listing of COS may lag: that it is answered is all that counts.
    for _ in kept.list(key):
        break
    return ""


def _delete(kept: Store, key: str) -> str:
    kept.delete(key)
    return ""


_STEPS = (
    _Step("put_new", "PutObject", _put_new),
    _Step("put", "PutObject", _put),
    _Step("get", "GetObject", _get),
    _Step("list", "GetBucket", _list),
    _Step("delete", "DeleteObject", _delete),
)


def trial(case: Case) -> list[Finding]:
    """Write, read, list and delete a key of its own, as the function would."""
    kept = open_store(case.settings)
    key = f"{DOCTOR}{secrets.token_hex(8)}"
    existed = case.settings.ledger_url.folder.exists()
    findings = [found for step in _STEPS for found in _try(case, step, kept, key)]
    if case.settings.ledger_url.scheme == "file":
        _tidy(case, existed)
    bad = {finding.name for finding in findings}
    works = ", ".join(step.name for step in _STEPS if f"ledger {step.name}" not in bad)
    if works:
        note = "" if case.settings.ledger_url.scheme == "cos" else " (put_new by an atomic link)"
        findings.append(ok("ledger", f"tried with a key of its own: {works}{note}"))
    return findings


def _try(case: Case, step: _Step, kept: Store, key: str) -> list[Finding]:
    url = case.settings.ledger_url
    name = f"ledger {step.name}"
    fix = f"look at the versioning of {url.bucket} at {CONSOLE}/cos/bucket"
    left = f"; {url.prefix}{key} may be left" if step.name == "delete" else ""
    try:
        what = step.do(kept, key)
    except StoreError as error:
        # The message of the error holds the key, which is this command's own.
        what = f"{error.explanation} ({error.status or 'no answer'} {error.code})".replace(
            " )", ")"
        )
        if url.scheme == "file":
            what, exit_status = error.explanation, EXIT_STORE
            fix = (
                f"ls -ld {url.folder}: it must be a folder that this user may write to, on a file"
                " system with hard links"
            )
        else:
            exit_status = EXIT_STORE if error.status is None else EXIT_FAULT
            fix = _fix_for(case, step, error)
        return [fault(name, what + left, fix, exit_status)]
    if what:
        return [fault(name, what, fix)]
    return []


def _fix_for(case: Case, step: _Step, error: StoreError) -> str:
    url = case.settings.ledger_url
    if error.code in REFUSALS:
        return REFUSALS[error.code][1]
    if error.status in (401, 403):
        appid = url.bucket.rpartition("-")[2]
        resource = f"qcs::cos:{case.settings.region}:uid/{appid}:{url.bucket}/{url.prefix}*"
        return (
            f"grant name/cos:{step.action} on {resource} at {CONSOLE}/cam/policy, as"
            " docs/cam-policy.json has it; if it is granted, look at the clock"
        )
    return f"try again; if it stays, look at {url.bucket} at {CONSOLE}/cos/bucket"


def _tidy(case: Case, existed: bool) -> None:
    root = case.settings.ledger_url.folder
    with contextlib.suppress(OSError):
        (root / DOCTOR).rmdir()
        if not existed:
            root.rmdir()
