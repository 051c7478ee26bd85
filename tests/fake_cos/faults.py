"""What can go wrong with a request to COS, and the codes that COS documents."""

from __future__ import annotations

from dataclasses import dataclass

TRANSIENT_ERRORS = (
    (400, "RequestTimeout"),
    (400, "RequestTimeOut"),
    (400, "UserNetworkTooSlow"),
    (409, "PathConflict"),
    (409, "UploadConflict"),
    (500, "InternalError"),
    (503, "ServiceUnavailable"),
    (503, "SlowDown"),
    (503, "KmsFreqControl"),
)
"""Status and code of errors that a later try can change (COS's page of error codes, 436/7730)."""

LASTING_ERRORS = (
    (400, "BadDigest"),
    (400, "EntityTooLarge"),
    (400, "ExpiredToken"),
    (400, "InvalidArgument"),
    (400, "InvalidBucketName"),
    (400, "InvalidRequest"),
    (400, "InvalidURI"),
    (400, "KeyTooLong"),
    (403, "AccessDenied"),
    (403, "InvalidAccessKeyId"),
    (403, "InvalidObjectState"),
    (403, "RequestTimeTooSkewed"),
    (403, "SignatureDoesNotMatch"),
    (404, "NoSuchBucket"),
    (405, "MethodNotAllowed"),
    (409, "BucketLocked"),
    (409, "InvalidBucketState"),
    (409, "InvalidObjectState"),
    (409, "ObjectLocked"),
    (409, "QuotaConflict"),
    (409, "QuotaOperationConflict"),
    (411, "MissingContentLength"),
    (412, "PreconditionFailed"),
)
"""Those of the same page that an object's request can meet, and that stay."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a request. Times are in seconds; those of `delay_s` and `drip_s` pass on
    the wall, that of `lands_after_s` by FakeCos.clock.

    The request is carried out unless one of before, reset_before, silent_before, redirect and
    lands_after_s is given.

    before: the answer, (status, code), given in place of doing it.
    after: it is done, and then the answer is this.
    reset_before, reset_after: the connection is reset in place of an answer.
    silent_before, silent_after: nothing is ever answered, and the connection stays open.
    redirect: the answer, (status, location), given in place of doing it.
    lands_after_s: a write is done so much later, though its answer says otherwise: `before`,
        `redirect` or silence where one of them is given, else a reset. It lands when the first
        request or look of a test comes after its time.
    delay_s: how long it takes until anything is done.
    drip_s: before each byte of the answer.
    cut_answer: the answer ends a hundred bytes early.
    body: what the answer's body is replaced by.
    """

    before: tuple[int, str] | None = None
    after: tuple[int, str] | None = None
    reset_before: bool = False
    reset_after: bool = False
    delay_s: float = 0.0
    cut_answer: bool = False
    body: bytes | None = None
    silent_before: bool = False
    silent_after: bool = False
    redirect: tuple[int, str] | None = None
    lands_after_s: float | None = None
    drip_s: float = 0.0
