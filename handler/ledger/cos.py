"""A ledger in a COS bucket, through cos-python-sdk-v5.

The SDK is imported where it is first used: a refused request does not pay for it.
What is set here and why, from reading version 1.9.44 of the SDK:
  - no retries of the SDK: it sleeps whole seconds without jitter, and repeats a POST too.
    The few here are short and jittered, and every request here may be repeated;
  - a session of our own (transport.py): no proxy and no .netrc of the environment, one deadline
    for a whole request, a third of the cost of a put, and an answer must be COS's own. The SDK
    takes every status below 400 for success, a redirect and the page of a proxy too;
  - its logger at CRITICAL: at DEBUG it writes the signing key;
  - the credentials of this invocation: SCF's expire.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, TypeVar

from handler.connections import Connections, Patience
from handler.errors import StoreError
from handler.ledger import cos_errors, keys
from handler.ledger.bucket import BucketAddress, Credentials
from handler.ledger.requests_import import importing_requests
from handler.ledger.store import TimeLeft, forever
from handler.ledger.transport import Session

PATIENCE = Patience(whole_s=5.0, connect_s=2.0, silent_s=2.0, bytes_per_s=256 * 1024)
"""For one try. A put in the same region takes tens of milliseconds; glibc waits 5 s for a lost DNS
answer, so a new look-up after 2 s is the faster way."""

BACKOFF_S = (0.1, 0.5)
"""Longest wait before each retry; the real one is random below it. COS names no figures."""

OPERATION_S = 12.0
"""All tries of one operation together, but for the transfer of large bodies."""

_LAST_START_S = OPERATION_S - PATIENCE.whole_s - max(BACKOFF_S)
"""No try begins later: it could not end in time."""

PAGE = 1000
"""Keys in one answer to a listing: the most that COS gives."""

Answer = TypeVar("Answer")


class CosStore:
    """A Store in a bucket. One for each process: connections are kept and reused."""

    def __init__(
        self,
        address: BucketAddress,
        credentials: Credentials,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._credentials = credentials
        self._sleep = sleep
        self._jitter = jitter
        self._monotonic = monotonic
        self._session = Session(Connections(monotonic=monotonic), PATIENCE)
        self._client: Any = None
        self._connecting = threading.Lock()

    def renew(self, credentials: Credentials, time_left: TimeLeft = forever) -> None:
        """Take the credentials of this invocation, and the seconds in which it must have ended:
        a request that is not answered by then is given up."""
        self._session.time_left = time_left
        if credentials == self._credentials:
            return
        self._credentials = credentials
        if self._client is not None and credentials.session_token:
            self._client.get_conf().set_credential(
                credentials.secret_id, credentials.secret_key, credentials.session_token
            )
        else:
            # The SDK's set_credential raises AttributeError without a token: a new client.
            self._client = None

    def put_new(self, key: str, data: bytes) -> bool:
        try:
            self._put("put_new", key, data, {"x-cos-forbid-overwrite": "true"})
        except StoreError as error:
            if error.status == HTTPStatus.CONFLICT and error.code == cos_errors.EXISTS:
                return False
            raise
        return True

    def put(self, key: str, data: bytes) -> None:
        self._put("put", key, data, {})

    def get(self, key: str) -> bytes | None:
        def read() -> bytes:
            answer = self._sdk().get_object(self._address.bucket, self._address.prefix + key)
            body: bytes = answer["Body"].get_raw_stream().read()
            return body

        try:
            return self._ask("get", key, read)
        except StoreError as error:
            # A missing bucket is an error: it must not read as a missing key.
            if error.status == HTTPStatus.NOT_FOUND and error.code != "NoSuchBucket":
                return None
            raise

    def list(self, prefix: str, stop: str | None = None) -> Iterator[str]:
        cut = len(self._address.prefix)
        marker = ""
        while True:
            page = self._ask("list", prefix, lambda after=marker: self._page(prefix, after))  # type: ignore[misc]  # mypy infers no type for a lambda's default
            listed = [entry["Key"] for entry in page.get("Contents", ())]
            for key in listed:
                if stop is not None and key[cut:] >= stop:
                    return
                if keys.is_key(key[cut:]):
                    yield key[cut:]
            if page.get("IsTruncated") != "true" or not listed:
                return
            marker = page.get("NextMarker") or listed[-1]

    def delete(self, key: str) -> None:
        self._ask(
            "delete",
            key,
            lambda: self._sdk().delete_object(self._address.bucket, self._address.prefix + key),
        )

    def _page(self, prefix: str, after: str) -> dict[str, Any]:
        page: dict[str, Any] = self._sdk().list_objects(
            self._address.bucket, Prefix=self._address.prefix + prefix, Marker=after, MaxKeys=PAGE
        )
        return page

    def _put(self, operation: str, key: str, data: bytes, headers: dict[str, str]) -> None:
        self._ask(
            operation,
            key,
            # The SDK refuses the header as a keyword; as Metadata it is sent and signed.
            lambda: self._sdk().put_object(
                self._address.bucket,
                data,
                self._address.prefix + key,
                ContentType="application/json",
                Metadata=headers,
            ),
        )

    def _ask(self, operation: str, key: str, request: Callable[[], Answer]) -> Answer:
        """Send one request, and again after a transient error: each may be repeated."""
        begun = self._monotonic()
        for longest in BACKOFF_S:
            try:
                return self._ask_once(operation, key, request)
            except StoreError as error:
                spent = self._monotonic() - begun
                if not cos_errors.is_transient(error) or spent > _LAST_START_S:
                    raise
                if self._session.time_left() <= longest:
                    raise
            self._sleep(longest * self._jitter())
        return self._ask_once(operation, key, request)

    def _ask_once(self, operation: str, key: str, request: Callable[[], Answer]) -> Answer:
        """Send one request; every failure becomes a StoreError.

        The SDK reads answers through an XML parser and by the headers that it expects, so it also
        raises ParseError, OSError and KeyError.
        """
        if self._session.time_left() <= 0:
            raise StoreError(operation, key, "not sent: the function's time is used up")
        self._sdk()  # first, since it imports the SDK as it must be imported
        from xml.etree.ElementTree import ParseError

        from qcloud_cos.cos_exception import CosClientError, CosServiceError

        try:
            return request()
        except CosServiceError as error:
            raise cos_errors.refused(operation, key, error) from error
        except CosClientError as error:
            raise cos_errors.not_sent_or_answered(operation, key, error) from error
        except (OSError, ParseError, KeyError) as error:
            raise cos_errors.unreadable(operation, key, error) from error

    def _sdk(self) -> Any:
        with self._connecting:  # several threads may come first
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> Any:
        import logging

        with importing_requests():
            from qcloud_cos import CosConfig, CosS3Client

        logging.getLogger("qcloud_cos").setLevel(logging.CRITICAL)
        address, credentials = self._address, self._credentials
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
        return CosS3Client(config, retry=0, session=self._session)
