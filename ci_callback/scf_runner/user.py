"""As whom the function runs, and which limits this machine can't enforce."""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path

USER = "nobody"
_PROC = Path("/proc/self/status")


def unprivileged_user() -> int | None:
    """The user id that the function gets; None where it stays that of this process, since only
    root can change it, and child.py needs /proc for that."""
    is_root = os.geteuid() == 0
    return pwd.getpwnam(USER).pw_uid if is_root and _PROC.exists() else None


def not_enforced() -> list[str]:
    """The limits that are not enforced here, one sentence each. Empty as root on Linux."""
    sentences = []
    if unprivileged_user() is None:
        sentences.append(
            "Not run by root on Linux: the function runs as you, so its own code is read-only and "
            "the rest of the disk is not."
        )
    if not _PROC.exists():
        sentences.append(f"{sys.platform} has no /proc: the memory limit is not watched.")
    return sentences
