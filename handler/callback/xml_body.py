"""An XML body to a tree: defusedxml guards the parser, and the limits hold while it runs.

Names are kept as they were sent: a namespace prefix is a part of the name, and the prefix is
not replaced by its address, since the names of a body of 79 KB would then take up 120 MB.
CI sends no namespaces.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError, ParserCreate

from handler.callback.limits import Limits
from handler.errors import PayloadError

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType

    from handler.callback.tree import Tree

TEXT_KEY = "#text"
"""Where an XML element that has children or attributes keeps its own text. CI sends none."""

_DECLARED_ENCODING = rb"<\?xml[^>]*?\bencoding\s*=\s*[\"']([^\"'>]*)[\"']"
_TAG_PIECE = rb"[^\"'<>]+|\"[^\"<]*\"|'[^'<]*'"

_JUNK_AFTER_ROOT = 9
"""expat's XML_ERROR_JUNK_AFTER_DOC_ELEMENT: a second element, or a text, behind the first."""
_BAD_REFERENCE = 14
"""expat's XML_ERROR_BAD_CHAR_REF: a reference to a character that XML forbids, such as &#8;."""

_GUARDS = (
    "StartDoctypeDeclHandler",
    "EntityDeclHandler",
    "UnparsedEntityDeclHandler",
    "ExternalEntityRefHandler",
)
"""The handlers by which defusedxml refuses a DTD and entities."""


def parse(body: bytes, limits: Limits) -> dict[str, Any]:
    """Read an XML body: {root tag: content}.

    Raises:
        PayloadError: it is malformed, holds a DTD, or goes over a limit.
    """
    refuse_beyond(body, limits)
    return _read(body, limits)


def refuse_beyond(body: bytes, limits: Limits) -> None:
    """The limits that hold before a body is parsed.

    Raises:
        PayloadError: it is not UTF-8, or has too many nodes or too long a tag.
    """
    if body[1:2] == b"\0":
        # expat would read it all the same, whatever encoding it was given.
        raise PayloadError("encoding", "UTF-16 or UTF-32, and not UTF-8")
    declared = re.match(_DECLARED_ENCODING, body) if body.startswith(b"<?xml") else None
    if declared and declared[1].lower() not in (b"utf-8", b"utf8", b"us-ascii", b"ascii"):
        raise PayloadError("encoding", "the XML declares another encoding than UTF-8")
    if body.count(b"<") > 2 * limits.max_nodes + 2:
        raise PayloadError("too_many_nodes", f"more than {limits.max_nodes} nodes")
    _refuse_long_tags(body, limits.max_tag_bytes)


def _read(
    body: bytes, limits: Limits, characters: Mapping[int, str] | None = None
) -> dict[str, Any]:
    """The tree of a body, also where it is malformed in one of the two ways that are known."""
    try:
        return _tree(body, limits, characters)
    except PayloadError as error:
        error_code = getattr(error.__cause__, "code", None)
        if error_code == _BAD_REFERENCE and characters is None:
            from handler.callback.xml_references import with_placeholders

            if readable := with_placeholders(body):
                return _read(readable.body, limits, readable.characters)
        if error_code == _JUNK_AFTER_ROOT:
            from handler.callback.xml_fragments import with_root

            if rooted := with_root(body):
                tree = _read(rooted, limits, characters)
                if TEXT_KEY not in tree["Response"]:
                    return tree
        raise


def _tree(body: bytes, limits: Limits, characters: Mapping[int, str] | None) -> dict[str, Any]:
    """characters: the replacement of each placeholder, by its code point."""
    from defusedxml.common import DefusedXmlException

    target = _Target(limits, characters)
    parser = guarded_parser()
    parser.StartElementHandler, parser.EndElementHandler = target.start, target.end
    parser.CharacterDataHandler = target.data
    try:
        parser.Parse(body, True)
    except DefusedXmlException as error:
        raise PayloadError("dtd_forbidden", f"the XML holds a {type(error).__name__}") from error
    except (ExpatError, ValueError, LookupError) as error:
        raise PayloadError("xml_invalid", f"not well-formed XML: {error}") from error
    return target.tree


def guarded_parser() -> XMLParserType:
    """An expat parser that does not resolve namespaces, with the guards of defusedxml.

    defusedxml's own parser resolves them, and there is no way to have it not do so.
    """
    # The encoding is given, so a declaration that slipped past the check above has no effect.
    parser = ParserCreate("utf-8")
    guarded = _parser_with_guards()
    for name in _GUARDS:
        setattr(parser, name, getattr(guarded, name))
    parser.buffer_text = True
    return parser


@functools.cache
def _parser_with_guards() -> XMLParserType:
    """defusedxml's own parser. Its guards only raise, so any number of parsers may share them."""
    # Imported here: a refused request and a JSON callback need no XML parser.
    from defusedxml.ElementTree import DefusedXMLParser

    parser: XMLParserType = DefusedXMLParser(forbid_dtd=True).parser
    return parser


def _refuse_long_tags(body: bytes, limit: int) -> None:
    """One tag with very many attributes costs a second and 70 MB before a target sees any of it."""
    if len(body) <= limit:
        return
    piece_of_tag = re.compile(_TAG_PIECE)
    for run in re.finditer(rb"<(?![!?/])[^<]{%d}" % limit, body):
        # A tag and the text behind it: only quotes show where the tag ends.
        end = run.start() + 1
        while end - run.start() <= limit and (piece := piece_of_tag.match(body, end)):
            end = piece.end()
        if end - run.start() > limit:
            raise PayloadError("tag_too_long", f"a tag of more than {limit} bytes")


def _name_too_long(limit: int) -> PayloadError:
    return PayloadError("name_too_long", f"a name of more than {limit} characters")


class _Target:
    """The handlers of the parser: they count while they build the tree, and stop at a limit."""

    def __init__(self, limits: Limits, characters: Mapping[int, str] | None) -> None:
        self._max_nodes = limits.max_nodes
        self._max_depth = limits.max_depth
        self._max_name_chars = limits.max_name_chars
        self._characters = characters
        self._nodes = 0
        self._open: list[tuple[dict[str, Tree], list[str]]] = [({}, [])]

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._nodes += 1 + len(attributes)
        if len(tag) > self._max_name_chars:
            raise _name_too_long(self._max_name_chars)
        if self._nodes > self._max_nodes:
            raise PayloadError("too_many_nodes", f"more than {self._max_nodes} nodes")
        if len(self._open) > self._max_depth:
            raise PayloadError("too_deep", f"nested deeper than {self._max_depth}")
        children: dict[str, Tree] = {}
        if attributes:
            if max(map(len, attributes)) > self._max_name_chars:
                raise _name_too_long(self._max_name_chars)
            for name, value in attributes.items():
                children[f"@{name}"] = self._restored(value)
        self._open.append((children, []))

    def data(self, text: str) -> None:
        self._open[-1][1].append(text)

    def end(self, tag: str) -> None:
        children, texts = self._open.pop()
        text = texts[0] if len(texts) == 1 else "".join(texts)
        if self._characters:
            text = self._restored(text)
        node: Tree = text
        if children:
            if text.strip():
                children[TEXT_KEY] = text
            node = children
        siblings = self._open[-1][0]
        if tag not in siblings:
            siblings[tag] = node
            return
        present = siblings[tag]
        # A repeated element is a list; an element itself is never one.
        if isinstance(present, list):
            present.append(node)
        else:
            siblings[tag] = [present, node]

    @property
    def tree(self) -> dict[str, Tree]:
        return self._open[0][0]

    def _restored(self, text: str) -> str:
        return text.translate(self._characters) if self._characters else text
