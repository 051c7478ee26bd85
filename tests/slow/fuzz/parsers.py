"""Body → tree → notices → record, ticket and key: the parsers alone, many times as fast."""

from __future__ import annotations

from typing import Any

from handler.callback import details, envelope, payload, record
from handler.errors import PayloadError
from handler.ledger import keys
from handler.ledger.outbox import about
from handler.policy import Policy
from tests.slow.fuzz import promises

SMALL = payload.Limits(max_bytes=2048, max_nodes=60, max_depth=6, max_tag_bytes=64)
"""Limits that a small input can reach."""

POLICIES = (Policy(3, 60, 3600), Policy(1, 1, 1, frozenset({"Failed"}), None, True))


def body(data: bytes) -> None:
    """Body → record. PayloadError is the only exception; what is read can be kept and told."""
    for limits in (payload.Limits(), SMALL):
        try:
            tree, form = payload.parse(data, limits)
            notices = envelope.read(tree)
        except PayloadError:
            continue
        assert notices
        # In XML each level may be a list besides, and attributes make one more.
        _is_plain(tree, (limits.max_depth + 1) * (2 if form == "xml" else 1))
        source = record.Source("http", form, "2026-09-21T14:13:20Z", "request-1")
        for notice in notices:
            if isinstance(notice, envelope.Notice):
                _can_be_kept(record.normalise(notice, source))


def _is_plain(tree: Any, depth: int) -> None:
    assert depth >= 0
    assert tree is None or isinstance(tree, (str, list, dict))
    for value in (
        tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    ):
        _is_plain(value, depth - 1)


def _can_be_kept(job: record.JobRecord) -> None:
    line = job.to_json()
    promises.of_record(line)
    store = {keys.record(job): line}
    for policy in POLICIES:
        for action in policy.actions(job):
            ticket = about(job, action, policy.due(job))
            store[f"_outbox/{ticket.name}"] = ticket.to_json()
    promises.of_store(store)
    once = details.canonical(job.details)
    assert details.canonical(once) == once
