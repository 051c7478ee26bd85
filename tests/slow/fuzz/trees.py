"""Trees as XML takes them."""

from __future__ import annotations

import re
from typing import Any

_NO_XML_NAME = re.compile(r"[^\w.-]|^[\d.-]|^$", re.ASCII)
_NO_XML_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def for_xml(node: Any) -> Any:
    """The same tree with names and texts that XML takes."""
    if isinstance(node, dict):
        return {_NO_XML_NAME.sub("_", name) or "_": for_xml(value) for name, value in node.items()}
    if isinstance(node, list):
        # An element is never a list: lists in lists become one.
        return [for_xml(value) for value in node if not isinstance(value, list)]
    return _NO_XML_TEXT.sub("?", node or "")
