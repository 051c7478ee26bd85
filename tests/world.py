"""A small world in which failures can be played: a ledger, CI, a person's channel, and a clock
that stands still unless it is moved. CI and the channel are real servers on loopback."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ci_callback.ci_simulator import BUCKET, REGION, CiSimulator
from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from handler.app import Function
from handler.callback.catalogue import family_of
from handler.ci_api.client import Ci, CiAddress
from handler.http_client import Http, HttpClient
from handler.ledger.bucket import Credentials
from handler.ledger.folder import FolderStore
from handler.ledger.store import Store
from handler.log import Log
from tests.alert_services import AlertService

START = 1_790_000_000.0  # 2026-09-21T14:13:20Z
MINUTE = 60.0

TRANSLATION: dict[str, Any] = {
    "Tag": "Translation",
    "Input": {"Object": "input/en.pdf", "Lang": "en", "Type": "pdf"},
    "Operation": {
        "Translation": {"Lang": "zh", "Type": "pdf"},
        "Output": {"Bucket": BUCKET, "Region": REGION, "Object": "output/zh.pdf"},
        "UserData": "mine",
    },
}


class World:
    """Use as a context manager. Times are epoch seconds of its own clock."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.now = START
        self.folder = folder
        self.store: Store = FolderStore(folder)
        self.output = io.StringIO()
        self.timer: Callable[[], float] = self.clock
        self._lines: list[dict[str, Any]] = []
        self.ci = CiSimulator(self.clock)
        self.phone = self.make_phone()
        self._servers = ExitStack()
        self._extra = env

    def __enter__(self) -> World:
        self._servers.enter_context(self.ci)
        self._servers.enter_context(self.phone)
        self.env = {
            "LEDGER_URL": f"file:{self.folder}",
            "COS_ENDPOINT": self.ci.endpoint,
            "COS_REGION": REGION,
            "CI_BUCKET": BUCKET,
            "TENCENTCLOUD_SECRETID": SECRET_ID,
            "TENCENTCLOUD_SECRETKEY": SECRET_KEY,
            "ALERT_URLS": self.phone.url,
        } | self._extra
        return self

    def __exit__(self, *exc: object) -> None:
        self._servers.close()

    def make_phone(self) -> AlertService:
        """The person's channel."""
        return AlertService("webhook")

    def clock(self) -> float:
        """The time in this world."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Waiting moves the clock."""
        self.now += seconds

    # --- what CI does ---

    def submit(self, request: dict[str, Any] = TRANSLATION, **operation: Any) -> str:
        """A user submits a job; its JobId."""
        asked = request | {"Operation": request["Operation"] | operation}
        family = family_of(asked["Tag"], "")
        assert family is not None
        ci = Ci(
            HttpClient(),
            Credentials(SECRET_ID, SECRET_KEY, ""),
            CiAddress(BUCKET, REGION, ("127.0.0.1", self.ci.port)),
        )
        result = ci.create(family, asked)
        assert result.job_id, result
        self.now += 10
        return result.job_id

    def fail(self, job_id: str, code: str = "InternalError") -> None:
        """A job fails, ten seconds from now."""
        self.now += 10
        self.ci.finish(job_id, "Failed", code, "it broke")

    def succeed(self, job_id: str) -> None:
        """A job succeeds, ten seconds from now."""
        self.now += 10
        self.ci.finish(job_id)

    # --- what the function does ---

    def function(self, store: Store | None = None, http: Http | None = None) -> Function:
        """The function, with this world's clock, and a store and HTTP that may misbehave."""
        log = Log(self.output, self.clock)
        opened = store or self.store
        return Function(
            self.env,
            self.clock,
            log,
            self.sleep,
            lambda settings, time_left: opened,
            http,
            timer=self.timer,
        )

    def deliver(
        self, job_id: str, form: str = "XML", store: Store | None = None
    ) -> tuple[int, dict[str, Any]]:
        """CI's callback of a job reaches the function; status and answer."""
        body = self.ci.callback_body(job_id, form).decode()
        return self.post(body, store)

    def post(self, body: str, store: Store | None = None) -> tuple[int, dict[str, Any]]:
        """A body reaches the function; status and answer."""
        event = {"httpMethod": "POST", "path": "/", "body": body}
        answer = self.function(store).handle(event, {"request_id": f"r{self.now}"})
        return answer["statusCode"], json.loads(answer["body"])

    def sweep(self, store: Store | None = None, http: Http | None = None) -> dict[str, Any]:
        """The timer ticks; what the sweep logged of itself."""
        tick = {"Type": "Timer", "TriggerName": "sweep", "Message": "sweep"}
        self.function(store, http).handle(tick, {"request_id": "t", "time_limit_in_ms": 55_000})
        return next(line for line in reversed(self.lines) if line["event"] == "sweep")

    def run(self, minutes: float, each: Callable[[], object] = lambda: None) -> None:
        """Time goes by, with a sweep each minute."""
        end = self.now + minutes * MINUTE
        while self.now < end:
            self.now += MINUTE
            each()
            self.sweep()

    # --- what there is to see ---

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log. Each line is read once, however often this is looked at."""
        written = self.output.getvalue()
        self.output.seek(0)
        self.output.truncate()
        self._lines += [json.loads(line) for line in written.splitlines()]
        return self._lines

    def keys(self, prefix: str = "") -> list[str]:
        """What is in the ledger."""
        return list(FolderStore(self.folder).list(prefix))

    def read(self, key: str) -> Any:
        """What is kept under a key."""
        return json.loads(FolderStore(self.folder).get(key) or b"null")

    @property
    def attempts(self) -> list[tuple[str, int]]:
        """(root, attempt) of each re-submission that CI accepted."""
        return [submission.marker for submission in self.ci.accepted if submission.marker]

    @property
    def alerts(self) -> list[str]:
        """The texts that reached the person."""
        return list(self.phone.texts)
