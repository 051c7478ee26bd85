"""Where the value of a named node begins and ends in a text, whatever the text is.

    <DocPassword>…</DocPassword>    <a DocPassword="…">    "DocPassword": "…"    DocPassword=…&

The text may be broken, cut, or one format in a string of another. So the end of a value is what a
parser would take for it, written in the same way as its beginning: where JSON in a string of JSON
begins a text with a quote behind one backslash, a quote behind three is not its end. Where no such
end comes, the value reaches to the end of the text: too much is hidden rather than too little.

Each function reads forward only, and what it has read is not read again for another value.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from handler.redaction.escapes import Decoded

_SIGN = re.compile(r"(?P<between>[^\w,;{}\[\]:=]*)(?P<sign>[:=]+>?)\s*")
_NO_SIGN = re.compile(r"(?:[^\w,;{}\[\]/<]|<(?=\s*(?:\\*[\"']|[\[{])))*")
"""What may be between a name and its value where the sign is missing or is another one."""
_MEMBER = re.compile(
    r"\\*[\"']\s*,\s*\\*[\"']value(?P<between>\\*[\"'])\s*(?P<sign>:)\s*", re.IGNORECASE
)
_ELEMENT = re.compile(r"\s*<\\*/[\w.:-]+>\s*<(?P<name>(?:[\w.-]+:)?value)(?=>)", re.IGNORECASE)
"""Lists such as CosHeaders name a thing in Key and have its value in Value."""

_QUOTE = re.compile(r"\\*[\"'`]")
_STRAY = re.compile(r"(?:[^\w,;{}\[\]&/<]|<(?!\\*/))*")
"""What may be between a sign and the value that does not belong there."""

_OPENING_QUOTE = re.compile(r"\\*[\"']")
_QUOTES = {mark: re.compile(rf"(?<!\\)(\\*){mark}") for mark in "\"'"}
_BEHIND_TEXT = re.compile(
    r"[ \t]*[\r\n]|\s*(?:\Z|[}\])]|<\\*/"
    r"|,\s*(?:\Z|[}\]]|[\w$]+\s*:|\\*[\"'][^\"']{0,128}(?:\Z|[\"']\s*:)))"
)
_BEHIND_NESTED = re.compile(r"\s*(?:\Z|[,:}\]])")
_BEHIND_ATTRIBUTE = re.compile(r"\s*(?:\Z|[/?]?>|[&;,)}\]<])|\s+[\w.:-]+\s*=")
"""What follows the closing quote of a text of JSON, of one within an object or list, and of an
attribute. Elsewhere a quote is a part of the value that should have been escaped."""

_BRACKETS = re.compile(r"[\[\]{}\"']")
_STOPS = {
    "=": re.compile(r"[&\s<>\"]"),
    ":": re.compile(r"[\n\r}\]]|(?<!\\)\"|<(?=\\*/)|,(?=\s*\\*[\"'])"),
    "": re.compile(r"[\n\r<>]"),
}
"""What ends a value without quotes, by the sign before it."""

_BEFORE_TAG = re.compile(r"<\s*\Z")
_BEFORE_END_TAG = re.compile(r"<\\*/\s*\Z")
_MARKUP = re.compile(r"<(?:(?P<cdata>!\[CDATA\[)|(?P<comment>!--)|(?P<pi>\?)|(?=\\*/|[\w!]))")
_ENDS = {"cdata": "]]>", "comment": "-->", "pi": "?>"}
_IN_TAG = re.compile(r"[>\"']")
_TAG_NAME = re.compile(r"<(?P<slash>\\*/)?(?P<prefix>[\w.-]+:)?(?P<local>[\w.-]+)")
_LOOK_BACK = 64
"""Characters before a name in which the sign of a tag is looked for."""


class Value(NamedTuple):
    """A part of the decoded text. before, after: characters that a substitute needs around it.
    is_nested: whether it is an object or a list."""

    start: int
    end: int
    before: str = ""
    after: str = ""
    is_nested: bool = False


def value_of(source: Decoded, start: int, end: int, after: int = 0) -> Value | None:
    """The value of the node whose name is at text[start:end]; None where it has none.

    start: of the name with its prefix. after: where the value before it ended, or what was looked
    at last.
    """
    text = source.text
    before = text[max(0, start - _LOOK_BACK) : start]
    end_tag = _BEFORE_END_TAG.search(before)
    if end_tag is not None:
        return _before_end_tag(source, start - len(end_tag[0]), after)
    tag = _BEFORE_TAG.search(before)
    if tag is not None:
        return _of_element(source, start, end, _spelling(source, start - len(tag[0])))
    if text.startswith(">", end):
        return _of_element(source, start, end, "")  # the text was cut behind the <
    pair = _SIGN.match(text, end) or _MEMBER.match(text, end)
    if pair is not None:
        return _of_pair(source, pair, "=" if "=" in pair["sign"] else ":")
    element = _ELEMENT.match(text, end)
    if element is not None:
        start = element.start("name")
        return _of_element(source, start, element.end(), _spelling(source, start - 1))
    return _of_unsigned(source, end)


# --- pairs ----------------------------------------------------------------------------------


def _of_pair(source: Decoded, pair: re.Match[str], sign: str) -> Value:
    """The value behind a sign, = or : by its kind."""
    start = pair.end()
    behind = _BEHIND_ATTRIBUTE if sign == "=" else _BEHIND_TEXT
    opening = _OPENING_QUOTE.match(source.text, start)
    if opening is not None:
        return Value(opening.end(), _end_of_quoted(source, opening, behind))
    stray = _STRAY.match(source.text, start)
    at = stray.end() if stray is not None else start
    opening = _OPENING_QUOTE.match(source.text, max(start, at - 1))
    if opening is not None:
        return Value(start, _end_of_quoted(source, opening, behind))
    quote = ""
    quoted = _QUOTE.search(pair["between"]) if sign == ":" else None
    if quoted is not None:
        between = pair.start("between")
        quote = source.written(between + quoted.start(), between + quoted.end())
    if source.text.startswith(("{", "["), at):
        return Value(start, _end_of_brackets(source, at), quote, quote, is_nested=True)
    sign_at = pair.end("sign") - 1
    escaped = source.written_at(sign_at + 1) - source.written_at(sign_at)
    return Value(start, _end_of_bare(source, at, sign, escaped), quote, quote)


def _of_unsigned(source: Decoded, end: int) -> Value | None:
    """The value of a name that is in quotes, or whose value is, with no sign between the two: a
    colon is missing, or the name is the value of `name=` in markup or in a multipart form."""
    text = source.text
    between = _NO_SIGN.match(text, end)
    quotes = list(_QUOTE.finditer(between[0])) if between is not None else []
    if between is None or not quotes:
        return None
    start = between.end()
    # The only quote, right behind the name, is the name's own.
    is_quoted = len(quotes) > 1 or quotes[0].start() > 0
    if is_quoted and quotes[-1].end() == len(between[0]) and not between[0].endswith("`"):
        opening = _OPENING_QUOTE.match(text, end + quotes[-1].start())
        if opening is not None:
            return Value(start, _end_of_quoted(source, opening, _BEHIND_TEXT))
    if text.startswith(("{", "["), start):
        return Value(start, _end_of_brackets(source, start), is_nested=True)
    return (
        Value(start, _end_of_bare(source, start, "", 1))
        if text[start : start + 1].isalnum()
        else None
    )


def _end_of_quoted(
    source: Decoded, opening: re.Match[str], behind: re.Pattern[str] | None = None
) -> int:
    """Where the closing quote begins, its backslashes included. behind: the text after it.

    With k backslashes before the opening quote, as in JSON within a string of JSON, there are k
    before the closing one, behind pairs of escaped ones. Of a quote that is itself written as an
    escape (&quot;) it is not known how often backslashes were doubled: none may come before it.
    """
    mark = opening[0][-1]
    depth = len(opening[0]) - 1
    written = _spelling(source, opening.end() - 1)
    unit = 2 * depth + 2 if written == mark else len(source.text) + 1
    for quote in _QUOTES[mark].finditer(source.text, opening.end()):
        if len(quote[1]) % unit != depth:
            continue
        if _spelling(source, quote.end() - 1) != written:
            continue
        if behind is None or behind.match(source.text, quote.end()):
            return quote.end() - 1 - depth
    return len(source.text)


def _end_of_brackets(source: Decoded, start: int) -> int:
    """Behind the bracket that closes the one at start. Text in quotes is skipped."""
    depth, at = 0, start
    while True:
        match = _BRACKETS.search(source.text, at)
        if match is None:
            return len(source.text)
        at = match.end()
        if match[0] in "[{":
            depth += 1
        elif match[0] in "]}":
            depth -= 1
            if not depth:
                return at
        else:
            at = _behind_quoted(source, match.start(), _BEHIND_NESTED)


def _behind_quoted(source: Decoded, quote: int, behind: re.Pattern[str] | None = None) -> int:
    """The position after the quoted text that begins here. behind: the text after it."""
    first = quote
    while first and source.text[first - 1] == "\\":
        first -= 1
    opening = _OPENING_QUOTE.match(source.text, first)
    if opening is None:
        raise AssertionError("a quote stands here")
    return min(_end_of_quoted(source, opening, behind) + len(opening[0]), len(source.text))


def _end_of_bare(source: Decoded, start: int, sign: str, escaped: int) -> int:
    """Where a value without quotes ends. escaped: as how many characters the sign before it was
    written; the one that ends it is written as many."""
    for stop in _STOPS[sign].finditer(source.text, start):
        if source.written_at(stop.start() + 1) - source.written_at(stop.start()) == escaped:
            return stop.start()
    return len(source.text)


# --- elements -------------------------------------------------------------------------------


def _of_element(source: Decoded, start: int, end: int, written: str) -> Value:
    """The content of the element whose start tag has its name at text[start:end], with its
    attributes where it has some. written: how the < of that tag is written; "" where it is not
    there, and then any way counts."""
    text = source.text
    tag_end = _end_of_tag(source, end)
    if text.endswith("/", end, tag_end):
        return Value(end, tag_end - 1, " ")
    content = min(tag_end + 1, len(text))
    closing = _closing_tag(source, text[start:end], content, written)
    # Attributes of a secret node are no less secret: they go with the content.
    if text[end:tag_end].strip():
        return Value(end, closing, source.written(tag_end, content))
    return Value(content, closing)


def _before_end_tag(source: Decoded, end: int, after: int) -> Value | None:
    """The text before an end tag whose start tag was not seen as one: it is cut off, or broken."""
    start = max(source.text.rfind(">", after, end) + 1, after)
    return Value(start, end) if start < end else None


def _closing_tag(source: Decoded, name: str, at: int, written: str) -> int:
    """Where the end tag of an element begins. at: where its content does."""
    text, depth = source.text, 1
    while True:
        markup = _MARKUP.search(text, at)
        if markup is None:
            return len(text)
        at = markup.end()
        if written and _spelling(source, markup.start()) != written:
            continue
        if markup.lastgroup is not None:
            at = _behind(source, _ENDS[markup.lastgroup], at, markup.start())
            continue
        tag = _TAG_NAME.match(text, markup.start())
        end = _end_of_tag(source, at)
        if tag is None or name not in (tag["local"], f"{tag['prefix'] or ''}{tag['local']}"):
            at = end
            continue
        at = min(end + 1, len(text))
        if not tag["slash"]:
            depth += not text.endswith("/", 0, end)
        elif not text[tag.end() : end].strip():
            depth -= 1
            if not depth:
                return markup.start()


def _behind(source: Decoded, end: str, at: int, opening: int) -> int:
    """Behind the end of a CDATA section or a comment, whose > is as much escaped as its <."""
    length = len(_spelling(source, opening))
    while True:
        start = source.text.find(end, at)
        if start < 0:
            return len(source.text)
        at = start + len(end)
        if len(_spelling(source, at - 1)) == length:
            return at


def _end_of_tag(source: Decoded, at: int) -> int:
    """Where the > of a tag is. Text in quotes is skipped."""
    while True:
        match = _IN_TAG.search(source.text, at)
        if match is None:
            return len(source.text)
        if match[0] == ">":
            return match.start()
        at = _behind_quoted(source, match.start())


def _spelling(source: Decoded, position: int) -> str:
    """How one character was written; &#X3C; is &#x3c;."""
    return source.written(position, position + 1).lower()
