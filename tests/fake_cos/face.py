"""A WSGI application on a free port of loopback that turns COS requests into S3 ones for moto.

The real SDK talks to it through real sockets: nothing of the SDK is patched. It verifies
the COS signature and Content-MD5, counts requests, and injects faults.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import run_wsgi_app

from ci_callback.ci_simulator import signature
from ci_callback.ci_simulator.fixtures import BUCKET, REGION, SECRET_ID, SECRET_KEY, Fault

_HOST = re.compile(r"(?P<bucket>[a-z0-9-]+-\d+)\.cos\.(?P<region>[a-z0-9-]+)\.myqcloud\.com")
_AWS_AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"
)

_REQUEST_ID = "NWFiMjM="
"""Stands in every answer of COS (436/7729)."""


@dataclass(frozen=True)
class Seen:
    """A request that reached the face."""

    method: str
    key: str
    query: str
    headers: dict[str, str]


class FakeCos:
    """COS on loopback. Use as a context manager; `endpoint` is what COS_ENDPOINT takes."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server: Any = None
        self.seen: list[Seen] = []
        self.fault: Callable[[Seen], Fault | None] = lambda seen: None
        self.secrets = {SECRET_ID: SECRET_KEY}
        self.security_token: str | None = None
        self.buckets = {BUCKET}
        self.lock = threading.Lock()

    def __enter__(self) -> FakeCos:
        self._server = make_server(
            "127.0.0.1", 0, self._serve, threaded=True, request_handler=_QuietHandler
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()
        self.reset()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        port: int = self._server.server_port
        return port

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """The environment with which a function writes to this COS."""
        return {
            "LEDGER_URL": f"cos://{BUCKET}/ci",
            "COS_REGION": REGION,
            "COS_ENDPOINT": self.endpoint,
            "TENCENTCLOUD_SECRETID": SECRET_ID,
            "TENCENTCLOUD_SECRETKEY": SECRET_KEY,
        }

    def reset(self) -> None:
        """Empty everything, forget what was seen, and create the bucket again."""
        BackendDict.reset()
        self.seen.clear()
        self.fault = lambda seen: None
        self.security_token = None
        for bucket in self.buckets:
            self._ask_moto(bucket, "PUT", "/", "", {}, b"")

    def keys(self, prefix: str = "") -> list[str]:
        """All keys in the bucket, asked of moto directly: not counted."""
        from moto.s3.models import s3_backends

        bucket = s3_backends["123456789012"]["aws"].buckets[BUCKET]
        return sorted(key for key in bucket.keys if key.startswith(prefix))

    def read(self, key: str) -> bytes:
        """An object's bytes, not counted."""
        return self._ask_moto(BUCKET, "GET", "/" + key, "", {}, b"")[2]

    def requests(self) -> list[tuple[str, str]]:
        """(method, key) of what was seen, in order."""
        return [(one.method, one.key) for one in self.seen]

    @contextmanager
    def faulty(self, fault: Callable[[Seen], Fault | None]) -> Iterator[None]:
        """Ask `fault` about each request for a while."""
        self.fault = fault
        try:
            yield
        finally:
            self.fault = lambda seen: None

    # --- serving ---

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = {
            name[5:].replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        headers["content-type"] = environ.get("CONTENT_TYPE", "")
        headers["content-length"] = environ.get("CONTENT_LENGTH", "")
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8")
        seen = Seen(environ["REQUEST_METHOD"], path[1:], environ.get("QUERY_STRING", ""), headers)
        with self.lock:
            self.seen.append(seen)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        fault = self.fault(seen) or Fault()
        if fault.delay_s:
            time.sleep(fault.delay_s)
        if fault.reset_before:
            return _reset(environ)
        status, answer_headers, answer = (
            _error(seen, *fault.before) if fault.before else self._do(seen, path, body)
        )
        if fault.after:
            status, answer_headers, answer = _error(seen, *fault.after)
        if fault.reset_after:
            return _reset(environ)
        if fault.body is not None:
            answer = fault.body
        length = str(len(answer) + (100 if fault.cut_answer else 0))
        answer_headers = {
            name: value
            for name, value in answer_headers.items()
            if name.lower() not in ("content-length", "connection")
        } | {"Content-Length": length, "x-cos-request-id": _REQUEST_ID}
        start_response(status, list(answer_headers.items()))
        return [] if seen.method == "HEAD" else [answer]

    def _do(self, seen: Seen, path: str, body: bytes) -> tuple[str, dict[str, str], bytes]:
        host = _HOST.fullmatch(seen.headers["host"])
        if not host:
            return _error(seen, 400, "InvalidHost")
        if not signature.is_valid(seen.method, path, seen.query, seen.headers, self.secrets):
            return _error(seen, 403, "SignatureDoesNotMatch")
        if seen.headers.get("x-cos-security-token") != self.security_token:
            return _error(seen, 403, "InvalidSecurityToken")
        md5 = seen.headers.get("content-md5")
        if md5 and base64.b64decode(md5) != hashlib.md5(body).digest():
            return _error(seen, 400, "BadDigest")
        status, headers, answer = self._ask_moto(
            host["bucket"], seen.method, path, seen.query, _as_aws(seen.headers), body
        )
        number = int(status.split()[0])
        if number == 412 and "x-cos-forbid-overwrite" in seen.headers:
            return _error(seen, 409, "FileAlreadyExists")
        if number >= 400:
            code = re.search(rb"<Code>(\w+)</Code>", answer)
            return _error(seen, number, code[1].decode() if code else "Unknown")
        return status, {_as_cos(name): value for name, value in headers.items()}, answer

    def _ask_moto(
        self, bucket: str, method: str, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> tuple[str, dict[str, str], bytes]:
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path.encode("utf-8").decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": f"{bucket}.s3.amazonaws.com",
            "HTTP_AUTHORIZATION": _AWS_AUTHORIZATION,
            "CONTENT_TYPE": headers.pop("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        environ |= {f"HTTP_{n.upper().replace('-', '_')}": value for n, value in headers.items()}
        with self.lock:  # moto's check of If-None-Match and its write are two steps
            answer, status, answer_headers = run_wsgi_app(self._moto, environ, buffered=True)
        return status, dict(answer_headers), b"".join(answer)


class _QuietHandler(WSGIRequestHandler):
    """Keeps connections alive as COS does, and logs nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


def _as_aws(headers: dict[str, str]) -> dict[str, str]:
    kept = {
        name.replace("x-cos-", "x-amz-"): value
        for name, value in headers.items()
        if name.startswith("x-cos-") or name in ("content-type", "range")
    }
    if kept.pop("x-amz-forbid-overwrite", "") == "true":
        kept["if-none-match"] = "*"
    return kept


def _as_cos(name: str) -> str:
    return name.lower().replace("x-amz-", "x-cos-") if name.lower().startswith("x-amz-") else name


def _error(seen: Seen, status: int, code: str) -> tuple[str, dict[str, str], bytes]:
    body = (
        f"<?xml version='1.0' encoding='utf-8' ?>\n<Error><Code>{code}</Code>"
        f"<Message>{code}</Message><Resource>/{escape(seen.key)}</Resource>"
        f"<RequestId>{_REQUEST_ID}</RequestId><TraceId>OGVmYzZi</TraceId></Error>"
    )
    return f"{status} {code}", {"Content-Type": "application/xml"}, body.encode()


def _reset(environ: dict[str, Any]) -> Iterable[bytes]:
    """Cut the connection without an answer."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError
