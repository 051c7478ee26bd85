"""The way of the function's stdout: SCF passes it to CLS within limits, and people export it.

Fields of a row: document 583/60336. Forms of an export: 614/56451.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ci_callback.scf_runner.limits import Limits


@dataclass(frozen=True)
class Row:
    """One line as it is stored. at: epoch seconds."""

    at: float
    request_id: str
    text: str

    def fields(self, parsed: bool = False) -> dict[str, str]:
        """All values are text. parsed: with a field for each value of a line that is one JSON
        object, as in a topic with key indexes."""
        row = {
            "SCF_FunctionName": "ci-callback",
            "SCF_Namespace": "default",
            "SCF_LogTime": str(int(self.at * 1000)),
            "SCF_RequestId": self.request_id,
            "SCF_Qualifier": "$LATEST",
            "SCF_Message": self.text,
            "SCF_Type": "Custom",
            "SCF_RetryNum": "0",
        }
        return row | (_values(self.text) if parsed else {})


class LogService(io.StringIO):
    """A stream in place of stdout. Give `request` the id of each invocation before it.

    clock: epoch seconds. cut: how many lines lost their end. dropped: how many were not taken.
    """

    def __init__(self, clock: Callable[[], float], limits: Limits | None = None) -> None:
        super().__init__()
        self._clock = clock
        self._limits = limits or Limits()
        self._request_id = ""
        self._taken: list[tuple[float, int]] = []
        self._rest = ""
        self.rows: list[Row] = []
        self.dropped = 0
        self.cut = 0

    def request(self, request_id: str) -> LogService:
        """Further lines belong to this request."""
        self._request_id = request_id
        self._taken = []
        return self

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._take(line)
        return len(text)

    def finish(self) -> tuple[Row, ...]:
        """The rows, with what had no line break yet."""
        if self._rest:
            self.write("\n")
        return tuple(self.rows)

    def _take(self, line: str) -> None:
        now, limits = self._clock(), self._limits
        data = line.encode()
        self._taken = [(at, size) for at, size in self._taken if now - at < limits.log_window_s]
        size = sum(size for _, size in self._taken) + len(data) + 1
        if size > limits.log_window_bytes or len(self._taken) >= limits.log_window_lines:
            self.dropped += 1
            return
        self._taken.append((now, len(data) + 1))
        self.cut += len(data) + 1 > limits.log_line_bytes
        kept = data[: limits.log_line_bytes].decode(errors="ignore")
        self.rows.append(Row(now, self._request_id, kept))

    # --- exports ---

    def json_lines(self, parsed: bool = False) -> str:
        """An object per line."""
        return "".join(json.dumps(row.fields(parsed)) + "\n" for row in self.rows)

    def json_array(self, indent: int | None = None, parsed: bool = False) -> str:
        """One array."""
        rows = [row.fields(parsed) for row in self.rows]
        return json.dumps(rows, indent=indent, ensure_ascii=False)

    def csv(self, parsed: bool = False) -> str:
        """A header row, then a row per line."""
        rows = [row.fields(parsed) for row in self.rows]
        names = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
        return "\ufeff" + text.getvalue()


def _values(text: str) -> dict[str, str]:
    try:
        values: Any = json.loads(text)
    except ValueError:
        return {}
    return {name: str(value) for name, value in values.items()} if isinstance(values, dict) else {}
