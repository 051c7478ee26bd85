"""An HTTP event as it may be shown: without tokens and the like in its query and headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from ci_callback.devserver.history import Request

REDACTED = "[redacted]"

_SECRET_WORDS = ("authorization", "cookie", "token", "secret", "signature", "password")
"""Parts of the names of headers and of query parameters whose values are never shown."""


def shown(event: Mapping[str, Any], body: bytes, safe: Callable[[str], str]) -> Request:
    """body: as it came. safe: takes known secrets out of a text."""

    def value(name: str, text: str) -> str:
        is_secret = any(word in name.lower() for word in _SECRET_WORDS)
        return REDACTED if is_secret else safe(text)

    query = {name: value(name, text) for name, text in event["queryString"].items()}
    headers = {name: value(name, text) for name, text in event["headers"].items()}
    return Request(
        event["httpMethod"],
        event["path"],
        urlencode(query, safe="[]"),
        tuple(sorted(headers.items())),
        body,
    )
