"""A small language for typed parts of a record: which field, from which path, in which type.

What a tag's `result` looks like is written once, as a table of these, and the reader, the
JSON Schema and the list of nodes that may repeat all come from it. A path is relative to
the enclosing node; of several with | between them the first that holds something counts. What
Values and Rows read may repeat, and so may a node on the way with [] behind its name: they read
from all of them, where a single value is read from the first.
What is absent, or of another shape or type, is null, and a list of nothing is []. Reading
raises PayloadError only, for a list longer than MAX_ROWS and MAX_CELLS allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from handler.callback import tree
from handler.callback.tree import Steps, Tree
from handler.errors import PayloadError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Schema: TypeAlias = "dict[str, Any]"

MAX_ROWS = 20_000
"""In one list of a result, or of written objects: the files of a large archive. A row with every
field null costs a hundred times the bytes of the empty node that it is read from. (The words of a
speech have few fields, and are bounded by MAX_NODES only.)"""

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


def says_nothing(value: Json, is_zero_nothing: bool) -> bool:
    """Whether a value is null, or an object or a list of nothing else.

    is_zero_nothing: whether 0 and false count as nothing, too.
    """
    if isinstance(value, (dict, list)):
        # A loop, since a generator costs more than most of the values.
        for item in value.values() if isinstance(value, dict) else value:
            if not says_nothing(item, is_zero_nothing):
                return False
        return True
    if isinstance(value, (int, float)):
        return is_zero_nothing and not value
    return not value


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
        object.__setattr__(self, "at", tree.steps(self.path))

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
        object.__setattr__(self, "at", tree.steps(self.path))

    def read(self, node: Tree) -> Json:
        read = (self.convert(tree.leaf(child)) for child in tree.find_all(node, self.at))
        return [value for value in read if value is not None]

    def schema(self) -> Schema:
        return {
            "type": "array",
            "description": described(self.about, self.unit),
            "items": {"type": self.type},
            "examples": [self.example],
        }

    def lists(self) -> Iterator[str]:
        yield from tree.repeating(self.path)
        yield from (".".join(names) for names in self.at)


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
        object.__setattr__(self, "at", tree.steps(self.path))

    def read(self, node: Tree) -> Json:
        at = tree.find(node, self.at) if self.path else node
        if self.optional and tree.is_hollow(at):
            return None
        return {name: member.read(at) for name, member in self.fields.items()}

    def schema(self) -> Schema:
        if self.name:
            return {"$ref": f"#/$defs/{self.name}", "description": self.about}
        return self.definition()

    def definition(self) -> Schema:
        """The definition that a `$ref` to the group's name leads to."""
        return {
            "type": ["object", "null"] if self.optional else "object",
            "description": self.about,
            "properties": {name: member.schema() for name, member in self.fields.items()},
            "required": list(self.fields),
            "additionalProperties": False,
        }

    def lists(self) -> Iterator[str]:
        yield from tree.repeating(self.path)
        within = [path for member in self.fields.values() for path in member.lists()]
        yield from (".".join((*names, path)) for names in self.at for path in within)


@dataclass(frozen=True)
class Rows:
    """A list of objects: one node is a list of one, none an empty list.

    A node that says nothing makes no row: CI sends empty ones (Words of ImageOCR), and where a
    row has a text, zeros beside an empty text say nothing either.
    """

    path: str
    about: str
    fields: Fields
    at: Steps = field(init=False, repr=False)
    row: Group = field(init=False, repr=False)
    has_text: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", tree.steps(self.path))
        object.__setattr__(self, "row", Group("", self.about, self.fields))
        kinds = {member.type for member in self.fields.values() if isinstance(member, Leaf)}
        object.__setattr__(self, "has_text", "string" in kinds)

    def read(self, node: Tree) -> Json:
        """Raises PayloadError: more rows than MAX_ROWS and MAX_CELLS allow."""
        sent = tree.find_all(node, self.at)
        refuse_many_rows(len(sent), len(self.fields))
        rows = ((self.row.read(source), source) for source in sent)
        return [
            row
            for row, source in rows
            if not says_nothing(row, self.has_text) or self._is_unreadable(source)
        ]

    def _is_unreadable(self, node: Tree) -> bool:
        """Whether a row of numbers holds texts that are no numbers: it stays among the others."""
        leaves = (member for member in self.fields.values() if isinstance(member, Leaf))
        return not self.has_text and any(tree.leaf(tree.find(node, leaf.at)) for leaf in leaves)

    def schema(self) -> Schema:
        items = self.row.definition()
        del items["description"]
        return {"type": "array", "description": self.about, "items": items}

    def lists(self) -> Iterator[str]:
        yield from tree.repeating(self.path)
        for names in self.at:
            own = ".".join(names)
            yield own
            yield from (f"{own}.{path}" for path in self.row.lists())


@dataclass(frozen=True)
class Several:
    """An object as a Group is, of the first node that was sent, with a list of the `others`.

    For nodes that no page shows to repeat, though those beside them do: in `details` one of them
    stays an object.
    """

    path: str
    about: str
    fields: Fields
    others: str
    """What is listed there."""
    at: Steps = field(init=False, repr=False)
    one: Group = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", tree.steps(self.path))
        object.__setattr__(self, "one", Group("", self.about, self.fields))

    def read(self, node: Tree) -> Json:
        """Raises PayloadError: more nodes than MAX_ROWS and MAX_CELLS allow."""
        sent = tree.find_all(node, self.at)
        refuse_many_rows(len(sent), len(self.fields))
        first, *others = [self.one.read(source) for source in sent] or [self.one.read(None)]
        return {**first, "others": others} if isinstance(first, dict) else None

    def schema(self) -> Schema:
        schema = self.one.definition()
        schema["properties"]["others"] = Rows("", self.others, self.fields).schema()
        schema["required"] = [*schema["required"], "others"]
        return schema

    def lists(self) -> Iterator[str]:
        return Group(self.path, "", self.fields).lists()


Table: TypeAlias = "Group | Several"
"""What a tag's result is read by."""


def refuse_many_rows(count: int, width: int = 1) -> None:
    """width: how many fields a row has.

    Raises PayloadError: more rows than MAX_ROWS and MAX_CELLS allow.
    """
    limit = min(MAX_ROWS, MAX_CELLS // width)
    if count > limit:
        raise PayloadError("too_many_rows", f"more than {limit} in one list of the result")


def described(about: str, unit: str) -> str:
    """The description of a value, with its unit."""
    return f"{about}, in {unit}" if unit else about
