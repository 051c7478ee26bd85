"""Where a callback goes that the ledger does not accept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handler.ingest.received import ReceivedCallback
from handler.log import Log
from handler.triggers import JobResult


@dataclass
class Fallback:
    """The log: its parts are put together again by `replay --from-log`."""

    log: Log

    def keep(self, callback: ReceivedCallback, results: Sequence[JobResult]) -> list[JobResult]:
        """Write a callback of which not all is stored; the results that are answered."""
        if any(result.status == "retry_later" for result in results):
            self.log.last_resort(callback.body, "store", authenticated=True)
        return list(results)
