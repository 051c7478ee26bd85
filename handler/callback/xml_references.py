"""References to characters that XML forbids, such as &#8;.

COS allows such characters in the key of an object, JSON can write them, and CI's XML holds a
reference to them. expat refuses the whole body. So each such reference is replaced by a
placeholder that occurs nowhere in the body, and in the texts of the tree the placeholder is
replaced by the character that JSON would have given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from handler.callback.json_body import scalar_values

# A reference within a CDATA section or a comment is text: it stays as it is.
_REFERENCES = re.compile(
    rb"<!\[CDATA\[.*?\]\]>|<!--.*?-->|((?:&#(?:x[0-9a-fA-F]{1,8}|[0-9]{1,10});)+)", re.DOTALL
)
_REFERENCE = re.compile(rb"&#(?:x([0-9a-fA-F]+)|([0-9]+));")

_FORBIDDEN = sorted({*range(0x20), 0xFFFE, 0xFFFF} - {0x09, 0x0A, 0x0D})
"""What XML 1.0 leaves out of its production Char, halves of surrogate pairs aside."""

_PLACEHOLDERS = range(0xE000, 0xE080)
"""Characters of Unicode's private use area: four times as many as are forbidden."""

_MAX_REFERENCES = 10_000
"""In a body that holds a forbidden one: each costs as much as a node."""

_MARKUP = {ord(character): f"&#{ord(character)};" for character in "\t\n\r\"&'<>"}
"""What must stay a reference."""


class Readable(NamedTuple):
    """body: without references to forbidden characters; characters: the replacement of each
    placeholder, by its code point."""

    body: bytes
    characters: Mapping[int, str]


def with_placeholders(body: bytes) -> Readable | None:
    """The body with a placeholder for each reference to a forbidden character; None where it
    holds very many references, or private characters that leave too few to choose from.

    Two references that are the halves of a surrogate pair become the character of the pair, and
    one half becomes U+FFFD, as in JSON. A reference beyond Unicode, such as &#x110000;, stays,
    and the body stays malformed.
    """
    if body.count(b"&#") > _MAX_REFERENCES:
        return None
    try:
        unused = _unused(body)
    except ValueError:  # chr: beyond Unicode
        return None
    if len(unused) < len(_FORBIDDEN):
        return None
    placeholders = dict(zip(_FORBIDDEN, unused, strict=False))
    written = {**placeholders, **_MARKUP}

    def replaced(match: re.Match[bytes]) -> bytes:
        return _text(match[1]).translate(written).encode() if match[1] else match[0]

    characters = {ord(mark): chr(code) for code, mark in placeholders.items()}
    return Readable(_REFERENCES.sub(replaced, body), characters)


def _unused(body: bytes) -> list[str]:
    """The placeholders that the body neither holds nor refers to."""
    referred: set[str] = set()
    for match in _REFERENCES.finditer(body):
        if match[1]:
            referred.update(_text(match[1]))
    free = (chr(code) for code in _PLACEHOLDERS)
    return [mark for mark in free if mark not in referred and mark.encode() not in body]


def _text(references: bytes) -> str:
    """The characters that a run of references means."""
    codes = (
        int(match[1], 16) if match[1] else int(match[2])
        for match in _REFERENCE.finditer(references)
    )
    return scalar_values("".join(map(chr, codes)))
