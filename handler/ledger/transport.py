"""The HTTP session that the COS SDK is given: urllib3's pools without requests around them.

The SDK takes any session with requests' methods. Its own, made by requests, costs two thirds
of a put (`make bench`: warm CPU): cookies, hooks, redirects and proxies are looked at for each
request, and none of them has a say here. Building the request, signing it and reading its
errors stay the SDK's; connections, TLS and time-outs stay urllib3's, as under requests.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit


class NotOfCos(Exception):
    """An answer that is not COS's, or a redirect. The SDK makes a CosClientError of it."""


class Request:
    """What the SDK's signer reads, and puts its header into."""

    __slots__ = ("headers", "method", "url")

    def __init__(self, method: str, url: str, headers: dict[str, str]) -> None:
        self.method = method
        self.url = url
        self.headers = headers


class Answer(NamedTuple):
    """The part of requests' Response that the SDK reads. content: b"" of one that is streamed,
    whose body is in `raw`."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    raw: Any

    @property
    def text(self) -> str:
        """The body of an error."""
        return self.content.decode("utf-8", "replace")


class Session:
    """The part of requests' Session that the SDK calls. May be used by several threads.

    Every method raises urllib3's HTTPError or OSError where there is no answer, and NotOfCos.
    """

    def __init__(self, pool_size: int) -> None:
        self._pool_size = pool_size
        self._pools: dict[str, Any] = {}
        self._making = threading.Lock()

    def put(self, url: str, **told: Any) -> Answer:
        return self._send("PUT", url, **told)

    def get(self, url: str, **told: Any) -> Answer:
        return self._send("GET", url, **told)

    def delete(self, url: str, **told: Any) -> Answer:
        return self._send("DELETE", url, **told)

    def _send(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str],
        auth: Callable[[Any], Any],
        timeout: tuple[float, float],
        data: bytes = b"",
        params: Mapping[str, Any] | None = None,
        stream: bool = False,
        **_: Any,
    ) -> Answer:
        parts = urlsplit(url)
        query = urlencode(
            {name: value for name, value in (params or {}).items() if value is not None}
        )
        if method == "PUT":
            headers["Content-Length"] = str(len(data))
        auth(Request(method, url, headers))
        raw = self._pool(parts.scheme, parts.netloc).urlopen(
            method,
            f"{parts.path}?{query}" if query else parts.path,
            body=data or None,
            headers=headers,
            timeout=self._timeout(timeout),
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=not stream,
            decode_content=False,
        )
        if not _is_of_a_store(raw.status, raw.headers) or 300 <= raw.status < 400:
            raw.close()
            raise NotOfCos("the answer is not COS's, or a redirect")
        return Answer(
            raw.status, raw.headers, b"" if stream and raw.status < 300 else raw.data, raw
        )

    def _timeout(self, seconds: tuple[float, float]) -> Any:
        import urllib3

        return urllib3.Timeout(connect=seconds[0], read=seconds[1])

    def _pool(self, scheme: str, netloc: str) -> Any:
        key = f"{scheme}://{netloc}"
        pool = self._pools.get(key)
        if pool is not None:
            return pool
        import certifi
        import urllib3

        with self._making:
            if key not in self._pools:
                secure = {"cert_reqs": "CERT_REQUIRED", "ca_certs": certifi.where()}
                self._pools[key] = urllib3.connection_from_url(
                    key, maxsize=self._pool_size, **(secure if scheme == "https" else {})
                )
            return self._pools[key]


def _is_of_a_store(status: int, headers: Mapping[str, str]) -> bool:
    """Each answer of COS has an id (436/7729). A stand-in behind COS_ENDPOINT may have none, but
    like COS it gives an object's ETag, XML, or to a delete 204: what no page in between does."""
    return (
        "x-cos-request-id" in headers
        or "etag" in headers
        or status == 204
        or "xml" in headers.get("content-type", "")
    )
