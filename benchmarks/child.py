"""The process that is measured: runs one peer's function as SCF would, and times it.

    python -I -S -B child.py FOLDER        FOLDER: what would be deployed, index.py at its root

It reads commands from stdin, one JSON object a line, and answers each with one:

    {"event": …, "count": 3, "first": 0}   invoke; in the body `@JOB@` becomes a number
    {"parse": "…", "count": 3}             ours alone: parse the body, nothing else
    {"stop": true}

and prints first, before index.py is loaded, nothing: the first command is the cold start. Only
modules of the standard library that every runtime needs anyhow are imported here. The function's
own log goes to /dev/null: it is written, as SCF has it written, and not read.
"""

from __future__ import annotations

import json
import os
import sys
import time

TYPE_CHECKING = False  # mypy takes the name for typing's, whose import is a part of no cold start
if TYPE_CHECKING:
    from typing import Any

ALL_MORE = 4
"""Arguments of getaddrinfo behind the host and the port, where all are given."""

CONTEXT = {
    "request_id": "6a2b2f5e-2f0b-4a6e-9c0e-benchmark00",
    "time_limit_in_ms": 900_000,
    "memory_limit_in_mb": 256,
    "tencentcloud_region": "ap-guangzhou",
}


def peak_kb() -> int:
    """VmHWM: the most memory that this process itself ever had, in kB."""
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def named(event: dict[str, Any], number: int) -> dict[str, Any]:
    """The event with a job of its own: `@JOB@` in its body, or in those of its messages."""
    job = f"{number:010d}"
    if "body" in event:
        return dict(event, body=event["body"].replace("@JOB@", job))
    if "Records" in event:
        records = []
        for index, record in enumerate(event["Records"]):
            message = record["Ckafka"]
            text = message["msgBody"].replace("@JOB@", f"{job}-{index}")
            records.append({"Ckafka": dict(message, msgBody=text)})
        return {"Records": records}
    return event


def invoke(command: dict[str, Any]) -> dict[str, Any]:
    from index import main_handler  # the first time: the cold start

    walls, cpus, answer = [], [], None
    for number in range(command["first"], command["first"] + command["count"]):
        event = named(command["event"], number)
        wall, cpu = time.perf_counter(), time.process_time()
        answer = main_handler(event, CONTEXT)
        cpus.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
    return {"wall": walls, "cpu": cpus, "answer": answer}


def parse(command: dict[str, Any]) -> dict[str, Any]:
    from handler.callback import payload

    body, limits, cpus = command["parse"].encode(), payload.Limits(), []
    for _ in range(command["count"]):
        cpu = time.process_time()
        payload.parse(body, limits)
        cpus.append(time.process_time() - cpu)
    return {"cpu": cpus}


def resolve_to(port: int) -> None:
    """Give every name that is looked up the address of the stub on loopback.

    In the C module beneath socket, which a function imports for its first connection: so a function
    that makes none does not pay for it.
    """
    import _socket

    real: Any = _socket.getaddrinfo
    anything = 0, _socket.SOCK_STREAM

    def look_up(host: str, asked: int, *more: int) -> Any:
        """more: family, kind, protocol and flags."""
        is_numeric = len(more) == ALL_MORE and more[-1] & _socket.AI_NUMERICHOST
        return real(host, asked, *more) if is_numeric else real(b"127.0.0.1", port, *anything)

    _socket.__dict__["getaddrinfo"] = look_up


def main() -> None:
    sys.path.insert(0, sys.argv[1])
    if "STUB_TLS_PORT" in os.environ:
        resolve_to(int(os.environ["STUB_TLS_PORT"]))
    os.chdir(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    sys.stdout = open(os.devnull, "w", buffering=1)  # noqa: SIM115  # until the process ends
    for line in sys.stdin:
        command = json.loads(line)
        if "stop" in command:
            return
        try:
            done = parse(command) if "parse" in command else invoke(command)
        except Exception as error:  # what the platform would answer with an error
            done = {"error": f"{type(error).__name__}: {error}", "wall": [], "cpu": []}
        # Since the process began; comparable with the harness's own clock on Linux.
        done["at"], done["cpu_in_all"] = time.monotonic(), time.process_time()
        done["peak_kb"] = peak_kb()
        done["modules"] = len(sys.modules)
        done["sdk"] = "qcloud_cos" in sys.modules
        answers.write(json.dumps(done) + "\n")


main()
