"""COS on loopback for measuring: as little work as possible between a request and its answer.

    python -m benchmarks.cos_stub CHAIN KEY

prints its port, and the one for TLS behind a blank, and serves until its stdin ends. CHAIN, KEY:
the files of its certificate; without them it has no TLS.

One process of its own, so that none of its time counts as the client's. It holds objects in a
dict, asks that an Authorization header is there (and does not check it), and knows what the
function and its peers use: PUT with x-cos-forbid-overwrite, GET, HEAD, DELETE, DELETE Multiple
Objects, and listing by prefix, delimiter, marker and max-keys. tests/benchmarks compares its
answers with those of tests/fake_cos.

Ledgers of a million records are not stored: a range of keys is declared, and listings and
GETs are answered out of it. Paths below /-/ are for the harness and are not counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import ssl
import sys
import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape, unescape

from benchmarks.stub_objects import Objects, Range

REQUEST_ID = "NWFiMjM="
OWNER = "<Owner><ID>1250000000</ID><DisplayName>1250000000</DisplayName></Owner>"
REASONS = {200: "OK", 204: "No Content", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}


class Stub:
    """The state that all connections share."""

    def __init__(self) -> None:
        self.objects = Objects()
        self.counts: dict[str, int] = {}
        self.delay_s = 0.0

    def answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for one request."""
        path, _, query = target.partition("?")
        if path.startswith("/-/"):
            return self._control(path[3:], body)
        self.counts[method] = self.counts.get(method, 0) + 1
        if "authorization" not in headers:
            return _error(403, "AccessDenied", path)
        if method == "PUT":
            return self._put(path, headers, body)
        if method in ("DELETE", "POST"):
            return self._delete(path) if method == "DELETE" else self._delete_together(body)
        listed = path == "/"
        return self._list(parse_qs(query, keep_blank_values=True)) if listed else self._get(path)

    def _put(
        self, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        key = unquote(path)[1:]
        exists = self.objects.get(key) is not None
        if exists and headers.get("x-cos-forbid-overwrite") == "true":
            return _error(409, "FileAlreadyExists", path)
        if exists and headers.get("if-none-match") == "*":
            return _error(412, "PreconditionFailed", path)
        self.objects.put(key, body)
        return 200, {"ETag": _etag(body)}, b""

    def _delete(self, path: str) -> tuple[int, dict[str, str], bytes]:
        self.objects.delete(unquote(path)[1:])
        return 204, {}, b""

    def _delete_together(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        for key in re.findall(r"<Key>([^<]*)</Key>", body.decode()):
            self.objects.delete(unescape(key))
        return 200, {"Content-Type": "application/xml"}, b"<DeleteResult></DeleteResult>"

    def _get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        data = self.objects.get(unquote(path)[1:])
        if data is None:
            return _error(404, "NoSuchKey", path)
        return 200, {"ETag": _etag(data), "Content-Type": "application/json"}, data

    def _list(self, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        prefix, marker = (query.get(name, [""])[0] for name in ("prefix", "marker"))
        limit = min(int(query.get("max-keys", ["1000"])[0] or 1000), 1000)
        delimiter = query.get("delimiter", [""])[0]
        keys: list[str] = []
        truncated = False
        for key in self.objects.entries(prefix, marker, delimiter):
            if len(keys) == limit:
                truncated = True
                break
            keys.append(key)
        contents = "".join(
            f"<CommonPrefixes><Prefix>{escape(key)}</Prefix></CommonPrefixes>"
            if delimiter and key.endswith(delimiter)
            else f"<Contents><Key>{escape(key)}</Key>"
            "<LastModified>2026-09-20T08:01:06.000Z</LastModified>"
            "<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>1200</Size>"
            f"{OWNER}<StorageClass>STANDARD</StorageClass></Contents>"
            for key in keys
        )
        following = f"<NextMarker>{escape(keys[-1])}</NextMarker>" if truncated else ""
        content = (
            "<?xml version='1.0' encoding='utf-8' ?><ListBucketResult>"
            f"<Name>records-1250000000</Name><Prefix>{escape(prefix)}</Prefix>"
            f"<Marker>{escape(marker)}</Marker><MaxKeys>{limit}</MaxKeys>{following}"
            f"<IsTruncated>{str(truncated).lower()}</IsTruncated>{contents}</ListBucketResult>"
        )
        return 200, {"Content-Type": "application/xml"}, content.encode()

    def _control(self, name: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked: Any = json.loads(body) if body and name != "put" else {}
        content: Any = {}
        if name == "reset":
            self.objects.clear()
            self.counts.clear()
            self.delay_s = 0.0
        elif name == "delay":
            self.delay_s = asked["s"]
        elif name == "count":
            content = dict(self.counts)
            self.counts.clear()
        elif name == "range":
            self.objects.declare(Range(**{**asked, "body": asked["body"].encode()}))
        elif name == "put":
            for line in body.splitlines():
                key, text = json.loads(line)
                self.objects.put(key, text.encode())
        elif name == "keys":
            content = list(self.objects.list(asked["prefix"], ""))
        elif name == "get":
            data = self.objects.get(asked["key"])
            content = data.decode() if data is not None else None
        else:
            return 404, {}, b"{}"
        return 200, {}, json.dumps(content).encode()


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _error(status: int, code: str, path: str) -> tuple[int, dict[str, str], bytes]:
    body = (
        f"<?xml version='1.0' encoding='utf-8' ?>\n<Error><Code>{code}</Code>"
        f"<Message>{code}</Message><Resource>{escape(path)}</Resource>"
        f"<RequestId>{REQUEST_ID}</RequestId><TraceId>OGVmYzZi</TraceId></Error>"
    )
    return status, {"Content-Type": "application/xml"}, body.encode()


class Connection(asyncio.Protocol):
    """One kept-alive connection: reads requests one after another, and answers each."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._buffer = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._take_one():
            pass

    def _take_one(self) -> bool:
        if self._head is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return False
            lines = self._buffer[:end].decode("latin-1").split("\r\n")
            del self._buffer[: end + 4]
            method, target, _ = lines[0].split(" ", 2)
            if target.startswith("http://"):  # as a proxy is asked
                target = "/" + target[7:].partition("/")[2]
            pairs = (line.partition(":") for line in lines[1:])
            self._head = (method, target, {name.lower(): value.strip() for name, _, value in pairs})
            if self._head[2].get("expect") == "100-continue":
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        method, target, headers = self._head
        length = int(headers.get("content-length") or 0)
        if len(self._buffer) < length:
            return False
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        status, headers_out, answer = self._stub.answer(method, target, headers, body)
        sent = {"x-cos-request-id": REQUEST_ID, "Content-Length": str(len(answer)), **headers_out}
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Other')}"]
        lines += [f"{name}: {value}" for name, value in sent.items()]
        whole = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        whole += b"" if method == "HEAD" else answer
        if self._stub.delay_s and not target.startswith("/-/"):
            asyncio.get_running_loop().call_later(self._stub.delay_s, self._transport.write, whole)
        else:
            self._transport.write(whole)
        return True


def _tls(chain: str, key: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    return context


async def serve(stub: Stub, certificate: Sequence[str]) -> None:
    """Print the ports, and serve until stdin ends: the harness is gone then."""
    loop = asyncio.get_running_loop()
    contexts = [None, _tls(*certificate)] if certificate else [None]
    servers = [
        await loop.create_server(lambda: Connection(stub), "127.0.0.1", 0, ssl=context)
        for context in contexts
    ]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    gone = asyncio.Event()

    def wait() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(gone.set)

    threading.Thread(target=wait, daemon=True).start()
    await gone.wait()
    for server in servers:
        server.close()


if __name__ == "__main__":
    asyncio.run(serve(Stub(), sys.argv[1:]))
