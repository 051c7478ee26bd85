"""The objects of the stub of COS: real ones, and ranges of keys that are made up when asked for."""

from __future__ import annotations

import hashlib
import heapq
from bisect import bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """Keys that are made up when they are asked for: `before`, a number of `width` digits,
    `after`.

    In a body `@KEY@` becomes the number, `@HASH@` 32 characters that no other number has, and
    `@TIME@` a time of the day: so records differ as real ones do.
    """

    before: str
    after: str
    width: int
    count: int
    body: bytes = b"{}\n"

    def key(self, number: int) -> str:
        return f"{self.before}{number:0{self.width}d}{self.after}"

    def number(self, key: str) -> int | None:
        """Which one a key is; None where it is none of these."""
        middle = key[len(self.before) : len(self.before) + self.width]
        if not middle.isdigit() or int(middle) >= self.count or key != self.key(int(middle)):
            return None
        return int(middle)

    def content(self, number: int) -> bytes:
        """The body under a key."""
        made = self.body.replace(b"@KEY@", f"{number:0{self.width}d}".encode())
        if b"@HASH@" in made:
            unlike = hashlib.sha256(b"%d" % number).hexdigest()[:32]
            made = made.replace(b"@HASH@", unlike.encode())
            seconds = number * 86_400 // self.count
            time = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
            made = made.replace(b"@TIME@", time.encode())
        return made

    def after_marker(self, prefix: str, marker: str) -> Iterator[str]:
        """Its keys that begin with prefix and come after marker, in order."""
        start, end = 0, self.count
        while start < end:  # the first key beyond the marker
            middle = (start + end) // 2
            if self.key(middle) > marker:
                end = middle
            else:
                start = middle + 1
        keys = (self.key(number) for number in range(start, self.count))
        return (key for key in keys if key.startswith(prefix))


class Objects:
    """What is kept: real objects, and ranges that are made up."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._data: dict[str, bytes] = {}
        self._order: list[str] = []
        self._ranges: list[Range] = []

    def declare(self, key_range: Range) -> None:
        self._ranges.append(key_range)

    def put(self, key: str, data: bytes) -> None:
        if key not in self._data:
            insort(self._order, key)
        self._data[key] = data

    def get(self, key: str) -> bytes | None:
        data = self._data.get(key)
        if data is not None:
            return data
        for key_range in self._ranges:
            number = key_range.number(key)
            if number is not None:
                return key_range.content(number)
        return None

    def delete(self, key: str) -> None:
        if self._data.pop(key, None) is not None:
            self._order.pop(bisect_right(self._order, key) - 1)

    def list(self, prefix: str, marker: str) -> Iterator[str]:
        """Keys that begin with prefix and come after marker, in order."""
        start = bisect_right(self._order, max(marker, prefix[:-1]) if prefix else marker)
        mine = (key for key in self._order[start:] if key > marker and key.startswith(prefix))
        ranges = [key_range for key_range in self._ranges if _may_overlap(key_range.before, prefix)]
        return heapq.merge(mine, *(key_range.after_marker(prefix, marker) for key_range in ranges))

    def entries(self, prefix: str, marker: str, delimiter: str) -> Iterator[str]:
        """What a listing shows: keys, and where there is a delimiter the prefixes up to it."""
        if not delimiter:
            yield from self.list(prefix, marker)
            return
        while (key := next(self.list(prefix, marker), None)) is not None:
            head, found, _ = key[len(prefix) :].partition(delimiter)
            marker = f"{prefix}{head}{delimiter}\U0010ffff" if found else key
            yield f"{prefix}{head}{delimiter}" if found else key


def _may_overlap(before: str, prefix: str) -> bool:
    return before.startswith(prefix) or prefix.startswith(before)
