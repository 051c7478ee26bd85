"""Where a callback goes that the ledger does not accept: to SPILL_URL, else into the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

from handler.errors import StoreError
from handler.ingest.received import ReceivedCallback
from handler.ledger.store import Store
from handler.log import Log

Status: TypeAlias = Literal["spilled", "retry_later"]


class Elsewhere(NamedTuple):
    """Where a callback is now. key: below SPILL_URL; None where only the log has it."""

    status: Status
    key: str | None = None


class Fallback(NamedTuple):
    """open_spill: the store that SPILL_URL names; None where it names none."""

    open_spill: Callable[[], Store | None]
    log: Log

    def keep(self, callback: ReceivedCallback) -> Elsewhere:
        """Keep a whole callback, durable where the status is `spilled`."""
        from handler.ingest import spill  # only an outage pays for it

        store = self.open_spill()
        if store is not None:
            try:
                return Elsewhere("spilled", spill.put(store, callback))
            except StoreError as error:
                self.log.error("spill_failed", reason=str(error))
        self.log.last_resort(callback.body, "store", authenticated=True)
        return Elsewhere("retry_later")
