"""Rewrites usage errors in this tool's words. Typer hands on those of the library that reads the
options, which speak of "input" and of Python's types. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    r"Input should be greater than or equal to (\S+)": r"must be at least \1",
    r"Input should be less than or equal to (\S+)": r"must be at most \1",
    r"Input should be greater than (\S+)": r"must be more than \1",
    r"Input should be less than (\S+)": r"must be less than \1",
    r"Input should be a valid integer.*": "must be a whole number such as 10",
    r"Input should be a valid number.*": "must be a number such as 0.5",
    r"Input should be a finite number.*": "must be a number such as 0.5",
    r"Input should be a valid boolean.*": "must be true or false",
    r"Unable to parse input string as an integer.*": "must be a whole number such as 10",
    r"Input should be .*": "is not a value of this option; --help says what is",
    r"Value error, '(.*)' does not match the formats '%Y-%m-%d'\.": r"'\1': write 2026-11-20",
    r"Option '--yes' requires an argument\.": "--yes takes the function's name: --yes NAME",
    r"Value error, (.*)": r"\1",
}
"""From a library's message, as a regular expression, to ours; the first that fits counts."""


def in_our_words(message: str) -> str:
    """A message without the words of the library; any other as it is."""
    for pattern, ours in _WORDS.items():
        match = re.fullmatch(pattern, message, re.DOTALL)
        if match:
            return match.expand(ours)
    return message
