"""Text whose characters are written as escapes, decoded.

A name may be sent as DocPassword, \\u0044ocPassword, &#68;ocPassword or %44ocPassword, and JSON in
a string of JSON, or in XML, escapes the escapes. It may hold invisible characters, or letters that
only look like its own. `Decoded` has the text that a reader sees, and leads from each of its
characters back to how it was written.
"""

from __future__ import annotations

import re
import sys
from array import array
from bisect import bisect_right
from collections.abc import Callable

from handler.callback.folding import INVISIBLE, LOOK_ALIKES, fold

MAX_PASSES = 8
"""How often escapes are decoded that become visible by decoding others. One kind within itself
(&amp;amp;#68;, %2544, \\\\u0044) takes one pass, however deep."""

_ESCAPE = re.compile(
    r"(?<!\\)\\+(?:u(?P<u4>[0-9A-Fa-f]{4})|u\{0*(?P<u6>[0-9A-Fa-f]{1,6})\}"
    r"|U(?P<u8>[0-9A-Fa-f]{8})|x(?P<x2>[0-9A-Fa-f]{2})|(?P<o3>[0-7]{3})|(?P<letter>[bfnrt]))"
    r"|&(?:amp;)*(?:#0*(?P<d7>[0-9]{1,7});?|#[xX]0*(?P<x6>[0-9A-Fa-f]{1,6});?"
    r"|(?P<entity>lt|gt|quot|apos|amp);)"
    r"|%(?:25)*(?P<p2>[0-9A-Fa-f]{2})"
    r"|\x00+"
)
"""No two parts of it can match the same characters, and a run of backslashes is entered at its
beginning only: it reads each character a bounded number of times."""

_UNLIKE_ASCII = re.compile(f"(?P<unseen>[{INVISIBLE}]+)|[{LOOK_ALIKES}]")
_BEFORE_UNSEEN = frozenset("_-.:/<")
"""Behind a letter, a digit or one of these, what can't be seen would break a name in two."""

_FIRST = ("\\", "&", "%", "\x00")
"""Every escape begins with one of these: looking for them is faster."""

_BASES = {"d7": 10, "o3": 8}
_NAMED = {
    "lt": "<",
    "gt": ">",
    "quot": '"',
    "apos": "'",
    "amp": "&",
    "b": " ",
    "f": " ",
    "n": "\n",
    "r": "\n",
    "t": " ",
}


class Decoded:
    """A text with its escapes decoded and its names folded. A NUL, which every second character of
    UTF-16 is when it is read as something else, is left out.

    Attributes:
        text: the decoded text.
        is_whole: False where escapes are left after MAX_PASSES.
    """

    def __init__(self, written: str) -> None:
        self._written = written
        self._layers: list[_Layer] = []
        self.text = written
        for _ in range(MAX_PASSES):
            if not any(sign in self.text for sign in _FIRST):
                break
            if not self._decode(_ESCAPE, _character):
                break
        self.is_whole = len(self._layers) < MAX_PASSES or not _ESCAPE.search(self.text)
        self._decode(_UNLIKE_ASCII, _folded)

    def _decode(self, pattern: re.Pattern[str], decoded: Callable[[re.Match[str]], str]) -> int:
        layer = _Layer(self.text, pattern, decoded)
        if layer.count:
            self._layers.append(layer)
            self.text = layer.text
        return layer.count

    def written_at(self, position: int) -> int:
        """Where in the written text the character at a position of `text` begins."""
        for layer in reversed(self._layers):
            position = layer.before(position)
        return position

    def written(self, start: int, end: int) -> str:
        """How a part of `text` was written."""
        return self._written[self.written_at(start) : self.written_at(end)]


class _Layer:
    """One pass: the text after it, and the way back."""

    def __init__(
        self, text: str, pattern: re.Pattern[str], decoded: Callable[[re.Match[str]], str]
    ) -> None:
        parts: list[str] = []
        # Of each match: where in the new text it ends, and how much longer all so far were.
        self._ends, self._shifts = array("q"), array("q", [0])
        at = length = shift = 0
        for match in pattern.finditer(text):
            character = decoded(match)
            parts += (text[at : match.start()], character)
            length += match.start() - at + len(character)
            shift += match.end() - match.start() - len(character)
            at = match.end()
            self._ends.append(length)
            self._shifts.append(shift)
        self.text = "".join((*parts, text[at:]))
        self.count = len(self._ends)

    def before(self, position: int) -> int:
        """The position in the text before this pass."""
        return position + self._shifts[bisect_right(self._ends, position)]


def _character(match: re.Match[str]) -> str:
    kind = match.lastgroup
    if kind is None:
        return ""
    if kind in ("entity", "letter"):
        return _NAMED[match[kind]]
    number = int(match[kind], _BASES.get(kind, 16))
    return chr(number) if number <= sys.maxunicode else "\ufffd"


def _folded(match: re.Match[str]) -> str:
    """What can't be seen is left out of names only: a sign that is compared with how another one
    was written stays as it is."""
    text = match[0]
    if match["unseen"] is None:
        return fold(text) or text
    before = match.string[match.start() - 1 : match.start()]
    return "" if before.isalnum() or before in _BEFORE_UNSEEN else text
