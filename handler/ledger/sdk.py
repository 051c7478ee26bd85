"""The COS SDK's client: what is called of it, since it has no types, and how it is made."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from handler.ledger.requests_import import importing_requests

if TYPE_CHECKING:
    import io
    from collections.abc import Mapping
    from typing import Protocol, TypedDict

    from handler.ledger.bucket import BucketAddress, Credentials
    from handler.ledger.transport import Session

    class Page(TypedDict, total=False):
        """One answer to a listing."""

        Contents: list[dict[str, str]]
        IsTruncated: str
        NextMarker: str

    class Body(Protocol):
        """Of an object."""

        def get_raw_stream(self) -> io.BytesIO: ...

    class Config(Protocol):
        """What a client was made with."""

        def set_credential(self, secret_id: str, secret_key: str, token: str, /) -> None: ...

    class Sdk(Protocol):
        """A client of one region."""

        def get_conf(self) -> Config: ...

        def put_object(
            self, bucket: str, body: bytes, key: str, /, **headers: object
        ) -> object: ...

        def get_object(self, bucket: str, key: str, /) -> Mapping[str, Body]: ...

        def list_objects(self, bucket: str, /, **asked: object) -> Page: ...

        def delete_object(self, bucket: str, key: str, /) -> object: ...


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
