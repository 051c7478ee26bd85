"""The findings of a check: one line for a person, one object for a machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

Status: TypeAlias = Literal["ok", "warning", "fault", "skipped"]

EXIT_FAULT = 1
EXIT_SETTINGS = 3
EXIT_STORE = 4

MAX_CHARS = 600
_MIN_SECRET_CHARS = 4
"""A secret that is shorter stands in ordinary words by chance; the settings' check names it."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    what: its state; of a skipped one, why it was not checked. fix: the command or the console page
    that corrects it; "" if nothing is to be done. exit: the resulting exit status of the command.
    """

    name: str
    status: Status
    what: str
    fix: str = ""
    exit: int = 0


def ok(name: str, what: str) -> Finding:
    """It is as it should be."""
    return Finding(name, "ok", what)


def warning(name: str, what: str, fix: str) -> Finding:
    """It works, and may not do what is wanted."""
    return Finding(name, "warning", what, fix)


def fault(name: str, what: str, fix: str, exit: int = EXIT_FAULT) -> Finding:  # noqa: A002  # the shell's word
    """It does not work."""
    return Finding(name, "fault", what, fix, exit)


def skipped(name: str, why: str, fix: str = "") -> Finding:
    """It was not looked at."""
    return Finding(name, "skipped", why, fix)


def grant_needed(action: str) -> str:
    """The fix of a check that needs more rights than the function has."""
    return (
        f"to have it checked, grant {action} to these credentials; "
        "the function itself does not need it"
    )


def exit_status(findings: Iterable[Finding]) -> int:
    """0 without a fault; wrong settings come before an unreachable store, that before the rest."""
    exits = {finding.exit for finding in findings}
    return next((code for code in (EXIT_SETTINGS, EXIT_STORE, EXIT_FAULT) if code in exits), 0)


def safe(finding: Finding, secrets: Iterable[str]) -> Finding:
    """The finding as it may be shown: without any secret, and with nothing that steers a terminal.

    The checks put no secret into a finding. This is the second lock.
    """
    known = sorted(
        {secret for secret in secrets if len(secret) >= _MIN_SECRET_CHARS}, key=len, reverse=True
    )

    def shown(text: str) -> str:
        for secret in known:
            text = text.replace(secret, "[redacted]")
        text = "".join(sign if sign.isprintable() else " " for sign in text)
        return text if len(text) <= MAX_CHARS else text[:MAX_CHARS] + "…"

    return replace(
        finding, name=shown(finding.name), what=shown(finding.what), fix=shown(finding.fix)
    )
