"""Tencent Cloud on one port of loopback, to rehearse a deployment: the API, COS, CI, and the
functions that were deployed, whose timers run.

A request for the API carries X-TC-Action. The other services are found by the Host header, as on
Tencent's own network.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ci_callback.ci_simulator import CiSimulator, Fault
from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.ci_simulator.queues import Queues
from ci_callback.ci_simulator.server import Reply, Seen, Server, hand_on
from ci_callback.cloud_simulator import CloudSimulator
from ci_callback.cloud_simulator.deployed import Deployed
from ci_callback.cloud_simulator.role_keys import RoleKeys
from ci_callback.devserver.local_cos import LocalCos
from ci_callback.devserver.running import CannotServeError
from ci_callback.devserver.ticker import Ticker
from handler.ledger.bucket import is_bucket_name
from handler.ledger.folder import FolderStore
from handler.ledger.store import Store


class Buckets(Mapping[str, Store]):
    """Every bucket of the account: each is a folder, made where it is first written to."""

    def __init__(self, folder: Path, app_id: str) -> None:
        self._folder = folder
        self._app_id = app_id

    def __getitem__(self, name: str) -> Store:
        if not is_bucket_name(name) or name.rpartition("-")[2] != self._app_id:
            raise KeyError(name)
        return FolderStore(self._folder / name)

    def __iter__(self) -> Iterator[str]:
        return (path.name for path in self._folder.iterdir())

    def object(self, bucket: str, region: str, key: str) -> bytes | None:
        """An object; bucket: without appid."""
        return self[f"{bucket}-{self._app_id}"].get(key)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class LocalCloud:
    """Use as a context manager. folder: of the buckets. port: 0 for any free one.

    Attributes:
        account: the state of the API. deployed: the functions. queues: CI's, of each bucket the
        same.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.account = CloudSimulator()
        buckets = Buckets(folder, str(self.account.cam.app_id))
        secrets = {SECRET_ID: SECRET_KEY}
        self._keys = RoleKeys(self.account.cam, secrets)
        self._cos = LocalCos(buckets, secrets, lambda secret_id, operation, key: None)
        self._cos.may = self._keys.may_cos
        self._ci = CiSimulator(cos=self._cos)
        self._ci.secrets = secrets
        self._ci.fault = self._denied
        self._ci.queue_api = self.queues = Queues(f"records-{self.account.cam.app_id}")
        self._wanted_port = port
        self._stack = contextlib.ExitStack()
        self.account.scf.from_cos = buckets.object

    def __enter__(self) -> LocalCloud:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._cos)
            stack.enter_context(self._ci)
            network = {"COS_ENDPOINT": self._ci.endpoint}
            self.deployed = stack.enter_context(
                Deployed(self.account.scf, self.account.cls, network, self._keys)
            )
            server = self._listen()
            stack.callback(server.stop)
            self.port = server.port
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _listen(self) -> Server:
        try:
            return Server(self._answer, self._wanted_port)
        except OSError as error:
            what = f"127.0.0.1 port {self._wanted_port}: {error.strerror}"
            raise CannotServeError(f"{what}; choose another with --port") from error

    @property
    def url(self) -> str:
        """What `deploy --to` takes."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def region(self) -> str:
        """Of the account."""
        return self.account.scf.region

    @property
    def ledger(self) -> str:
        """A LEDGER_URL for a rehearsal; every other bucket of the account would do."""
        return f"cos://records-{self.account.cam.app_id}/ci"

    @contextlib.contextmanager
    def timers(self, every_s: float) -> Iterator[None]:
        """Let sweeps run every so many seconds; 0: never."""
        if not every_s:
            yield
            return
        ticker = Ticker(every_s, lambda: self.deployed.tick("sweep"))
        ticker.start()
        try:
            yield
        finally:
            ticker.stop()

    def _denied(self, seen: Seen) -> Fault | None:
        """A request to CI that the role of its sender does not allow."""
        if ".ci." not in seen.headers.get("host", ""):
            return None
        signer = re.search(r"q-ak=([^&]*)", seen.headers.get("authorization", ""))
        is_allowed = signer is None or self._keys.may_ci(signer[1], seen.method)
        return None if is_allowed else Fault(before=(403, "AccessDenied"))

    def _answer(self, seen: Seen) -> Reply:
        if "x-tc-action" in seen.headers:
            return self.account.answer(seen)
        if seen.headers.get("host", "").endswith(".myqcloud.com"):
            return hand_on(seen, int(self._ci.endpoint.rpartition(":")[2]))
        return self.deployed.answer(seen)
