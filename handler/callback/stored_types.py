"""The types of a record's values, as they are read back.

A file of the ledger may be damaged or foreign. A value that passes here is read without further
checks, by sweeps too, which one such file must not end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NONE = type(None)

_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("kind", "job_id", "outcome", "code", "message"), (str,)),
    **dict.fromkeys(("event", "tag", "sub_tag", "state", "queue_id", "queue_type"), (str, _NONE)),
    **dict.fromkeys(("created_at", "started_at", "ended_at"), (str, _NONE)),
    **dict.fromkeys(("user_data", "custom_id"), (str, _NONE)),
    **dict.fromkeys(("progress_percent", "job_level"), (int, _NONE)),
    **dict.fromkeys(("wait_s", "run_s"), (int, float, _NONE)),
    **dict.fromkeys(("input", "workflow"), (dict, _NONE)),
    "outputs": (list,),
    **dict.fromkeys(("details", "retry", "source"), (dict,)),
}
"""By the name of the field. `result` is read as JSON only."""

_MEMBERS: tuple[tuple[str, str, type], ...] = (
    ("retry", "root_job_id", str),
    ("retry", "attempt", int),
    ("source", "digest", str),
    ("source", "received_at", str),
)
"""Members of such objects that are read without a look at their type."""


def wrong_type(values: Mapping[str, Any]) -> str:
    """The first field whose value has not its type; "" where all have. values: of all fields."""
    for name, types in _TYPES.items():
        if not isinstance(values[name], types):
            return name
    for name, member, kind in _MEMBERS:
        if type(values[name].get(member)) is not kind:
            return f"{name}.{member}"
    return ""
