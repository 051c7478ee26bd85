"""One JSON object a line on stdout, whatever the values hold; redaction in this one place.

SCF hands stdout to CLS, which parses a line that is one JSON object, its first level
alone, and keeps numbers and texts (document 583/55595): so every line is flat.
Names follow the OpenTelemetry conventions for FaaS where they fit (faas.invocation_id,
faas.coldstart, faas.trigger).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, TextIO, TypeAlias

from handler.clock import rfc3339_of

Level: TypeAlias = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Value: TypeAlias = "str | int | float | bool | None"

MAX_VALUE_CHARS = 2_000
BODY_PART_CHARS = 16_000
"""Base64 characters of a body in one line: below what log services cut a field at."""

_MARK = "[redacted]"
_TRACEBACK = "traceback"


class Log:
    """Writes lines; `bind` makes one that adds fields to each of its own."""

    def __init__(
        self,
        stream: TextIO,
        clock: Callable[[], float],
        secrets: Iterable[str] = (),
        fields: Mapping[str, Value] | None = None,
    ) -> None:
        self._stream = stream
        self._clock = clock
        # The longest first: a secret that holds another one must not be torn apart.
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        self._fields = dict(fields or {})

    def bind(self, secrets: Iterable[str] = (), **fields: Value) -> Log:
        """A log with these fields on every line, that knows these secrets too."""
        known = [*self._secrets, *secrets]
        return Log(self._stream, self._clock, known, self._fields | _dotted(fields))

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

    def last_resort(self, body: bytes, reason: str) -> None:
        """Write a whole body into the log, base64 in numbered parts, so that it is not lost."""
        encoded = base64.b64encode(body).decode("ascii")
        starts = range(0, max(len(encoded), 1), BODY_PART_CHARS)
        digest = hashlib.sha256(body).hexdigest()
        for number, start in enumerate(starts, 1):
            self._write(
                "ERROR",
                "callback_not_kept",
                {"reason": reason, "sha256": digest, "part": number, "parts": len(starts)},
                body_base64=encoded[start : start + BODY_PART_CHARS],
            )

    def _write(
        self, level: Level, event: str, fields: Mapping[str, Value], body_base64: str | None = None
    ) -> None:
        line: dict[str, str | int | float] = {
            "time": rfc3339_of(self._clock()),
            "level": level,
            "event": event,
        }
        for name, value in (self._fields | _dotted(fields)).items():
            if value is not None:
                line[name] = self._safe(value, keeps_end=name == _TRACEBACK)
        if body_base64 is not None:
            line["body_base64"] = body_base64
        # ASCII alone: no line break, control character or odd unicode can leave its string.
        self._stream.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._stream.flush()

    def _safe(self, value: str | int | float | bool, keeps_end: bool) -> str | int | float:
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str):
            return value
        for secret in self._secrets:
            value = value.replace(secret, _MARK)
        if len(value) <= MAX_VALUE_CHARS:
            return value
        # A stack trace says what went wrong in its last line, everything else in its first.
        kept = f"…{value[-MAX_VALUE_CHARS:]}" if keeps_end else f"{value[:MAX_VALUE_CHARS]}…"
        return f"{kept} ({len(value)} characters)"


def _dotted(fields: Mapping[str, Value]) -> dict[str, Value]:
    """faas_trigger → faas.trigger: Python has no dots in names."""
    return {
        name.replace("faas_", "faas.", 1) if name.startswith("faas_") else name: value
        for name, value in fields.items()
    }
