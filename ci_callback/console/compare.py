"""Two attempts of a job beside each other: the fields in which their records differ. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from handler.callback.record import JobRecord

MAX_FIELDS = 500
"""Differing fields that are shown: results may list thousands of pictures."""


class Difference(NamedTuple):
    """A field, by its place in the record, and its value in both; None where it has none."""

    place: str
    first: str | None
    second: str | None

    @property
    def is_of_ci(self) -> bool:
        """Whether it is one of CI's own words, most of which are among our fields too."""
        return self.place.startswith("details.")


def differences(first: JobRecord, second: JobRecord) -> list[Difference]:
    """The fields that differ, in the order of the records. `details`, CI's own words, come last."""
    ours = [dict(_flat(_readable(record))) for record in (first, second)]
    places = dict.fromkeys((*ours[0], *ours[1]))
    differing = (
        Difference(place, ours[0].get(place), ours[1].get(place))
        for place in places
        if ours[0].get(place) != ours[1].get(place)
    )
    shown = sorted(differing, key=lambda one: one.is_of_ci)
    return shown[:MAX_FIELDS]


def _readable(record: JobRecord) -> Any:
    """As it is stored: its nested values are JSON's."""
    return json.loads(record.to_json())


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Each leaf by its place: result.media.format.size_bytes, outputs.0.object."""
    parts: Iterator[tuple[object, Any]] = iter(())
    if isinstance(value, Mapping):
        parts = iter(value.items())
    elif isinstance(value, list):
        parts = iter(enumerate(value))
    else:
        yield place, value if isinstance(value, str) else json.dumps(value)
        return
    for name, below in parts:
        yield from _flat(below, f"{place}.{name}" if place else str(name))
