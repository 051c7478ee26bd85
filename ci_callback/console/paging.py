"""Which of many rows a page shows. Pure."""

from __future__ import annotations

from typing import NamedTuple

PAGE_ROWS = 50


class Place(NamedTuple):
    """A page by its number, from 1, among so many rows."""

    number: int
    total: int

    @property
    def pages(self) -> int:
        """How many there are; one at least."""
        return max(1, -(-self.total // PAGE_ROWS))

    @property
    def skip(self) -> int:
        """How many rows come before it."""
        return (self.number - 1) * PAGE_ROWS

    @property
    def first(self) -> int:
        """The number of its first row, from 1."""
        return self.skip + 1

    @property
    def last(self) -> int:
        """The number of its last row."""
        return min(self.total, self.number * PAGE_ROWS)


def place_of(number: int, total: int) -> Place:
    """The page of that number, or the nearest one."""
    return Place(min(max(1, number), Place(1, total).pages), total)
