"""The HTTP of the simulator: signature, description, faults, then the service."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.ci_simulator.server import Reply, Seen, Server
from ci_callback.cloud_simulator import contract, tc3
from ci_callback.cloud_simulator.cam import Cam
from ci_callback.cloud_simulator.cls import Cls
from ci_callback.cloud_simulator.errors import ApiError
from ci_callback.cloud_simulator.faults import Faults
from ci_callback.cloud_simulator.monitor import Monitor
from ci_callback.cloud_simulator.scf import Scf

APP_ID = 1250000000
UIN = "100000000001"
REGION = "ap-guangzhou"
MAX_BODY_BYTES = 10 * 1024 * 1024
"""Of a POST that is signed by TC3 (608/33031 and the same page of every product)."""

READS = ("Get", "List", "Describe", "Search")
_JSON = (("Content-Type", "application/json"),)


class Asked(NamedTuple):
    """A request that reached a service. params: as they were sent."""

    service: str
    action: str
    params: Mapping[str, Any]

    @property
    def is_write(self) -> bool:
        """Whether it can change the account."""
        return not self.action.startswith(READS)


class CloudSimulator:
    """One account in one region. Use as a context manager.

    Attributes:
        secrets: secret id → secret key of who may call. session_token: what X-TC-Token must be;
        "" for none. seen: every request that passed the checks.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.secrets = {SECRET_ID: SECRET_KEY}
        self.session_token = ""
        self.faults = Faults()
        self.seen: list[Asked] = []
        self._lock = threading.RLock()
        self._server: Server | None = None
        self.cam = Cam(self.faults, APP_ID, UIN)
        self.scf = Scf(self.faults, self.cam, REGION)
        self.cls = Cls(self.faults)
        self.monitor = Monitor(self.faults, APP_ID)
        self._services = {
            "cam": self.cam.call,
            "cls": self.cls.call,
            "monitor": self.monitor.call,
            "scf": self.scf.call,
        }

    def __enter__(self) -> CloudSimulator:
        self._server = Server(self.answer)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._server is not None:
            self._server.stop()

    @property
    def endpoint(self) -> str:
        """http://host:port, where it listens."""
        if self._server is None:
            raise RuntimeError("it is a context manager, and was not entered")
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def writes(self) -> list[Asked]:
        """The requests that may have changed the account."""
        return [asked for asked in self.seen if asked.is_write]

    def answer(self, seen: Seen) -> Reply:
        """The answer of the API; an error is a 200 as well.

        Raises:
            ResetError: a fault cuts the connection.
        """
        try:
            response = self._result(seen)
        except ApiError as error:
            response = {"Error": {"Code": error.code, "Message": error.message}}
        whole = {"Response": {**response, "RequestId": str(uuid.uuid4())}}
        return Reply(200, json.dumps(whole).encode(), _JSON)

    def _result(self, seen: Seen) -> dict[str, Any]:
        service = tc3.service_of(seen.headers, seen.body, self.secrets, self.clock())
        if seen.headers.get("x-tc-token", "") != self.session_token:
            raise ApiError("AuthFailure.TokenFailure", "The token is wrong.")
        if len(seen.body) > MAX_BODY_BYTES:
            raise ApiError("RequestSizeLimitExceeded", f"It is over {MAX_BODY_BYTES} bytes.")
        asked = Asked(service, seen.headers.get("x-tc-action", ""), _params(seen.body))
        version = seen.headers.get("x-tc-version", "")
        contract.check_request(service, version, asked.action, asked.params)
        if service != "cam" and seen.headers.get("x-tc-region") != REGION:
            raise ApiError("UnsupportedRegion", "This account is in another region.")
        self.faults.before(asked.action)
        with self._lock:
            self.faults.check(asked.action)
            self.seen.append(asked)
            response = self._services[service](asked.action, asked.params)
        contract.check_answer(service, asked.action, response)
        self.faults.after(asked.action)
        return response


def _params(body: bytes) -> dict[str, Any]:
    try:
        params = json.loads(body)
    except ValueError as error:
        raise ApiError("InvalidParameter", "The body is not JSON.") from error
    if not isinstance(params, dict):
        raise ApiError("InvalidParameter", "The body is not an object.")
    return params
