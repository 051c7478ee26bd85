"""One page of a listing of COS (GET Bucket, 436/7734)."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

from handler.callback.limits import Limits
from handler.callback.xml_rows import RowNames, read_rows

_NAMES = RowNames(
    root="ListBucketResult",
    row="Contents",
    of_row=frozenset({"Key"}),
    beside=frozenset({"IsTruncated", "NextMarker"}),
)

_DATED = _NAMES._replace(of_row=frozenset({"Key", "LastModified"}))

_LIMITS = Limits(max_bytes=8 * 1024 * 1024, max_nodes=100_000)
"""1,000 keys of 850 bytes, percent-encoded, and what is said of each."""


class Page(NamedTuple):
    """The keys in their order. next_marker: the key before the next page; None at the end.
    modified: when each was written, RFC 3339 in UTC, as COS says it; empty if it is not asked."""

    keys: list[str]
    next_marker: str | None
    modified: list[str]


def read_page(body: bytes, dated: bool = False) -> Page:
    """Read an answer to a listing that was asked for with encoding-type=url.

    dated: whether to read when each key was written, which takes a quarter longer.

    Raises:
        PayloadError: it is not one.
        KeyError: a row has no key.
    """
    rows, beside = read_rows(body, _DATED if dated else _NAMES, _LIMITS)
    modified = [row["LastModified"] for row in rows] if dated else []
    listed = [unquote(row["Key"]) for row in rows]
    if beside.get("IsTruncated") != "true" or not listed:
        return Page(listed, None, modified)
    # The last key where COS gives none: so it is without a delimiter.
    return Page(listed, unquote(beside.get("NextMarker", "")) or listed[-1], modified)
