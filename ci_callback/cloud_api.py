"""Tencent Cloud's API 3.0, called through Tencent's own SDK.

The SDK is imported when the first call is made: no other command needs it, and its import takes as
long as that of requests and 10 ms more. It validates nothing, so parameters are given as they are
sent.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from handler.errors import HandlerError
from handler.ledger.bucket import Credentials

TIMEOUT_S = 60
"""For one request: the code of the function goes in one."""

INSTALL = "pip install 'ci-callback-handler[deploy]', or: pip install -r requirements/deploy.txt"


class _Client(NamedTuple):
    module: str
    name: str


_CLIENTS = {
    "scf": _Client("tencentcloud.scf.v20180416.scf_client", "ScfClient"),
    "cam": _Client("tencentcloud.cam.v20190116.cam_client", "CamClient"),
    "cls": _Client("tencentcloud.cls.v20201016.cls_client", "ClsClient"),
}

_GENERIC = {"monitor": "2018-07-24"}
"""Services that are called by the SDK's general client, with the version of their API: no package
of theirs is needed."""

_NETWORK = "ClientNetworkError"
_STATUS = "ServerNetworkError"


class CloudError(HandlerError):
    """The API answered with an error, or gave no answer.

    Attributes:
        action: the name of the call.
        code: the API's own name for the fault; "" where it gave no answer of its own.
        words: the API's message; it may quote the request and is not shown.
        is_other: there was an answer, and not the API's.
    """

    def __init__(self, action: str, code: str, words: str = "", is_other: bool = False) -> None:
        self.action = action
        self.code = code
        self.words = words
        self.is_other = is_other
        super().__init__(f"{action}: {code or 'no answer'}")

    def is_in(self, *beginnings: str) -> bool:
        """Whether the code is one of these, or a kind of one of them."""
        return any(self.code == one or self.code.startswith(f"{one}.") for one in beginnings)


class SdkMissingError(HandlerError):
    """The SDK is not installed."""

    def __init__(self) -> None:
        super().__init__(f"Tencent Cloud's SDK is not installed: {INSTALL}")


@dataclass
class Cloud:
    """One account in one region. endpoint: "" for Tencent's own, else http://host:port. timeout_s:
    of one request."""

    credentials: Credentials
    region: str
    endpoint: str = ""
    timeout_s: float = TIMEOUT_S
    _clients: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def call(self, service: str, action: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One action; the members of its answer.

        Raises:
            SdkMissingError
            CloudError
        """
        client = self._clients.get(service) or self._open(service)
        from tencentcloud.common.exception.tencent_cloud_sdk_exception import (
            TencentCloudSDKException,
        )

        try:
            answer = client.call_json(action, dict(params))["Response"]
        except TencentCloudSDKException as error:
            no_answer = error.code in (_NETWORK, _STATUS)
            words = "" if no_answer else str(error.message)
            code, is_other = "" if no_answer else str(error.code), error.code == _STATUS
            raise CloudError(action, code, words, is_other) from error
        except (ValueError, KeyError, TypeError) as error:
            raise CloudError(action, "", is_other=True) from error
        if not isinstance(answer, dict):
            raise CloudError(action, "", is_other=True)
        return answer

    def _open(self, service: str) -> Any:
        try:
            from tencentcloud.common.credential import Credential
            from tencentcloud.common.profile.client_profile import ClientProfile
            from tencentcloud.common.profile.http_profile import HttpProfile

            kind = _kind(service)
        except ModuleNotFoundError as error:
            raise SdkMissingError from error
        mine = self.credentials
        place = urlsplit(self.endpoint)
        http = (
            HttpProfile(protocol=place.scheme, endpoint=place.netloc, reqTimeout=self.timeout_s)
            if self.endpoint
            else HttpProfile(reqTimeout=self.timeout_s)
        )
        credential = Credential(mine.secret_id, mine.secret_key, mine.session_token or None)
        client = kind(credential, self.region, ClientProfile(httpProfile=http))
        return self._clients.setdefault(service, client)


def _kind(service: str) -> Callable[..., Any]:
    """Makes a client of credentials, region and profile. May raise ModuleNotFoundError."""
    if service in _GENERIC:
        from tencentcloud.common.common_client import CommonClient

        return functools.partial(CommonClient, service, _GENERIC[service])
    found = _CLIENTS[service]
    kind: Callable[..., Any] = getattr(importlib.import_module(found.module), found.name)
    return kind
