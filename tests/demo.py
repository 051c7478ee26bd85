"""`make demo`: a job that fails twice, is submitted again by sweeps, and recovers.

Everything is real but CI and the person's phone, which are servers on loopback: the function
answers HTTP, its ledger is a folder, and its sweeps run as the timer would run them, only
faster. Seconds stand in for minutes.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rich.console import Console

from ci_callback.ci_simulator import BUCKET, REGION, CiSimulator
from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.events import context, http_event
from handler.app import Function
from handler.callback.families import FAMILIES
from handler.ci_api.client import Ci, CiAddress
from handler.http_client import HttpClient
from handler.ledger.bucket import Credentials
from handler.ledger.folder import FolderStore
from handler.log import Log
from tests.alert_services import AlertService
from tests.world import TRANSLATION

MAX_S = 30
"""The whole story takes about five seconds."""

console = Console(highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One step of the story."""
    console.print(f"[bold cyan]•[/] {text}")


@contextmanager
def function_url(env: dict[str, str], log_file: Path) -> Iterator[str]:
    """The function behind an address, each request handed to it as SCF would."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = invoke(env, log_file, http_event(body))
            self.send_response(answer["statusCode"])
            self.end_headers()
            self.wfile.write(answer["body"].encode())
            say(f"callback → {answer['statusCode']} {answer['body']}")

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def invoke(env: dict[str, str], log_file: Path, event: Any) -> Any:
    """One invocation, its log in a file."""
    with log_file.open("a") as stream:
        return Function(env, time.time, Log(stream, time.time)).handle(event, context())


def main() -> None:
    """Tell the story; fails where it does not come to its end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ci = stack.enter_context(CiSimulator())
        phone = stack.enter_context(AlertService("webhook"))
        env = {
            "LEDGER_URL": f"file:{folder}/ledger",
            "COS_ENDPOINT": ci.endpoint,
            "COS_REGION": REGION,
            "CI_BUCKET": BUCKET,
            "TENCENTCLOUD_SECRETID": SECRET_ID,
            "TENCENTCLOUD_SECRETKEY": SECRET_KEY,
            "ALERT_URLS": phone.url,
            "ALERT_LANG": os.environ.get("ALERT_LANG", "en"),
            "RETRY_BASE_S": "1",
            "LEASE_WAIT_S": "0.05",
            "MISSING_CALLBACK_CHECK_S": "1",
        }
        log_file = folder / "log"
        ci.callback_url = stack.enter_context(function_url(env, log_file))
        ci.deliver_on_finish = True
        ci.script("Translation", ["Failed", "Failed", "Success"], queue_s=0.2, run_s=0.2)
        say("CI runs jobs and calls the function back; this one will fail twice, then succeed")
        submit(ci)
        run(ci, phone, env, log_file)
        show(folder, phone)
        assert len(ci.accepted) == 3, "one submission an attempt"
        assert phone.texts, "the recovery was told"


def submit(ci: CiSimulator) -> None:
    """A user submits a job."""
    credentials = Credentials(SECRET_ID, SECRET_KEY, "")
    client = Ci(HttpClient(), credentials, CiAddress(BUCKET, REGION, ("127.0.0.1", ci.port)))
    result = client.create(FAMILIES["ai"], TRANSLATION)
    say(f"a job is submitted: {result.job_id}")


def run(ci: CiSimulator, phone: AlertService, env: dict[str, str], log_file: Path) -> None:
    """CI's jobs end and the timer ticks, until a person was told."""
    tick = {"Type": "Timer", "TriggerName": "sweep", "Message": "sweep"}
    deadline = time.monotonic() + MAX_S
    seen = len(ci.accepted)
    while not phone.texts and time.monotonic() < deadline:
        ci.settle()
        invoke(env, log_file, tick)
        for submission in ci.accepted[seen:]:
            say(f"a sweep submitted it again: {submission.job_id}, UserData {submission.user_data}")
        seen = len(ci.accepted)
        time.sleep(0.2)


def show(folder: Path, phone: AlertService) -> None:
    """What is left of it all."""
    say("the records:")
    store = FolderStore(folder / "ledger")
    for key in store.list("jobs/"):
        console.print(f"    {key}", markup=False)
    say("what the person on call read:")
    for text in phone.texts:
        console.print("    " + text.replace("\n", "\n    "), markup=False)


if __name__ == "__main__":
    main()
