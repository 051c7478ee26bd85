"""Which CI a job is asked of: the one of its input's bucket, else of the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from handler.callback.record import JobRecord
from handler.ci_api.client import TIMEOUT_S, Ci, CiAddress
from handler.errors import HandlerError
from handler.http_client import Http
from handler.ledger.bucket import is_bucket_name, is_region_name
from handler.settings import Settings


class CiUnreachableError(HandlerError):
    """CI can't be asked at all: nothing names its bucket or its credentials."""

    retryable = True


@dataclass(frozen=True)
class CiLocator:
    """Finds the CI of a bucket. timeout_s: of each request to it, in seconds."""

    settings: Settings
    http: Http
    sleep: Callable[[float], None]
    timeout_s: float = TIMEOUT_S

    def of(self, record: JobRecord) -> Ci:
        """CI for the bucket in which a job ran: the input's, else that of the settings.

        Raises:
            CiUnreachableError
        """
        return self.of_bucket(record.job_input.bucket, record.job_input.region)

    def of_bucket(self, bucket: str = "", region: str = "") -> Ci:
        """CI for a bucket; "" means CI_BUCKET, else the ledger's bucket, and COS_REGION.

        Raises:
            CiUnreachableError
        """
        settings = self.settings
        bucket = bucket or settings.ci_bucket or settings.ledger_url.bucket
        region = region or settings.region or ""
        # Both become a part of a host name, so what a callback said is checked here again.
        if not is_bucket_name(bucket) or not is_region_name(region):
            raise CiUnreachableError(
                "no bucket and region to ask CI for; set CI_BUCKET and COS_REGION"
            )
        if settings.credentials is None:
            raise CiUnreachableError("no credentials to ask CI with")
        address = CiAddress(bucket, region, settings.cos_endpoint)
        return Ci(self.http, settings.credentials, address, self.sleep, self.timeout_s)
