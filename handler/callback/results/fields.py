"""A small language for typed parts of a record: which field, from which path, in which type.

The form of a tag's `result` is written once, as a table of these, and the reader, the JSON Schema
and the list of nodes that may repeat all come from it. A path is relative to the enclosing node; of
several with | between them the first that holds something counts. What Values and Rows read may
repeat, and so may a node on the way with [] behind its name: they read from all of them, where a
single value is read from the first. What is absent, or of another shape or type, is null, and a
list of nothing is []. Reading raises PayloadError only, for a list longer than MAX_ROWS and
MAX_CELLS allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

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


class ValueType(NamedTuple):
    """The type of a value: its name in JSON Schema, and how it is read from the text that was sent.

    convert: null of a text that is not of this type. pattern: of a text, a regular expression.
    """

    name: str
    convert: Callable[[str | None], Json]
    unit: str = ""
    pattern: str = ""


class Leaf:
    """One value: null where it is absent or not of its type."""

    __slots__ = ("_name", "about", "at", "example", "path", "type")

    def __init__(self, path: str, about: str, example: Json, value_type: ValueType) -> None:
        self.path: Final = path
        self.about: Final = about
        self.example: Final = example
        self.type: Final = value_type
        self.at: Final[Steps] = tree.steps(path)
        self._name: Final = path if self.at == ((path,),) else None

    def moved(self, path: str) -> Leaf:
        """The same value at another path."""
        return Leaf(path, self.about, self.example, self.type)

    def read(self, node: Tree) -> Json:
        if self._name is not None and isinstance(node, dict):  # so with most
            return self.type.convert(tree.leaf(node.get(self._name)))
        sent = None
        for names in self.at:
            sent = tree.leaf(tree.walk(node, names))
            if sent:
                break
        return self.type.convert(sent)

    def schema(self) -> Schema:
        return {
            "type": [self.type.name, "null"],
            "description": described(self.about, self.type.unit),
            "examples": [self.example],
            **({"pattern": self.type.pattern} if self.type.pattern else {}),
        }

    def lists(self) -> Iterator[str]:
        return iter(())


class Values:
    """A list of single values; one that is not of their type is left out."""

    __slots__ = ("about", "at", "example", "path", "type")

    def __init__(self, path: str, about: str, example: list[Json], value_type: ValueType) -> None:
        self.path: Final = path
        self.about: Final = about
        self.example: Final = example
        self.type: Final = value_type
        self.at: Final[Steps] = tree.steps(path)

    def read(self, node: Tree) -> Json:
        read = (self.type.convert(tree.leaf(child)) for child in tree.find_all(node, self.at))
        return [value for value in read if value is not None]

    def schema(self) -> Schema:
        return {
            "type": "array",
            "description": described(self.about, self.type.unit),
            "items": {"type": self.type.name},
            "examples": [self.example],
        }

    def lists(self) -> Iterator[str]:
        yield from tree.repeating(self.path)
        yield from (".".join(names) for names in self.at)


class Group:
    """An object with named fields, read at a path, or from the enclosing node where it is "".

    optional: null, and not an object of nulls, where nothing of it was sent.
    name: where several tables hold this group, that of its one definition in the schema.
    """

    __slots__ = ("about", "at", "fields", "name", "optional", "path")

    def __init__(
        self, path: str, about: str, fields: Fields, optional: bool = False, name: str = ""
    ) -> None:
        self.path: Final = path
        self.about: Final = about
        self.fields: Final = fields
        self.optional: Final = optional
        self.name: Final = name
        self.at: Final[Steps] = tree.steps(path)

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


class Rows:
    """A list of objects: one node is a list of one, none an empty list.

    A node that says nothing makes no row: CI sends empty ones (Words of ImageOCR), and where a
    row has a text, zeros beside an empty text say nothing either.
    """

    __slots__ = ("about", "at", "fields", "has_text", "path", "row")

    def __init__(self, path: str, about: str, fields: Fields) -> None:
        self.path: Final = path
        self.about: Final = about
        self.fields: Final = fields
        self.at: Final[Steps] = tree.steps(path)
        self.row: Final = Group("", about, fields)
        types = {member.type.name for member in fields.values() if isinstance(member, Leaf)}
        self.has_text: Final = "string" in types

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


class Several:
    """An object as a Group is, of the first node that was sent, with a list of the `others`.

    For nodes that no page shows to repeat, though those beside them do: in `details` one of them
    stays an object. others: the description of that list.
    """

    __slots__ = ("about", "at", "fields", "one", "others", "path")

    def __init__(self, path: str, about: str, fields: Fields, others: str) -> None:
        self.path: Final = path
        self.about: Final = about
        self.fields: Final = fields
        self.others: Final = others
        self.at: Final[Steps] = tree.steps(path)
        self.one: Final = Group("", about, fields)

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
