"""Which objects a job or a run of a workflow wrote, out of what its callback says.

A key is ObjectPrefix + ObjectName (INTL, 任务回调内容); converters.as_key says what is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from handler.callback import tree
from handler.callback.converters import MAX_KEY_CHARS, as_key
from handler.callback.outcome import no_success, task_objects
from handler.callback.results.fields import Json, Schema, refuse_many_rows
from handler.callback.tree import Tree
from handler.errors import PayloadError

_Object: TypeAlias = "tuple[str | None, str | None, str]"

MAX_PREFIX_CHARS = 1_000_000
"""Of one ObjectPrefix, before all names that it stands before: a body of 200 KB could make a
record of 32 MB otherwise."""

_ADDRESS = re.compile(r"https?://([^/.?#]+)\.cos\.([^/.?#]+)\.myqcloud\.com/")


@dataclass(frozen=True)
class Named:
    """Where a child of Operation names objects. Paths begin below that child."""

    names: str
    place: str | None = None
    """The node that holds their Bucket and Region, "" for the child itself; None: Output."""
    prefix: str = ""
    """Where the text is that stands before each name; "" where there is none."""
    steps: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.names.split(".")))


Places: TypeAlias = Mapping[str, Sequence[Named]]
"""By the child of Operation that names the objects."""


def of_job(operation: Tree, places: Places) -> list[Json]:
    """The objects that are named there: {bucket, region, object}, each once, in the table's
    order."""
    if not isinstance(operation, dict):
        return []
    return _once(
        found
        for child in places
        if child in operation
        for row in places[child]
        for found in _named(operation, operation[child], row)
    )


def of_workflow(execution: Tree) -> list[Json]:
    """What the tasks of a run wrote, failed objects left out. Its callback names no bucket;
    each object's address does."""
    return _once(
        (*place_of(tree.text(one, "ObjectUrl")), key)
        for task in tree.get_all(execution, "Tasks")
        for one in task_objects(task)
        for key in [as_key(tree.text(one, "ObjectName"))]
        if key is not None and not no_success(tree.text(one, "Code") or "Success")
    )


def place_of(address: str | None) -> tuple[str | None, str | None]:
    """Bucket and region in the address of an object, where it is one of COS's own."""
    match = _ADDRESS.match(address or "")
    return (match[1], match[2]) if match else (None, None)


def _named(operation: Tree, child: Tree, row: Named) -> Iterator[_Object]:
    if isinstance(child, dict) and row.steps[0] not in child:
        return  # so with most rows
    place = tree.get(operation, "Output") if row.place is None else child
    if row.place:
        place = tree.get(child, row.place)
    bucket, region = tree.identifier(place, "Bucket"), tree.identifier(place, "Region")
    prefix = tree.text(child, row.prefix) if row.prefix else None
    for _, key in keys(prefix, tree.every(child, row.steps)):
        yield bucket, region, key


def keys(prefix: str | None, names: list[str]) -> Iterator[tuple[str, str]]:
    """Each name that stands for a key, with the key: prefix + name.

    Raises PayloadError: the prefix, written out as often, is longer than any real one.
    """
    prefix = prefix or ""
    if len(prefix) * len(names) > MAX_PREFIX_CHARS:
        if len(prefix) > MAX_KEY_CHARS:
            return  # none of them is a key
        raise PayloadError("outputs_too_long", "one long prefix for very many objects")
    for name in names:
        key = as_key(prefix + name)
        if key is not None:
            yield name, key


def _once(found: Iterator[_Object]) -> list[Json]:
    """Raises PayloadError: more than fields.MAX_ROWS."""
    objects = dict.fromkeys(found)
    refuse_many_rows(len(objects))
    return [{"bucket": bucket, "region": region, "object": key} for bucket, region, key in objects]


@dataclass(frozen=True)
class Files:
    """The files that an OutputFile node names, with their checksums: a Field."""

    path: str
    about: str

    def read(self, node: Tree) -> Json:
        """Raises PayloadError: more than fields.MAX_ROWS, or a prefix that is too long."""
        file = tree.get(node, self.path)
        names = tree.every(file, ("ObjectName",))
        refuse_many_rows(len(names))
        prefix = tree.text(file, "ObjectPrefix") or ""
        md5s = {
            tree.text(one, "ObjectName") or "": tree.identifier(one, "Md5")
            for one in tree.get_all(file, "Md5Info")
        }
        return [
            {"object": key, "md5": md5s.get(name) or md5s.get(prefix + name)}
            for name, key in keys(prefix, names)
        ]

    def schema(self) -> Schema:
        return {
            "type": "array",
            "description": self.about,
            "items": {
                "type": "object",
                "properties": {
                    "object": {
                        "type": "string",
                        "description": "Key of the object: ObjectPrefix + ObjectName",
                        "examples": ["output/out.mp4"],
                    },
                    "md5": {
                        "type": ["string", "null"],
                        "description": "MD5 of its content, in hexadecimal",
                        "examples": ["2db78d168edf2f883adce89a1b4ca033"],
                    },
                },
                "required": ["object", "md5"],
                "additionalProperties": False,
            },
        }

    def lists(self) -> Iterator[str]:
        return (f"{self.path}.{name}" for name in ("ObjectName", "Md5Info"))
