"""The meaning of each refusal of the API, and its remedy: one row per code."""

from __future__ import annotations

from typing import NamedTuple

from ci_callback.cloud_api import CloudError
from ci_callback.deploy.errors import EXIT_FAILED, EXIT_SETTINGS, EXIT_UNREACHABLE, DeployError

KEYS = "https://console.cloud.tencent.com/cam/capi"


class _Row(NamedTuple):
    """codes: a code, or the beginning of several. {action} is filled in."""

    codes: tuple[str, ...]
    what: str
    fix: str
    exit: int = EXIT_FAILED


_ROWS = (
    _Row(
        ("AuthFailure.SignatureExpire",),
        "the clock of this machine is off by more than 5 minutes",
        "timedatectl set-ntp true",
        EXIT_SETTINGS,
    ),
    _Row(
        ("AuthFailure.TokenFailure",),
        "the session token is wrong or has expired",
        "renew TENCENTCLOUD_SECRETID, _SECRETKEY and _SESSIONTOKEN",
        EXIT_SETTINGS,
    ),
    _Row(
        ("AuthFailure.UnauthorizedOperation", "UnauthorizedOperation"),
        "these credentials may not {action}",
        "grant them the action; docs/operator-policy.json has all that deploy needs",
    ),
    _Row(
        ("AuthFailure",),
        "Tencent Cloud does not accept the credentials",
        f"check TENCENTCLOUD_SECRETID and TENCENTCLOUD_SECRETKEY against {KEYS}",
        EXIT_SETTINGS,
    ),
    _Row(
        ("UnsupportedRegion", "UnsupportedOperation.Region", "UnauthorizedOperation.Region"),
        "there is no such region for SCF",
        "set COS_REGION to the bucket's region, such as ap-guangzhou",
        EXIT_SETTINGS,
    ),
    _Row(
        ("RequestLimitExceeded",),
        "the account makes too many requests",
        "run it again in a minute; what was done stays done",
    ),
    _Row(
        ("FailedOperation.ClsServiceUnregistered", "FailedOperation.UnOpenedService"),
        "a service that SCF needs is not activated",
        "activate SCF and CLS in the console, and run it again",
    ),
    _Row(
        ("ResourceUnavailable", "FailedOperation.InsufficientBalance", "OperationDenied.Account"),
        "the account is suspended or has no balance",
        "look at https://console.cloud.tencent.com/expense",
    ),
    _Row(
        ("LimitExceeded", "FailedOperation.PolicyFull", "InvalidParameter.RoleFull"),
        "{action} would exceed a quota of the account",
        "remove what is not needed, or ask for a higher quota, and run it again",
    ),
    _Row(
        ("ResourceNotFound.Role", "InvalidParameter.RoleCheck"),
        "SCF does not find the role, or the role does not trust scf.qcloud.com",
        "a new role may take a minute: run it again, or look at its carrier in CAM",
    ),
    _Row(
        ("FailedOperation.UpdateTrigger", "UnsupportedOperation.Trigger"),
        "SCF does not change this trigger",
        "delete it in the console and run deploy again; a new URL has another address",
    ),
)


def advised(error: CloudError) -> DeployError:
    """The error as a person needs it. It holds the code, and nothing of the request."""
    if not error.code:
        what = f"Tencent Cloud's API gave no answer ({error.action})"
        return DeployError(what, "check the network, and run it again", EXIT_UNREACHABLE)
    for row in _ROWS:
        if error.is_in(*row.codes):
            what = f"{row.what.format(action=error.action)} ({error})"
            return DeployError(what, row.fix, row.exit)
    return DeployError(f"the platform refused: {error}", "run it again; completed steps stay")
