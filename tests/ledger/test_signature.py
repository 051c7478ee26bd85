"""signature.py: the signature of a stored object is the SDK's."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from qcloud_cos import CosConfig, CosS3Auth

from handler.ledger.bucket import Credentials
from handler.ledger.signature import Validity, authorization
from handler.ledger.transport import Request

texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=40)
secrets = texts.map(str.strip).filter(bool)
signed_names = st.sampled_from(
    ("Host", "Content-Type", "content-length", "x-cos-forbid-overwrite", "X-Cos-Security-Token")
) | st.from_regex(r"x-cos-[A-Za-z0-9-]{1,20}", fullmatch=True)


@given(
    method=st.sampled_from(("PUT", "get", "Delete")),
    key=texts.filter(lambda key: key and not key.startswith("/")),
    headers=st.dictionaries(signed_names, texts, max_size=6).map(
        lambda headers: {"Host": "records-1250000000.cos.ap-guangzhou.myqcloud.com"} | headers
    ),
    credentials=st.builds(Credentials, secrets, secrets, st.just("")),
    validity=st.builds(Validity, st.integers(1, 2**32), st.integers(1, 100_000)),
)
def test_it_is_what_the_sdk_computes(
    method: str,
    key: str,
    headers: dict[str, str],
    credentials: Credentials,
    validity: Validity,
) -> None:
    """Of any key, header, credentials and time. The SDK is the official one, and unchanged."""
    named = {name.lower(): (name, value) for name, value in headers.items()}  # no header twice
    sent = dict(named.values())
    config = CosConfig(
        Region="ap-guangzhou", SecretId=credentials.secret_id, SecretKey=credentials.secret_key
    )
    with patch("qcloud_cos.cos_auth.time.time", lambda: validity.now):
        sign = CosS3Auth(config, key, expire=validity.seconds)
        by_sdk = sign(Request(method, "", dict(sent))).headers["Authorization"]
    assert authorization(method, f"/{key}", sent, credentials, validity) == by_sdk
