"""XML in and out as CI writes it: nothing here is the handler's own reader or writer."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from defusedxml.ElementTree import fromstring

PROLOG = '<?xml version="1.0" encoding="utf-8"?>\n'
_CHINA = timezone(timedelta(hours=8))


def to_xml(tree: dict[str, Any]) -> str:
    """A tree of dict, list and str as elements; a list repeats its element, "" is <Name/>."""
    parts = []
    for name, value in tree.items():
        for item in value if isinstance(value, list) else [value]:
            inner = to_xml(item) if isinstance(item, dict) else escape(item)
            parts.append(f"<{name}>{inner}</{name}>" if inner else f"<{name}/>")
    return "".join(parts)


def from_xml(body: bytes) -> dict[str, Any]:
    """The nodes below the root.

    Raises:
        ElementTree.ParseError: the body is no XML.
    """
    tree = _tree(fromstring(body))
    return tree if isinstance(tree, dict) else {}


def to_json(tree: dict[str, Any]) -> bytes:
    """As CI turns its XML into JSON: texts stay texts, what is empty is left out, and a list of
    one is no list, but for JobsDetail, which is one in most samples."""
    plain = _without_blanks(tree)
    if "JobsDetail" in plain:
        plain["JobsDetail"] = [plain["JobsDetail"]]
    return json.dumps(plain, ensure_ascii=False).encode("utf-8")


def china_time(epoch_s: float | None) -> str:
    """2022-07-25T16:35:39+0800, or "-" for what has not been yet."""
    if epoch_s is None:
        return "-"
    return datetime.fromtimestamp(int(epoch_s), _CHINA).strftime("%Y-%m-%dT%H:%M:%S%z")


def epoch(text: str) -> float:
    """The same back.

    Raises:
        ValueError: it is another form than CI's documents have.
    """
    if not text.endswith("+0800"):
        raise ValueError
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()


def _tree(element: ElementTree.Element) -> Any:
    children: dict[str, Any] = {}
    for child in element:
        value = _tree(child)
        if child.tag not in children:
            children[child.tag] = value
        elif isinstance(children[child.tag], list):
            children[child.tag].append(value)
        else:
            children[child.tag] = [children[child.tag], value]
    return children or element.text or ""


def _without_blanks(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: _without_blanks(child) for name, child in value.items()}
        return {name: child for name, child in kept.items() if child not in ("", {}, [])}
    if isinstance(value, list):
        several = [_without_blanks(item) for item in value]
        return several[0] if len(several) == 1 else several
    return value
