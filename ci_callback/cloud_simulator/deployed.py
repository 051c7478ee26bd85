"""Runs the functions of a simulated account: each version's zip under the limits of its
settings."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from ci_callback import events
from ci_callback.ci_simulator.server import Reply, Seen
from ci_callback.cloud_simulator.cls import Cls
from ci_callback.cloud_simulator.role_keys import RoleKeys
from ci_callback.cloud_simulator.scf import SERVICE, Scf
from ci_callback.cloud_simulator.scf_function import Function, Version
from ci_callback.scf_runner import MB, Invoked, Limits, ScfRunner, from_zip
from ci_callback.scf_runner.instance import OK
from handler.clock import rfc3339_of

_JSON = (("Content-Type", "application/json"),)


class Deployed:
    """Use as a context manager. scf: whose functions. cls: where their lines go. network: variables
    by which a function reaches the other simulators, as COS_ENDPOINT does; the account does not
    hold them."""

    def __init__(self, scf: Scf, cls: Cls, network: Mapping[str, str], role_keys: RoleKeys) -> None:
        self._scf = scf
        self._cls = cls
        self._network = dict(network)
        self._role_keys = role_keys
        self._open = contextlib.ExitStack()
        self._lock = threading.Lock()
        self._runners: dict[str, ScfRunner] = {}
        scf.run = self._run

    def __enter__(self) -> Deployed:
        self._folder = Path(self._open.enter_context(tempfile.TemporaryDirectory()))
        return self

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    def answer(self, seen: Seen) -> Reply:
        """The answer of the function behind a URL; 404 if no function has the host."""
        host = seen.headers.get("host", "").partition(":")[0]
        for function in list(self._scf.functions.values()):
            for trigger in function.triggers:
                named = f"{trigger['TriggerName']}.{self._scf.host}"
                if trigger["Type"] == "http" and host == named and trigger["Enable"]:
                    return self._http(function, trigger, seen)
        return Reply(404, b'{"errorMessage": "no function has this address"}', _JSON)

    def tick(self, task: str) -> int:
        """Let every timer run whose argument is this; how many there were."""
        due = [
            (function, trigger)
            for function in list(self._scf.functions.values())
            for trigger in function.triggers
            if trigger["Type"] == "timer"
            and trigger["Enable"]
            and trigger["CustomArgument"] == task
        ]
        for function, trigger in due:
            runner = self._runner(function, function.version(trigger["Qualifier"]))
            runner.fire(
                {
                    "Type": "Timer",
                    "TriggerName": trigger["TriggerName"],
                    "Time": rfc3339_of(int(runner.clock())),
                    "Message": trigger["CustomArgument"],
                },
                retries=function.retries,
            )
        return len(due)

    def _http(self, function: Function, trigger: Mapping[str, Any], seen: Seen) -> Reply:
        if json.loads(trigger["TriggerDesc"])["AuthType"] != "NONE":
            return Reply(401, b'{"errorMessage": "the request is not signed"}', _JSON)
        runner = self._runner(function, function.version(trigger["Qualifier"]))
        event = events.http_event(seen.body) | {
            "headers": {**seen.headers, "x-scf-remote-addr": "127.0.0.1"},
            "httpMethod": seen.method,
            "path": seen.path,
            "queryString": dict(parse_qsl(seen.query, keep_blank_values=True)),
        }
        invoked = runner.invoke(event)
        if invoked.status != OK:
            return Reply(500, json.dumps({"errorMessage": invoked.error}).encode(), _JSON)
        answer = invoked.answer
        if not isinstance(answer, dict) or "statusCode" not in answer:
            return Reply(200, json.dumps(answer).encode(), _JSON)
        headers = tuple((str(name), str(value)) for name, value in answer["headers"].items())
        return Reply(int(answer["statusCode"]), str(answer.get("body", "")).encode(), headers)

    def _run(self, function: Function, qualifier: str, event: str) -> dict[str, Any]:
        """InvokeFunction's Result."""
        invoked: Invoked = self._runner(function, function.version(qualifier)).invoke(
            json.loads(event)
        )
        return {
            "RetMsg": json.dumps(invoked.answer),
            "ErrMsg": invoked.error,
            "InvokeResult": 0 if invoked.status == OK else 1,
        }

    def _runner(self, function: Function, version: Version) -> ScfRunner:
        pairs = version.settings["Environment"]["Variables"]
        env = {pair["Key"]: pair["Value"] for pair in pairs} | self._network
        code, role = hashlib.sha256(version.code).hexdigest(), version.settings["Role"]
        made_of = json.dumps([function.name, code, role, env])
        with self._lock:
            if made_of not in self._runners:
                self._runners[made_of] = self._start(version, env)
            return self._runners[made_of]

    def _start(self, version: Version, env: Mapping[str, str]) -> ScfRunner:
        archive = self._folder / f"{len(self._runners)}.zip"
        archive.write_bytes(version.code)
        code = self._open.enter_context(from_zip(archive))
        settings = version.settings
        limits = Limits(memory=settings["MemorySize"] * MB, time_s=float(settings["Timeout"]))
        role = settings["Role"]
        runner = ScfRunner(code, env, limits, lambda: self._credentials(role))
        topic = settings.get("ClsTopicId", "")
        runner.noted = lambda event, invoked: self._note(topic, invoked)
        return self._open.enter_context(runner)

    def _note(self, topic: str, invoked: Invoked) -> None:
        """Its log lines go to its log topic."""
        for row in invoked.rows:
            self._cls.append(topic, row.at, row.fields(parsed=True))

    def _credentials(self, role: str) -> dict[str, str]:
        """Those of the execution role: none where it is not there or has no policy."""
        found = self._scf.cam.roles.get(role)
        if found is None or SERVICE not in found.trust or not found.policies:
            return {}
        secret_id, secret_key = self._role_keys.of(role)
        return {
            "TENCENTCLOUD_SECRETID": secret_id,
            "TENCENTCLOUD_SECRETKEY": secret_key,
            "TENCENTCLOUD_SESSIONTOKEN": "",
        }
