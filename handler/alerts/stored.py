"""A digest on its way, as it is stored under `_digests/`: to which channels it was delivered.

_digests/EPOCH-WRITER.json
{"schema": "digest/1", "message": {…}, "tickets": ["0000000000-j1-failed-alert.failed.json"],
 "since": 1790000000, "channels": {"0f1e2d3c4b5a6978": {"delivered": false, "tries": 2, …}}}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from handler.alerts.digest import Message
from handler.alerts.services import Status
from handler.ledger.keys import DIGESTS, UNDELIVERED
from handler.ledger.store import Store

SCHEMA = "digest/1"

GIVE_UP_S = 24 * 3600
"""How long a digest is sent to the channels that do not take it."""

CLOCKS_DIFFER_S = 3600
"""How far ahead another machine's clock may be."""

FIRST_DELAY_S = 60.0
"""Until the second try. The delay doubles with each try: an answer that is not understood is
probably a success, and each further try shows the message once more."""

MAX_DELAY_S = 15 * 60.0
"""The longest delay after a refusal or no answer: once the channel is back, the digest
reaches it within that time."""

MAX_NUMBER = 1e15
"""Of a stored number; NaN and infinity, which Python's JSON reads, are none either."""

_SLACK_S = 30.0
"""The timer runs each minute but not to the second: a try that is due by then is made now."""

_NAME = re.compile(rf"{DIGESTS}[0-9]+-[0-9A-Za-z]+\.json")
_TICKET = re.compile(r"[0-9A-Za-z~][0-9A-Za-z~._-]{0,400}\.json", re.ASCII)
_CHANNEL = re.compile(r"[0-9a-f]{16}", re.ASCII)


@dataclass(frozen=True)
class Delivery:
    """How far a digest is with one channel. tries: how many there were, the successful one
    included. next_at: epoch seconds before which it is not sent again."""

    delivered: bool = False
    tries: int = 0
    next_at: float = 0.0

    def after(self, status: Status, now: float) -> Delivery:
        """The state after one more try."""
        if status == "delivered":
            return Delivery(True, self.tries + 1)
        delay = FIRST_DELAY_S * 2.0 ** min(self.tries, 20)
        if status == "failed":
            delay = min(delay, MAX_DELAY_S)
        return Delivery(False, self.tries + 1, now + delay - _SLACK_S)

    def is_due(self, now: float) -> bool:
        """Whether it is to be sent now. A time more than a day ahead is not believed."""
        return not self.delivered and not now < self.next_at <= now + GIVE_UP_S


@dataclass(frozen=True)
class Digest:
    """A message on its way.

    tickets: names of the tickets that it is about. since: epoch seconds of its making.
    channels: by the id of a channel, for each one that it was sent to. A digest that was sent
    to any channel has marked its tickets as done before.
    """

    message: Message
    tickets: tuple[str, ...]
    since: float
    channels: Mapping[str, Delivery] = field(default_factory=dict)

    def delivery(self, channel_id: str) -> Delivery:
        """How far it is with a channel; with one that it was never sent to, at the beginning."""
        return self.channels.get(channel_id, Delivery())

    @property
    def is_delivered(self) -> bool:
        """Whether a channel took it, configured now or not."""
        return any(delivery.delivered for delivery in self.channels.values())

    def is_too_old(self, now: float) -> bool:
        """Whether it is given up where a channel still does not take it. A time of making
        that lies ahead by more than an hour bounds nothing, and counts as too old."""
        return not -CLOCKS_DIFFER_S <= now - self.since <= GIVE_UP_S

    def to_json(self) -> bytes:
        """The digest as it is stored."""
        values = {
            "schema": SCHEMA,
            "message": self.message.to_dict(),
            "tickets": self.tickets,
            "since": self.since,
            "channels": {name: asdict(delivery) for name, delivery in self.channels.items()},
        }
        return json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")

    @classmethod
    def from_json(cls, line: bytes) -> Digest:
        """Read back what `to_json` wrote.

        Raises:
            ValueError: it is no digest/1, or names a ticket that can't be one.
        """
        try:
            values: Any = json.loads(line)
        except RecursionError as error:
            raise ValueError("nested too deep") from error
        if not isinstance(values, dict) or values.get("schema") != SCHEMA:
            raise ValueError(f"not a {SCHEMA}")
        return cls._of(values)

    @classmethod
    def _of(cls, values: Mapping[str, Any]) -> Digest:
        tickets, channels = values.get("tickets"), values.get("channels")
        if not isinstance(tickets, list) or not all(map(_is_ticket, tickets)):
            raise ValueError("tickets: not a list of names")
        if not isinstance(channels, dict) or not all(map(_CHANNEL.fullmatch, channels)):
            raise ValueError("channels: not an object by channel ids")
        message = values.get("message")
        if not isinstance(message, dict):
            raise ValueError("not a message")
        return cls(
            Message.from_dict(message),
            tuple(tickets),
            _number(values.get("since")),
            {name: _delivery(delivery) for name, delivery in channels.items()},
        )


def waiting(store: Store) -> list[str]:
    """The keys of the digests on their way, the oldest first; may raise StoreError.

    Anything else there, such as a folder marker, is skipped.
    """
    return list(_digests(store.list(DIGESTS)))


def undelivered_key(key: str) -> str:
    """Where a digest is kept that could not be delivered."""
    return key.replace(DIGESTS, UNDELIVERED, 1)


def _digests(keys: Iterable[str]) -> Iterator[str]:
    return (key for key in keys if _NAME.fullmatch(key))


def _is_ticket(name: object) -> bool:
    """Whether it is one segment of a key: a ticket's name becomes a part of what is deleted."""
    return isinstance(name, str) and _TICKET.fullmatch(name) is not None


def _delivery(values: Any) -> Delivery:
    """One entry of `channels`.

    Raises:
        ValueError: it is not one.
    """
    if not isinstance(values, dict) or type(values.get("delivered")) is not bool:
        raise ValueError("channels: not a delivery")
    tries = int(_number(values.get("tries")))
    return Delivery(values["delivered"], tries, _number(values.get("next_at")))


def _number(value: Any) -> float:
    # A whole number of JSON may be too large for a float.
    if type(value) not in (int, float) or not 0 <= value < MAX_NUMBER:
        raise ValueError("not a number from 0 on")
    return float(value)
