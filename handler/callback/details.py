"""The `details` of a record: the callback's own node, with lists as lists and without secrets.

Also the digest that tells whether two callbacks say the same, in whichever format.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from handler.callback import tree
from handler.callback.families import SECRET_NODES
from handler.callback.tree import Tree

REDACTED = "[redacted]"

_FORM: Any = {"ensure_ascii": False, "separators": (",", ":"), "allow_nan": False}
_AS_IT_IS = json.JSONEncoder(**_FORM)
_SORTED = json.JSONEncoder(**_FORM, sort_keys=True)
"""Made once: json.dumps makes an encoder for each call."""

SECRET_NAMES = frozenset({"DocPassword", "UnCompressKey", "CompressKey", "UriKey"})
"""Nodes that hold a secret wherever they stand: under a tag or a form of request that no page
shows, too. TtsConfig.Input is told by its path alone, since much else is called Input."""

Marks: TypeAlias = "Mapping[str, Marks]"
"""Paths as a tree of names. A name that leads no further is the end of a path."""


def marks(paths: Iterable[str]) -> Marks:
    """Paths put together into one tree, so that one walk serves them all. A path within
    another one is that one's continuation: both ends are meant."""
    root: dict[str, Any] = {}
    for path in paths:
        at = root
        for name in path.split("."):
            at = at.setdefault(name, {})
        at[""] = {}
    return root


_SECRETS = marks(SECRET_NODES)


def with_lists(node: Tree, repeating: Marks) -> Tree:
    """A copy in which each marked node is a list, though one or none of it was sent."""
    if isinstance(node, list):
        return [with_lists(one, repeating) for one in node]
    if not isinstance(node, dict):
        return node
    changed = dict(node)
    for name, further in repeating.items():
        if name in changed:
            is_end = "" in further
            goes_on = len(further) > is_end
            value = with_lists(changed[name], further) if goes_on else changed[name]
            changed[name] = _as_list(value) if is_end else value
    return changed


def without_secrets(node: Tree, secret: Marks = _SECRETS) -> Tree:
    """A copy without what CI echoes of a request and nobody else should read. What is empty
    stays so, to show that there was none."""
    if isinstance(node, list):
        return [without_secrets(one, secret) for one in node]
    if not isinstance(node, dict):
        return node
    clean: dict[str, Tree] = {}
    for name, value in node.items():
        further = secret.get(name, {})
        if name in SECRET_NAMES or "" in further:
            clean[name] = value if tree.is_blank(value) else REDACTED
        elif isinstance(value, str):
            clean[name] = value
        else:
            clean[name] = without_secrets(value, further)
    return clean


def canonical(node: Any) -> Any:
    """A tree without what is empty, and with a list of one as that one: the same for both
    formats."""
    # Recursive: payload.py lets no tree through that is nested deeper than its limit.
    if isinstance(node, dict):
        kept = {}
        for name, value in node.items():
            if not isinstance(value, str):
                value = canonical(value)
            if not tree.is_blank(value):
                kept[name] = value
        return kept
    if isinstance(node, list):
        several = [value for one in node if not tree.is_blank(value := canonical(one))]
        return several[0] if len(several) == 1 else several
    return node


def digest(node: object) -> str:
    """SHA-256 over the canonical tree: names in order, what is empty left out, and a list of
    one as that one. So the XML and the JSON of one callback have the same digest, unknown
    tags included.
    """
    return hashlib.sha256(dumps(canonical(node), sort_keys=True)).hexdigest()


def dumps(value: object, sort_keys: bool = False) -> bytes:
    """JSON in UTF-8, on one line, without blanks."""
    return (_SORTED if sort_keys else _AS_IT_IS).encode(value).encode("utf-8")


def dumps_in_parts(value: object, depth: int = 2) -> bytes:
    """The same bytes, with the fields of an object, and of objects in it, written one by one.

    A text of 2 MB with one emoji takes up 8 MB in Python, and json several times that for as
    long as it writes what holds the text.
    """
    if not depth or not isinstance(value, dict):
        return dumps(value)
    parts = (dumps(name) + b":" + dumps_in_parts(one, depth - 1) for name, one in value.items())
    return b"{" + b",".join(parts) + b"}"


def _as_list(value: Tree) -> list[Tree]:
    if isinstance(value, list):
        return value
    return [] if tree.is_blank(value) else [value]
