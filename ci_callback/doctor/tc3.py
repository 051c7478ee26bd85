"""Signs a request to Tencent Cloud's API 3.0: TC3-HMAC-SHA256, which its documents call
"Signature v3" (240/32142 and its kin).

Only the two headers are signed that must be: Content-Type and Host.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timezone

from handler.ledger.bucket import Credentials

CONTENT_TYPE = "application/json; charset=utf-8"
_ALGORITHM = "TC3-HMAC-SHA256"
_SIGNED = "content-type;host"


def authorization(credentials: Credentials, host: str, body: bytes, now: int) -> str:
    """The Authorization of a POST to `/`. host: its first part is the service, as in
    scf.tencentcloudapi.com. now: epoch seconds, the same as in X-TC-Timestamp."""
    service = host.partition(".")[0]
    day = datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%d")
    scope = f"{day}/{service}/tc3_request"
    headers = f"content-type:{CONTENT_TYPE}\nhost:{host}\n"
    request = "\n".join(("POST", "/", "", headers, _SIGNED, _sha256(body)))
    to_sign = "\n".join((_ALGORITHM, str(now), scope, _sha256(request.encode())))
    key = f"TC3{credentials.secret_key}".encode()
    for part in (day, service, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return (
        f"{_ALGORITHM} Credential={credentials.secret_id}/{scope},"
        f" SignedHeaders={_SIGNED}, Signature={signature}"
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
