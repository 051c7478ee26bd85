"""The ledger and the spill, by trying: the operations of a store on a key of doctor's own."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from typing import NamedTuple

from ci_callback.doctor.case import CONSOLE, Case
from ci_callback.doctor.findings import EXIT_FAULT, EXIT_STORE, Finding, fault, ok, skipped
from ci_callback.doctor.refusals import REFUSALS
from handler.errors import StoreError
from handler.ledger.keys import DOCTOR, SPILL
from handler.ledger.store import Store
from handler.settings import StoreUrl
from handler.stores import open_spill, open_store


class _Step(NamedTuple):
    """One operation of a store. do: returns the fault, "" without one."""

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
    return "" if kept.get(key) in (b"three", None) else "read other content than was written"


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


class _Place(NamedTuple):
    """A store that a setting names. name: of its findings. below: of the key that is tried."""

    name: str
    url: StoreUrl
    store: Store
    below: str


def trial(case: Case) -> list[Finding]:
    """Write, read, list and delete a key of its own in the ledger, as the function would."""
    url = case.settings.ledger_url
    return _try_all(case, _Place("ledger", url, open_store(case.settings), DOCTOR))


def spill(case: Case) -> list[Finding]:
    """The same where SPILL_URL leads, below the one prefix that the function uses there."""
    url, store = case.settings.spill_url, open_spill(case.settings)
    if url is None or store is None:
        return [
            skipped("spill", "SPILL_URL is not set: while COS is away, only the log has bodies")
        ]
    # Sweeps pass over a name of this form.
    return _try_all(case, _Place("spill", url, store, f"{SPILL}doctor-"))


def _try_all(case: Case, place: _Place) -> list[Finding]:
    key = f"{place.below}{secrets.token_hex(8)}"
    existed = place.url.folder.exists()
    findings = [finding for step in _STEPS for finding in _try(case, step, place, key)]
    if place.url.scheme == "file":
        _tidy(place, key, existed)
    bad = {finding.name for finding in findings}
    works = ", ".join(step.name for step in _STEPS if f"{place.name} {step.name}" not in bad)
    if works:
        note = "" if place.url.scheme == "cos" else " (put_new by an atomic link)"
        findings.append(ok(place.name, f"tried with a key of its own: {works}{note}"))
    return findings


def _try(case: Case, step: _Step, place: _Place, key: str) -> list[Finding]:
    url = place.url
    name = f"{place.name} {step.name}"
    fix = f"look at the versioning of {url.bucket} at {CONSOLE}/cos/bucket"
    left = f"; {url.prefix}{key} may be left" if step.name == "delete" else ""
    try:
        what = step.do(place.store, key)
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
            fix = _fix_for(case, step, url, error)
        return [fault(name, what + left, fix, exit_status)]
    if what:
        return [fault(name, what, fix)]
    return []


def _fix_for(case: Case, step: _Step, url: StoreUrl, error: StoreError) -> str:
    if error.code in REFUSALS:
        return REFUSALS[error.code][1]
    if error.status in (401, 403):
        appid = url.bucket.rpartition("-")[2]
        region = url.region or case.settings.region
        resource = f"qcs::cos:{region}:uid/{appid}:{url.bucket}/{url.prefix}*"
        return (
            f"grant name/cos:{step.action} on {resource} at {CONSOLE}/cam/policy, as"
            " docs/cam-policy.json has it; if it is granted, look at the clock"
        )
    return f"try again; if it stays, look at {url.bucket} at {CONSOLE}/cos/bucket"


def _tidy(place: _Place, key: str, existed: bool) -> None:
    root = place.url.folder
    with contextlib.suppress(OSError):
        (root / key).parent.rmdir()
        if not existed:
            root.rmdir()
