"""The clock of this machine against COS's: signatures hold the time."""

from __future__ import annotations

from ci_callback.doctor.case import Case
from ci_callback.doctor.cos_api import server_time
from ci_callback.doctor.findings import Finding, fault, ok, skipped, warning
from handler.errors import NoAnswerError

WARN_S = 60
FAULT_S = 900


def clock(case: Case) -> list[Finding]:
    """Both in whole seconds: a Date header has no others."""
    if case.settings.ledger_url.scheme == "file":
        return [skipped("clock", "the ledger is a folder: there is no other clock to look at")]
    try:
        theirs = server_time(case)
    except NoAnswerError as error:
        return [skipped("clock", f"COS can't be reached: {error}")]
    if theirs is None:
        return [skipped("clock", "the answer has no Date: is it COS that answers?")]
    return [judge(case.clock() - theirs)]


def judge(ahead_s: float) -> Finding:
    """ahead_s: how much this clock is ahead of COS's."""
    off = abs(round(ahead_s))
    what = f"{off} s {'ahead of' if ahead_s > 0 else 'behind'} COS's"
    fix = "timedatectl set-ntp true, or: chronyc makestep"
    if off > FAULT_S:
        return fault("clock", f"{what}: signatures fail", fix)
    if off > WARN_S:
        # 583/31704: SCF's API wants five minutes; the COS SDK signs from a minute ago on.
        return warning("clock", f"{what}: some signatures fail", fix)
    return ok("clock", what if off > 1 else "within 1 s of COS's")
