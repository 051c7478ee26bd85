"""Bytes to a plain tree: XML or JSON, decided by the first byte, never by Content-Type.

A tree is made of dict, list and str alone (None for a JSON null): a leaf is the text
that was sent, so `0`, `"0"` and `<JobLevel>0</JobLevel>` are the same leaf, "0".
The limits hold before and while parsing, and every walk is iterative, so no body can
cost more than a fixed multiple of its own length.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any, Literal, NoReturn, TypeAlias

from handler.callback.limits import Limits as Limits
from handler.callback.rootless import with_root
from handler.errors import PayloadError

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree] | None"
Format: TypeAlias = Literal["xml", "json"]

MAX_NUMBER_CHARS = 400
"""Longest JSON number: room for any double written out in full."""

TEXT_KEY = "#text"
"""Where an XML element that has children or attributes keeps its own text. CI sends none."""

_UTF8_BOM = b"\xef\xbb\xbf"
_BLANKS = b" \t\r\n"
_DECLARED_ENCODING = re.compile(rb"<\?xml[^>]*?\bencoding\s*=\s*[\"']([^\"'>]*)[\"']")
_TRAILING_COMMA = re.compile(r",(?=[ \t\r\n]*[}\]])")
_JSON_STRING = re.compile(r'"[^"]*"?')
_XML_TAG_PIECE = re.compile(rb"[^\"'<>]+|\"[^\"<]*\"|'[^'<]*'")


def parse(body: bytes, limits: Limits) -> tuple[Tree, Format]:
    """Read a callback's body.

    The root of an XML body is the dict {root tag: content}; a JSON body is itself.

    Raises:
        PayloadError: the body is neither XML nor JSON, is malformed, or goes over a limit.
    """
    if len(body) > limits.max_bytes:
        raise PayloadError("too_long", f"{len(body)} bytes, at most {limits.max_bytes} are read")
    body = body.removeprefix(_UTF8_BOM).strip(_BLANKS)
    if body[:1] == b"<":
        return _parse_xml(body, limits), "xml"
    if body[:1] in (b"{", b"["):
        return _parse_json(body, limits), "json"
    raise PayloadError("not_xml_or_json", "the first byte is neither '<' nor '{' nor '['")


# --- XML ---------------------------------------------------------------------------------


def _parse_xml(body: bytes, limits: Limits) -> Tree:
    if body[1:2] == b"\0":
        # expat would read it all the same, whatever encoding it was given.
        raise PayloadError("encoding", "UTF-16 or UTF-32, and not UTF-8")
    declared = _DECLARED_ENCODING.match(body)
    if declared and declared[1].lower() not in (b"utf-8", b"utf8", b"us-ascii", b"ascii"):
        raise PayloadError("encoding", "the XML declares another encoding than UTF-8")
    if body.count(b"<") > 2 * limits.max_nodes + 2:
        raise PayloadError("too_many_nodes", f"more than {limits.max_nodes} nodes")
    _refuse_long_tags(body, limits.max_tag_bytes)
    try:
        return _xml_tree(body, limits)
    except PayloadError as error:
        # One page prints a callback without its root.
        rooted = with_root(body, getattr(error.__cause__, "code", None))
        tree = _xml_tree(rooted, limits) if rooted else None
        if tree is None or TEXT_KEY in tree["Response"]:
            raise
        return tree


def _xml_tree(body: bytes, limits: Limits) -> dict[str, Any]:
    # Imported here: a refused request and a JSON callback need no XML parser.
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    # The encoding is given, so no declaration that slipped past the check above has a say.
    target = _TreeTarget(limits)
    parser = DefusedXMLParser(target=target, encoding="utf-8", forbid_dtd=True)
    # Past ElementTree's own two handlers, which are Python and cost more than expat itself: what
    # guards against DTDs and entities are other handlers of the same expat parser, and stay.
    expat = parser.parser
    expat.ordered_attributes = False
    expat.StartElementHandler, expat.EndElementHandler = target.start, target.end
    try:
        parser.feed(body)
        tree: dict[str, Any] = parser.close()  # type: ignore[assignment]  # its type is of an Element, and ours is what the target returns
    except PayloadError:
        raise
    except DefusedXmlException as error:
        raise PayloadError("dtd_forbidden", f"the XML holds a {type(error).__name__}") from error
    except (ParseError, ValueError, LookupError) as error:
        raise PayloadError("xml_invalid", f"not well-formed XML: {error}") from error
    return tree


def _refuse_long_tags(body: bytes, most: int) -> None:
    """One tag with very many attributes costs a second and 70 MB before a target sees any of it."""
    long_run = re.compile(rb"<(?![!?/])[^<]{%d}" % most)
    for run in long_run.finditer(body):
        # A tag and the text behind it: only quotes tell where the tag ends.
        end = run.start() + 1
        while end - run.start() <= most and (piece := _XML_TAG_PIECE.match(body, end)):
            end = piece.end()
        if end - run.start() > most:
            raise PayloadError("tag_too_long", f"a tag of more than {most} bytes")


def _qualified(name: str) -> str:
    """A name with its namespace as ElementTree writes it, {address}name. expat leaves out the
    first brace."""
    return f"{{{name}" if "}" in name else name


class _TreeTarget:
    """A parser target that counts while it builds the tree, and stops at a limit."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._nodes = 0
        self._open: list[tuple[dict[str, Tree], list[str]]] = [({}, [])]

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._nodes += 1 + len(attributes)
        if self._nodes > self._limits.max_nodes:
            raise PayloadError("too_many_nodes", f"more than {self._limits.max_nodes} nodes")
        if len(self._open) > self._limits.max_depth:
            raise PayloadError("too_deep", f"nested deeper than {self._limits.max_depth}")
        children: dict[str, Tree] = {
            f"@{_qualified(name)}": value for name, value in attributes.items()
        }
        self._open.append((children, []))

    def data(self, text: str) -> None:
        self._open[-1][1].append(text)

    def end(self, tag: str) -> None:
        children, texts = self._open.pop()
        text = "".join(texts)
        node: Tree = text
        if children:
            if text.strip():
                children[TEXT_KEY] = text
            node = children
        tag = _qualified(tag)
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

    def close(self) -> dict[str, Tree]:
        return self._open[0][0]


# --- JSON --------------------------------------------------------------------------------


def _parse_json(body: bytes, limits: Limits) -> Tree:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PayloadError("encoding", f"not UTF-8 at byte {error.start}") from error
    _refuse_many_json_nodes(text, limits.max_nodes)
    try:
        tree = _loads(text)
    except ValueError as first:
        # The documents print trailing commas. Strict first, so good input pays nothing.
        repaired = _without_trailing_commas(text)
        if repaired is None:
            raise _json_invalid(first) from first
        try:
            tree = _loads(repaired)
        except ValueError as second:
            raise _json_invalid(second) from second
    return _plain(tree, limits, may_hold_surrogates="\\ud" in text or "\\uD" in text)


def _json_invalid(error: ValueError) -> PayloadError:
    return PayloadError("json_invalid", f"not valid JSON: {error}")


def _refuse_many_json_nodes(text: str, most: int) -> None:
    """[[],[],…] of 5 MB costs 161 MB to load: count what makes nodes before it is loaded."""

    def count(part: str) -> int:
        return part.count(",") + part.count("[") + part.count("{")

    # Commas inside strings make no nodes, so only a count that looks too high is taken exactly.
    if count(text) > most and sum(map(count, _outside_strings(text))) > most:
        raise PayloadError("too_many_nodes", f"more than {most} nodes")


def _outside_strings(text: str) -> Iterator[str]:
    """The parts of a JSON text that lie outside its strings.

    One part at a time: a list of all would cost 15 times a body of short strings.
    """
    masked = _masked(text)
    end = 0
    for string in _JSON_STRING.finditer(masked):
        yield masked[end : string.start()]
        end = string.end()
    yield masked[end:]


def _masked(text: str) -> str:
    """A JSON text of the same length whose quotes are those of its strings' ends.

    Masked at the speed of C a string needs no stack, where a regular expression over a long run
    of escapes needs 50 bytes of it a character.
    """
    return text.replace("\\\\", "__").replace('\\"', "__")


def _loads(text: str) -> object:
    try:
        return json.loads(
            text, parse_int=_number, parse_float=_number, parse_constant=_refuse_constant
        )
    except RecursionError as error:
        raise PayloadError("too_deep", "nested too deep to be read") from error


def _number(literal: str) -> str:
    if len(literal) > MAX_NUMBER_CHARS:
        raise PayloadError("number_too_long", f"a number of more than {MAX_NUMBER_CHARS} digits")
    return literal


def _refuse_constant(name: str) -> NoReturn:
    raise PayloadError("json_invalid", f"{name} is not JSON")


def _without_trailing_commas(text: str) -> str | None:
    """Blank out each comma that stands right before } or ], in one pass.

    None where such a comma stands right behind the bracket that opens ([,] {,}): there a value is
    missing, and without the comma nobody would see it. Two in a row stay broken in any case.
    """
    masked = _masked(text)
    commas: list[int] = []
    looked_at = quotes = 0
    for match in _TRAILING_COMMA.finditer(masked):
        quotes += masked.count('"', looked_at, match.start())
        looked_at = match.start()
        if quotes % 2:
            continue  # within a string
        before = looked_at - 1
        while before >= 0 and masked[before] in " \t\r\n":
            before -= 1
        if before >= 0 and masked[before] in "[{":
            return None
        commas.append(looked_at)
    edges = [-1, *commas, len(text)]
    return " ".join(text[a + 1 : b] for a, b in itertools.pairwise(edges))


def _plain(loaded: object, limits: Limits, may_hold_surrogates: bool) -> Tree:
    """Check depth and nodes, and turn true and false into the words that XML would send."""
    root: list[Any] = [loaded]
    level: list[Any] = [root]
    nodes = depth = 0
    while level:
        below: list[Any] = []
        for container in level:
            pairs = container.items() if isinstance(container, dict) else enumerate(container)
            changed: list[tuple[Any, str]] = []
            for name, value in pairs:
                nodes += 1
                if isinstance(value, (dict, list)):
                    below.append(value)
                elif isinstance(value, bool):
                    changed.append((name, "true" if value else "false"))
                elif may_hold_surrogates and isinstance(value, str):
                    changed.append((name, _scalar_values(value)))
            for name, value in changed:
                container[name] = value
            if may_hold_surrogates and isinstance(container, dict):
                _clean_names(container)
        if nodes > limits.max_nodes:
            raise PayloadError("too_many_nodes", f"more than {limits.max_nodes} nodes")
        depth += 1
        if depth > limits.max_depth + 1:
            raise PayloadError("too_deep", f"nested deeper than {limits.max_depth}")
        level = below
    tree: Tree = root[0]
    return tree


def _clean_names(container: dict[str, object]) -> None:
    if all(_scalar_values(name) == name for name in container):
        return
    cleaned = {_scalar_values(name): value for name, value in container.items()}
    container.clear()
    container.update(cleaned)


def _scalar_values(text: str) -> str:
    """A lone surrogate is no character and can't be stored as UTF-8: U+FFFD stands in for it."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
