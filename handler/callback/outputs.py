"""Which objects a job or a run of a workflow wrote, out of what its callback says.

A key is ObjectPrefix + ObjectName (INTL, 任务回调内容); converters.as_key says which names are no
keys. An object is named only where the callback shows that it was written: parts that failed or are
still to come name none, and where the key is not known there is no output, only the result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from handler.callback import converters, tree
from handler.callback.converters import MAX_KEY_CHARS, as_key
from handler.callback.outcome import (
    Outcome,
    has_failed_part,
    is_done_part,
    task_objects,
)
from handler.callback.results.fields import Json, refuse_many_rows
from handler.callback.tree import Tree
from handler.errors import PayloadError

_Object: TypeAlias = "tuple[str | None, str | None, str]"
_Node: TypeAlias = "dict[str, Tree]"

MAX_PREFIX_CHARS = 1_000_000
"""Of one ObjectPrefix, before all names that it stands before: a body of 200 KB could make a
record of 32 MB otherwise."""

_ADDRESS = r"https?://([^/.?#]+)\.cos\.([^/.?#]+)\.myqcloud\.com/"


class Named(NamedTuple):
    """Where a child of Operation names objects."""

    node: str
    """Path of the nodes that name them, below that child; "" for the child itself."""
    name: str
    """Path of the names, below such a node."""
    place: Literal["output", "child", "node"] = "output"
    """Which node holds their Bucket and Region: Output, the child of Operation, or the node."""
    prefix: str = ""
    """The leaf of the node that stands before each name; "" where there is none."""
    is_known: Callable[[_Node, str], bool] | None = None
    """Whether a name is the whole key, given Operation; None where it always is."""


def is_whole_key(operation: _Node, name: str) -> bool:
    """Whether the Key of a file that was taken out of an archive is its key in COS.

    436/83111 and 460/83087: files are put below Prefix, and, as PrefixReplaced says, below the
    name or the path of the archive as well. A key within the archive looks the same as a whole
    one, unless it begins with Prefix.
    """
    config = tree.get(operation, "FileUncompressConfig")
    prefix = (tree.text(config, "Prefix") or "").lstrip("/")
    if prefix:
        return name.lstrip("/").startswith(prefix)
    return (tree.text(config, "PrefixReplaced") or "0").strip() == "0"


Places: TypeAlias = Mapping[str, Sequence[Named]]
"""By the child of Operation that names the objects."""

ASKED_FOR: Places = {
    "Output": (
        Named("", "Object"),
        Named("", "SpriteObject"),
        Named("", "AuObject"),  # this and the next two: VoiceSeparate
        Named("", "BassObject"),
        Named("", "DrumObject"),
        Named("StreamExtract", "Output"),
        Named("StreamExtract", "Object"),
    ),
}
"""What a job was asked to write: what it wrote where it succeeded and names nothing else."""

_MAY_HAVE_WRITTEN: frozenset[Outcome] = frozenset({"succeeded", "partial", "unknown"})
"""Outcomes of jobs that wrote, or may have written, what they were asked for."""

_BATCH_INPUT = ("Manifest", "Prefix", "UrlFile")
"""Children of the Input of a batch (GO: InventoryTriggerJobInput): its Output is that of the jobs
that it starts."""


def of_job(operation: Tree, sent: Tree, outcome: Outcome, written: Places) -> list[Json]:
    """The objects that a job wrote: {bucket, region, object}, each once, in the table's order.

    sent: the Input.
    """
    if not isinstance(operation, dict):
        return []
    objects = _once(_objects(operation, written))
    if objects or outcome not in _MAY_HAVE_WRITTEN or not _has_output(operation, sent, written):
        return objects
    return _once(_objects(operation, ASKED_FOR))


def _has_output(operation: dict[str, Tree], sent: Tree, written: Places) -> bool:
    """Whether a job that names no objects wrote its Output."""
    if converters.as_boolean(tree.text(operation, "NoNeedOutput")):
        return False
    if isinstance(sent, dict) and any(name in sent for name in _BATCH_INPUT):
        return False
    return not any(has_failed_part(operation[child]) for child in written if child in operation)


def of_workflow(execution: Tree) -> list[Json]:
    """The objects that the tasks of a run wrote, without failed ones. Its callback names no bucket;
    each object's address does."""
    return _once(
        (*place_of(tree.text(object_, "ObjectUrl")), key)
        for task in tree.get_all(execution, "Tasks")
        for object_ in task_objects(task)
        for key in [as_key(tree.text(object_, "ObjectName"))]
        if key is not None and not has_failed_part(object_)
    )


def place_of(address: str | None) -> tuple[str | None, str | None]:
    """Bucket and region in the address of an object, where it is one of COS's own."""
    match = re.match(_ADDRESS, address or "")
    return (match[1], match[2]) if match else (None, None)


def _objects(operation: dict[str, Tree], places: Places) -> Iterator[_Object]:
    for child in places:
        if child in operation:
            for row in places[child]:
                yield from _named(operation, operation[child], row)


def _named(operation: dict[str, Tree], child: Tree, row: Named) -> Iterator[_Object]:
    first = (row.node or row.name).partition(".")[0]
    if isinstance(child, dict) and first not in child:
        return  # so with most rows
    for node in _succeeded(child, row.node):
        names = tree.every(node, row.name.split("."))
        if row.is_known is not None:
            names = [name for name in names if row.is_known(operation, name)]
        place = {"output": operation.get("Output"), "child": child, "node": node}[row.place]
        bucket, region = tree.identifier(place, "Bucket"), tree.identifier(place, "Region")
        prefix = tree.text(node, row.prefix) if row.prefix else None
        for _, key in keys(prefix, names):
            yield bucket, region, key


def _succeeded(child: Tree, path: str) -> list[Tree]:
    """The nodes at a path, of all that repeats on the way, those that are not done left out."""
    level = [node for node in tree.several(child) if is_done_part(node)]
    for name in path.split(".") if path else ():
        level = [
            node
            for parent in level
            if isinstance(parent, dict) and name in parent
            for node in tree.several(parent[name])
            if is_done_part(node)
        ]
    return level


def keys(prefix: str | None, names: list[str]) -> Iterator[tuple[str, str]]:
    """Each name that means a key, with the key: prefix + name.

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


def _once(all_objects: Iterator[_Object]) -> list[Json]:
    """Raises PayloadError: more than fields.MAX_ROWS."""
    objects = dict.fromkeys(all_objects)
    refuse_many_rows(len(objects))
    return [{"bucket": bucket, "region": region, "object": key} for bucket, region, key in objects]
