"""The bodies that went into the log because the store was away, put together again. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

EVENT = "callback_not_kept"
"""The event of log.Log.last_resort's lines."""


@dataclass
class Found:
    """What a log holds. bodies: each once, in the order of their first line; missing: SHA-256 of
    those of which a part is not there or was changed."""

    bodies: list[bytes] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def bodies(lines: Iterable[str]) -> Found:
    """Read log lines, whatever else stands among or before them (a log service's own prefix)."""
    parts: dict[str, dict[int, str]] = {}
    counts: dict[str, int] = {}
    for line in lines:
        values = _object(line)
        if values is None or values.get("event") != EVENT:
            continue
        digest, part, count = values.get("sha256"), values.get("part"), values.get("parts")
        text = values.get("body_base64")
        if not isinstance(digest, str) or not isinstance(text, str):
            continue
        if isinstance(part, int) and isinstance(count, int):
            parts.setdefault(digest, {})[part] = text
            counts[digest] = count
    found = Found()
    for digest, texts in parts.items():
        body = _joined(texts, counts[digest])
        if body is not None and hashlib.sha256(body).hexdigest() == digest:
            found.bodies.append(body)
        else:
            found.missing.append(digest)
    return found


def _object(line: str) -> dict[str, Any] | None:
    start = line.find("{")
    try:
        values = json.loads(line[start:]) if start >= 0 else None
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


def _joined(texts: dict[int, str], count: int) -> bytes | None:
    if sorted(texts) != list(range(1, count + 1)):
        return None
    try:
        return base64.b64decode("".join(texts[n] for n in range(1, count + 1)), validate=True)
    except binascii.Error:
        return None
