"""Requests to CI: a tree as XML, and the headers that sign a request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from handler.callback.tree import Tree
from handler.errors import HandlerError
from handler.ledger.bucket import Credentials
from handler.ledger.requests_import import importing_requests
from handler.ledger.signature import SIGNED_FOR_S
from handler.ledger.transport import Request

_ELEMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NO_XML_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


class NotWritableError(HandlerError):
    """A tree that no XML can hold. The message names the element, never its text."""


def to_xml(tree: dict[str, Tree]) -> bytes:
    """A tree as XML in UTF-8: a list repeats its element, None is an empty one.

    What payload.parse makes of it is the tree again, where it has one root, no empty
    container, and no list with fewer than two entries.

    Raises:
        NotWritableError: a name is no plain element name (an attribute's @name neither), a text
            has a character that XML 1.0 does not allow, or a leaf is no text.
    """
    return "".join(_elements(tree)).encode("utf-8")


def _elements(children: dict[str, Tree]) -> Iterator[str]:
    # Recursive: payload.py lets no tree through that is nested deeper than its limit.
    for name, sent in children.items():
        if not _ELEMENT.fullmatch(name):
            raise NotWritableError(f"{name[:40]!r} is no name of an XML element")
        for value in sent if isinstance(sent, list) else [sent]:
            yield f"<{name}>"
            if isinstance(value, dict):
                yield from _elements(value)
            elif value is not None:
                yield _text(name, value)
            yield f"</{name}>"


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise NotWritableError(f"{name} holds a {type(value).__name__} where a text is expected")
    forbidden = _NO_XML_CHARACTER.search(value)
    if forbidden:
        raise NotWritableError(f"{name} holds U+{ord(forbidden[0]):04X}, which XML does not allow")
    return value.translate(_ESCAPES)


class Signer:
    """Signs requests for CI with the COS SDK's own signer, which reads the time itself."""

    def __init__(self, credentials: Credentials, region: str) -> None:
        self._credentials = credentials
        self._region = region
        self._config: object = None

    def headers(
        self, method: str, host: str, path: str, params: Mapping[str, str], body: bytes
    ) -> dict[str, str]:
        """All headers that the request must carry as they are: each one is signed.

        Only a request with a body has Content-Type; each POST and PUT has Content-Length: buckets
        in strict signature mode want both signed, and CI answers AccessDenied where a Content-Type
        was sent that was not signed.
        """
        headers = {"Host": host}
        if body:
            headers["Content-Type"] = "application/xml"
        if method in ("POST", "PUT"):
            headers["Content-Length"] = str(len(body))
        if self._credentials.session_token:
            headers["x-ci-security-token"] = self._credentials.session_token
        return headers | {"Authorization": self._authorization(method, path, params, headers)}

    def _authorization(
        self, method: str, path: str, params: Mapping[str, str], headers: dict[str, str]
    ) -> str:
        if self._config is None:
            self._config = self._connect()
        from qcloud_cos import CosS3Auth

        sign = CosS3Auth(self._config, path, dict(params), SIGNED_FOR_S)
        authorization: str = sign(Request(method, "", dict(headers))).headers["Authorization"]
        return authorization

    def _connect(self) -> object:
        import logging

        # At DEBUG its lines hold the signing key.
        logging.getLogger("qcloud_cos").setLevel(logging.CRITICAL)
        with importing_requests():
            from qcloud_cos import CosConfig

        config: object = CosConfig(
            Region=self._region,
            SecretId=self._credentials.secret_id,
            SecretKey=self._credentials.secret_key,
        )
        return config
