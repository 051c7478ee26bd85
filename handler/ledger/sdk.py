"""The COS SDK's client: what is called of it, since it has no types, and how it is made."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from handler.ledger.requests_import import importing_requests

if TYPE_CHECKING:
    import io
    from collections.abc import Mapping
    from typing import Protocol

    from handler.ledger.bucket import BucketAddress, Credentials
    from handler.ledger.transport import Answer, Session

    class Body(Protocol):
        """Of an object."""

        def get_raw_stream(self) -> io.BytesIO: ...

    class Config(Protocol):
        """What a client was made with."""

        def set_credential(self, secret_id: str, secret_key: str, token: str, /) -> None: ...

        def uri(self, bucket: str) -> str: ...

    class Sdk(Protocol):
        """A client of one region."""

        def get_conf(self) -> Config: ...

        def put_object(
            self, bucket: str, body: bytes, key: str, /, **headers: object
        ) -> object: ...

        def get_object(self, bucket: str, key: str, /) -> Mapping[str, Body]: ...

        def send_request(
            self, method: str, url: str, bucket: str, /, **asked: object
        ) -> Answer: ...

        def delete_object(self, bucket: str, key: str, /) -> object: ...

        def delete_objects(
            self, bucket: str, deleted: Mapping[str, object], /
        ) -> Mapping[str, object]: ...


def page_of(client: Sdk, bucket: str, params: Mapping[str, str]) -> bytes:
    """One answer to a listing, as COS sent it. params: the query.

    The SDK's own list_objects sends the same and then takes 30 ms to read 1,000 keys.
    """
    from qcloud_cos import CosS3Auth

    config = client.get_conf()
    auth = CosS3Auth(config, params=dict(params))
    url = config.uri(bucket)
    asked = {"params": dict(params), "headers": {}, "auth": auth}
    return client.send_request("GET", url, bucket, **asked).content


def connect(address: BucketAddress, credentials: Credentials, session: Session) -> Sdk:
    """Make a client. It sends nothing before it is used."""
    with importing_requests():
        from qcloud_cos import CosConfig, CosS3Client

    logging.getLogger("qcloud_cos").setLevel(logging.CRITICAL)
    ip, port = address.endpoint or (None, None)
    config = CosConfig(
        Region=address.region,
        SecretId=credentials.secret_id,
        SecretKey=credentials.secret_key,
        Token=credentials.session_token or None,
        Scheme="http" if address.endpoint else "https",
        AllowRedirects=False,
        IP=ip,
        Port=port,
    )
    client: Sdk = CosS3Client(config, retry=0, session=session)
    return client
