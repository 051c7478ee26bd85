"""Verifies TC3-HMAC-SHA256, the API's "Signature v3" (240/32142 and the same page of others)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timezone

from ci_callback.cloud_simulator.errors import ApiError

MAX_AGE_S = 300
_ALGORITHM = "TC3-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=([^/]+)/(\d{{4}}-\d\d-\d\d)/([a-z]+)/tc3_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)


def service_of(
    headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str], now: float
) -> str:
    """The service that a POST to `/` is signed for. headers: names in lower case. secrets: secret
    id → secret key. now: epoch seconds.

    Raises:
        ApiError: AuthFailure.* as the service answers it.
    """
    match = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if match is None:
        raise ApiError("AuthFailure.InvalidAuthorization", "The Authorization header is invalid.")
    secret_id, day, service, signed, signature = match.groups()
    if secret_id not in secrets:
        raise ApiError("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
    stamp = headers.get("x-tc-timestamp", "")
    if not stamp.isdecimal() or abs(now - int(stamp)) > MAX_AGE_S:
        raise ApiError("AuthFailure.SignatureExpire", "The provided credentials have expired.")
    if day != datetime.fromtimestamp(int(stamp), timezone.utc).strftime("%Y-%m-%d"):
        raise ApiError("AuthFailure.SignatureFailure", "The date of the credential is wrong.")
    names = signed.split(";")
    canonical = "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in names)
    request = "\n".join(("POST", "/", "", canonical, signed, _sha256(body)))
    scope = f"{day}/{service}/tc3_request"
    to_sign = "\n".join((_ALGORITHM, stamp, scope, _sha256(request.encode())))
    key = f"TC3{secrets[secret_id]}".encode()
    for part in (day, service, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    expected = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    if not {"content-type", "host"} <= set(names) or not hmac.compare_digest(expected, signature):
        raise ApiError("AuthFailure.SignatureFailure", "The provided signature is invalid.")
    return service


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
