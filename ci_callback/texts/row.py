"""A text in its two languages, and rows made for a whole enumeration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Row(NamedTuple):
    """One text. {name} is replaced by a value; both languages have the same names."""

    en: str
    zh: str


def rows(texts: Mapping[str, tuple[str, str]]) -> dict[str, Row]:
    """A table of rows by their keys."""
    return {key: Row(*text) for key, text in texts.items()}


def family(
    prefix: str, members: Iterable[str], texts: Mapping[str, tuple[str, str]]
) -> dict[str, Row]:
    """A row `prefix.MEMBER` for each member of an enumeration.

    Raises:
        ValueError: a member has no text, or a text belongs to no member. The tool does not start
            with such a table, so a new member can't be forgotten.
    """
    different = set(members) ^ set(texts)
    if different:
        raise ValueError(
            f"{prefix}: a text without its name or a name without its text: {different}"
        )
    return rows({f"{prefix}.{name}": text for name, text in texts.items()})
