"""Finding one's way in a tree: paths, text, numbers, times. No exception leaves this module.

A path is a text such as "Operation.Output.Bucket". What is absent, empty, or of another
shape than asked for reads as None (or an empty list), because CI leaves out in one
format what it sends empty in the other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from handler.callback.payload import Tree

MAX_IDENTIFIER_CHARS = 1_024
"""Longer texts are no ids, states, codes or names of buckets."""

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(\.\d{1,6})?\d*(Z|[+-]\d\d:?\d\d)", re.ASCII
)
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_WORD = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+|[^A-Za-z0-9]+")


def node(tree: Tree, path: str) -> Tree:
    """What stands at the path; None where nothing does. Of a list on the way, the first."""
    return walk(tree, path.split("."))


def walk(tree: Tree, names: Sequence[str]) -> Tree:
    """`node` for a path that is split already."""
    for name in names:
        if not isinstance(tree, dict):
            if not isinstance(tree, list) or not tree or not isinstance(tree[0], dict):
                return None
            tree = tree[0]
        if name not in tree:
            return None
        tree = tree[name]
    return tree


def text(tree: Tree, path: str) -> str | None:
    """The text at the path; None where there is none or it is blank."""
    if isinstance(tree, dict) and path in tree:  # one name: most of all that is asked for
        return leaf(tree[path])
    return leaf(walk(tree, path.split(".")))


def identifier(tree: Tree, path: str) -> str | None:
    """The text at the path, where it is no longer than the name of anything; else None."""
    found = text(tree, path)
    return found if found is None or len(found) <= MAX_IDENTIFIER_CHARS else None


def leaf(found: Tree) -> str | None:
    """A node's text, or that of a list's only one; None where there is none or it is blank."""
    if isinstance(found, str):
        return found if found.strip() else None
    if isinstance(found, list) and len(found) == 1:
        return leaf(found[0]) if isinstance(found[0], str) else None
    return None


def nodes(tree: Tree, path: str) -> list[Tree]:
    """All that stands at the path, as a list, blank leaves left out."""
    return several(node(tree, path))


def several(found: Tree) -> list[Tree]:
    """A node as a list, blank leaves left out."""
    ones = found if isinstance(found, list) else [found]
    return [one for one in ones if not is_blank(one)]


def every(tree: Tree, names: Sequence[str]) -> list[str]:
    """The texts at a path that is split already, in all that repeats on the way, blank ones
    left out."""
    level = several(tree)
    for name in names:
        level = [
            one
            for found in level
            if isinstance(found, dict) and name in found
            for one in several(found[name])
        ]
    return [one for one in level if isinstance(one, str)]


def is_blank(tree: Tree) -> bool:
    """Absent, null, an empty container or nothing but white space."""
    return not tree or (isinstance(tree, str) and not tree.strip())


def is_hollow(tree: Tree) -> bool:
    """Blank, or nothing but blank nodes within: what one format sends so, the other leaves out."""
    if isinstance(tree, dict):
        return all(map(is_hollow, tree.values()))
    return all(map(is_hollow, tree)) if isinstance(tree, list) else is_blank(tree)


def integer(sent: str | None) -> int | None:
    """A whole number; None for what is none, or has more than 18 digits."""
    sent = sent.strip() if sent is not None else ""
    return int(sent) if _INTEGER.fullmatch(sent) else None


def number(sent: str | None) -> float | None:
    """A finite number; None for anything else."""
    try:
        value = float(sent) if sent is not None and sent.isascii() and "_" not in sent else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def moment(sent: str | None) -> datetime | None:
    """A time with its offset, in UTC. None for "-", for no offset, and for what is unreadable.

    CI writes 2022-07-25T16:35:39+0800, and in workflows a space for the T or +08:00
    (documents 436/54028 and 460/80039).
    """
    match = _TIME.fullmatch(sent.strip()) if sent is not None else None
    if not match:
        return None
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    microsecond = round(float(match[7] or 0) * 1_000_000)
    offset = match[8].replace(":", "")
    try:
        zone = timezone.utc
        if offset != "Z":
            away = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5]))
            zone = timezone(-away if offset[0] == "-" else away)
        local = datetime(year, month, day, hour, minute, second, microsecond, zone)
        return local.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def rfc3339(at: datetime | None) -> str | None:
    """A moment as RFC 3339 in UTC, such as 2022-07-25T08:35:39Z; milliseconds where it has any."""
    if at is None:
        return None
    written = at.astimezone(timezone.utc).isoformat(
        timespec="milliseconds" if at.microsecond else "seconds"
    )
    return written.replace("+00:00", "Z")


def seconds_between(start: datetime | None, end: datetime | None) -> float | int | None:
    """Whole seconds as an int, others rounded to milliseconds; None without both ends."""
    if start is None or end is None:
        return None
    seconds = round((end - start).total_seconds(), 3)
    return int(seconds) if seconds == int(seconds) else seconds


def snake_case(name: str) -> str:
    """BasicType → basic_type, CIRoleID → ci_role_id."""
    words = (word for word in _WORD.findall(name) if word.isalnum())
    return "_".join(word.lower() for word in words) or name
