"""Text without secrets: known by the name of their node, or by their value.

`redact_body` is for a body as it came, `redact` for any text: a log line, the message of a
refusal, an alert. Both take time in proportion to the length of the text, and raise nothing.
"""

from __future__ import annotations

import codecs
import heapq
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from handler.callback.folding import letters
from handler.callback.redacted import REDACTED
from handler.callback.redaction import (
    ADDRESS_NAMES,
    ENDINGS,
    SECRET_NAMES,
    SECRET_NODES,
    is_address,
    is_secret,
)
from handler.redaction.escapes import Decoded
from handler.redaction.values import Value, value_of

_CHILDREN: dict[str, set[str]] = {}
for _path in SECRET_NODES:
    _parent, _child = _path.lower().split(".")[-2:]
    _CHILDREN.setdefault(_parent, set()).add(_child)
"""Names that are secret below a certain parent only: by parent, in lower case."""


def _hints() -> Iterator[str]:
    """In lower case, what each name that may be secret ends with: as CI writes it, as records do
    (doc_password), and with hyphens."""
    yield from (*ENDINGS, *ADDRESS_NAMES)
    for path in (*SECRET_NAMES, *SECRET_NODES):
        for name in path.split(".")[-2:]:
            if not name.lower().endswith(ENDINGS):
                yield name.lower()
                for sign in ("_", "-"):
                    yield re.sub(r"(?<=[a-z])(?=[A-Z])", sign, name).lower()


_HINTS = tuple(sorted(set(_hints())))

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_NAME_END = re.compile(r"[\w.-]*")
_KEY_END = re.compile(r"\\*[\"']\s*[:=]")
_LONGEST_KEY = 64

_ADDRESS_CHARS = 64
"""Behind the name of an address, so many characters show whether its value is one."""

_EMPTY = ("", "null", "None")
_HOLDS_SOMETHING = re.compile(r"[^\s\[\]{},:\"'\\]")


def redact_body(body: bytes, secrets: Iterable[str] = ()) -> str:
    """A body as text, with [redacted] in place of each secret, as `redact` does it."""
    return redact(text_of(body), secrets)


def text_of(body: bytes) -> str:
    """A body as text, secrets and all. UTF-16 and UTF-32 are known by their zeros; bytes that are
    not of the encoding are written as escapes."""
    encoding = "utf-8"
    if body.startswith(_MARKS) or b"\0" in body[:4]:
        encoding = json.detect_encoding(body)
    return body.decode(encoding, "backslashreplace")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """A text with [redacted] in place of each secret; the rest is unchanged, escapes included.
    Of a long text that is shown in part, the part is enough: the beginning of a secret is found.

    Secret are the values of nodes, members, attributes and parameters whose names
    handler.callback.redaction knows as secret, however name and value are escaped, and in text
    that is no XML and no JSON. Where the end of such a value can't be made out, it reaches to the
    end of the text. Empty values stay empty.

    secrets: values that are secret wherever they are, such as Settings.secrets.
    """
    source = Decoded(text)
    if not source.is_whole:
        return REDACTED  # escaped eight times in turn: nothing that can be read is lost
    cuts = sorted({*_named(source), *_known(source, secrets)})
    parts: list[str] = []
    at = 0
    for start, end, substitute in cuts:
        if end <= at:
            continue  # within the last one
        if start >= at:
            parts += (text[at:start], substitute)
        at = end
    return "".join((*parts, text[at:]))


class _Cut(NamedTuple):
    """A part of the written text, and what is put in its place."""

    start: int
    end: int
    substitute: str


def _known(source: Decoded, secrets: Iterable[str]) -> Iterator[_Cut]:
    for secret in {Decoded(secret).text for secret in secrets} - {""}:
        at = source.text.find(secret)
        while at >= 0:
            end = at + len(secret)
            yield _Cut(source.written_at(at), source.written_at(end), REDACTED)
            at = source.text.find(secret, end)


def _named(source: Decoded) -> Iterator[_Cut]:
    """The values of nodes with secret names, in their order."""
    text = source.text
    scopes: dict[str, int] = {}  # where the last node of each parent's name ends
    at = after = 0
    for hint in _hinted(text):
        if hint < at:
            continue  # a part of what was looked at
        start, local, end = _name_around(text, at, hint)
        at = end
        scope = letters(text[local:end])
        if scope in _CHILDREN and start >= scopes.get(scope, 0):
            node = value_of(source, start, end)
            scopes[scope] = node.end if node else 0
        elif _is_below(scopes, scope, start) or _is_secret(text, start, local, end):
            value = value_of(source, start, end, after)
            if value is None:
                continue
            after = max(after, value.end)
            if not _is_blank(text, value):
                substitute = f"{value.before}{REDACTED}{value.after}"
                yield _Cut(source.written_at(value.start), source.written_at(value.end), substitute)
                at = max(at, value.end)


def _hinted(text: str) -> Iterator[int]:
    """Where parts of names begin that may be secret, in their order. Most texts hold none."""
    lower = text.lower()
    if len(lower) != len(text):  # a few letters have two in lower case
        lower = "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
    return heapq.merge(*(_places(lower, hint) for hint in _HINTS if hint in lower))


def _places(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + len(part))


def _name_around(text: str, at: int, hint: int) -> tuple[int, int, int]:
    """The name that a part of was found at hint: where it begins, with its prefix and without, and
    ends. at: text before it has been checked."""
    match = _NAME_END.match(text, hint)
    end = match.end() if match else hint
    local = hint
    while local > at and (text[local - 1].isalnum() or text[local - 1] in "_.-"):
        local -= 1
    start = local
    if local > at and text[local - 1] == ":":
        start -= 1
        while start > at and (text[start - 1].isalnum() or text[start - 1] in "_.-"):
            start -= 1
    return (start if start < local - 1 else local), local, end


def _is_below(scopes: Mapping[str, int], name: str, start: int) -> bool:
    return any(start < end and name in _CHILDREN[parent] for parent, end in scopes.items())


def _is_secret(text: str, start: int, local: int, end: int) -> bool:
    """Whether the name at text[start:end] is secret, with its prefix, without it, or as the last
    word of a key with blanks in it."""
    name = text[local:end]
    if is_secret(name) or is_secret(text[start:end]):
        return True
    if letters(name) in ADDRESS_NAMES:
        return is_address(text[end : end + _ADDRESS_CHARS])
    if not _KEY_END.match(text, end):
        return False
    quote = max(text.rfind(mark, max(0, start - _LONGEST_KEY), start) for mark in "\"'")
    return quote >= 0 and is_secret(text[quote + 1 : end])


def _is_blank(text: str, value: Value) -> bool:
    """Whether it shows that there is no secret."""
    content = text[value.start : value.end].strip()
    return content in _EMPTY or (value.is_nested and not _HOLDS_SOMETHING.search(content))
