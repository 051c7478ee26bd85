"""Requests to a bucket as a whole: the answer to GET Bucket (List Objects, 436/7734), with the
nodes that the SDK reads, and what DELETE Multiple Objects (436/8289) asks for."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote
from xml.sax.saxutils import escape

from handler.callback import payload, tree
from handler.errors import PayloadError

MAX_DELETED = 1000
"""Keys that one request may delete."""


def keys_to_delete(body: bytes) -> list[str]:
    """The keys that a DELETE Multiple Objects names.

    Raises:
        PayloadError: the body is not such a request.
    """
    named = tree.get_all(payload.parse(body, payload.Limits())[0], "Delete.Object")
    keys = [tree.text(entry, "Key") or "" for entry in named if isinstance(entry, dict)]
    if not 0 < len(keys) <= MAX_DELETED:
        raise PayloadError("not_a_deletion", f"it names {len(keys)} keys")
    return keys


def listing(keys: list[str], bucket: str, query: Mapping[str, str]) -> bytes:
    """The answer to a listing of these keys, which are in order."""
    prefix, marker, delimiter = (query.get(name, "") for name in ("prefix", "marker", "delimiter"))
    limit = min(int(query.get("max-keys") or 1000), 1000)
    entries: list[tuple[str, bool]] = []
    for key in keys:
        if not key.startswith(prefix):
            continue
        head, separator, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        entry = (prefix + head + delimiter, True) if separator else (key, False)
        if entry[0] > marker and entry not in entries[-1:]:
            entries.append(entry)
    shown = entries[:limit]
    is_truncated = len(entries) > limit
    encode = quote if query.get("encoding-type") == "url" else escape
    contents = "".join(
        f"<Contents><Key>{encode(key)}</Key><LastModified>2026-09-20T08:01:06.000Z</LastModified>"
        "<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>0</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
        for key, is_folder in shown
        if not is_folder
    )
    contents += "".join(
        f"<CommonPrefixes><Prefix>{encode(key)}</Prefix></CommonPrefixes>"
        for key, is_folder in shown
        if is_folder
    )
    following = f"<NextMarker>{encode(shown[-1][0])}</NextMarker>" if is_truncated else ""
    return (
        "<?xml version='1.0' encoding='utf-8' ?><ListBucketResult>"
        f"<Name>{bucket}</Name><Prefix>{encode(prefix)}</Prefix><Marker>{encode(marker)}</Marker>"
        f"<MaxKeys>{limit}</MaxKeys>{following}<IsTruncated>{str(is_truncated).lower()}"
        f"</IsTruncated>{contents}</ListBucketResult>"
    ).encode()
