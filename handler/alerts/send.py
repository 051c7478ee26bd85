"""Telling people: step 5 of the way of a failure.

    due alert tickets ── one message ── put _digests/…  (text, tickets, who has not heard)
         ── each ticket: mark done, delete ── send ── put it again without those that heard
                                                 └─ all have heard: delete it

The digest is kept before anything is sent, and holds the tickets' names: after a crash
anywhere the next sweep first marks those tickets as done, and then sends to those that are
still to hear. So nothing is told anew, and a channel that is down makes no other hear twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from handler.alerts.channels import Channel, channels, send_all
from handler.alerts.digest import Entry, Message, compose, fold
from handler.http_client import Http
from handler.ledger.keys import DIGESTS, UNDELIVERED
from handler.ledger.lease import Lease
from handler.ledger.outbox import Outbox, Ticket
from handler.ledger.records import Ledger
from handler.log import Log
from handler.parallel import in_parallel
from handler.settings import Settings

SCHEMA = "digest/1"

CHANNEL_S = 5.0
"""What one channel may take; they are asked in parallel."""

GIVE_UP_S = 24 * 3600
"""How long a channel that keeps refusing is asked again, each sweep."""

MAX_TICKETS = 2_000
"""Tickets in one digest; more make a second one in the next sweep."""


@dataclass(frozen=True)
class Digest:
    """A message on its way. waiting: ids of the channels that have not taken it; since: epoch
    seconds; tickets: names of those that it tells of."""

    message: Message
    tickets: tuple[str, ...]
    waiting: tuple[str, ...]
    since: float

    def to_json(self) -> bytes:
        """The digest as it is kept."""
        values = {"schema": SCHEMA, **asdict(self), "message": self.message.to_dict()}
        return json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")

    @classmethod
    def from_json(cls, line: bytes) -> Digest:
        """Read back what `to_json` wrote.

        Raises:
            ValueError: it is no digest/1.
        """
        values: Any = json.loads(line)
        if not isinstance(values, dict) or values.get("schema") != SCHEMA:
            raise ValueError(f"not a {SCHEMA}")
        return cls(
            Message.from_dict(values["message"]),
            tuple(values["tickets"]),
            tuple(values["waiting"]),
            float(values["since"]),
        )


class AlertContext(Protocol):
    """What sending alerts needs of the sweep that it is a part of."""

    settings: Settings
    ledger: Ledger
    lease: Lease
    outbox: Outbox
    http: Http
    log: Log

    def clock(self) -> float:
        """Epoch seconds."""
        ...


class Alerts:
    """The alerts of one sweep. Every method may raise StoreError or LeaseLostError: what was
    begun goes on in the next sweep."""

    def __init__(self, bench: AlertContext) -> None:
        self._bench = bench
        self._store = bench.ledger.store
        self._channels = channels(bench.settings.alert_urls)

    def send_waiting(self, keys: Sequence[str]) -> None:
        """Send on the digests that an earlier sweep left."""
        for key in keys:
            line = self._store.get(key)
            if line is None:
                continue  # a stale listing
            try:
                digest = Digest.from_json(line)
            except (ValueError, KeyError, TypeError) as error:
                # Nothing can be sent of it; put aside, so that it does not stop the others.
                self._bench.log.error("alert_undelivered", key=key, reason=f"unreadable: {error}")
                self._store.put(key.replace(DIGESTS, UNDELIVERED, 1), line)
                self._store.delete(key)
                continue
            self._settle(digest.tickets)
            self._send(key, digest)

    def tell(self, due: Sequence[tuple[str, Ticket]]) -> None:
        """Make one digest of what is due, and send it."""
        due = due[:MAX_TICKETS]
        if not due:
            return
        bench = self._bench
        names = tuple(name for name, _ in due)
        writer = f"{int(bench.clock()):010d}-{bench.lease.writer}"
        entries = fold(entry(ticket) for _, ticket in due)
        message = compose(entries, bench.settings.alert_lang, writer)
        waiting = tuple(channel.id for channel in self._channels)
        digest = Digest(message, names, waiting, bench.clock())
        key = f"{DIGESTS}{writer}.json"
        bench.lease.check(CHANNEL_S)
        self._store.put(key, digest.to_json())
        self._settle(names)
        self._send(key, digest)

    def _settle(self, names: Sequence[str]) -> None:
        """The digest speaks for them from now on."""
        in_parallel(self._bench.outbox.done, names)

    def _send(self, key: str, digest: Digest) -> None:
        if not self._channels:
            self._undelivered(key, digest, "there is no channel; set ALERT_URLS")
            return
        bench = self._bench
        # A channel that is no longer configured counts as having heard.
        waiting = [channel for channel in self._channels if channel.id in digest.waiting]
        bench.lease.check(CHANNEL_S + 1)
        sent = send_all(waiting, digest.message, bench.http, bench.clock(), CHANNEL_S)
        for channel in waiting:
            self._log(channel, digest, sent[channel.id].taken, sent[channel.id].reason)
        left = tuple(channel.id for channel in waiting if not sent[channel.id].taken)
        if not left:
            self._store.delete(key)
        elif bench.clock() - digest.since > GIVE_UP_S:
            self._undelivered(key, digest, "a channel kept refusing it for a day")
        elif left != digest.waiting:
            bench.lease.check(CHANNEL_S)
            self._store.put(key, replace(digest, waiting=left).to_json())

    def _undelivered(self, key: str, digest: Digest, why: str) -> None:
        """Nobody heard: once in the log, at ERROR, and kept where a person can look."""
        self._bench.log.error(
            "alert_undelivered",
            reason=why,
            title=digest.message.title,
            text=digest.message.text(1500),
        )
        self._store.put(key.replace(DIGESTS, UNDELIVERED, 1), digest.to_json())
        self._store.delete(key)

    def _log(self, channel: Channel, digest: Digest, taken: bool, reason: str) -> None:
        write = self._bench.log.info if taken else self._bench.log.error
        write(
            "alert",
            channel=f"{channel.service} {channel.label}",
            status="taken" if taken else "not_taken",
            reason=reason or None,
            title=digest.message.title,
        )


def entry(ticket: Ticket) -> Entry:
    """What a ticket has to tell."""
    record = ticket.record
    sent = (record.input if record else None) or {}
    place = "/".join(str(sent[name]) for name in ("bucket", "object") if sent.get(name))
    lineage = record.lineage if record else None
    return Entry(
        kind=ticket.action.removeprefix("alert."),
        tag=record.tag if record else None,
        code=record.code if record else "",
        job_id=ticket.job_id,
        root_job_id=lineage.root_job_id if lineage else ticket.job_id,
        attempts=lineage.attempt if lineage else 0,
        object=place,
        message=record.message if record else "",
        note=ticket.note,
    )
