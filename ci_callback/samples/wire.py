"""A tree of texts as CI writes it: XML, or JSON that was made out of that XML.

In the 25 samples of JSON in the documents nearly every value is a text; empty values are left out,
and a list of one is written as its only element. JobsDetail is a list in 18 of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from handler.callback import tree
from handler.callback.tree import Tree
from handler.ci_api.signing import to_xml

PROLOG = b'<?xml version="1.0" encoding="utf-8"?>\n'
"""Stands before the only callback whose bytes were published (1545/65203)."""

_CHINA = timezone(timedelta(hours=8))


def as_xml(node: dict[str, Tree]) -> bytes:
    """<Response> around the tree.

    Raises:
        NotWritableError: no XML can hold it.
    """
    return PROLOG + to_xml({"Response": node})


def as_json(node: dict[str, Tree], is_number: Callable[[str, str], bool]) -> bytes:
    """is_number: whether the text under a name goes as a number."""
    return json.dumps(_plain(node, "", is_number), ensure_ascii=False).encode("utf-8")


def china_time(epoch_s: float, between: str = "T") -> str:
    """2022-07-25T16:35:39+0800; a run of a workflow has a space for the T."""
    at = datetime.fromtimestamp(int(epoch_s), _CHINA)
    return at.strftime(f"%Y-%m-%d{between}%H:%M:%S%z")


def _plain(value: Tree, name: str, is_number: Callable[[str, str], bool]) -> Any:
    if isinstance(value, dict):
        plain = {key: _plain(child, key, is_number) for key, child in value.items()}
        return {key: child for key, child in plain.items() if not tree.is_blank(value[key])}
    if isinstance(value, list):
        several = [_plain(item, name, is_number) for item in value]
        return several[0] if len(several) == 1 and name != "JobsDetail" else several
    return int(value) if value is not None and is_number(name, value) else value
