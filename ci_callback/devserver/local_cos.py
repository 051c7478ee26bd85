"""COS on loopback in front of local stores, for a function that may not touch the disk.

It does what the function asks of COS (PUT, GET and DELETE Object, GET Bucket, DELETE Multiple
Objects), checks signatures, and says as whom each write was made.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias
from xml.sax.saxutils import escape

from ci_callback.ci_simulator import signature
from ci_callback.ci_simulator.server import Reply, Seen, Server
from ci_callback.devserver.cos_listing import keys_to_delete, listing
from ci_callback.devserver.watched import Operation
from handler.errors import PayloadError, StoreError
from handler.ledger import keys
from handler.ledger.store import Store

Note: TypeAlias = Callable[[str, Operation, str], None]
"""Called with the secret id, the operation and the key of each write that was done."""

May: TypeAlias = Callable[[str, str, str, str], bool]

_HOST = re.compile(r"([a-z0-9-]+-\d+)\.cos\.[a-z0-9-]+\.myqcloud\.com")
_SECRET_ID = re.compile(r"(?:^|&)q-ak=([^&]*)")
_ID = ("x-cos-request-id", "NWFiMjM=")
"""In every answer of COS (436/7729)."""

_OBJECT = ("Content-Type", "application/json")
_XML = ("Content-Type", "application/xml")


class LocalCos:
    """Use as a context manager. buckets: the store behind each.

    Attributes:
        secrets: secret id → secret key; a request signed with another is refused.
        may: whether a secret id may do an action (PutObject, …) to a key of a bucket.
    """

    def __init__(self, buckets: Mapping[str, Store], secrets: dict[str, str], note: Note) -> None:
        self.secrets = secrets
        self.lifecycles: dict[str, bytes] = {}
        self._buckets = buckets
        self._note = note
        self.may: May = lambda secret_id, action, bucket, key: True
        self._server: Server | None = None

    def __enter__(self) -> LocalCos:
        self._server = Server(self._answer)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._server is not None:
            self._server.stop()

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        if self._server is None:
            raise RuntimeError("it is a context manager, and was not entered")
        return self._server.port

    def _answer(self, seen: Seen) -> Reply:
        host = _HOST.fullmatch(seen.headers.get("host", ""))
        store = self._buckets.get(host[1]) if host else None
        if not signature.is_valid(seen.method, seen.path, seen.query, seen.headers, self.secrets):
            return _error(403, "SignatureDoesNotMatch")
        if store is None:
            return _error(404, "NoSuchBucket")
        if host and not self._is_allowed(seen, host[1]):
            return _error(403, "AccessDenied")
        key = seen.path[1:]
        try:
            if not key:
                return self._of_bucket(store, seen)
            return self._done(store, seen, key) if keys.is_key(key) else _error(400, "InvalidURI")
        except StoreError:
            return _error(500, "InternalError")

    def _is_allowed(self, seen: Seen, bucket: str) -> bool:
        """Of a deletion of several objects each one is."""
        action, named = _wanted(seen)
        return all(self.may(_secret_id(seen), action, bucket, key) for key in named)

    def _of_bucket(self, store: Store, seen: Seen) -> Reply:
        if seen.method == "POST" and "delete" in seen.params:
            return self._deleted(store, seen)
        if "lifecycle" in seen.params:
            return self._lifecycle(seen)
        if seen.method != "GET":
            return _error(405, "MethodNotAllowed")
        if "versioning" in seen.params:
            return Reply(200, b"<VersioningConfiguration/>", (_XML, _ID))
        if "location" in seen.params:
            region = seen.headers["host"].split(".")[2]
            located = f"<LocationConstraint>{region}</LocationConstraint>"
            return Reply(200, located.encode(), (_XML, _ID))
        listed = list(store.list(seen.params.get("prefix", "")))
        return Reply(200, listing(listed, "local", seen.params), (_XML, _ID))

    def _lifecycle(self, seen: Seen) -> Reply:
        bucket = seen.headers["host"]
        if seen.method == "PUT":
            digest = hashlib.md5(seen.body, usedforsecurity=False).digest()
            if seen.headers.get("content-md5") != base64.b64encode(digest).decode():
                return _error(400, "InvalidDigest")
            self.lifecycles[bucket] = seen.body
            return Reply(200, b"", (_ID,))
        if bucket not in self.lifecycles:
            return _error(404, "NoSuchLifecycleConfiguration")
        return Reply(200, self.lifecycles[bucket], (_XML, _ID))

    def _deleted(self, store: Store, seen: Seen) -> Reply:
        try:
            named = keys_to_delete(seen.body)
        except PayloadError:
            return _error(400, "MalformedXML")
        for key in filter(keys.is_key, named):
            store.delete(key)
            self._note(_secret_id(seen), "delete", key)
        return Reply(200, b"<DeleteResult/>", (_XML, _ID))

    def _done(self, store: Store, seen: Seen, key: str) -> Reply:
        if seen.method == "GET":
            data = store.get(key)
            return _error(404, "NoSuchKey") if data is None else _object(data, data)
        if seen.method == "PUT":
            if seen.headers.get("x-cos-forbid-overwrite") != "true":
                store.put(key, seen.body)
            elif not store.put_new(key, seen.body):
                return _error(409, "FileAlreadyExists")
            self._note(_secret_id(seen), "put", key)
            return _object(seen.body, b"")
        if seen.method == "DELETE":
            store.delete(key)
            self._note(_secret_id(seen), "delete", key)
            return Reply(204, b"", (_ID,))
        return _error(405, "MethodNotAllowed")


def _wanted(seen: Seen) -> tuple[str, list[str]]:
    """The action that a request needs, and the keys."""
    key = seen.path[1:]
    if key:
        return f"{seen.method.capitalize()}Object", [key]
    if seen.method == "POST":
        try:
            return "DeleteObject", list(keys_to_delete(seen.body))
        except PayloadError:
            return "DeleteObject", []  # refused as what it is
    for name in ("versioning", "location"):
        if name in seen.params:
            return f"GetBucket{name.capitalize()}", [""]
    return "GetBucket", [seen.params.get("prefix", "")]


def _secret_id(seen: Seen) -> str:
    match = _SECRET_ID.search(seen.headers.get("authorization", ""))
    return match[1] if match else ""


def _object(data: bytes, body: bytes) -> Reply:
    """data: of the object, for its ETag."""
    etag = ("ETag", f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"')
    return Reply(200, body, (_OBJECT, etag, _ID))


def _error(status: int, code: str) -> Reply:
    body = f"<?xml version='1.0' encoding='utf-8' ?><Error><Code>{escape(code)}</Code></Error>"
    return Reply(status, body.encode(), (_XML, _ID))
