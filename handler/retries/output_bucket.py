"""Where a job would write that CI never confirmed: VERIFY_CALLBACKS=never. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from handler.callback.record import JobRecord
from handler.callback.tree import Tree
from handler.settings import Settings

_ENDINGS = ("bucket", "bucketid", "bucketname")
"""Of the names of nodes that hold a bucket, in lower case."""


def foreign_output_bucket(
    record: JobRecord, detail: dict[str, Tree], settings: Settings
) -> str | None:
    """The first bucket that a request would write to although nothing allows it; None if all are
    allowed, or if CI confirms each failure.

    Allowed are the input's bucket, CI_BUCKET (else the ledger's) and ALLOWED_BUCKETS. Without
    the confirmation anybody with a token can have any bucket written to that CI may write to.
    """
    if settings.confirms_before_retrying:
        return None
    own = {record.job_input.bucket, settings.ci_bucket or settings.ledger_url.bucket}
    allowed = own | (settings.allowed_buckets or set())
    for bucket in _buckets(detail.get("Operation")):
        if bucket not in allowed and bucket.rpartition("-")[2] not in allowed:
            return bucket
    return None


def _buckets(at: Tree, is_bucket: bool = False) -> Iterator[str]:
    """Each text in Bucket, TargetBucket, BucketId and so on below a node, at any depth. A node that
    was sent twice is a list, and each of its texts would be sent again.

    is_bucket: whether the node itself has such a name.
    """
    if isinstance(at, list):
        for item in at:
            yield from _buckets(item, is_bucket)
    elif isinstance(at, dict):
        for name, value in at.items():
            yield from _buckets(value, is_bucket or name.lower().endswith(_ENDINGS))
    elif is_bucket and isinstance(at, str) and at:
        yield at
