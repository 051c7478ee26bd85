"""The codes by which COS and CI refuse credentials."""

from __future__ import annotations

from ci_callback.doctor.case import CONSOLE

KEYS = f"check TENCENTCLOUD_SECRETID and _SECRETKEY against {CONSOLE}/cam/capi"
_EXPIRED = "the session token is not valid, or not any more"
_SKEWED = "COS takes the request for too old or too new"
_SET_CLOCK = "set the clock: timedatectl set-ntp true"
_TAKE_NEW = "take new temporary credentials, with TENCENTCLOUD_SESSIONTOKEN"

REFUSALS = {
    "InvalidAccessKeyId": ("the SecretId is not known", KEYS),
    "InvalidSecretId": ("the SecretId is not known", KEYS),
    "SignatureDoesNotMatch": (
        "the SecretKey does not fit the SecretId, or the clock is wrong",
        KEYS,
    ),
    "InvalidSecurityToken": (_EXPIRED, _TAKE_NEW),
    "InvalidToken": (_EXPIRED, _TAKE_NEW),
    "ExpiredToken": (_EXPIRED, _TAKE_NEW),
    "RequestTimeTooSkewed": (_SKEWED, _SET_CLOCK),
    "RequestIsExpired": (_SKEWED, _SET_CLOCK),
    "SignatureExpired": (_SKEWED, _SET_CLOCK),
}
"""What a code of COS or CI says of the credentials: what is wrong, and what fixes it."""
