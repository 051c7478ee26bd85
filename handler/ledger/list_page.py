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

_LIMITS = Limits(max_bytes=8 * 1024 * 1024, max_nodes=100_000)
"""1,000 keys of 850 bytes, percent-encoded, and what is said of each."""


class Page(NamedTuple):
    """The keys in their order. next_marker: what the next page begins behind; None at the end."""

    keys: list[str]
    next_marker: str | None


def read_page(body: bytes) -> Page:
    """Read an answer to a listing that was asked for with encoding-type=url.

    Raises:
        PayloadError: it is not one.
        KeyError: a row has no key.
    """
    rows, beside = read_rows(body, _NAMES, _LIMITS)
    listed = [unquote(row["Key"]) for row in rows]
    if beside.get("IsTruncated") != "true" or not listed:
        return Page(listed, None)
    # The last key where COS gives none: so it is without a delimiter.
    return Page(listed, unquote(beside.get("NextMarker", "")) or listed[-1])
