"""The outbox as people look at it: what still needs doing, by kind, read as far as it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from ci_callback.console.follow import TicketName
from ci_callback.console.paging import Place, place_of
from ci_callback.ledger_reader import StoredTicket, outbox_of
from ci_callback.record_index.search import Lookup
from handler.ledger.store import Store

Kind: TypeAlias = Literal["todo", "retry", "alert", "verify", "watch", "other", "ended"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""todo: everything but `ended`, which are watches of jobs whose end is in the ledger: a sweep
compares each with CI's own word once it is due, and nothing else is left to do."""


@dataclass(frozen=True)
class Waiting:
    """The tickets of one page, the next one due first; how many there are of each kind."""

    kind: Kind
    tickets: Sequence[StoredTicket]
    place: Place
    counts: Mapping[Kind, int]


def waiting(store: Store, names: Sequence[str], lookup: Lookup, kind: Kind, number: int) -> Waiting:
    """One page. names: of all tickets. May raise StoreError."""
    watched = {TicketName.of(name).job for name in names if _kind(name) == "watch"}
    ended = lookup.ended(watched)
    by_kind: dict[Kind, list[str]] = {one: [] for one in KINDS}
    for name in names:
        of = _kind(name)
        if of == "watch" and TicketName.of(name).job in ended:
            by_kind["ended"].append(name)
        else:
            by_kind[of].append(name)
            by_kind["todo"].append(name)
    place = place_of(number, len(by_kind[kind]))
    shown = set(by_kind[kind][place.skip : place.last])
    # Of those that are listed still: others were done since.
    tickets = list(outbox_of(store, lambda name: name in shown)) if shown else []
    return Waiting(kind, tickets, place, {one: len(by_kind[one]) for one in KINDS})


def _kind(name: str) -> Kind:
    action = TicketName.of(name).action.partition(".")[0]
    return next((kind for kind in KINDS[1:5] if kind == action), "other")
