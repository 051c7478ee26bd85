"""Listings as they were a while ago: COS says that they are eventually consistent."""

from __future__ import annotations


class Journal:
    """Every write and delete, in order: (epoch seconds, bucket, key, whether it is there)."""

    def __init__(self) -> None:
        self._changes: list[tuple[float, str, str, bool]] = []

    def note(self, at: float, bucket: str, key: str, is_there: bool) -> None:
        """One change."""
        self._changes.append((at, bucket, key, is_there))

    def keys_at(self, moment: float, bucket: str) -> list[str]:
        """The keys that were there at a moment, in the order of their bytes."""
        last = {
            key: there
            for at, where, key, there in self._changes
            if (at <= moment) and where == bucket
        }
        return sorted((key for key, is_there in last.items() if is_there), key=str.encode)
