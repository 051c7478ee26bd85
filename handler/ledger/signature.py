"""The signature of a request to COS (436/7778), equal to that of the SDK's CosS3Auth, without the
SDK.

For the one request that most invocations consist of: storing an object. A test holds both equal.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from handler.ledger.bucket import Credentials

BEFORE_S = 60
"""How long before now a signature is valid from: clocks differ."""

SIGNED_FOR_S = 600
"""How long a signature is good for: clocks may differ, and a request takes seconds."""

_UNRESERVED = "-_.~"


class Validity(NamedTuple):
    """When a signature counts. now: epoch seconds. seconds: from now on."""

    now: int
    seconds: int


def authorization(
    method: str,
    path: str,
    headers: Mapping[str, str],
    credentials: Credentials,
    validity: Validity,
) -> str:
    """The Authorization header of a request without a query.

    path: as it was before percent-encoding. headers: those that are signed, with their values as
    they are sent.
    """
    times = f"{validity.now - BEFORE_S};{validity.now + validity.seconds}"
    signed = sorted((_quoted(name).lower(), value) for name, value in headers.items())
    pairs = "&".join(f"{name}={_quoted(value)}" for name, value in signed)
    request = hashlib.sha1(f"{method.lower()}\n{path}\n\n{pairs}\n".encode()).hexdigest()  # noqa: S324  # as COS defines it
    key = _hmac_sha1(credentials.secret_key, times)
    signature = _hmac_sha1(key, f"sha1\n{times}\n{request}\n")
    return (
        f"q-sign-algorithm=sha1&q-ak={credentials.secret_id}&q-sign-time={times}&q-key-time={times}"
        f"&q-header-list={';'.join(name for name, _ in signed)}&q-url-param-list="
        f"&q-signature={signature}"
    )


@functools.lru_cache(maxsize=64)
def _quoted(text: str) -> str:
    """The headers of one request after another are the same, but for a length."""
    return quote(text, _UNRESERVED)


def _hmac_sha1(key: str, text: str) -> str:
    return hmac.digest(key.encode(), text.encode(), "sha1").hex()
