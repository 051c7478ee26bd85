"""A ledger in a COS bucket, through cos-python-sdk-v5 and, for its most frequent request, without.

Storing an object is signed and sent here (signature.py, transport.py). Only a plain 200, and a 409
that says that the object exists, are taken from it: whatever else COS answers, the SDK asks again
and reads. So a callback that is kept imports no SDK (docs/performance.md), and the errors of COS
are still the SDK's.

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

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import quote

from handler import USER_AGENT
from handler.connections import Connections, Patience, Request
from handler.errors import NoAnswerError, PayloadError, StoreError
from handler.ledger import cos_errors, keys
from handler.ledger.bucket import BucketAddress, Credentials
from handler.ledger.signature import SIGNED_FOR_S, Validity, authorization
from handler.ledger.store import TimeLeft, forever
from handler.ledger.transport import Answer, NotFromCosError, Session
from handler.parallel import in_parallel
from handler.sockets import Origin

if TYPE_CHECKING:
    from handler.ledger.list_page import Page
    from handler.ledger.sdk import Sdk

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

Result = TypeVar("Result")


def _jitter() -> float:
    # The module random is not imported: that is a part of a cold start.
    return int.from_bytes(os.urandom(4), "big") / 2**32


class Timing(NamedTuple):
    """Where time and chance come from. sleep: takes seconds. jitter: from 0 to 1. monotonic:
    seconds. clock: epoch seconds, of the signature."""

    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = _jitter
    monotonic: Callable[[], float] = time.monotonic
    clock: Callable[[], float] = time.time


class CosStore:
    """A Store in a bucket. One for each process: connections are kept and reused."""

    def __init__(
        self,
        address: BucketAddress,
        credentials: Credentials,
        timing: Timing | None = None,
    ) -> None:
        self._address = address
        self._credentials = credentials
        self._timing = timing = timing or Timing()
        self._session = Session(Connections(monotonic=timing.monotonic), PATIENCE)
        self._client: Sdk | None = None
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
            return answer["Body"].get_raw_stream().read()

        try:
            return self._ask("get", key, read)
        except StoreError as error:
            # A missing bucket is an error: it must not read as a missing key.
            if error.status == HTTPStatus.NOT_FOUND and error.code != "NoSuchBucket":
                return None
            raise

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        listed = (key for page in self._pages(prefix, after, False) for key in page.keys)
        before_stop = listed if stop is None else takewhile(stop.__gt__, listed)
        return filter(keys.is_key, before_stop)

    def dated(self, prefix: str) -> Iterator[tuple[str, str]]:
        for page in self._pages(prefix, "", True):
            yield from zip(page.keys, page.modified, strict=True)

    def folders(self, prefix: str) -> Sequence[str]:
        from handler.ledger.sdk import all_folders, folders_of

        def page(marker: str) -> tuple[list[str], str]:
            return folders_of(self._sdk(), self._address, prefix, marker)

        return all_folders(lambda marker: self._ask("list", prefix, partial(page, marker)))

    def delete(self, key: str) -> None:
        bucket, whole = self._address.bucket, self._address.prefix + key
        self._ask("delete", key, lambda: self._sdk().delete_object(bucket, whole))

    def delete_many(self, names: Sequence[str]) -> None:
        from handler.ledger.sdk import batches

        for batch in batches(names, PAGE):
            if len(batch) == 1 or not self._delete_together(batch):
                in_parallel(self.delete, batch)

    def _delete_together(self, names: Sequence[str]) -> bool:
        """Delete several keys by one request; False where this is not allowed."""
        from handler.ledger.sdk import delete_of

        def delete() -> Mapping[str, str]:
            return delete_of(self._sdk(), self._address, names)

        try:
            left = self._ask("delete_many", names[0], delete)
        except StoreError as error:
            if error.status in cos_errors.NOT_ALLOWED:
                return False
            raise
        if left:
            raise cos_errors.left_over(left)
        return True

    def _pages(self, prefix: str, after: str, dated: bool) -> Iterator[Page]:
        """Page by page, keys without the ledger's prefix."""
        cut = len(self._address.prefix)
        marker: str | None = self._address.prefix + after if after else ""
        while marker is not None:
            page = self._ask("list", prefix, partial(self._page, prefix, marker, dated))
            yield page._replace(keys=[key[cut:] for key in page.keys])
            marker = page.next_marker

    def _page(self, prefix: str, marker: str, dated: bool) -> Page:
        from handler.ledger.list_page import read_page
        from handler.ledger.sdk import page_of

        return read_page(page_of(self._sdk(), self._address, prefix, marker, PAGE), dated)

    def _put(self, operation: str, key: str, data: bytes, headers: dict[str, str]) -> None:
        begun = self._timing.monotonic()
        self._raise_if_late(operation, key)
        try:
            answer = self._put_directly(key, data, headers)
        except (NoAnswerError, NotFromCosError) as error:
            self._pause(BACKOFF_S[0], begun, cos_errors.unanswered(operation, key, error))
        else:
            if answer.status_code == HTTPStatus.OK:
                return
            refusal = cos_errors.answered(operation, key, answer.status_code, answer.text)
            if refusal.code == cos_errors.EXISTS:
                raise refusal
            if cos_errors.is_transient(refusal):
                self._pause(BACKOFF_S[0], begun, refusal)
        self._ask(operation, key, lambda: self._put_by_sdk(key, data, headers), begun)

    def _put_directly(self, key: str, data: bytes, headers: dict[str, str]) -> Answer:
        address, token = self._address, self._credentials.session_token
        host = f"{address.bucket}.cos.{address.region}.myqcloud.com"
        path = f"/{address.prefix}{key}"
        signed = {
            "Host": host,
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **headers,
            **({"x-cos-security-token": token} if token else {}),
        }
        validity = Validity(int(self._timing.clock()), SIGNED_FOR_S)
        signature = authorization("PUT", path, signed, self._credentials, validity)
        origin = (
            Origin("http", *address.endpoint) if address.endpoint else Origin("https", host, 443)
        )
        sent = {**signed, "Authorization": signature, "User-Agent": USER_AGENT}
        return self._session.exchange(Request("PUT", origin, quote(path, "/-_.~"), sent, data))

    def _put_by_sdk(self, key: str, data: bytes, headers: dict[str, str]) -> None:
        self._sdk().put_object(
            self._address.bucket,
            data,
            self._address.prefix + key,
            ContentType="application/json",
            # The SDK refuses the header as a keyword; as Metadata it is sent and signed.
            Metadata=headers,
        )

    def _ask(
        self,
        operation: str,
        key: str,
        request: Callable[[], Result],
        begun: float | None = None,
    ) -> Result:
        """Send one request, and again after a transient error: each may be repeated. begun: when
        it was sent first, where this is its second try."""
        pauses = BACKOFF_S if begun is None else BACKOFF_S[1:]
        begun = self._timing.monotonic() if begun is None else begun
        for longest in pauses:
            try:
                return self._ask_once(operation, key, request)
            except StoreError as error:
                self._pause(longest, begun, error)
        return self._ask_once(operation, key, request)

    def _pause(self, longest: float, begun: float, error: StoreError) -> None:
        """Wait before the next try; raises the error if there is no further try, or no time."""
        spent = self._timing.monotonic() - begun
        if not cos_errors.is_transient(error) or spent > _LAST_START_S:
            raise error
        if self._session.time_left() <= longest:
            raise error
        self._timing.sleep(longest * self._timing.jitter())

    def _raise_if_late(self, operation: str, key: str) -> None:
        if self._session.time_left() <= 0:
            raise StoreError(operation, key, "not sent: the function's time is used up")

    def _ask_once(self, operation: str, key: str, request: Callable[[], Result]) -> Result:
        """Send one request; every failure becomes a StoreError.

        The SDK reads answers through an XML parser and by the headers that it expects, so it also
        raises ParseError, OSError and KeyError; read_page raises PayloadError.
        """
        self._raise_if_late(operation, key)
        self._sdk()  # first, since it imports the SDK as it must be imported
        from xml.etree.ElementTree import ParseError

        from qcloud_cos.cos_exception import CosClientError, CosServiceError

        try:
            return request()
        except CosServiceError as error:
            raise cos_errors.refused(operation, key, error) from error
        except CosClientError as error:
            raise cos_errors.not_sent_or_answered(operation, key, error) from error
        except (OSError, ParseError, KeyError, PayloadError) as error:
            raise cos_errors.unreadable(operation, key, error) from error

    def _sdk(self) -> Sdk:
        with self._connecting:  # several threads may come first
            if self._client is None:
                # Imported here: most invocations only put.
                from handler.ledger.sdk import connect

                self._client = connect(self._address, self._credentials, self._session)
            return self._client
