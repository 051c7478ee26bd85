"""Writes one tree as XML and as JSON, the way CI does: twins that must give one record."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

_REFERENCES = {chr(code): f"&#{code};" for code in range(0x20) if code not in (9, 10)}


def as_xml(tree: dict[str, Any]) -> bytes:
    """<Response>…</Response>; a list repeats its element."""
    return f"<Response>{_elements(tree)}</Response>".encode()


def as_json(tree: dict[str, Any]) -> bytes:
    """The same tree without the root; a list of one stays a list."""
    return json.dumps(tree, ensure_ascii=False).encode()


def _elements(tree: dict[str, Any]) -> str:
    return "".join(
        f"<{name}>{_content(item)}</{name}>"
        for name, value in tree.items()
        for item in (value if isinstance(value, list) else [value])
    )


def _content(value: Any) -> str:
    if isinstance(value, dict):
        return _elements(value)
    # XML turns a bare carriage return into a line feed, and forbids other control characters: CI
    # writes references to them.
    return escape(
        str(value), {chr(code): f"&#{code};" for code in range(0x20) if code not in (9, 10)}
    )
