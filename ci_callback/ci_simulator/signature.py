"""Checks a COS request signature (document 436/7778: q-sign-algorithm=sha1)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote


def is_valid(
    method: str, path: str, query: str, headers: Mapping[str, str], secrets: Mapping[str, str]
) -> bool:
    """Whether Authorization signs this request. secrets: {secret id: secret key}.

    path is the decoded path; headers have lower-case names.
    """
    fields = dict(
        pair.split("=", 1) for pair in headers.get("authorization", "").split("&") if "=" in pair
    )
    key = secrets.get(fields.get("q-ak", ""))
    if key is None or fields.get("q-sign-algorithm") != "sha1":
        return False
    params = {name.lower(): value for name, value in parse_qsl(query, keep_blank_values=True)}
    signed_headers = {name: headers.get(name, "") for name in _names(fields, "q-header-list")}
    signed_params = {name: params.get(name, "") for name in _names(fields, "q-url-param-list")}
    text = "\n".join((method.lower(), path, _joined(signed_params), _joined(signed_headers), ""))
    digest = hashlib.sha1(text.encode()).hexdigest()  # noqa: S324  # so COS signs
    to_sign = f"sha1\n{fields['q-sign-time']}\n{digest}\n"
    sign_key = _hmac(key, fields["q-key-time"])
    return hmac.compare_digest(_hmac(sign_key, to_sign), fields.get("q-signature", ""))


def _names(fields: Mapping[str, str], name: str) -> list[str]:
    return [unquote(part) for part in fields.get(name, "").split(";") if part]


def _joined(values: Mapping[str, str]) -> str:
    coded = ((quote(name, "-_.~").lower(), quote(value, "-_.~")) for name, value in values.items())
    return "&".join(f"{name}={value}" for name, value in sorted(coded))


def _hmac(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha1).hexdigest()
