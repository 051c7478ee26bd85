"""A body as a person reads it: indented, without secrets, and never longer than a page."""

from __future__ import annotations

import json
from xml.etree import ElementTree  # only to write what defusedxml has read

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from handler.redaction.text import redact, text_of

MAX_CHARS = 200_000
"""What is shown of one text. Longer ones are cut; the body itself stays whole."""


def shown(body: bytes) -> str:
    """A callback's body, or whatever came in its place. Raises nothing."""
    text = text_of(body)
    if len(text) > MAX_CHARS:
        return f"{redact(text[:MAX_CHARS])}\n…"
    return redact(_writable(_indented(text)))


def pretty(value: object) -> str:
    """JSON for people."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def _writable(text: str) -> str:
    """Lone surrogates, which JSON can name and UTF-8 can't hold, as the escapes that they were."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _indented(text: str) -> str:
    """Indented JSON or XML; the text itself where it is neither, or nested deeper than the
    writers go."""
    try:
        return pretty(json.loads(text))
    except (ValueError, RecursionError):
        pass
    try:
        root = fromstring(text.encode("utf-8"), forbid_dtd=True)
        ElementTree.indent(root)
        return ElementTree.tostring(root, "unicode")
    except (ParseError, ValueError, RecursionError, LookupError, DefusedXmlException):
        return text  # LookupError: its declaration names an encoding that does not exist
