"""The ids in a callback: the job's own, and others that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_OID, uuid5


@dataclass(frozen=True)
class Ids:
    """All that one sample needs."""

    job_id: str

    def of(self, name: str) -> str:
        """32 hexadecimal digits: for one job and one name always the same ones."""
        return uuid5(NAMESPACE_OID, f"{self.job_id}/{name}").hex
