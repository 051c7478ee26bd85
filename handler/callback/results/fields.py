"""A small language for typed parts of a record: which field, from which path, in which type.

What a tag's `result` looks like is written once, as a table of these, and the reader, the
JSON Schema and the list of nodes that may repeat all come from it. A path is relative to
the enclosing node; of several with | between them the first that holds something counts.
What is absent, or of another shape or type, is null, and a list of nothing is []. Reading
raises PayloadError only, for a list longer than MAX_ROWS and MAX_CELLS allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from handler.callback import converters, tree
from handler.callback.tree import Tree
from handler.errors import PayloadError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Schema: TypeAlias = "dict[str, Any]"
Steps: TypeAlias = "tuple[tuple[str, ...], ...]"

MAX_ROWS = 20_000
"""In one list of a result, or of written objects: the files of a large archive. A row with every
field null costs a hundred times the bytes of the empty node that it is read from. (The sentences
and words of a speech have few fields, and are bounded by MAX_NODES alone.)"""

MAX_CELLS = 200_000
"""Fields of all rows in one list of a result: what is wide has fewer rows."""

MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{3})?Z$"
"""How a time is written: converters.rfc3339."""


class Field(Protocol):
    """Reads its value from a node, describes it as JSON Schema, and names nodes that repeat."""

    def read(self, node: Tree) -> Json: ...

    def schema(self) -> Schema: ...

    def lists(self) -> Iterator[str]: ...


Fields: TypeAlias = "Mapping[str, Field]"


def steps(path: str) -> Steps:
    """A path, split: one row of names for each of its alternatives; "" is the node itself."""
    return tuple(tuple(one.split(".")) for one in path.split("|")) if path else ((),)


def find(node: Tree, at: Steps) -> Tree:
    """What stands at the only path, or at the first of several that holds something."""
    if len(at) == 1:
        return tree.walk(node, at[0])
    for names in at:
        found = tree.walk(node, names)
        if not tree.is_hollow(found):
            return found
    return None


@dataclass(frozen=True)
class Leaf:
    """One value: null where it is absent or not of this type."""

    path: str
    about: str
    example: Json
    type: str
    convert: Callable[[str | None], Json]
    unit: str = ""
    pattern: str = ""
    at: Steps = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", steps(self.path))

    def read(self, node: Tree) -> Json:
        sent = None
        for names in self.at:
            sent = sent or tree.leaf(tree.walk(node, names))
        return self.convert(sent)

    def schema(self) -> Schema:
        return {
            "type": [self.type, "null"],
            "description": described(self.about, self.unit),
            "examples": [self.example],
            **({"pattern": self.pattern} if self.pattern else {}),
        }

    def lists(self) -> Iterator[str]:
        return iter(())


@dataclass(frozen=True)
class Values:
    """A list of single values; one that is not of this type is left out."""

    path: str
    about: str
    example: list[Json]
    type: str
    convert: Callable[[str | None], Json]
    unit: str = ""
    at: Steps = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", steps(self.path))

    def read(self, node: Tree) -> Json:
        sent = tree.several(find(node, self.at))
        read = (self.convert(tree.leaf(one)) for one in sent)
        return [value for value in read if value is not None]

    def schema(self) -> Schema:
        return {
            "type": "array",
            "description": described(self.about, self.unit),
            "items": {"type": self.type},
            "examples": [self.example],
        }

    def lists(self) -> Iterator[str]:
        return (".".join(names) for names in self.at)


@dataclass(frozen=True)
class Group:
    """An object with named fields, read at a path, or from the enclosing node where it is "".

    optional: null, and not an object of nulls, where nothing of it was sent.
    name: where several tables hold this group, that of its one definition in the schema.
    """

    path: str
    about: str
    fields: Fields
    optional: bool = False
    name: str = ""
    at: Steps = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", steps(self.path))

    def read(self, node: Tree) -> Json:
        at = find(node, self.at) if self.path else node
        if self.optional and tree.is_hollow(at):
            return None
        return {name: one.read(at) for name, one in self.fields.items()}

    def schema(self) -> Schema:
        if self.name:
            return {"$ref": f"#/$defs/{self.name}", "description": self.about}
        return self.definition()

    def definition(self) -> Schema:
        """What a `$ref` to the group's name leads to."""
        return {
            "type": ["object", "null"] if self.optional else "object",
            "description": self.about,
            "properties": {name: one.schema() for name, one in self.fields.items()},
            "required": list(self.fields),
            "additionalProperties": False,
        }

    def lists(self) -> Iterator[str]:
        within = [path for one in self.fields.values() for path in one.lists()]
        return (".".join((*names, path)) for names in self.at for path in within)


@dataclass(frozen=True)
class Rows:
    """A list of objects: one node is a list of one, none an empty list."""

    path: str
    about: str
    fields: Fields
    at: Steps = field(init=False, repr=False)
    row: Group = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", steps(self.path))
        object.__setattr__(self, "row", Group("", self.about, self.fields))

    def read(self, node: Tree) -> Json:
        """Raises PayloadError: more rows than MAX_ROWS and MAX_CELLS allow."""
        sent = tree.several(find(node, self.at))
        refuse_many_rows(len(sent), len(self.fields))
        return [self.row.read(one) for one in sent if not tree.is_hollow(one)]

    def schema(self) -> Schema:
        items = self.row.definition()
        del items["description"]
        return {"type": "array", "description": self.about, "items": items}

    def lists(self) -> Iterator[str]:
        for names in self.at:
            own = ".".join(names)
            yield own
            yield from (f"{own}.{path}" for path in self.row.lists())


def refuse_many_rows(count: int, width: int = 1) -> None:
    """width: how many fields a row has.

    Raises PayloadError: more rows than MAX_ROWS and MAX_CELLS allow.
    """
    limit = min(MAX_ROWS, MAX_CELLS // width)
    if count > limit:
        raise PayloadError("too_many_rows", f"more than {limit} in one list of the result")


def described(about: str, unit: str) -> str:
    """What a value is, with its unit."""
    return f"{about}, in {unit}" if unit else about


def text(path: str, about: str, example: str) -> Leaf:
    """The text as it was sent."""
    return Leaf(path, about, example, "string", lambda sent: sent)


def texts(path: str, about: str, example: list[Json]) -> Values:
    """Texts as they were sent."""
    return Values(path, about, example, "string", lambda sent: sent)


def key(path: str, about: str, example: str) -> Leaf:
    """The key of an object in COS."""
    return Leaf(path, about, example, "string", converters.as_key)


def integer(path: str, about: str, example: int, unit: str = "") -> Leaf:
    """A whole number."""
    return Leaf(path, about, example, "integer", converters.integer, unit)


def integers(path: str, about: str, example: list[Json], unit: str = "") -> Values:
    """Whole numbers."""
    return Values(path, about, example, "integer", converters.integer, unit)


def number(path: str, about: str, example: float, unit: str = "") -> Leaf:
    """A number that may have a fraction."""
    return Leaf(path, about, example, "number", converters.number, unit)


def seconds(path: str, about: str, example: float) -> Leaf:
    """A time span, or a time within a recording, that CI sends in seconds."""
    return number(path, about, example, "seconds")


def seconds_of_ms(path: str, about: str, example: float) -> Leaf:
    """The same where CI sends milliseconds."""
    return Leaf(path, about, example, "number", converters.in_seconds, "seconds")


def boolean(path: str, about: str, example: bool = False) -> Leaf:
    """true and false, or 1 and 0, in any case."""
    return Leaf(path, about, example, "boolean", converters.as_boolean)


def ratio(path: str, about: str, example: float, unit: str = "") -> Leaf:
    """A number, or two with a slash between them: 25.000000, 50/1."""
    return Leaf(path, about, example, "number", converters.as_ratio, unit)


def bit_rate(path: str, about: str, example: int) -> Leaf:
    """A bit rate; converters.as_bit_rate says how its unit is told."""
    return Leaf(path, about, example, "integer", converters.as_bit_rate, "bits per second")


def moment(path: str, about: str, example: str) -> Leaf:
    """A time with its offset, as RFC 3339 in UTC."""
    about = f"{about}. RFC 3339 in UTC"
    return Leaf(path, about, example, "string", converters.as_moment, pattern=MOMENT)
