"""A callback as a tree of dict, list and str, and the way to what it holds. Raises nothing.

A path is a text such as "Operation.Output.Bucket". A node that is absent, empty, or of another
shape than requested reads as None (or an empty list), because CI leaves out in one format what it
sends empty in the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree] | None"
"""What a body is read to. A leaf is the text that was sent."""

Steps: TypeAlias = "tuple[tuple[str, ...], ...]"
"""A path that is split: the names of each of its alternatives."""

MAX_IDENTIFIER_CHARS = 1_024
"""Longer texts are no ids, states, codes or names of buckets."""


def get(node: Tree, path: str) -> Tree:
    """The node at the path; None without one. Of a list on the way, the first."""
    return walk(node, path.split("."))


def walk(node: Tree, names: Sequence[str]) -> Tree:
    """`get` for a path that is split already."""
    for name in names:
        if not isinstance(node, dict):
            if not isinstance(node, list) or not node or not isinstance(node[0], dict):
                return None
            node = node[0]
        if name not in node:
            return None
        node = node[name]
    return node


def text(node: Tree, path: str) -> str | None:
    """The text at the path; None without one, or where it is blank."""
    if isinstance(node, dict):  # and one name: most of all that is asked for
        if path in node:
            return leaf(node[path])
        if "." not in path:
            return None
    return leaf(walk(node, path.split(".")))


def identifier(node: Tree, path: str) -> str | None:
    """The text at the path, where it is no longer than the name of anything; else None."""
    value = text(node, path)
    return value if value is None or len(value) <= MAX_IDENTIFIER_CHARS else None


def leaf(node: Tree) -> str | None:
    """A node's text, or that of a list's only one; None without one, or where it is blank."""
    if isinstance(node, str):
        return node if node.strip() else None
    if isinstance(node, list) and len(node) == 1:
        return leaf(node[0]) if isinstance(node[0], str) else None
    return None


def get_all(node: Tree, path: str) -> list[Tree]:
    """All nodes at the path, as a list, blank leaves left out."""
    return several(get(node, path))


def several(node: Tree) -> list[Tree]:
    """A node as a list, blank leaves left out."""
    items = node if isinstance(node, list) else [node]
    return [item for item in items if not is_blank(item)]


def descend(node: Tree, names: Sequence[str]) -> list[Tree]:
    """All values at a path that is split already, in every repeated node on the way, without blank
    leaves."""
    level = several(node)
    for name in names:
        level = [
            child
            for parent in level
            if isinstance(parent, dict) and name in parent
            for child in several(parent[name])
        ]
    return level


def every(node: Tree, names: Sequence[str]) -> list[str]:
    """The texts at a path that is split already, in all that repeats on the way, blank ones
    left out."""
    return [value for value in descend(node, names) if isinstance(value, str)]


def is_blank(node: Tree) -> bool:
    """Absent, null, an empty container or nothing but white space."""
    return not node or (isinstance(node, str) and not node.strip())


def is_hollow(node: Tree) -> bool:
    """Blank, or nothing but blank nodes within: what one format sends so, the other leaves out."""
    if isinstance(node, dict):
        return all(map(is_hollow, node.values()))
    return all(map(is_hollow, node)) if isinstance(node, list) else is_blank(node)


def steps(path: str) -> Steps:
    """A path, split: one row of names for each of its alternatives; "" is the node itself."""
    plain = path.replace("[]", "")
    return (
        tuple(tuple(alternative.split(".")) for alternative in plain.split("|")) if plain else ((),)
    )


def repeating(path: str) -> Iterator[str]:
    """The nodes on a path that have [] behind their names, as paths."""
    for alternative in path.split("|"):
        parts = alternative.split("[]")
        yield from ("".join(parts[:count]) for count in range(1, len(parts)))


def find(node: Tree, at: Steps) -> Tree:
    """The node at the only path, or at the first of several that holds something."""
    if len(at) == 1:
        return walk(node, at[0])
    for names in at:
        candidate = walk(node, names)
        if not is_hollow(candidate):
            return candidate
    return None


def find_all(node: Tree, at: Steps) -> list[Tree]:
    """All nodes at a path, in all that repeats on the way; hollow nodes left out."""
    nodes: list[Tree] = []
    for names in at:
        nodes = [child for child in descend(node, names) if not is_hollow(child)]
        if nodes:
            break
    return nodes
