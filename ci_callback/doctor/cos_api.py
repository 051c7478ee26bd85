"""What only the tool asks and tells COS about a bucket itself, and COS's clock.

Requests are signed by the COS SDK's signer; answers are read by payload.parse, since the
SDK's own methods read XML through eval().
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from ci_callback.doctor.case import REQUEST_S, Case
from handler.callback import tree
from handler.callback.payload import Limits, parse
from handler.callback.tree import Tree
from handler.errors import HandlerError, NoAnswerError, PayloadError
from handler.http_client import Answer

_XML = "application/xml"


class CosRefusedError(HandlerError):
    """COS answered with an error, or with something else than was asked for.

    Attributes:
        status: the HTTP status.
        code: COS's own name for the fault; "" where it gave none.
    """

    def __init__(self, status: int, code: str) -> None:
        self.status = status
        self.code = code
        super().__init__(f"HTTP {status} {code}".strip())


def host(case: Case) -> str:
    """The bucket's own host."""
    return f"{case.settings.ledger_url.bucket}.cos.{case.settings.region}.myqcloud.com"


def ask(case: Case, params: Mapping[str, str]) -> Tree:
    """GET the bucket itself with a parameter such as `versioning`: the answer as a tree.

    Raises:
        NoAnswerError
        CosRefusedError
    """
    answer = _sent(case, "GET", params, b"")
    try:
        node, _ = parse(answer.body, Limits())
    except PayloadError as error:
        raise CosRefusedError(answer.status, "") from error
    if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise CosRefusedError(answer.status, tree.text(node, "Error.Code") or "")
    return node


def put(case: Case, params: Mapping[str, str], body: bytes) -> None:
    """PUT a setting of the bucket itself.

    Raises:
        NoAnswerError
        CosRefusedError
    """
    answer = _sent(case, "PUT", params, body)
    if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
        try:
            node, _ = parse(answer.body, Limits())
        except PayloadError:
            node = {}
        raise CosRefusedError(answer.status, tree.text(node, "Error.Code") or "")


def _sent(case: Case, method: str, params: Mapping[str, str], body: bytes) -> Answer:
    endpoint = case.settings.cos_endpoint
    base = f"http://{endpoint[0]}:{endpoint[1]}" if endpoint else f"https://{host(case)}"
    headers = _signed(case, method, params, body)
    return case.http.send(method, f"{base}/?{'&'.join(params)}", headers, body, REQUEST_S)


def _signed(case: Case, method: str, params: Mapping[str, str], body: bytes) -> dict[str, str]:
    import logging

    # At DEBUG its lines hold the signing key.
    logging.getLogger("qcloud_cos").setLevel(logging.CRITICAL)
    from qcloud_cos import CosConfig, CosS3Auth
    from requests import Request

    mine = case.settings.credentials
    if mine is None:
        raise AssertionError("Settings.from_env lets no cos ledger through without credentials")
    headers = {"Host": host(case)}
    if body:
        digest = hashlib.md5(body, usedforsecurity=False).digest()
        headers |= {"Content-MD5": base64.b64encode(digest).decode(), "Content-Type": _XML}
    if mine.session_token:
        headers["x-cos-security-token"] = mine.session_token
    config = CosConfig(
        Region=case.settings.region, SecretId=mine.secret_id, SecretKey=mine.secret_key
    )
    sign = CosS3Auth(config, "/", dict(params))
    return dict(sign(Request(method, headers=headers)).headers)


def server_time(case: Case) -> float | None:
    """COS's own clock, epoch seconds, from the Date of any answer, even of a refusal; None
    where it gave none. The request is not signed: a clock that is off must not spoil it.

    Raises:
        NoAnswerError
    """
    endpoint = case.settings.cos_endpoint
    connection = (
        HTTPConnection(*endpoint, timeout=REQUEST_S)
        if endpoint
        else HTTPSConnection(host(case), timeout=REQUEST_S)
    )
    try:
        connection.request("HEAD", "/", headers={"Host": host(case)})
        date = connection.getresponse().getheader("Date", "")
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return None
    except (OSError, HTTPException) as error:
        raise NoAnswerError(host(case), f"no answer ({type(error).__name__})", True) from error
    finally:
        connection.close()
