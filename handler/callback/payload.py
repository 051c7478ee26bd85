"""Bytes to a plain tree: XML or JSON, decided by the first byte, never by Content-Type.

A tree is made of dict, list and str only (None for a JSON null): a leaf is the text
that was sent, so `0`, `"0"` and `<JobLevel>0</JobLevel>` are the same leaf, "0".
The limits hold before and while parsing, and every walk is iterative, so no body can
cost more than a fixed multiple of its own length.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from handler.callback.limits import Limits as Limits
from handler.errors import PayloadError

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree] | None"
Format: TypeAlias = Literal["xml", "json"]

_UTF8_BOM = b"\xef\xbb\xbf"
_BLANKS = b" \t\r\n"


def parse(body: bytes, limits: Limits) -> tuple[Tree, Format]:
    """Read a callback's body.

    The root of an XML body is the dict {root tag: content}; a JSON body is itself.

    Raises:
        PayloadError: the body is neither XML nor JSON, is malformed, or goes over a limit.
    """
    if len(body) > limits.max_bytes:
        raise PayloadError("too_long", f"{len(body)} bytes, at most {limits.max_bytes} are read")
    body = body.removeprefix(_UTF8_BOM).strip(_BLANKS)
    # Each parser is imported where a body needs it: a cold start pays for one of them.
    if body[:1] == b"<":
        from handler.callback import xml_body

        return xml_body.parse(body, limits), "xml"
    if body[:1] in (b"{", b"["):
        from handler.callback import json_body

        return json_body.parse(body, limits), "json"
    raise PayloadError("not_xml_or_json", "the first byte is neither '<' nor '{' nor '['")
