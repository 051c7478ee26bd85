"""Bodies that only the function's log holds, out of an export of the log service. Pure.

The lines of a function arrive in CLS inside the field `SCF_Message`, as text (583/60336). An export
is JSON, one object per line or an array, or CSV (614/56451); each value may be text. The function's
own stdout is read too, with any words of a log service before each line.
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import json
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from handler.log import BODY_ENCODING, BODY_PART, BODY_TRUNCATED

EVENTS = (BODY_PART, BODY_TRUNCATED)
MAX_BODY_BYTES = 16 * 1024 * 1024
"""Far above what an event can bring (6 MB, 583/11637): bounds what a forged part expands to."""

TEXT_FIELDS = ("SCF_Message", "LogJson", "__CONTENT__", "content", "message", "log")
"""Fields in which log services put a whole line; the first is SCF's."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_BEGIN = re.compile(r"[{\[]")
_MAX_NESTING = 6
_MAX_OBJECTS = 10_000
"""JSON values in one line of an export: a whole array may be one."""
_MAX_CELL_CHARS = 1_000_000
_MAX_DIGITS = 7
_MAX_NAMED = 10
"""Missing parts that are named one by one."""


@dataclass(frozen=True)
class RecoveredBody:
    """A body that is whole. authenticated: its request had passed CALLBACK_TOKENS."""

    body: bytes
    authenticated: bool


@dataclass(frozen=True)
class LostBody:
    """A body that is not whole in the log. why: one sentence for the person who looks."""

    sha256: str
    why: str


@dataclass(frozen=True)
class Recovery:
    """The bodies of a log: each once, in the order of their first lines."""

    bodies: tuple[RecoveredBody, ...]
    lost: tuple[LostBody, ...]


def recover(lines: Iterable[str]) -> Recovery:
    """Put the bodies of an export together. Empty where none of its lines holds a part."""
    parts: dict[str, list[_Part]] = defaultdict(list)
    for values in _log_lines(list(lines)):
        part = _Part.of(values)
        if part is not None:
            parts[part.sha256].append(part)
    bodies, lost = [], []
    for sha256, body_parts in parts.items():
        # A body is as sure as the least sure of the parts that it is made of.
        authenticated = _whole(sha256, [part for part in body_parts if part.authenticated])
        body = authenticated or _whole(sha256, body_parts)
        if body is None:
            lost.append(LostBody(sha256, _explain(body_parts)))
        else:
            bodies.append(RecoveredBody(body, authenticated is not None))
    return Recovery(tuple(bodies), tuple(lost))


# --- one body ---


@dataclass(frozen=True)
class _Part:
    """One line: part `number` of `count`. text: its base64; None in the line that says where the
    function had to stop (cut_at: bytes of the body that are in the log, of `size`)."""

    sha256: str
    invocation: str
    number: int
    count: int
    text: str | None
    authenticated: bool
    size: int | None = None
    cut_at: int | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> _Part | None:
        """Read a line's values, numbers or their texts; None where it is not a part."""
        sha256, text = values.get("sha256"), values.get("body_base64")
        number, count = _whole_number(values.get("part")), _whole_number(values.get("parts"))
        is_part = values.get("event") == BODY_PART and values.get("encoding") == BODY_ENCODING
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            return None
        if number is None or count is None:
            return None
        if is_part and not isinstance(text, str):
            return None
        return cls(
            sha256,
            str(values.get("faas.invocation_id") or ""),
            number,
            count,
            str(text) if is_part else None,
            str(values.get("authenticated")).lower() == "true",
            _whole_number(values.get("bytes")),
            _whole_number(values.get("cut_at")),
        )


def _whole(sha256: str, parts: Iterable[_Part]) -> bytes | None:
    """The body, if the parts of one invocation, or those of several together, make it up.

    The same body may be in the log several times, since CI may deliver a callback again.
    """
    groups: dict[tuple[str, int], dict[int, str]] = defaultdict(dict)
    for part in parts:
        if part.text is not None:
            for invocation in (part.invocation, "all of them"):
                groups[invocation, part.count].setdefault(part.number, part.text)
    for (_, count), texts in groups.items():
        body = _joined(texts, count)
        if body is not None and hashlib.sha256(body).hexdigest() == sha256:
            return body
    return None


def _joined(texts: Mapping[int, str], count: int) -> bytes | None:
    if sorted(texts) != list(range(1, count + 1)):
        return None
    unpack = zlib.decompressobj()
    try:
        data = base64.b64decode("".join(texts[number] for number in sorted(texts)), validate=True)
        body = unpack.decompress(data, MAX_BODY_BYTES)
    except (binascii.Error, zlib.error, ValueError):
        return None
    return body if unpack.eof else None


def _explain(parts: list[_Part]) -> str:
    cut = next((part for part in parts if part.text is None), None)
    if cut is not None:
        return f"cut by the limit of the log: {cut.cut_at} of its {cut.size} bytes are in it"
    count = max(part.count for part in parts)
    missing = sorted(set(range(1, min(count, 100_000) + 1)) - {part.number for part in parts})
    if not missing:
        return "a part was changed: the SHA-256 does not match"
    some = ", ".join(map(str, missing[:_MAX_NAMED])) + (", …" if len(missing) > _MAX_NAMED else "")
    return f"{len(missing)} of {count} parts are missing: {some}"


def _whole_number(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None


# --- the forms of an export ---


def _log_lines(lines: list[str]) -> Iterator[dict[str, Any]]:
    """The function's lines about bodies, of whichever form yields any."""
    for form in (_json_lines, _document, _table):
        has_lines = False
        for values in form(lines):
            has_lines = True
            yield values
        if has_lines:
            return


def _json_lines(lines: list[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if _may_be_ours(line):
            for value in _values_in(line):
                yield from _ours(value)


def _document(lines: list[str]) -> Iterator[dict[str, Any]]:
    """An array or object that is spread over lines, and begins with the first."""
    if not "".join(lines[:1]).lstrip("\ufeff \t").startswith(("{", "[")):
        return
    for value in islice(_values_in("".join(_with_break(line) for line in lines)), 1):
        yield from _ours(value)


def _table(lines: list[str]) -> Iterator[dict[str, Any]]:
    """CSV with a header row: a column per field, or the line in one cell."""
    csv.field_size_limit(_MAX_CELL_CHARS)
    try:
        for row in csv.DictReader(map(_with_break, lines)):
            if row.get("event"):
                yield from _ours(dict(row))
                continue
            for name in TEXT_FIELDS:
                yield from _ours({name: row.get(name)})
    except csv.Error:
        return


def _with_break(line: str) -> str:
    return line if line.endswith("\n") else line + "\n"


def _ours(value: Any, nesting: int = 0) -> Iterator[dict[str, Any]]:
    """The function's lines about bodies within a value.

    A value with an `event` is a line of the function: its texts are not searched, nor are those
    of fields that a log service does not know, since they may come from outside.
    """
    if nesting > _MAX_NESTING:
        return
    if isinstance(value, dict) and value.get("event"):
        if value["event"] in EVENTS:
            yield value
        return
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for name, item in pairs:
        if isinstance(item, (dict, list)):
            yield from _ours(item, nesting + 1)
        elif isinstance(item, str) and name in TEXT_FIELDS:
            for line in filter(_may_be_ours, item.split("\n")):
                for inner in _values_in(line):
                    yield from _ours(inner, nesting + 1)


def _may_be_ours(line: str) -> bool:
    """Whether a line about a body may be the function's: a log service writes its words before it,
    without quotes among them, and never behind it. Elsewhere in a line, as in the address or agent
    of an access log, it is a text from outside."""
    if not any(event in line for event in EVENTS):
        return False
    return line.rstrip().endswith(("}", "]", ",")) and '"' not in line.partition("{")[0]


def _values_in(text: str) -> Iterator[dict[str, Any] | list[Any]]:
    """The JSON objects and arrays in a text, one behind the other."""
    decoder = json.JSONDecoder()
    position = 0
    for _ in range(_MAX_OBJECTS):
        start = _BEGIN.search(text, position)
        if start is None:
            return
        try:
            value, position = decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            position = start.end()
        else:
            yield value
