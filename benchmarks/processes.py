"""The processes of a measurement: the stub, and the function of one peer, each by itself."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.certificates import Certificates
from benchmarks.payloads import TOKEN
from benchmarks.stub_objects import Range

ROOT = Path(__file__).parent.parent
CHILD = Path(__file__).with_name("child.py")
BUCKET = "records-1250000000"
PREFIX = "ci/"
REGION = "ap-guangzhou"


_functions = itertools.count(1)


class Stub:
    """COS for measuring, in a process of its own. Use as a context manager."""

    def __init__(self, certificates: Certificates | None = None) -> None:
        """certificates: what it shows over TLS; None where it is reached over http alone."""
        self._shown = [] if certificates is None else [certificates.chain, certificates.key]

    def __enter__(self) -> Stub:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.cos_stub", *self._shown],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        if self._process.stdout is None:
            raise AssertionError("it has a pipe")
        self.port, *self._tls_port = map(int, self._process.stdout.readline().split())
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port)
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def ask(self, command: str, **values: Any) -> Any:
        """A command of cos_stub's: reset, delay, count, range, ci, keys, get."""
        return self._post(command, json.dumps(values).encode())

    def put_all(self, objects: Mapping[str, bytes]) -> None:
        """Keep objects, uncounted. Keys are those below the ledger's prefix."""
        lines = (json.dumps([PREFIX + key, data.decode()]) for key, data in objects.items())
        self._post("put", "\n".join(lines).encode())

    def declare(self, made_up: Range) -> None:
        """Keep keys that are made up when they are asked for."""
        self.ask("range", **{**asdict(made_up), "body": made_up.body.decode()})

    def _post(self, command: str, body: bytes) -> Any:
        self._connection.request("POST", f"/-/{command}", body)
        answer = self._connection.getresponse()
        line = answer.read()
        if answer.status != 200:
            raise ValueError(f"the stub knows no {command}")
        return json.loads(line)

    @property
    def env(self) -> dict[str, str]:
        """The environment of a function that writes to it over http: ours and the peers'."""
        return {**self.unreached_env, "COS_ENDPOINT": f"http://127.0.0.1:{self.port}"}

    @property
    def tls_env(self) -> dict[str, str]:
        """The environment of one that writes to COS over TLS, as in production: child.py gives it
        the stub's address for whatever name it looks up."""
        (port,) = self._tls_port
        return {**self.unreached_env, "STUB_TLS_PORT": str(port)}

    @property
    def unreached_env(self) -> dict[str, str]:
        """The environment of one that makes no request: a store that it would not reach."""
        return {
            "LEDGER_URL": f"cos://{BUCKET}/{PREFIX}",
            "BUCKET": BUCKET,
            "COS_REGION": REGION,
            "TENCENTCLOUD_SECRETID": "AKIDexample",
            "TENCENTCLOUD_SECRETKEY": "example-secret-key",
            "CALLBACK_TOKENS": TOKEN,
            "LEASE_WAIT_S": "0",
        }


class Function:
    """One peer's function in a process of its own. Use as a context manager."""

    def __init__(self, python: Path, folder: Path, env: Mapping[str, str]) -> None:
        self.command = [str(python), "-I", "-S", "-B", str(CHILD), str(folder)]
        self.env = {"PATH": os.environ.get("PATH", ""), **env}
        # No other function's jobs: else what one has kept is a duplicate to the next.
        self._next = next(_functions) * 100_000

    def __enter__(self) -> Function:
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.env,
            text=True,
        )
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.communicate()

    def call(self, event: Mapping[str, Any], count: int = 1, again: bool = False) -> dict[str, Any]:
        """Invoke with an event, `count` times with a job of its own each; again: with the last
        one's. What child.py answers."""
        return self.ask(self._invocation(event, count, again))

    def command_for(self, event: Mapping[str, Any], count: int) -> str:
        """The line that makes child.py invoke with an event, for a process that something else
        starts."""
        return json.dumps(self._invocation(event, count)) + "\n"

    def _invocation(
        self, event: Mapping[str, Any], count: int, again: bool = False
    ) -> dict[str, Any]:
        first = self._next - 1 if again else self._next
        self._next = first + count
        return {"event": event, "count": count, "first": first}

    def ask(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """A command to child.py, and its answer."""
        process = self._process
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError("they are pipes")
        process.stdin.write(json.dumps(command) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.command[-1]} ended:\n{process.stderr.read()[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer
