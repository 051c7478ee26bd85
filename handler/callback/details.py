"""The `details` of a record: the callback's own node, with lists as lists.

Also the digest by which two callbacks are compared, whatever their formats.
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import Any

from handler.callback import tree
from handler.callback.path_trie import PathTrie
from handler.callback.tree import Tree

_encoder = partial(json.JSONEncoder, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_AS_IT_IS = _encoder()
_SORTED = _encoder(sort_keys=True)
"""Made once: json.dumps makes an encoder for each call."""


def with_lists(node: Tree, repeating: PathTrie) -> Tree:
    """A copy in which each marked node is a list, though one or none of it was sent."""
    if isinstance(node, list):
        return [with_lists(item, repeating) for item in node]
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


def canonical(node: Any) -> Any:
    """A tree without what is empty, and with a list of one as that one: the same for both
    formats."""
    # Recursive: payload.py lets no tree through that is nested deeper than its limit.
    if isinstance(node, dict):
        kept = {}
        for name, value in node.items():
            if isinstance(value, str):
                if value.strip():
                    kept[name] = value
            elif not tree.is_blank(value := canonical(value)):
                kept[name] = value
        return kept
    if isinstance(node, list):
        several = [value for item in node if not tree.is_blank(value := canonical(item))]
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
    parts = (dumps(name) + b":" + dumps_in_parts(field, depth - 1) for name, field in value.items())
    return b"{" + b",".join(parts) + b"}"


def _as_list(value: Tree) -> list[Tree]:
    if isinstance(value, list):
        return value
    return [] if tree.is_blank(value) else [value]
