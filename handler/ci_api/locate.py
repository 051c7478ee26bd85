"""Which CI a job is asked of: the one of its input's bucket, else of the settings."""

from __future__ import annotations

from collections.abc import Callable

from handler.callback.record import JobRecord
from handler.ci_api.client import Ci
from handler.errors import HandlerError
from handler.http_client import Http
from handler.ledger.bucket import is_bucket_name, is_region_name
from handler.settings import Settings


class CiUnreachableError(HandlerError):
    """CI can't be asked at all: nothing names its bucket or its credentials."""

    retryable = True


def ci_of(
    settings: Settings,
    http: Http,
    sleep: Callable[[float], None],
    bucket: str = "",
    region: str = "",
) -> Ci:
    """CI for a bucket; "" stands for CI_BUCKET, else the ledger's, and for COS_REGION.

    Raises:
        CiUnreachableError
    """
    bucket = bucket or settings.ci_bucket or settings.ledger_url.bucket
    region = region or settings.region or ""
    # Both become a part of a host name: what a callback said is looked at once more.
    if not is_bucket_name(bucket) or not is_region_name(region):
        raise CiUnreachableError("no bucket and region to ask CI for; set CI_BUCKET and COS_REGION")
    if settings.credentials is None:
        raise CiUnreachableError("no credentials to ask CI with")
    return Ci(http, settings.credentials, bucket, region, settings.cos_endpoint, sleep)


def place_of(record: JobRecord) -> tuple[str, str]:
    """Bucket and region of a job's input; "" where the callback does not name them."""
    sent = record.job_input
    return sent.bucket, sent.region
