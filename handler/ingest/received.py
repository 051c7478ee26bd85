"""A callback as it is passed through the ingest: its body, and how it reached the function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from handler.ledger.dead_letters import DeadLetter


class ReceivedCallback(NamedTuple):
    """One delivery. received_at: RFC 3339 in UTC. headers: without secrets, names in lower case."""

    body: bytes
    trigger: str
    received_at: str
    request_id: str
    headers: Mapping[str, str] = {}

    def dead_letter(self, reason: str, explanation: str) -> DeadLetter:
        """The dead letter that holds this body."""
        return DeadLetter(
            self.body,
            reason,
            explanation,
            self.headers,
            self.trigger,
            self.received_at,
            self.request_id,
        )
