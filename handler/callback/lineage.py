"""The lineage marker: which job a re-submitted job goes back to, and its attempt number.

It is put into Operation.UserData behind the user's own text, which CI echoes. CI takes 1,024
printable ASCII characters there; whether it echoes `<` and `&` unharmed is not known, so
the marker is made of [A-Za-z0-9._:/=-] only:

    the user's own text/ci-retry:ROOT_JOB_ID:ATTEMPT:NONCE

Anybody who may submit jobs can write a marker, so it is a claim and no proof. What proves it is
in the ledger: `_attempts/ROOT/ATTEMPT` names the job, or holds the nonce of a submission whose
answer was lost (handler/retries/lineage.py).
"""

from __future__ import annotations

import re
from typing import NamedTuple

USER_DATA_MAX_CHARS = 1024
"""CI's limit of UserData (submit pages, request node Operation.UserData)."""

NONCE_CHARS = 16

_BEGIN = "/ci-retry:"
_MARKER = (
    _BEGIN + r"((?:[A-Za-z0-9._-]|=[0-9A-F]{2})+)"
    r":([1-9][0-9]{0,3})"
    rf":([0-9a-f]{{{NONCE_CHARS}}})"
)
_ESCAPED = rb"[^A-Za-z0-9._-]"


class Lineage(NamedTuple):
    """attempt 1 is the job as its owner submitted it; root_job_id is the JobId of that one."""

    root_job_id: str
    attempt: int


class Marker(NamedTuple):
    """The marker in a job's UserData, which is a claim. nonce: NONCE_CHARS hexadecimal digits
    that the claim of the attempt holds, so that no one can make up the marker of a submission
    before CI shows it."""

    lineage: Lineage
    nonce: str

    def __str__(self) -> str:
        """The text behind the user's own."""
        sent = self.lineage.root_job_id.encode("utf-8")
        root = re.sub(_ESCAPED, lambda match: b"=%02X" % match[0][0], sent).decode("ascii")
        return f"{_BEGIN}{root}:{self.lineage.attempt}:{self.nonce}"


def attach(user_data: str, marker: Marker) -> str | None:
    """The user's text with the marker behind it; None where that would be over CI's limit."""
    marked = f"{user_data}{marker}"
    return marked if len(marked) <= USER_DATA_MAX_CHARS else None


def detach(user_data: str | None) -> tuple[str | None, Marker | None]:
    """The user's own text (None without one) and the marker behind it, if there is one."""
    if not user_data:
        return user_data, None
    # A marker is at the end, and no longer than CI's limit: the rest may be megabytes long.
    start = user_data.rfind(_BEGIN, max(0, len(user_data) - USER_DATA_MAX_CHARS))
    match = re.fullmatch(_MARKER, user_data[start:]) if start >= 0 else None
    if not match:
        return user_data, None
    root = re.sub(
        rb"=([0-9A-F]{2})",
        lambda escape: bytes.fromhex(escape[1].decode("ascii")),
        match[1].encode("ascii"),
    )
    lineage = Lineage(root.decode("utf-8", "replace"), int(match[2]))
    return user_data[:start] or None, Marker(lineage, match[3])
