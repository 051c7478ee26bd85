"""A small language for typed parts of a record: which field, from which path, in which type.

What a tag's `result` looks like is written once, as a table of these, and both the
reader and the JSON Schema come from it. Paths are relative to the enclosing node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from handler.callback import nodes
from handler.callback.payload import Tree

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Schema: TypeAlias = "dict[str, Any]"


class Field(Protocol):
    """Reads its value from a node, and describes that value as JSON Schema."""

    def read(self, tree: Tree) -> Json: ...

    def schema(self) -> Schema: ...


@dataclass(frozen=True)
class Leaf:
    """One value: null where it is absent or not of this type."""

    path: str
    about: str
    type: str
    convert: Callable[[str | None], Json]

    def read(self, tree: Tree) -> Json:
        return self.convert(nodes.text(tree, self.path))

    def schema(self) -> Schema:
        return {"type": [self.type, "null"], "description": self.about}


@dataclass(frozen=True)
class Group:
    """An object with named fields, read at a path, or from the enclosing node where it is ""."""

    path: str
    about: str
    fields: Mapping[str, Field]

    def read(self, tree: Tree) -> Json:
        at = nodes.node(tree, self.path) if self.path else tree
        return {name: field.read(at) for name, field in self.fields.items()}

    def schema(self) -> Schema:
        return {
            "type": "object",
            "description": self.about,
            "properties": {name: field.schema() for name, field in self.fields.items()},
            "required": list(self.fields),
            "additionalProperties": False,
        }


@dataclass(frozen=True)
class Rows:
    """A list of objects: one node is a list of one, none an empty list."""

    path: str
    about: str
    fields: Mapping[str, Field]

    def read(self, tree: Tree) -> Json:
        row = Group("", self.about, self.fields)
        return [row.read(one) for one in nodes.nodes(tree, self.path)]

    def schema(self) -> Schema:
        items = Group("", self.about, self.fields).schema()
        del items["description"]
        return {"type": "array", "description": self.about, "items": items}


def text(path: str, about: str) -> Leaf:
    """The text as it was sent."""
    return Leaf(path, about, "string", lambda sent: sent)


def integer(path: str, about: str) -> Leaf:
    """A whole number."""
    return Leaf(path, about, "integer", nodes.integer)


def number(path: str, about: str) -> Leaf:
    """A number that may have a fraction."""
    return Leaf(path, about, "number", nodes.number)
