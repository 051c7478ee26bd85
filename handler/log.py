"""One JSON object per line on stdout, whatever the values hold; redaction happens here only.

SCF passes stdout to CLS, which parses a line that is one JSON object, its first level
only, and keeps numbers and texts (document 583/55595): so every line is flat. SCF keeps the
first 8 KB of a line, and of one request at most 1 MB and 5,000 lines in 5 s (INTL SCF, log
delivery configuration): so every line is short, and the parts of bodies are counted.
Names follow the OpenTelemetry conventions for FaaS where they fit (faas.invocation_id,
faas.coldstart, faas.trigger).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, TextIO, TypeAlias

from handler.clock import rfc3339_of
from handler.redaction import REDACTED

Level: TypeAlias = Literal["INFO", "WARNING", "ERROR"]
Value: TypeAlias = "str | int | float | bool | None"

MAX_LINE_BYTES = 8_000
"""Of a whole line, its line break included."""

MAX_VALUE_CHARS = 2_000
_VALUE_LIMITS = (MAX_VALUE_CHARS, 500, 100, 20)
"""Characters of each text in a line: the first limit with which the line is short enough."""

BODY_PART_CHARS = 7_000
"""Base64 characters of a body in one line. The same in each invocation, so that the parts of a
body that was delivered twice complete each other; fewer only where other fields need the room."""

MAX_BODY_BYTES = 640_000
"""Of the lines that hold bodies, in one invocation: its other lines and its answer fit too."""

BODY_PART = "callback_not_stored"
BODY_TRUNCATED = "callback_truncated"
"""The events of the lines about a body that is stored nowhere else."""

BODY_ENCODING = "zlib+base64"

_TRACEBACK = "traceback"
_to_json = json.JSONEncoder(separators=(",", ":")).encode
"""Made once: json.dumps makes an encoder for each call."""


class _Budget:
    """Bytes that are left. Threads may share it: it may be exceeded by a line of each."""

    __slots__ = ("_left",)

    def __init__(self, left: int) -> None:
        self._left = left

    def allows(self, size: int) -> bool:
        """Whether so many bytes were left; they are not any more."""
        self._left -= size
        return self._left >= 0


class Log:
    """Writes lines; `bind` makes one that adds fields to each of its own."""

    def __init__(
        self,
        stream: TextIO,
        clock: Callable[[], float],
        secrets: Iterable[str] = (),
        fields: Mapping[str, Value] | None = None,
        body_budget: _Budget | None = None,
    ) -> None:
        """body_budget: for the lines that hold bodies; the logs of one invocation share it."""
        self._stream = stream
        self._clock = clock
        # The longest first: a secret that holds another one must not be torn apart.
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        self._fields = dict(fields or {})
        self._body_budget = body_budget or _Budget(MAX_BODY_BYTES)

    def bind(self, secrets: Iterable[str] = (), **fields: Value) -> Log:
        """A log with these fields on every line, that knows these secrets too."""
        known = [*self._secrets, *secrets]
        return Log(
            self._stream, self._clock, known, self._fields | _dotted(fields), self._body_budget
        )

    def info(self, event: str, **fields: Value) -> None:
        self._write("INFO", event, fields)

    def warning(self, event: str, **fields: Value) -> None:
        self._write("WARNING", event, fields)

    def error(self, event: str, **fields: Value) -> None:
        self._write("ERROR", event, fields)

    def failure(self, event: str, **fields: Value) -> None:
        """An exception that is being handled, at ERROR, with its stack trace in one value."""
        import traceback  # only a fault pays for it

        self._write("ERROR", event, {**fields, _TRACEBACK: traceback.format_exc()})

    def last_resort(self, body: bytes, reason: str, authenticated: bool) -> None:
        """Write a whole body, compressed and in numbered parts, so that it is not lost.

        authenticated: whether the request that brought it passed CALLBACK_TOKENS. Where the
        invocation has no lines left for it, a last line says how many of its bytes are in the log.
        """
        import base64  # as above
        import hashlib
        import zlib

        text = base64.b64encode(zlib.compress(body)).decode("ascii")
        about: dict[str, Value] = {
            "reason": reason,
            "authenticated": authenticated,
            "sha256": hashlib.sha256(body).hexdigest(),
            "bytes": len(body),
            "encoding": BODY_ENCODING,
        }
        longest = {**about, "part": len(text), "parts": len(text)}
        # 8: a later line may have milliseconds in its time.
        room = MAX_LINE_BYTES - 8 - len(self._line("ERROR", BODY_PART, longest, ""))
        # Whole groups of base64: the parts of a body that is cut can be decoded too.
        size = max(min(room, BODY_PART_CHARS) // 4 * 4, 4)
        starts = range(0, len(text), size)
        for number, start in enumerate(starts, 1):
            fields = {**about, "part": number, "parts": len(starts)}
            line = self._line("ERROR", BODY_PART, fields, text[start : start + size])
            if not self._body_budget.allows(len(line)):
                kept = zlib.decompressobj().decompress(base64.b64decode(text[:start]))
                self._write("ERROR", BODY_TRUNCATED, {**fields, "cut_at": len(kept)})
                return
            self._emit(line)

    def _write(self, level: Level, event: str, fields: Mapping[str, Value]) -> None:
        self._emit(self._line(level, event, fields))

    def _emit(self, line: str) -> None:
        try:
            self._stream.write(line)
            self._stream.flush()
        except (OSError, ValueError):  # closed: a callback is worth more than its log line
            return

    def _line(
        self, level: Level, event: str, fields: Mapping[str, Value], body_base64: str | None = None
    ) -> str:
        line = ""
        for limit in _VALUE_LIMITS:
            values: dict[str, str | int | float] = {
                "time": rfc3339_of(self._clock()),
                "level": level,
                "event": event,
            }
            for name, value in (self._fields | _dotted(fields)).items():
                if value is not None:
                    values[name] = self._safe(value, limit, keeps_end=name == _TRACEBACK)
            if body_base64 is not None:
                values["body_base64"] = body_base64
            # ASCII only: no line break, control character or odd unicode can leave its string.
            line = _to_json(values) + "\n"
            if len(line) <= MAX_LINE_BYTES:
                break
        return line

    def _safe(
        self, value: str | int | float | bool, limit: int, keeps_end: bool
    ) -> str | int | float:
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str):
            return value
        for secret in self._secrets:
            value = value.replace(secret, REDACTED)
        if keeps_end or "\\" in value or "%" in value or "&" in value:  # signs that begin an escape
            from handler.redaction.text import redact  # few values need it, and it is 5 ms

            value = redact(value, self._secrets)
        if len(value) <= limit:
            return value
        # A stack trace says what went wrong in its last line, everything else in its first.
        kept = f"…{value[-limit:]}" if keeps_end else f"{value[:limit]}…"
        return f"{kept} ({len(value)} characters)"


def _dotted(fields: Mapping[str, Value]) -> dict[str, Value]:
    """faas_trigger → faas.trigger: Python has no dots in names."""
    return {
        name.replace("faas_", "faas.", 1) if name.startswith("faas_") else name: value
        for name, value in fields.items()
    }
