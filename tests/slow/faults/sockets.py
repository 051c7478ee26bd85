"""The same ways of failing behind real sockets: a server between the function and its services
that lets a request go wrong. Only requests that go wrong come by it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from unittest.mock import patch
from urllib.parse import urlsplit, urlunsplit

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.ci_simulator.server import Reply, ResetError, Seen, Server, hand_on
from handler.connections import Patience
from handler.http_client import Answer, Http
from handler.ledger import cos
from handler.ledger.bucket import BucketAddress, Credentials
from handler.ledger.store import Store
from tests.alert_services import closed_port
from tests.fake_cos import BUCKET, NO_PAUSES, REGION
from tests.slow.faults.ways import BUSY, CARRIED_OUT, FOREIGN, Way

PATIENCE_S = 0.15
"""How long the clients wait for an answer that never comes."""


class Detour:
    """Use as a context manager. port: where the service is that the requests are meant for."""

    def __init__(self) -> None:
        self._way: Way = "refused"
        self._port = 0
        self._over = threading.Event()
        self.seen: list[Seen] = []

    def __enter__(self) -> Detour:
        self._server = Server(self._answer)
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._server.stop()

    def store(self, way: Way, port: int) -> Store:
        """COS, at a port, through the real SDK; each of its tries fails in a way."""
        at = self.at(way, port)
        whole_s = PATIENCE_S if way.startswith("time-out") else 5.0
        patience = Patience(whole_s, connect_s=2.0, silent_s=2.0)
        with patch.object(cos, "PATIENCE", patience):
            return cos.CosStore(
                BucketAddress(BUCKET, "ci/", REGION, ("127.0.0.1", at)),
                Credentials(SECRET_ID, SECRET_KEY, ""),
                NO_PAUSES,
            )

    def http(self, way: Way, inner: Http) -> Http:
        """Requests that fail in a way."""
        return _Sideways(self, way, inner)

    def at(self, way: Way, port: int) -> int:
        """The port at which requests for another one fail in a way."""
        self._way, self._port = way, port
        return closed_port() if way == "refused" else self._server.port

    def _answer(self, seen: Seen) -> Reply:
        self.seen.append(seen)
        way = self._way
        if way in FOREIGN:
            return Reply(200, FOREIGN[way], (("Content-Type", "text/html"),))
        if way in ("503", "429"):
            ours = (("Content-Type", "application/xml"), ("x-cos-request-id", "NWFiMjM="))
            return Reply(int(way), BUSY, ours)
        reply = hand_on(seen, self._port) if way in CARRIED_OUT else Reply(200, b"")
        if way == "truncated":
            half = reply.body[: len(reply.body) // 2]
            return Reply(reply.status, half, reply.headers, cut=100)
        if way.startswith("time-out"):
            self._over.wait(4 * PATIENCE_S)
        raise ResetError


class _Sideways:
    """HTTP by the detour. The Host header stays that of the service."""

    def __init__(self, detour: Detour, way: Way, inner: Http) -> None:
        self._detour = detour
        self._way = way
        self._inner = inner

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        parts = urlsplit(url)
        at = self._detour.at(self._way, parts.port or 80)
        there = urlunsplit(parts._replace(netloc=f"127.0.0.1:{at}"))
        if self._way.startswith("time-out"):
            timeout_s = PATIENCE_S
        return self._inner.send(method, there, headers, body, timeout_s)
