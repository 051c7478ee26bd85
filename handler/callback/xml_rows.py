"""The rows of a long XML list, such as a page of COS's listing, without a tree of all of it.

    <Root><Row><Name>…</Name>…</Row>… <Rest>…</Rest></Root>

Only texts of the asked names are kept. A page of 1,000 keys takes 4 ms so, and 32 ms with the SDK,
which makes an ElementTree, a dict and a sorted list of it.
"""

from __future__ import annotations

from typing import NamedTuple
from xml.parsers.expat import ExpatError

from handler.callback.limits import Limits
from handler.callback.xml_body import guarded_parser, refuse_beyond
from handler.errors import PayloadError

ROW_DEPTH = 2
"""The root is at 1, a row at 2, and what is read of a row at 3."""


class RowNames(NamedTuple):
    """The names of the root and of its rows, and which elements of a row and beside the rows are
    read. An element is read once in its row: of several the last one counts."""

    root: str
    row: str
    of_row: frozenset[str]
    beside: frozenset[str]


class Rows(NamedTuple):
    """The texts of each row by name, in the order of the body, and those beside the rows."""

    rows: list[dict[str, str]]
    beside: dict[str, str]


def read_rows(body: bytes, names: RowNames, limits: Limits) -> Rows:
    """Read a list.

    Raises:
        PayloadError: it is malformed, has another root, holds a DTD, or goes over a limit.
    """
    from defusedxml.common import DefusedXmlException

    if len(body) > limits.max_bytes:
        raise PayloadError("too_long", f"{len(body)} bytes, at most {limits.max_bytes} are read")
    refuse_beyond(body, limits)
    reader = _Reader(names)
    try:
        reader.parser.Parse(body, True)
    except DefusedXmlException as error:
        raise PayloadError("dtd_forbidden", f"the XML holds a {type(error).__name__}") from error
    except (ExpatError, ValueError, LookupError) as error:
        raise PayloadError("xml_invalid", f"not well-formed XML: {error}") from error
    finally:
        reader.release()
    return Rows(reader.rows, reader.beside)


class _Reader:
    """The handlers of the parser. Texts are only handed over inside an element that is read."""

    def __init__(self, names: RowNames) -> None:
        self.rows: list[dict[str, str]] = []
        self.beside: dict[str, str] = {}
        self._names = names
        self._depth = 0
        self._row: dict[str, str] | None = None
        self._texts: list[str] = []
        self._reading = 0
        """The depth of the element that is read; 0 for none."""
        self.parser = guarded_parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def release(self) -> None:
        """Undo the circle of parser and handlers: only the garbage collector would, some time."""
        self.parser.StartElementHandler = self.parser.EndElementHandler = None
        self.parser.CharacterDataHandler = None

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._depth = depth = self._depth + 1
        if depth > ROW_DEPTH + 1:
            return
        if depth == ROW_DEPTH + 1:
            if self._row is not None and name in self._names.of_row:
                self._read(depth)
        elif depth == ROW_DEPTH:
            if name == self._names.row:
                self._row = {}
                self.rows.append(self._row)
            elif name in self._names.beside:
                self._read(depth)
        elif name != self._names.root:
            raise PayloadError(
                "no_known_envelope", f"a list of another kind than {self._names.root}"
            )

    def _read(self, depth: int) -> None:
        self._reading = depth
        self._texts.clear()
        self.parser.CharacterDataHandler = self._texts.append

    def _end(self, name: str) -> None:
        depth = self._depth
        self._depth = depth - 1
        if depth == self._reading:
            self._reading = 0
            self.parser.CharacterDataHandler = None
            into = self.beside if self._row is None else self._row
            into[name] = "".join(self._texts)
        if depth == ROW_DEPTH:
            self._row = None
