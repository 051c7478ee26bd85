"""A body as a person reads it: indented, without secrets, and never longer than a page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree  # only to write what defusedxml has read
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from handler.callback import payload
from handler.callback.redaction import REDACTED, redact
from handler.errors import PayloadError

MAX_CHARS = 200_000
"""What is shown of one text. Longer ones are cut; the body itself stays whole."""


def shown(body: bytes) -> str:
    """A callback's body, or whatever came in its place. Raises nothing."""
    text = body.decode("utf-8", "backslashreplace")
    if len(text) > MAX_CHARS:
        return f"{_redacted(text, body)[:MAX_CHARS]}\n…"
    return _redacted(_writable(_indented(text)), body)


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


def _redacted(text: str, body: bytes) -> str:
    """Without what a record would not keep either."""
    try:
        tree, _ = payload.parse(body, payload.Limits())
    except PayloadError:
        return text
    for secret in sorted(set(_secrets(tree, _clean(tree))), key=len, reverse=True):
        for form in {secret, escape(secret), json.dumps(secret)[1:-1]}:
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", REDACTED, text)
    return text


def _clean(tree: payload.Tree) -> payload.Tree:
    """The tree without secrets; their paths begin below JobsDetail."""
    if isinstance(tree, list):
        return [_clean(one) for one in tree]
    if not isinstance(tree, dict):
        return tree
    return {
        name: redact(value) if name in ("JobsDetail", "WorkflowExecution") else _clean(value)
        for name, value in redact(tree).items()  # type: ignore[union-attr]  # of a dict
    }


def _secrets(tree: payload.Tree, clean: payload.Tree) -> Iterator[str]:
    """The leaves that were taken out, wherever they stood."""
    if clean == REDACTED and tree != REDACTED:
        yield from _leaves(tree)
    elif isinstance(tree, dict) and isinstance(clean, dict):
        for key, value in tree.items():
            yield from _secrets(value, clean[key])
    elif isinstance(tree, list) and isinstance(clean, list):
        for one, other in zip(tree, clean, strict=True):
            yield from _secrets(one, other)


def _leaves(tree: payload.Tree) -> Iterator[str]:
    if isinstance(tree, dict):
        for value in tree.values():
            yield from _leaves(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _leaves(value)
    elif tree:
        yield tree
