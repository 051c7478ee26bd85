"""A body as bytes, in whatever form the platform passes it on."""

from __future__ import annotations

import json
from typing import Any


def as_bytes(body: Any) -> bytes:
    """Text in UTF-8; JSON of a body that the platform has decoded; nothing for None.

    A lone surrogate in a text becomes its three bytes, which are not valid UTF-8: the parser
    refuses them, and the dead letter holds them.
    """
    if body is None:
        return b""
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else as_json(body)


def as_json(value: Any) -> bytes:
    """JSON of a decoded value, however deep it is nested."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        text = _written_flat(value)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate: JSON has an escape for it, UTF-8 has not
        return json.dumps(value, default=str).encode("ascii")


class _Written(str):
    """A piece of JSON that is written as it is."""

    __slots__ = ()


def _written_flat(value: Any) -> str:
    """What json.dumps writes, in ASCII and without recursion."""
    written: list[str] = []
    pending: list[Any] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, _Written):
            written.append(item)
        elif isinstance(item, (dict, list)):
            pending.extend(reversed(_pieces(item)))
        else:
            written.append(json.dumps(item, default=str))
    return "".join(written)


def _pieces(container: dict[Any, Any] | list[Any]) -> list[Any]:
    """The pieces of an object or array in their order: text to write, and values."""
    if isinstance(container, list):
        rows: list[list[Any]] = [[item] for item in container]
        begin, end = "[", "]"
    else:
        rows = [[_Written(json.dumps(str(name)) + ": "), item] for name, item in container.items()]
        begin, end = "{", "}"
    pieces: list[Any] = [_Written(begin)]
    for number, row in enumerate(rows):
        pieces += [_Written(", "), *row] if number else row
    return [*pieces, _Written(end)]
