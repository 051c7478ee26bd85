"""Worlds whose channel is a robot, that says of each message whether it was taken: in memory, and
behind sockets. In each of them a call may fail in any of the ways."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from ci_callback.ci_simulator import BUCKET, REGION, CiSimulator
from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from handler.ci_api.responses import ANSWER_LIMITS
from handler.http_client import Answer, Http, HttpClient
from handler.ledger.bucket import BucketAddress, Credentials
from handler.ledger.cos import CosStore
from handler.ledger.store import Store
from tests.alert_services import KEY, AlertService, Received
from tests.fake_cos import FakeCos
from tests.slow.faults.sockets import Detour
from tests.slow.faults.ways import Way, WrongHttp, WrongStore
from tests.stores import NumberedJobs, Phone, QuickWorld, Wires
from tests.world import TRANSLATION, World


class Robot(Phone):
    """A WeCom robot without its server."""

    def __init__(self) -> None:
        super().__init__()
        self.service = "wecom"

    def take(self, request: Received) -> tuple[int, bytes]:
        self.received.append(request)
        return AlertService.take(self, request)


class RobotWires(Wires):
    """`Http` straight to CI's face and to the robot, its key included."""

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        if KEY in url:
            named = {name.lower(): value for name, value in headers.items()}
            return Answer(*self._phone.take(Received(method, url, named, body)))
        return super().send(method, url, headers, body, timeout_s)


class MemoryWorld(QuickWorld):
    """A world in memory."""

    def __init__(self, **env: str) -> None:
        super().__init__(None, **env)
        self.phone = Robot()
        self.http = RobotWires(self.ci, self.phone)
        self.env |= {"ALERT_URLS": self.phone.url}

    def wrong_store(self, way: Way) -> Store:
        """The ledger, whose calls fail in a way."""
        return WrongStore(self.store, way)

    def wrong_http(self, way: Way) -> Http:
        """CI and the robot, whose answers fail in a way."""
        return WrongHttp(self.http, way)


class Faces:
    """The servers behind the sockets, for one play after the other. Use as a context manager."""

    def __init__(self, cos: FakeCos) -> None:
        self.cos = cos
        self.ci = CiSimulator()
        self.robot = AlertService("wecom")
        self.detour = Detour()
        self.http = HttpClient(ANSWER_LIMITS.max_bytes)
        self._open = ExitStack()

    def __enter__(self) -> Faces:
        for server in (self.ci, self.robot, self.detour):
            self._open.enter_context(server)
        self._open.callback(self.http.close)
        return self

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    def reset(self) -> None:
        """Forget the last play."""
        self.cos.reset()
        self.ci.reset()
        self.robot.received.clear()
        self.robot.texts.clear()


class SocketWorld(QuickWorld):
    """The same over sockets: COS through the real SDK, CI and the robot through the real HTTP
    client."""

    def __init__(self, faces: Faces, **env: str) -> None:
        faces.reset()
        place = BucketAddress(BUCKET, "ci/", REGION, ("127.0.0.1", faces.cos.port))
        super().__init__(CosStore(place, Credentials(SECRET_ID, SECRET_KEY, "")), **env)
        self._faces = faces
        self.ci = faces.ci
        self.ci.clock = self.clock
        self.ci.api.jobs = NumberedJobs()
        self.phone = faces.robot  # type: ignore[assignment]  # a service too
        self.http = faces.http
        self.env |= {"COS_ENDPOINT": self.ci.endpoint, "ALERT_URLS": self.phone.url}

    def submit(self, request: dict[str, Any] = TRANSLATION, **operation: Any) -> str:
        return World.submit(self, request, **operation)

    def wrong_store(self, way: Way) -> Store:
        """COS, whose answers fail in a way."""
        return self._faces.detour.store(way, self._faces.cos.port)

    def wrong_http(self, way: Way) -> Http:
        """CI and the robot, whose answers fail in a way."""
        return self._faces.detour.http(way, self.http)
