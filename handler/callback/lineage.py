"""The lineage marker: which job a re-submitted job goes back to, and the how-manieth try it is.

It rides in Operation.UserData behind the user's own text, which CI echoes. CI takes 1,024
printable ASCII characters there; whether it echoes `<` and `&` unharmed is not known, so
the marker is made of [A-Za-z0-9._:/=-] alone:

    the user's own text/ci-retry:ROOT_JOB_ID:ATTEMPT
"""

from __future__ import annotations

import re
from dataclasses import dataclass

USER_DATA_MAX_CHARS = 1024
"""CI's limit of UserData (submit pages, request node Operation.UserData)."""

_MARKER = re.compile(r"/ci-retry:((?:[A-Za-z0-9._-]|=[0-9A-F]{2})+):([1-9][0-9]{0,3})\Z")
_ESCAPED = re.compile(rb"[^A-Za-z0-9._-]")


@dataclass(frozen=True)
class Lineage:
    """attempt 1 is the job as its owner submitted it; root_job_id is the JobId of that one."""

    root_job_id: str
    attempt: int


def marker(lineage: Lineage) -> str:
    """The text that goes behind the user's own."""
    root = _ESCAPED.sub(
        lambda match: b"=%02X" % match[0][0], lineage.root_job_id.encode("utf-8")
    ).decode("ascii")
    return f"/ci-retry:{root}:{lineage.attempt}"


def attach(user_data: str, lineage: Lineage) -> str | None:
    """The user's text with the marker behind it; None where that would be over CI's limit."""
    marked = user_data + marker(lineage)
    return marked if len(marked) <= USER_DATA_MAX_CHARS else None


def detach(user_data: str | None) -> tuple[str | None, Lineage | None]:
    """The user's own text (None where there is none) and the lineage, where there is a marker."""
    if not user_data:
        return user_data, None
    # A marker is at the end, and no longer than CI's limit: the rest may be megabytes long.
    match = _MARKER.search(user_data, max(0, len(user_data) - USER_DATA_MAX_CHARS))
    if not match:
        return user_data, None
    root = re.sub(
        rb"=([0-9A-F]{2})",
        lambda escape: bytes.fromhex(escape[1].decode("ascii")),
        match[1].encode("ascii"),
    )
    own = user_data[: match.start()]
    return own or None, Lineage(root.decode("utf-8", "replace"), int(match[2]))
