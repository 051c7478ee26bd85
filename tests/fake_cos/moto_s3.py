"""moto as the objects behind COS: an S3 that was written by others, and knows nothing of this
project's assumptions. Only the words differ: x-cos-* headers are x-amz-* ones there."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from typing import Any

from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.test import run_wsgi_app

from tests.fake_cos.seen import Seen

_AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"
)
"""moto reads the form and checks nothing."""

_ACCOUNT = "123456789012"


class MotoS3:
    """S3 in memory, of the whole process: moto keeps its state in module globals."""

    def __init__(self) -> None:
        self._dispatcher = DomainDispatcherApplication(create_backend_app)
        self._app: Any = None
        self._lock = threading.Lock()

    def reset(self) -> None:
        """Forget every bucket."""
        BackendDict.reset()

    def keys(self, bucket: str) -> list[str]:
        """The keys of a bucket."""
        return list(s3_backends[_ACCOUNT]["aws"].buckets[bucket].keys)

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Put an object without a request: a hundred times as fast as `ask`."""
        s3_backends[_ACCOUNT]["aws"].put_object(bucket, key, data)

    def ask(self, bucket: str, seen: Seen) -> tuple[str, dict[str, str], bytes]:
        """Carry a request of COS out; status line, headers and body of the answer."""
        sent = _as_aws(seen.headers)
        environ = {
            "REQUEST_METHOD": seen.method,
            "PATH_INFO": "/" + seen.key.encode("utf-8").decode("latin-1"),
            "QUERY_STRING": seen.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": f"{bucket}.s3.amazonaws.com",
            "HTTP_AUTHORIZATION": _AUTHORIZATION,
            "CONTENT_TYPE": sent.pop("content-type", ""),
            "CONTENT_LENGTH": str(len(seen.body)),
            "wsgi.input": io.BytesIO(seen.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        environ |= {f"HTTP_{n.upper().replace('-', '_')}": value for n, value in sent.items()}
        if self._app is None:
            # S3's, once: the dispatcher looks at every file of moto's with each request.
            self._app = self._dispatcher.get_application(environ)
        with self._lock:  # moto's check of If-None-Match and its write are two steps
            answer, status, answered = run_wsgi_app(self._app, environ, buffered=True)
        as_cos = {_as_cos(name): value for name, value in answered.items()}
        return status, as_cos, b"".join(answer)


def _as_aws(headers: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name.replace("x-cos-", "x-amz-"): value
        for name, value in headers.items()
        if name.startswith("x-cos-") or name in ("content-type", "range")
    }
    if kept.pop("x-amz-forbid-overwrite", "") == "true":
        kept["if-none-match"] = "*"
    return kept


def _as_cos(name: str) -> str:
    lower = name.lower()
    return lower.replace("x-amz-", "x-cos-") if lower.startswith("x-amz-") else name
