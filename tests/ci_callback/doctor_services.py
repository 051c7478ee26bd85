"""What `doctor` asks beyond the COS and CI of the other tests: real servers on loopback.

DoctorCos adds location and versioning, Clock the time; DoctorCi the queues and the media buckets;
ScfApi is SCF's ListTriggers, which checks TC3 signatures; FunctionUrl runs the function.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import re
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import typer
from typer.testing import CliRunner

from ci_callback.ci_simulator import BUCKET, REGION, CiSimulator, wire
from ci_callback.ci_simulator.api import RefusalError
from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.ci_simulator.server import Reply, Seen, Server
from ci_callback.commands.doctor import doctor, examine
from ci_callback.doctor.case import Target
from ci_callback.doctor.checks import CHECKS
from handler.app import Function
from handler.ci_api.responses import ANSWER_LIMITS
from handler.http_client import HttpClient
from handler.log import Log
from tests.alert_services import AlertService
from tests.fake_cos import FakeCos
from tests.fake_cos import Seen as CosSeen

TOKEN = "t0ken-of-the-queue-Zz81"
CONFIG = {
    "State": "On",
    "Type": "Url",
    "Event": "TaskFinish,WorkflowFinish",
    "ResultFormat": "XML",
    "MqMode": "",
    "MqRegion": "",
    "MqName": "",
}
"""A queue's NotifyConfig but for its Url."""


class DoctorCos(FakeCos):
    """COS with a region to tell, and a versioning state.

    location, versioning: what is told; versioning "" where it was never on. With it,
    x-cos-forbid-overwrite has no effect. lifecycle: the rules as XML, b"" where there are none.
    refuse_lifecycle: a code.
    """

    def reset(self) -> None:
        super().reset()
        self.location = REGION
        self.versioning = ""
        self.lifecycle = b""
        self.refuse_lifecycle = ""

    def carry_out(self, seen: CosSeen) -> tuple[str, dict[str, str], bytes]:
        if seen.query.startswith("lifecycle"):
            return self._lifecycle(seen)
        status, headers, answer = super().carry_out(seen)
        if self.versioning and status.startswith("409"):
            status, answer = "200 OK", b""
        if status.startswith("200") and seen.query.startswith("location"):
            answer = f"<LocationConstraint>{self.location}</LocationConstraint>".encode()
        if status.startswith("200") and seen.query.startswith("versioning"):
            element = f"<Status>{self.versioning}</Status>" if self.versioning else ""
            answer = f"<VersioningConfiguration>{element}</VersioningConfiguration>".encode()
        return status, headers, answer

    def _lifecycle(self, seen: CosSeen) -> tuple[str, dict[str, str], bytes]:
        code = self.refuse_lifecycle
        if seen.method == "GET" and not self.lifecycle:
            code = code or "NoSuchLifecycleConfiguration"
        if code:
            return "403 Forbidden", {}, f"<Error><Code>{code}</Code></Error>".encode()
        if seen.method == "PUT":
            digest = hashlib.md5(seen.body, usedforsecurity=False).digest()
            assert seen.headers["content-md5"] == base64.b64encode(digest).decode()
            self.lifecycle = seen.body
            return "200 OK", {}, b""
        return "200 OK", {}, self.lifecycle


class Clock:
    """A COS that refuses everything, and tells the time. Use as a context manager.

    ahead_s: how far its clock is ahead of this machine's. date: what it tells in place of a
    date; "" for no Date at all.
    """

    def __init__(self, ahead_s: float = 0.0, date: str | None = None) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.send_response_only(403)
                date_header = (
                    formatdate(time.time() + ahead_s, usegmt=True) if date is None else date
                )
                if date_header:
                    self.send_header("Date", date_header)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's name
                """Tests don't print."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Clock:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"


class DoctorCi(CiSimulator):
    """CI with queues and bound buckets.

    queues: path → NotifyConfig and State of each queue. denied: paths that CAM refuses.
    """

    def reset(self) -> None:
        super().reset()
        self.queues: dict[str, list[dict[str, Any]]] = {}
        self.media_buckets = [BUCKET]
        self.no_service: set[str] = set()
        self.denied: set[str] = set()

    def queue(self, path: str, url: str, queue_state: str = "Active", **config: str) -> None:
        """Give a path one more queue."""
        number = len(self.queues.setdefault(path, [])) + 1
        notify = CONFIG | {"Url": url} | config
        self.queues[path].append(
            {
                "QueueId": f"p{number:032}",
                "Name": f"queue-{number}",
                "State": queue_state,
                "NotifyConfig": notify,
                "MaxSize": "10000",
                "MaxConcurrent": "10",
                "BucketId": BUCKET,
            }
        )

    def _do(self, seen: Seen, host: re.Match[str] | None) -> Reply:
        own = seen.path == "/mediabucket" or seen.path.endswith("queue")
        folder = "/" + seen.path.split("/")[1]
        try:
            if folder in self.denied:
                raise RefusalError(403, "AccessDenied")
            if folder in self.no_service:
                raise RefusalError(400, "MediaBucketUnBinded")
            if not own:
                return super()._do(seen, host)
            self._check_signature(seen)
            expected = f"ci.{REGION}.myqcloud.com"
            expected = expected if seen.path == "/mediabucket" else f"{BUCKET}.{expected}"
            if seen.headers["host"] != expected:
                raise RefusalError(400, "InvalidHost")
        except RefusalError as refusal:
            error = {"Code": refusal.code, "Message": refusal.code, "RequestId": "NWFiMjM="}
            return _xml(refusal.status, {"Error": error})
        # Of media, only those for transcoding are told unless all are asked for.
        every = seen.path != "/queue" or seen.params.get("category") == "CateAll"
        queues = self.queues.get(seen.path, [])
        listed: dict[str, Any] = {"QueueList": queues if every else queues[:1]}
        if seen.path == "/mediabucket":
            asked = seen.params.get("bucketNames", "").split(",")
            listed = {
                "MediaBucketList": [
                    {"BucketId": name, "Name": name, "Region": REGION}
                    for name in self.media_buckets
                    if name in asked
                ]
            }
        count = str(len(next(iter(listed.values()))))
        page = {"RequestId": "NWFiMjM=", "TotalCount": count, "PageNumber": "1", "PageSize": "10"}
        return _xml(200, {"Response": page | listed})


def _xml(status: int, tree: dict[str, Any]) -> Reply:
    return Reply(status, (wire.PROLOG + wire.to_xml(tree)).encode())


@dataclass
class ScfApi:
    """scf.tencentcloudapi.com, as far as ListTriggers goes. Use as a context manager.

    functions: (namespace, name) → triggers. answer: what is answered in place of it.
    """

    functions: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    refuse_with: str = ""
    answer: tuple[int, bytes] | None = None
    token: str | None = None
    ahead_s: float = 0.0
    seen: list[Seen] = field(default_factory=list)

    def __enter__(self) -> ScfApi:
        self._server = Server(self._answer)
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.stop()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def _answer(self, seen: Seen) -> Reply:
        self.seen.append(seen)
        if self.answer:
            return Reply(self.answer[0], self.answer[1])
        code = self.refuse_with or self._refusal(seen)
        if code:
            return self._json({"Error": {"Code": code, "Message": f"{SECRET_KEY} {code}"}})
        asked = json.loads(seen.body)
        triggers = self.functions.get((asked.get("Namespace", "default"), asked["FunctionName"]))
        if triggers is None:
            return self._json({"Error": {"Code": "ResourceNotFound.Function", "Message": "no"}})
        offset, limit = asked.get("Offset", 0), asked.get("Limit", 20)
        page = triggers[offset : offset + limit]
        return self._json({"TotalCount": len(triggers), "Triggers": page})

    def _refusal(self, seen: Seen) -> str:
        headers = seen.headers
        if headers.get("x-tc-action") != "ListTriggers" or seen.method != "POST":
            return "InvalidAction"
        if headers.get("x-tc-version") != "2018-04-16" or headers.get("x-tc-region") != REGION:
            return "UnsupportedRegion"
        if headers.get("x-tc-token") != self.token:
            return "AuthFailure.TokenFailure"
        if abs(int(headers["x-tc-timestamp"]) - time.time() - self.ahead_s) > 300:
            return "AuthFailure.SignatureExpire"
        if f"Credential={SECRET_ID}/" not in headers["authorization"]:
            return "AuthFailure.SecretIdNotFound"
        return "" if is_signed(seen, SECRET_KEY) else "AuthFailure.SignatureFailure"

    @staticmethod
    def _json(response: dict[str, Any]) -> Reply:
        body = json.dumps({"Response": response | {"RequestId": "5ffe6a04"}}).encode()
        return Reply(200, body, (("Content-Type", "application/json"),))


def is_signed(seen: Seen, key: str) -> bool:
    """Whether a TC3 signature fits, from the request as it arrived: nothing of it is the
    handler's own code."""
    matched = re.fullmatch(
        r"TC3-HMAC-SHA256 Credential=[^/]+/([\d-]+)/(\w+)/tc3_request, "
        r"SignedHeaders=([a-z;-]+), Signature=([0-9a-f]{64})",
        seen.headers["authorization"],
    )
    if not matched:
        return False
    day, service, names, signature = matched.groups()
    stamp = seen.headers["x-tc-timestamp"]
    if day != time.strftime("%Y-%m-%d", time.gmtime(int(stamp))):
        return False
    signed = names.split(";")
    if not {"content-type", "host"} <= set(signed):
        return False
    lines = "".join(f"{name}:{seen.headers[name].strip().lower()}\n" for name in signed)
    body = hashlib.sha256(seen.body).hexdigest()
    canonical = f"{seen.method}\n{seen.path}\n{seen.query}\n{lines}\n{names}\n{body}"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"TC3-HMAC-SHA256\n{stamp}\n{day}/{service}/tc3_request\n{hashed}"
    secret = ("TC3" + key).encode()
    for part in (day, service, "tc3_request", text):
        secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
    return hmac.compare_digest(secret.hex(), signature)


def trigger(kind: str, name: str, desc: Any, argument: str = "", enable: Any = 1) -> dict[str, Any]:
    """One row of ListTriggers; desc as SCF tells it: a JSON text."""
    return {
        "Enable": enable,
        "Qualifier": "$DEFAULT",
        "TriggerName": name,
        "Type": kind,
        "TriggerDesc": desc if isinstance(desc, str) else json.dumps(desc),
        "AvailableStatus": "Available",
        "CustomArgument": argument,
        "AddTime": "2026-11-20 00:00:00",
        "ModTime": "2026-11-20 00:00:00",
    }


SWEEP = trigger("timer", "sweep", {"cron": "0 * * * * * *"}, "sweep")
RECONCILE = trigger("timer", "reconcile", {"cron": "0 */30 * * * * *"}, "reconcile")
URL = trigger(
    "http",
    "url-trigger",
    {"AuthType": "NONE", "NetConfig": {"EnableIntranet": False, "EnableExtranet": True}},
)


class FunctionUrl:
    """The function behind a URL. Use as a context manager; answer: in place of the function's."""

    def __init__(self) -> None:
        self.env: dict[str, str] = {}
        self.answer: tuple[int, bytes] | None = None
        self.seen: list[Seen] = []

    def __enter__(self) -> FunctionUrl:
        self._server = Server(self._answer)
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.stop()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def _answer(self, seen: Seen) -> Reply:
        self.seen.append(seen)
        if self.answer:
            return Reply(*self.answer)
        event = {
            "httpMethod": seen.method,
            "path": seen.path,
            "headers": seen.headers,
            "queryString": seen.params,
            "body": seen.body.decode(),
        }
        log = Log(io.StringIO(), time.time)
        answer = Function(self.env, time.time, log).handle(event, {})
        return Reply(answer["statusCode"], answer["body"].encode())


_APP = typer.Typer()
_APP.command()(doctor)


class Services:
    """All of them, in good order until a test spoils something. Use as a context manager.

    env: the environment of the command; a test may change it. only: the checks that `findings`
    runs; all where it is ().
    """

    def __init__(self, *only: str) -> None:
        self.only = only

    def __enter__(self) -> Services:
        with ExitStack() as stack:
            self.cos = DoctorCos()
            stack.enter_context(self.cos)
            self.ci = DoctorCi(time.time, self.cos)
            stack.enter_context(self.ci)
            self.scf = stack.enter_context(ScfApi())
            self.url = stack.enter_context(FunctionUrl())
            self.robot = stack.enter_context(AlertService("wecom"))
            self._stack = stack.pop_all()
        self.http = HttpClient(ANSWER_LIMITS.max_bytes)
        self.reset()
        return self

    def __exit__(self, *exc: object) -> None:
        self.http.close()
        self._stack.close()

    def reset(self) -> None:
        """Everything well: a queue calls the function, a timer sweeps, a robot hears."""
        self.cos.reset()
        self.ci.reset()
        self.env = self.cos.env | {
            "COS_ENDPOINT": self.ci.endpoint,
            "CALLBACK_TOKENS": TOKEN,
            "ALERT_URLS": self.robot.url,
        }
        self.url.env = dict(self.env)
        self.url.answer = None
        self.url.seen.clear()
        self.scf.functions = {("default", "ci-callback"): [SWEEP, RECONCILE, URL]}
        self.scf.refuse_with, self.scf.answer, self.scf.token = "", None, None
        self.scf.ahead_s = 0.0
        self.scf.seen.clear()
        self.robot.refuse_with = None
        self.robot.texts.clear()
        self.ci.queue("/queue", self.callback_url())

    def callback_url(self, query: str = f"?token={TOKEN}", path: str = "/") -> str:
        """What belongs into a NotifyConfig."""
        return f"https://{self.url.host}{path}{query}"

    def only_queue(self, url: str, queue_state: str = "Active", **config: str) -> None:
        """One queue, of media."""
        self.ci.queues.clear()
        self.ci.queue("/queue", url, queue_state, **config)

    @property
    def arguments(self) -> list[str]:
        """What names the deployed function."""
        named = ["--function", "ci-callback", "--url", self.url.url]
        return [*named, "--scf-endpoint", self.scf.endpoint]

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit status and output of the command."""
        result = CliRunner().invoke(_APP, list(arguments), env={**self.env, "NO_COLOR": "1"})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    def findings(self, **target: Any) -> dict[str, tuple[str, str, str]]:
        """By name: status, what and fix, as the command has them; of several with one name the
        last. target: what differs from the function above."""
        named = {"function": "ci-callback", "url": self.url.url, "scf_endpoint": self.scf.endpoint}
        checks = [check for check in CHECKS if not self.only or check.name in self.only]
        findings = examine(self.env, Target(**named | target), self.http, time.time, checks)
        return {finding.name: (finding.status, finding.what, finding.fix) for finding in findings}
