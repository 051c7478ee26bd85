"""Dead letters: bodies that could not be processed, kept whole with the reason."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from handler.ledger import keys

DEAD_LETTER = "dead-letter/1"

Content: TypeAlias = Literal["callback", "record", "ticket", "event", "events"]
"""The origin of a dead letter's body: a callback as it was sent, or the function's own
job-record/1, ticket/1, queued-event/1 or pending/1. The body itself does not decide: a stranger may
post any of them."""


class DeadLetter(NamedTuple):
    """A body that could not be understood, or that reports another end than the one kept."""

    body: bytes
    reason: str
    explanation: str
    headers: Mapping[str, str]
    """Without secrets: the trigger passes on only headers that it knows to hold none."""
    trigger: str
    received_at: str
    request_id: str
    content: Content = "callback"

    @property
    def sha256(self) -> str:
        """Of the body, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def key(self) -> str:
        """Where it is kept: the same body on the same day has the same key."""
        return keys.dead(self.sha256, self.received_at)

    def is_held_by(self, stored: bytes) -> bool:
        """Whether an object is a dead letter of this body, and of this content unless that is a
        callback."""
        try:
            values = json.loads(stored)
            if self.content not in ("callback", values["content"]):
                return False
            return base64.b64decode(values["body_base64"], validate=True) == self.body
        except (ValueError, KeyError, TypeError, RecursionError):
            return False

    def to_json(self) -> bytes:
        """The dead letter as it is kept: one line of JSON, the body in base64."""
        values = {
            "schema": DEAD_LETTER,
            "content": self.content,
            "reason": self.reason,
            "explanation": self.explanation,
            "sha256": self.sha256,
            "bytes": len(self.body),
            "trigger": self.trigger,
            "received_at": self.received_at,
            "request_id": self.request_id,
            "headers": dict(self.headers),
            "body_base64": base64.b64encode(self.body).decode("ascii"),
        }
        return json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n"
