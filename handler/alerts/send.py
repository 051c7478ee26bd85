"""Sending alerts: step 5 of the way of a failure.

    due alert tickets ── one message ── put _digests/…  (text, tickets, channels: none so far)
         ── each ticket: mark done, delete ── send ── put it again, with what each channel did
                                                 └─ every configured channel took it: delete it

The digest is stored before anything is sent, and holds the tickets' names: after a crash
anywhere the next sweep first marks those tickets as done, and then sends to each configured
channel that has not taken it. So no alert is sent twice to one channel, and a channel that
ALERT_URLS names only now receives what another one never took. A digest leaves `_digests/` only
once a channel took it, or once it is logged at ERROR and kept under `_undelivered/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from handler.alerts.channels import Channel, Transports, channels, send_to_channels
from handler.alerts.digest import Entry, compose, fold
from handler.alerts.services import SendResult
from handler.alerts.stored import Digest, undelivered_key
from handler.http_client import Http
from handler.ledger.keys import DIGESTS
from handler.ledger.lease import Lease
from handler.ledger.outbox import Outbox, Ticket
from handler.ledger.records import Ledger
from handler.log import Log
from handler.redaction.text import redact
from handler.settings import Settings

CHANNEL_S = 5.0
"""The time-out of one channel. Channels are sent to in parallel."""

RESERVE_S = 10.0
"""A digest of an earlier sweep is sent only with that much of the sweep's time left: its
channels may take CHANNEL_S, and the note of it must still be written."""

MAX_TICKETS = 2_000
"""Tickets of one digest; the others go into the digest of the next sweep."""


class AlertContext(Protocol):
    """The parts of a sweep that sending alerts needs."""

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
    """The alerts of one sweep. Every method may raise StoreError or LeaseLostError: the next sweep
    continues the work."""

    def __init__(self, context: AlertContext, time_left: Callable[[], float]) -> None:
        """time_left: the seconds that this sweep still has."""
        self._context = context
        self._time_left = time_left
        self._store = context.ledger.store
        self._channels = channels(context.settings.alert_urls)
        self._transports = Transports(context.http, timeout_s=CHANNEL_S)
        self._failing: set[str] = set()
        """Ids of the channels that did not take a digest in this sweep: a channel that hangs
        for one digest would hang for the next one."""

    def send_waiting(self, keys: Sequence[str]) -> None:
        """Send the digests that an earlier sweep left, as far as they are due."""
        for key in keys:
            if self._time_left() < RESERVE_S:
                return
            line = self._store.get(key)
            if line is None:
                continue  # a stale listing
            try:
                digest = Digest.from_json(line)
            except ValueError as error:
                self._put_aside_unreadable(key, line, error)
                continue
            if not digest.channels:  # else they were marked before it was sent first
                self._context.outbox.done_all(digest.tickets)
            self._send(key, digest)

    def send_due(self, due: Sequence[tuple[str, Entry]]) -> None:
        """Make one digest of the alert tickets that are due, and send it. due: the name of each
        ticket, and what it says."""
        due = due[:MAX_TICKETS]
        if not due:
            return
        context = self._context
        writer = f"{int(context.clock()):010d}-{context.lease.writer}"
        entries = fold(said for _, said in due)
        message = compose(entries, context.settings.alert_lang, writer)
        digest = Digest(message, tuple(name for name, _ in due), context.clock())
        key = f"{DIGESTS}{writer}.json"
        context.lease.check(CHANNEL_S)
        self._store.put(key, digest.to_json())
        context.outbox.done_all(digest.tickets)  # from now on it replaces them
        self._send(key, digest)

    def _send(self, key: str, digest: Digest) -> None:
        """Send to each configured channel that has not taken it, and note what became of it."""
        now = self._context.clock()
        due = [channel for channel in self._channels if self._is_due(channel, digest, now)]
        if due:
            self._context.lease.check(CHANNEL_S + 1)
            sent = send_to_channels(due, digest.message, self._transports, now)
            digest = self._noted(digest, due, sent)
        left = [channel for channel in self._channels if not digest.delivery(channel.id).delivered]
        if not left and digest.is_delivered:
            self._store.delete(key)
        elif not self._channels:
            self._put_aside(key, digest, "no channel is configured: set ALERT_URLS")
        elif digest.is_too_old(now):
            labels = ", ".join(f"{channel.service} {channel.label}" for channel in left)
            self._put_aside(key, digest, f"not delivered within a day to: {labels}")
        elif due:
            self._context.lease.check(CHANNEL_S)
            self._store.put(key, digest.to_json())

    def _is_due(self, channel: Channel, digest: Digest, now: float) -> bool:
        return channel.id not in self._failing and digest.delivery(channel.id).is_due(now)

    def _noted(
        self, digest: Digest, to: Sequence[Channel], sent: Mapping[str, SendResult]
    ) -> Digest:
        """The digest after these tries. One line each is logged."""
        after = dict(digest.channels)
        for channel in to:
            result = sent[channel.id]
            self._log(channel, digest, result)
            after[channel.id] = digest.delivery(channel.id).after(
                result.status, self._context.clock()
            )
            if result.status == "failed":
                self._failing.add(channel.id)
        return replace(digest, channels=after)

    def _put_aside(self, key: str, digest: Digest, why: str) -> None:
        """It could not be delivered: one line at ERROR, and kept where a person can look."""
        self._context.log.error(
            "alert_undelivered",
            key=key,
            reason=why,
            title=digest.message.title,
            text=digest.message.text(1500),
        )
        self._store.put(undelivered_key(key), digest.to_json())
        self._store.delete(key)

    def _put_aside_unreadable(self, key: str, line: bytes, error: ValueError) -> None:
        """Nothing can be sent of it; it must not stop the others."""
        self._context.log.error("alert_undelivered", key=key, reason=f"unreadable: {error}")
        self._store.put(undelivered_key(key), line)
        self._store.delete(key)

    def _log(self, channel: Channel, digest: Digest, result: SendResult) -> None:
        """At ERROR only the first time that this channel does not take this digest."""
        log, is_first = self._context.log, not digest.delivery(channel.id).tries
        write = log.error if is_first else log.warning
        if result.status == "delivered":
            write = log.info
        write(
            "alert",
            channel=f"{channel.service} {channel.label}",
            status=result.status,
            reason=result.reason or None,
            title=digest.message.title,
        )


def entry(ticket: Ticket, secrets: Sequence[str]) -> Entry:
    """The entry of a ticket in a digest, without secrets. secrets: those known by their value."""
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
        message=redact(record.message, secrets) if record else "",
        note=redact(ticket.note, secrets),
    )
