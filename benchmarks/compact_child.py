"""A process that folds a day of made-up records: python -I -S -B compact_child.py FOLDER COUNT.

Its store makes names and records up as they are asked for, so that a million of them need no
million requests. What is measured is the function's own work.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

DAY = "2026-09-20"


class MadeUp:
    """A store of one day's records. What is put is thrown away."""

    def __init__(self, count: int) -> None:
        self._count = count
        line = json.dumps(
            {
                "schema": "job-record/1",
                "kind": "job",
                "event": "TaskFinish",
                "job_id": "@KEY@",
                "tag": "Transcode",
                "sub_tag": None,
                "state": "Success",
                "outcome": "succeeded",
                "code": "Success",
                "message": "",
                "queue_id": "p1",
                "queue_type": None,
                "progress_percent": None,
                "created_at": DAY + "T08:00:00Z",
                "started_at": DAY + "T08:00:05Z",
                "ended_at": DAY + "T08:01:05Z",
                "wait_s": 5,
                "run_s": 60,
                "input": {"bucket": "videos-1250000000", "object": "in/@KEY@.mp4"},
                "outputs": [],
                "user_data": None,
                "custom_id": None,
                "job_level": 0,
                "workflow": None,
                "result": None,
                "details": {"JobId": "@KEY@", "Tag": "Transcode", "State": "Success"},
                "retry": {"root_job_id": "@KEY@", "attempt": 1},
                "source": {
                    "trigger": "http",
                    "format": "xml",
                    "digest": "0" * 64,
                    "received_at": DAY + "T08:01:06Z",
                    "request_id": "request-1",
                    "verified": None,
                },
            },
            separators=(",", ":"),
        )
        self._line = line.encode() + b"\n"

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        """Names of the day's records, in their order."""
        return (f"jobs/dt={DAY}/j{number:08d}.json" for number in range(self._count))

    def get(self, key: str) -> bytes | None:
        """A record; None of what else is asked for."""
        if not key.startswith("jobs/"):
            return None
        return self._line.replace(b"@KEY@", key[-14:-5].encode())

    def put(self, key: str, data: bytes) -> None:
        """Throw it away."""

    def put_new(self, key: str, data: bytes) -> bool:
        """Throw it away, as if it were new."""
        return True

    def folders(self, prefix: str) -> Sequence[str]:
        """None is asked for."""
        return []

    def delete(self, key: str) -> None:
        """There is nothing."""

    def delete_many(self, names: Sequence[str]) -> None:
        """There is nothing."""


def main() -> None:
    # The function's folder for its packages, and this project's for the tool.
    sys.path[:0] = [sys.argv[1], str(Path(__file__).resolve().parent.parent)]
    from ci_callback.compaction import compact

    count = int(sys.argv[2])
    cpu = time.process_time()
    manifest = compact(MadeUp(count), DAY)
    took = time.process_time() - cpu
    if manifest is None or len(manifest.names) != count:
        raise SystemExit("not all of them were folded")
    with open("/proc/self/status", encoding="ascii") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    print(json.dumps({"cpu": took, "peak_kb": peak}))


main()
