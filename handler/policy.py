"""What follows from the end of a job: a retry, an alert, both or nothing; and when.

There is no official list of the codes of failed jobs. CI's lists are of request errors
(pages "错误码" of media processing and of the API reference), and codes of COS pass
through. So a code that is not in the table gets a bounded retry, and then an alert.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.settings import Settings

Reaction: TypeAlias = Literal["retry", "alert", "both", "nothing"]

UNKNOWN_CODE: Reaction = "retry"
"""What is done for a code that nothing is known of; attempts are bounded."""

# Whether a code is worth a retry is inferred from its meaning; no page says so of jobs.
_PASSING = "may pass: the page says to try again, or a limit of the moment was met"
_SETUP = "a person must change something in the account, the bucket or the queue first"
_REQUEST = "the request or the file itself is wrong: the same again fails the same way"

CODES: Mapping[str, tuple[Reaction, str]] = {
    # 500, 1007
    "InternalError": ("retry", _PASSING),
    # 503; its text says to try again
    "ServiceUnavailable": ("retry", _PASSING),
    # 429, 1020: too many requests
    "SlowDown": ("retry", _PASSING),
    # 403: the queue is full
    "QueueSaturated": ("retry", _PASSING),
    # 400: the input could not be fetched, for now or for ever
    "ResourceDownloadFailed": ("retry", _PASSING),
    "TemporaryRedirect": ("retry", _PASSING),
    # COS's own, passed through (COS error codes: 400, may be tried again)
    "RequestTimeout": ("retry", _PASSING),
    "KmsFreqControl": ("retry", _PASSING),
    # persistent picture processing: too frequent
    "-60949": ("retry", _PASSING),
    "QueuePaused": ("alert", _SETUP),
    # 1014
    "SignatureExpired": ("alert", _SETUP),
    "UnavailableForLegalReasons": ("alert", _SETUP),
    # 1111
    "MediaBucketUnBinded": ("alert", _SETUP),
    "CIRoleNotExist": ("alert", _SETUP),
    # 1018
    "AccessDenied": ("alert", _SETUP),
    "ResourceAccessDenied": ("alert", _SETUP),
    # 1124
    "WriteTargetBucketDenied": ("alert", _SETUP),
    # 1019
    "SecretidNotExist": ("alert", _SETUP),
    # 1106
    "QueueNotFound": ("alert", _SETUP),
    # 1107
    "TemplateNotFound": ("alert", _SETUP),
    # 1015
    "InvalidArgument": ("alert", _REQUEST),
    # 1016
    "MissingContent": ("alert", _REQUEST),
    # 1011
    "InvalidContent": ("alert", _REQUEST),
    # 1017
    "InvalidHost": ("alert", _REQUEST),
    # 1010
    "InvalidUrl": ("alert", _REQUEST),
    # 1103
    "ResourceNotFound": ("alert", _REQUEST),
    # "the file has a fault or is not supported"
    "ResourceNotSupported": ("alert", _REQUEST),
    "NotImplemented": ("alert", _REQUEST),
    # 1021
    "InvalidContentType": ("alert", _REQUEST),
    # document preview: encrypted, empty, unsupported, no such page, over 100 MB
    "-3006": ("alert", _REQUEST),
    "-3008": ("alert", _REQUEST),
    "-3011": ("alert", _REQUEST),
    "-3015": ("alert", _REQUEST),
    "-3075": ("alert", _REQUEST),
}


@dataclass(frozen=True)
class Policy:
    """The settings that decide. Times are in seconds."""

    max_attempts: int
    base_s: int
    cap_s: int
    retry_codes: frozenset[str] | None = None
    alert_codes: frozenset[str] | None = None
    workflow_retry: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        """The policy that the settings describe."""
        return cls(
            settings.retry_max_attempts,
            settings.retry_base_s,
            settings.retry_cap_s,
            settings.retry_codes,
            settings.alert_codes,
            settings.workflow_retry == "trigger",
        )

    def reaction(self, code: str) -> Reaction:
        """What is done for a failure with this code: by the settings, else by the table."""
        retried = code in (self.retry_codes or ())
        alerted = code in (self.alert_codes or ())
        if retried or alerted:
            return "both" if retried and alerted else "retry" if retried else "alert"
        return CODES.get(code, (UNKNOWN_CODE, ""))[0]

    def actions(self, record: JobRecord) -> tuple[str, ...]:
        """The tickets that a record calls for, each by its action; none where all is well."""
        attempt = record.lineage.attempt
        if record.outcome == "partial":
            return ("alert.partial",)
        if record.kind != "job":
            # A run's jobs have callbacks of their own, where the queue sends them; whoever has
            # only the workflow's must hear of its failure too. A review can't be submitted again.
            return ("alert.failed",) if record.outcome == "failed" else ()
        if record.outcome == "succeeded":
            return ("alert.recovered",) if attempt > 1 else ()
        if record.outcome != "failed":
            return ()
        reaction = self.reaction(record.code)
        wants_retry = reaction in ("retry", "both")
        if record.workflow is not None and not self.workflow_retry:
            # Alone it would lose the nodes behind it, and nobody asked for the whole again.
            wants_retry = False
        if wants_retry and attempt >= self.max_attempts:
            return ("alert.gave-up",)
        actions = ("retry",) if wants_retry else ("alert.failed",)
        return (*actions, "alert.failed") if wants_retry and reaction == "both" else actions

    def backoff_s(self, lineage: Lineage) -> int:
        """Seconds from the end of an attempt to the next: exponential, with full jitter.

        The jitter is a hash of root and attempt, so a redelivery finds the same time.
        """
        longest = min(self.cap_s, self.base_s * 2 ** min(lineage.attempt - 1, 30))
        seed = f"{lineage.root_job_id}:{lineage.attempt}".encode("utf-8", "surrogatepass")
        share = int.from_bytes(hashlib.sha256(seed).digest()[:4], "big") / 2**32
        return int(longest * share)

    def due(self, record: JobRecord) -> int:
        """When a record's job may be tried again, in epoch seconds; a function of it alone.

        Counted from its end, else from its creation. A time before 2015 or after 2100 is
        not believed and reads as 0: such a ticket is due at once, not never.
        """
        told = record.ended_at or record.created_at
        if told is None or not "2015" <= told[:4] <= "2100":
            return self.backoff_s(record.lineage)
        return int(
            datetime.fromisoformat(told.replace("Z", "+00:00")).timestamp()
        ) + self.backoff_s(record.lineage)
