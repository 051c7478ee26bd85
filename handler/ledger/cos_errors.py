"""Errors of the COS SDK as a StoreError, which says what failed and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from handler.errors import NoAnswerError, Stage, StoreError
from handler.ledger.transport import NotFromCosError, is_redirect

if TYPE_CHECKING:
    from typing import Protocol

    class CosError(Protocol):
        """The part of the SDK's CosServiceError that is used; the class has no types."""

        def get_status_code(self) -> int: ...

        def get_digest_msg(self) -> object: ...

        def get_origin_msg(self) -> object: ...


EXISTS = "FileAlreadyExists"
"""The one code of a 409 that answers x-cos-forbid-overwrite (PUT Object, 436/7749)."""

TRANSIENT_CODES = frozenset(
    {"PathConflict", "UploadConflict", "RequestTimeout", "RequestTimeOut", "UserNetworkTooSlow"}
)
"""Codes of a 4xx that a later try can change (436/7730): two writes of one name within
milliseconds, frequent writes of one name, a request that COS read too slowly. The page has
RequestTimeout in both spellings, older and newer."""

PASSING_CODES = frozenset({"InternalError", "ServiceUnavailable", "SlowDown", *TRANSIENT_CODES})
"""Codes of one key of a deletion of several, whose answer has the status 200 all the same."""

NOT_ALLOWED = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED})
"""Statuses of a request that this role, or a stand-in for COS, does not have."""

TEMPORARY_REDIRECT = 307
"""COS gives one while the name of a new bucket is not known everywhere (436/7730)."""

ADVICE: Mapping[Stage, str] = {
    "address": "; check LEDGER_URL and COS_REGION",
    "name": "; check COS_REGION and the bucket's name, and the DNS of the function's network",
    "connection": "; check the function's network (VPC, NAT, security group), or COS_ENDPOINT",
    "tls": "; check the clock, and whether something between here and COS intercepts TLS",
    "answer": "",
    "time": "",
}
"""What to do where a request failed at a stage. Nothing, where trying again is all there is."""

_CODE = r"<Code>\s*([A-Za-z]{1,100})\s*</Code>"
_HOST = r"https?://([A-Za-z0-9.-]{1,253})(?:[:/?#]|\Z)"


def is_transient(error: StoreError) -> bool:
    """Whether the same request may succeed in a moment."""
    status = error.status
    return (
        status is None
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or status in (HTTPStatus.TOO_MANY_REQUESTS, TEMPORARY_REDIRECT)
        or error.code in TRANSIENT_CODES
    )


def refused(operation: str, key: str, error: CosError) -> StoreError:
    """From a CosServiceError: COS's own answer says no."""
    status = error.get_status_code()
    return StoreError(operation, key, "COS refused it", status, _code_of(error))


def not_sent_or_answered(operation: str, key: str, error: BaseException) -> StoreError:
    """From a CosClientError, which the SDK raises while it handles an error of the session."""
    cause = error.__context__
    if isinstance(cause, (NoAnswerError, NotFromCosError)):
        return unanswered(operation, key, cause)
    return StoreError(operation, key, f"the SDK did not send it ({type(cause).__name__})")


def unanswered(operation: str, key: str, cause: NoAnswerError | NotFromCosError) -> StoreError:
    """From an error of the session."""
    if isinstance(cause, NoAnswerError):
        return StoreError(operation, key, f"{cause}{ADVICE[cause.stage]}")
    if is_redirect(cause.status):
        host = re.match(_HOST, cause.location)
        words = f"COS redirects to {host[1] if host else 'another address'}"
        advice = "the bucket is in another region; set COS_REGION"
        return StoreError(operation, key, f"{words}: {advice}", cause.status, "Redirect")
    words = f"something other than COS answered, with HTTP {cause.status}"
    advice = "check COS_ENDPOINT, and what is between here and COS"
    return StoreError(operation, key, f"{words}; {advice}")


def answered(operation: str, key: str, status: int, text: str) -> StoreError:
    """From an answer of COS that no SDK has read. text: its body."""
    return StoreError(operation, key, "COS refused it", status, _code_in(text))


def left_over(entry: Mapping[str, str]) -> StoreError:
    """From an entry of the answer to a deletion of several objects: one that is still there."""
    words = f"COS did not delete it: {entry.get('Code', 'no code')}"
    return StoreError("delete_many", entry.get("Key", ""), words, None, entry.get("Code", ""))


def unreadable(operation: str, key: str, error: BaseException) -> StoreError:
    """From what the SDK lets through where an answer is not what it expects."""
    return StoreError(operation, key, f"COS's answer can not be read ({type(error).__name__})")


def _code_of(error: CosError) -> str:
    """The code of a CosServiceError; "" where it has none.

    The SDK reads none from an error without <Resource> or <RequestId>.
    """
    digest = error.get_digest_msg()
    if isinstance(digest, dict) and digest.get("code"):
        return str(digest["code"])
    return _code_in(str(error.get_origin_msg()))


def _code_in(text: str) -> str:
    """The code that the XML of an error has; "" where it has none."""
    match = re.search(_CODE, text)
    return match[1] if match else ""
