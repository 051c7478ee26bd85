"""One address of FORWARD_URLS: `https://host/path#secret=whsec_…&types=job.*&tags=Transcode`."""

from __future__ import annotations

import base64
import hashlib
from fnmatch import fnmatchcase
from urllib.parse import unquote, urlsplit

from handler.redaction.addresses import url_secrets
from handler.settings.readers import Destination, names

TYPES = (
    "job.succeeded",
    "job.partial",
    "job.retrying",
    "job.recovered",
    "job.failed",
    "job.cancelled",
    "workflow.finished",
    "review.finished",
    "job.missing_callback",
)
"""The types of events, as docs/events.md has them."""

_KEY_BYTES = range(24, 65)
"""Of a secret, as Standard Webhooks demands."""

_PREFIX = "whsec_"


def read_destination(text: str) -> Destination:
    """Read one address.

    Raises:
        ValueError: it is not one; what is wrong is not said, since the text holds a secret.
    """
    url, _, fragment = text.partition("#")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError
    pairs = [pair.partition("=") for pair in fragment.split("&") if pair]
    given = {name: unquote(value) for name, _, value in pairs}
    if len(given) != len(pairs) or not given.keys() <= {"secret", "types", "tags"}:
        raise ValueError
    secret = given.get("secret", "")
    return Destination(
        hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()[:16],
        parts.hostname,
        url,
        _key(secret),
        _types(given.get("types", "*")),
        names(given["tags"]) if "tags" in given else None,
        (*url_secrets(url), secret, secret.removeprefix(_PREFIX)),
    )


def _key(secret: str) -> str:
    if not secret.startswith(_PREFIX):
        raise ValueError
    key = secret.removeprefix(_PREFIX)
    if len(base64.b64decode(key, validate=True)) not in _KEY_BYTES:
        raise ValueError
    return key


def _types(text: str) -> tuple[str, ...]:
    """Patterns, of which each matches a type."""
    patterns = tuple(pattern.strip() for pattern in text.split(","))
    for pattern in patterns:
        if not any(fnmatchcase(known, pattern) for known in TYPES):
            raise ValueError
    return patterns
