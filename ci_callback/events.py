"""Events and contexts such as SCF hands to the function, for invoking it locally."""

from __future__ import annotations

import base64
import uuid
from typing import Any


def http_event(body: bytes, token: str | None = None) -> dict[str, Any]:
    """The function URL event that SCF makes of a callback (583/96099).

    Headers are those of the one real capture of a callback on record (1545/65203). A body
    that is no UTF-8 goes in base64, since an event is JSON.
    """
    try:
        text, is_base64 = body.decode("utf-8"), False
    except UnicodeDecodeError:
        text, is_base64 = base64.b64encode(body).decode("ascii"), True
    return {
        "body": text,
        "headers": {
            "accept-encoding": "gzip",
            "content-length": str(len(body)),
            "content-type": "application/xml",
            "user-agent": "Go-http-client/1.1",
        },
        "httpMethod": "POST",
        "isBase64Encoded": is_base64,
        "path": "/",
        "queryString": {"token": token} if token else {},
    }


def context(time_limit_s: int = 55) -> dict[str, Any]:
    """A context with the fields that were observed in SCF (facts: keys and units)."""
    return {
        "function_name": "ci-callback",
        "function_version": "$LATEST",
        "memory_limit_in_mb": 128,
        "namespace": "default",
        "request_id": str(uuid.uuid4()),
        "time_limit_in_ms": time_limit_s * 1000,
    }
