"""Paths put together into one tree of names, so that one walk serves them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

PathTrie: TypeAlias = "Mapping[str, PathTrie]"
"""By name. The name "" marks the end of a path; a path within another one is that one's
continuation, and both ends are marked."""

_Node: TypeAlias = "dict[str, _Node]"


def build(paths: Iterable[str]) -> PathTrie:
    """A trie of paths such as Operation.Output.Bucket."""
    root: _Node = {}
    for path in paths:
        at = root
        for name in path.split("."):
            at = at.setdefault(name, {})
        at[""] = {}
    return root
