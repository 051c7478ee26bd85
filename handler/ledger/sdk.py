"""The COS SDK's client: the types of the methods that are called, and how a client is made."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeAlias

from handler.ledger import cos_errors
from handler.ledger.requests_import import importing_requests

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Protocol, TypedDict

    from handler.ledger.bucket import BucketAddress, Credentials
    from handler.ledger.transport import Answer, Session

    class Folders(TypedDict, total=False):
        """The answer to a listing with a delimiter."""

        CommonPrefixes: list[dict[str, str]]
        IsTruncated: str
        NextMarker: str

    class Deleted(TypedDict, total=False):
        """The answer to a deletion of several objects: those that are still there, and why."""

        Error: list[dict[str, str]]

    class Body(Protocol):
        """Of an object."""

        def get_raw_stream(self) -> io.BytesIO: ...

    class Config(Protocol):
        """The configuration of a client."""

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

        def list_objects(self, bucket: str, /, **asked: object) -> Folders: ...

        def delete_object(self, bucket: str, key: str, /) -> object: ...

        def delete_objects(self, bucket: str, asked: Mapping[str, object], /) -> Deleted: ...


FolderPage: TypeAlias = "tuple[list[str], str]"
"""Names of folders, and what the next page begins behind: "" at the end."""


def page_of(client: Sdk, address: BucketAddress, prefix: str, marker: str, limit: int) -> bytes:
    """One answer to a listing of the ledger's keys, as COS sent it. marker: the key that it begins
    behind, with the ledger's prefix; "" for the first page. limit: keys.

    The SDK's own list_objects sends the same and then takes 30 ms to read 1,000 keys.
    """
    from qcloud_cos import CosS3Auth

    params = {
        "prefix": address.prefix + prefix,
        "delimiter": "",
        "marker": marker,
        "max-keys": str(limit),
        "encoding-type": "url",
    }
    config = client.get_conf()
    auth = CosS3Auth(config, params=dict(params))
    url = config.uri(address.bucket)
    asked = {"params": params, "headers": {}, "auth": auth}
    return client.send_request("GET", url, address.bucket, **asked).content


def folders_of(client: Sdk, address: BucketAddress, prefix: str, marker: str) -> FolderPage:
    """A page of the common prefixes of the ledger's keys that begin with prefix. Keys in no folder
    take their places on a page, too."""
    answer = client.list_objects(
        address.bucket, Prefix=address.prefix + prefix, Delimiter="/", Marker=marker, MaxKeys=1000
    )
    cut = len(address.prefix)
    found = [entry["Prefix"][cut:] for entry in answer.get("CommonPrefixes", ())]
    following = answer.get("NextMarker", "") if answer.get("IsTruncated") == "true" else ""
    return found, following if following > marker else ""


def all_folders(page: Callable[[str], FolderPage]) -> list[str]:
    """The names on all pages, in order. page: one of them, by what it begins behind."""
    found, marker = page("")
    while marker:
        names, marker = page(marker)
        found = [*found, *names]
    return sorted(set(found))


def batches(names: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """Keys for `delete_of`, at most so many together. A key that XML can't hold unchanged is in a
    list of its own: the ledger's own are ASCII that can be printed."""
    plain = [name for name in names if name.isascii() and name.isprintable()]
    yield from (plain[at : at + most] for at in range(0, len(plain), most))
    yield from ([name] for name in names if not (name.isascii() and name.isprintable()))


def delete_of(client: Sdk, address: BucketAddress, names: Sequence[str]) -> Mapping[str, str]:
    """Delete up to 1,000 keys of the ledger by one request; Key and Code of one that is still
    there. COS checks for each key whether it may be deleted (436/8289), so the right to it is the
    one that `delete_object` needs. Raises StoreError where the same request may delete it."""
    asked = {"Quiet": "true", "Object": [{"Key": address.prefix + name} for name in names]}
    left = client.delete_objects(address.bucket, asked).get("Error", ())
    for entry in left:
        if entry.get("Code") in cos_errors.PASSING_CODES:
            raise cos_errors.left_over(entry)
    return next(iter(left), {})


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
