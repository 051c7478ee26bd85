"""What there is to index: the days of a ledger, the newest first, and the keys of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from ci_callback.ledger_reader import FOLDERS, DayRange
from ci_callback.newest import MAX_FOLDERS, Dated
from handler.ledger import keys
from handler.ledger.keys import UNFINISHED
from handler.ledger.store import Store

ALL_FOLDERS = (*(f"{folder}/" for folder in FOLDERS), UNFINISHED)

_KEY = re.compile(r"[^/]+/dt=[^/]+/[^/]+\.json")


@dataclass(frozen=True)
class ListedDay:
    """One day. listed: its keys, each with the time of its writing where that is told ("" where
    not): only what may be written again is looked at by its time."""

    dt: str
    listed: dict[str, str] = field(default_factory=dict)


def days(store: Store, since: date | None = None) -> list[str]:
    """The days that hold anything, from the newest on; those without a day come last."""
    found: set[str] = set()
    for folder in ALL_FOLDERS:
        places = store.folders(f"{folder}dt=")
        if len(places) >= MAX_FOLDERS:
            # COS gives the oldest ones only.
            places = [key.rpartition("/")[0] for key in store.list(f"{folder}dt=")]
        found.update(place.rpartition("dt=")[2].rstrip("/") for place in places)
    wanted = DayRange(since)
    return sorted(filter(wanted.holds, found), reverse=True)


def listed_days(store: Store, wanted: list[str]) -> Iterator[ListedDay]:
    """The keys of each day. May raise StoreError."""
    for dt in wanted:
        day = ListedDay(dt)
        for folder in ALL_FOLDERS:
            day.listed.update(_below(store, f"{folder}dt={dt}/"))
        yield day


def _below(store: Store, prefix: str) -> Iterator[tuple[str, str]]:
    is_rewritten = prefix.startswith(UNFINISHED)
    if is_rewritten and isinstance(store, Dated):
        listed = store.dated(prefix)
    else:
        listed = ((key, "") for key in store.list(prefix))
    # Deeper keys are no records: each is DAY/NAME.json.
    return ((key, stamp) for key, stamp in listed if is_record(key))


def is_record(key: str) -> bool:
    """Whether a key can be a record's."""
    return key.startswith(ALL_FOLDERS) and _KEY.fullmatch(key) is not None


NO_DAY = keys.NO_DAY
