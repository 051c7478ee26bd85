"""A table of fields, written instead of read: each value in the form in which CI sends it.

Which form that is, the table itself says: of the forms that CI is known to write, the first
one that the field reads back as the value. Values are the tables' examples. Values that they can't
know (the time, the object, a state) is named in the notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from handler.callback.converters import as_key
from handler.callback.results.fields import Field, Fields, Group, Leaf, Rows, Several, Values
from handler.callback.results.files import Files
from handler.callback.results.scenes import Keywords
from handler.callback.results.transcript import Segments, Transcript
from handler.callback.results.workflow import Between, FailedTasks, TaskOutcome
from handler.callback.tree import Steps, Tree

Node: TypeAlias = "dict[str, Tree]"

MAX_ROWS = 2
LONE = frozenset({"Video", "Audio", "Subtitle"})
"""Rows of which there is one: a file has a picture and a sound."""


@dataclass(frozen=True)
class Written:
    """Objects that were written: prefix + name is the key of each."""

    prefix: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Notes:
    """The values that the examples of a table can't know."""

    named: Mapping[str, str]
    """Values by the name of their node."""
    written: Mapping[str, Written] = field(default_factory=dict)
    """By the name of the node that tells of them."""
    digest: Callable[[str], str] = str
    """The MD5 of an object's content."""


def write(what: Field, into: Node, notes: Notes) -> None:
    """Put what a field reads below a node.

    Raises:
        TypeError: a kind of field that this module can't write.
        ValueError: a value that can't be written so that its field reads it again.
    """
    _write(what, into, notes, _Place("", {}, 0))


@dataclass(frozen=True)
class _Place:
    """The place of a field: its name, its neighbours, and the number of their row, from 0."""

    name: str
    among: Fields
    row: int


def _write(what: Field, into: Node, notes: Notes, place: _Place) -> None:
    if isinstance(what, Leaf):
        names = _shallowest(what.at)
        _put(into, names, notes.named.get(names[-1]) or _in_form(what, _value(what, place)))
    elif isinstance(what, Values):
        _put(into, _shallowest(what.at), [str(example) for example in what.example])
    elif isinstance(what, (Group, Several)):
        _write_all(what.fields, _below(into, _shallowest(what.at)), notes, place.row)
    elif isinstance(what, Rows):
        names = _shallowest(what.at)
        rows: list[Node] = [{} for _ in range(1 if names[-1] in LONE else MAX_ROWS)]
        for number, row in enumerate(rows):
            _write_all(what.fields, row, notes, number)
        _put(into, names, [*rows])
    elif isinstance(what, Files):
        _write_files(what, into, notes)
    elif isinstance(what, Segments):
        _write_speech(what, into, notes)
    elif isinstance(what, Keywords):
        _put(into, what.names[:1], [*what.schema()["examples"][0]])
    elif not isinstance(what, _TOLD_BY_OTHERS):
        raise TypeError(f"how to write a {type(what).__name__} is not known")


_TOLD_BY_OTHERS = (Transcript, TaskOutcome, Between, FailedTasks)
"""They read what stands there for other fields."""


def _write_all(fields: Fields, into: Node, notes: Notes, row: int) -> None:
    for name, definition in fields.items():
        _write(definition, into, notes, _Place(name, fields, row))


def _value(leaf: Leaf, place: _Place) -> Any:
    """The example, or what follows it in a further row: the next number, part or object."""
    value: Any = leaf.example
    if not place.row or isinstance(value, bool):
        return value
    if isinstance(value, str):
        stem, dot, ending = value.rpartition(".")
        return f"{stem}-{place.row + 1}{dot}{ending}" if leaf.type.convert is as_key else value
    return round(value + place.row * _step(place), 6)


def _step(place: _Place) -> float:
    if place.name in ("index", "page", "time_s"):
        return 1
    begin, end = (_number(place.among.get(_other(place.name, word))) for word in ("begin", "end"))
    return 0 if begin is None or end is None else end - begin


def _number(definition: Field | None) -> float | None:
    value = definition.example if isinstance(definition, Leaf) else None
    return value if isinstance(value, (int, float)) else None


def _other(name: str, word: str) -> str:
    """The name of the field with the begin, or the end, that belongs to this one."""
    return "_".join(word if part in ("begin", "end") else part for part in name.split("_"))


def _in_form(leaf: Leaf, value: Any) -> str:
    """A value as CI would send it."""
    for form in _forms(value):
        if leaf.type.convert(form) == value:
            return form
    raise ValueError(f"{leaf.path}: no known form of {value!r} is read as it")


def _forms(value: Any) -> Iterator[str]:
    if isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, int):
        yield f"{value / 1000:.6f}"  # of a bit rate
        yield str(value)
    elif isinstance(value, float):
        yield _decimal(value)
        yield _decimal(value * 1000)  # of a time in milliseconds
    else:
        yield str(value)


def _decimal(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() else f"{value:.6f}"


def _write_files(files: Files, into: Node, notes: Notes) -> None:
    names = files.path.split(".")
    written = notes.written[names[-1]]
    _below(into, tuple(names)).update(
        ObjectPrefix=written.prefix,
        ObjectName=[*written.names],
        ObjectUrl=[f"https://example.com/{written.prefix}{name}" for name in written.names],
        Md5Info=[{"ObjectName": name, "Md5": notes.digest(name)} for name in written.names],
    )


def _write_speech(segments: Segments, into: Node, notes: Notes) -> None:
    """ResultDetail with its words, and the lines of Result, which say the same."""
    shown = _examples(segments.schema()["items"])
    word = _examples(segments.schema()["items"]["properties"]["words"]["items"])
    lines: list[Tree] = []
    sentences: list[Tree] = []
    length = shown["end_s"] - shown["begin_s"]
    for row in range(MAX_ROWS):
        begin = round(shown["begin_s"] + row * length, 6)
        end = round(begin + length, 6)
        lines.append(f"[0:{begin:.3f},0:{end:.3f}]  {shown['text']}")
        offset = (word["begin_s"] - shown["begin_s"], word["end_s"] - shown["begin_s"])
        words: list[Tree] = [
            {
                "OffsetStartMs": str(round(offset[0] * 1000)),
                "OffsetEndMs": str(round(offset[1] * 1000)),
                "Word": word["word"],
                "VoiceType": word["voice_type"],
            }
        ]
        sentences.append(
            {
                "StartMs": str(round(begin * 1000)),
                "EndMs": str(round(end * 1000)),
                "FinalSentence": shown["text"],
                "SpeakerId": shown["speaker_id"],
                "SliceSentence": shown["sliced_text"],
                "SpeechSpeed": _decimal(shown["speed_chars_per_s"]),
                "WordsNum": str(shown["word_count"]),
                "Words": words,
            }
        )
    node = _below(into, tuple(segments.path.split(".")))
    node |= {"Result": lines, "ResultDetail": sentences}
    for name in notes.written["OutputFile"].names:
        node |= {"ObjectName": name, "DetailObjectName": f"{name}.detail"}


def _examples(rows: Mapping[str, Any]) -> dict[str, Any]:
    properties = rows["properties"].items()
    return {name: schema["examples"][0] for name, schema in properties if "examples" in schema}


def _shallowest(at: Steps) -> tuple[str, ...]:
    """Of several places that are read, the one with the fewest steps: the pages', where the
    SDKs have another node around it."""
    return min(at, key=len)


def _below(into: Node, names: tuple[str, ...]) -> Node:
    for name in names:
        below = into.setdefault(name, {})
        if isinstance(below, list):
            below = below[0]  # another field has written rows there
        if not isinstance(below, dict):
            raise ValueError(f"{name} is no node with others below it")
        into = below
    return into


def _put(into: Node, names: tuple[str, ...], value: Tree) -> None:
    _below(into, names[:-1]).setdefault(names[-1], value)
