"""The table of checks, and their running: each for itself, within its time-out, none in another's
way. A check that depends on another is left out if that one found a fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ci_callback.doctor import (
    on_alerts,
    on_ci,
    on_clock,
    on_counts,
    on_deployed,
    on_function,
    on_queues,
    on_role,
    on_store,
)
from ci_callback.doctor import store_check as on_trial
from ci_callback.doctor.case import CHECK_S, Case
from ci_callback.doctor.findings import Finding, fault, skipped
from handler.parallel import in_parallel, within


class Check(NamedTuple):
    """needs: the check without whose success this one would only repeat its fault."""

    name: str
    run: Callable[[Case], list[Finding]]
    needs: str = ""


CHECKS = (
    Check("clock", on_clock.clock),
    Check("bucket", on_store.store),
    Check("versioning", on_store.versioning, "bucket"),
    Check("ledger", on_trial.trial, "bucket"),
    Check("spill", on_trial.spill),
    Check("ci", on_ci.reach),
    Check("ci bucket", on_ci.bound, "ci"),
    Check("ci permissions", on_ci.permissions, "ci"),
    Check("queues", on_queues.queues, "ci"),
    Check("timer", on_function.on_scf),
    Check("function settings", on_deployed.settings),
    Check("role", on_role.role),
    Check("function url", on_function.url),
    Check(on_counts.NAME, on_counts.media_jobs, "bucket"),
    Check("alert", on_alerts.alerts),
)


def run_all(
    case: Case, checks: Sequence[Check] = CHECKS, timeout_s: float = CHECK_S
) -> list[Finding]:
    """The findings of all checks, in the order of the table."""
    by_check: dict[str, list[Finding]] = {}
    first = [check for check in checks if not check.needs]
    second = [check for check in checks if check.needs]
    for wave in (first, second):
        ready = [check for check in wave if not _is_bad(by_check.get(check.needs, []))]
        results = in_parallel(lambda check: run_one(check, case, timeout_s), ready)
        by_check |= {check.name: findings for check, findings in zip(ready, results, strict=True)}
    return [
        finding for check in checks for finding in by_check.get(check.name) or [_blocked(check)]
    ]


def run_one(check: Check, case: Case, timeout_s: float = CHECK_S) -> list[Finding]:
    """One check. Whatever it raises becomes a finding, by its kind only: its words may hold a
    secret."""
    try:
        return within(timeout_s, lambda: check.run(case))
    except TimeoutError:
        return [
            fault(check.name, f"no end within {timeout_s:g} s", "is the network slow? Try again")
        ]
    except Exception as error:  # one check that fails must not hide the others
        what = f"the check itself failed with {type(error).__name__}"
        return [fault(check.name, what, "report it, with the command and its settings")]


def _is_bad(findings: Sequence[Finding]) -> bool:
    return any(finding.status == "fault" for finding in findings)


def _blocked(check: Check) -> Finding:
    return skipped(check.name, f"checked once {check.needs} is well")
