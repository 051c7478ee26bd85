"""The command line in Chinese: its help and its messages, by their English.

texts/command_line.txt has each text in both languages: the English, and below it, after a tab, the
Chinese. {0}, {1}, … are the values of a message, in the order of the English. The code keeps the
English text where it is printed. It is looked up here when a line is printed in Chinese; a reader
of English never reads the file. (It is no module of texts/, which imports the console's.) JSON,
names of columns, states and logs are never translated.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

Lang: TypeAlias = Literal["en", "zh"]
FILE = Path(__file__).parent / "texts" / "command_line.txt"
VARIABLE = "CI_CALLBACK_LANG"
LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Which language people use, the first that is set."""

_PLACE = re.compile(r"\{(\d)\}")


def language(env: Mapping[str, str]) -> Lang:
    """CI_CALLBACK_LANG, else the language of the locale where it is Chinese, else English."""
    chosen = env.get(VARIABLE) or next((env[name] for name in LOCALES if env.get(name)), "")
    return "zh" if chosen.lower().startswith("zh") else "en"


@cache
def table() -> Mapping[str, str]:
    """The Chinese of each text."""
    texts: dict[str, str] = {}
    english = ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("\t"):
            texts[english] = line[1:]
        elif line and not line.startswith("# "):
            english = line
    return texts


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """The messages with values, those with more text of their own first."""
    messages = [english for english in table() if _PLACE.search(english)]
    messages.sort(key=lambda english: -len(_PLACE.sub("", english)))
    return [(_pattern(english), table()[english]) for english in messages]


def _pattern(english: str) -> re.Pattern[str]:
    parts = _PLACE.split(english)
    return re.compile(
        "".join(
            f"(?P<v{part}>.*?)" if at % 2 else re.escape(part) for at, part in enumerate(parts)
        ),
        re.DOTALL,
    )


def localised(text: str) -> str:
    """A text in the reader's language; one that the table does not have, as it is."""
    return chinese(text) if language(os.environ) == "zh" else text


def chinese(text: str) -> str:
    """The Chinese of a text, of each paragraph of a help, or of a message with values in it."""
    known = table().get(text)
    if known is not None:
        return known
    if "\n\n" in text:
        return "\n\n".join(chinese(" ".join(part.split("\n"))) for part in text.split("\n\n"))
    edges = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    if any(edges) and text.strip():
        return f"{edges[0]}{chinese(text.strip())}{edges[1]}"
    if text.startswith("(") and text.endswith(")") and chinese(text[1:-1]) != text[1:-1]:
        return f"（{chinese(text[1:-1])}）"
    return _with_values(text)


def _with_values(text: str) -> str:
    """A message of the table, with its values in it, or with a remark in brackets behind it."""
    for pattern, translation in _patterns():
        found = pattern.fullmatch(text)
        if found:
            values = {name: chinese(value) for name, value in found.groupdict().items()}
            return translation.format(*values.values())
    head, opened, rest = text.partition(" (")
    if opened and text.endswith(")") and chinese(head) != head:
        return f"{chinese(head)}（{chinese(rest[:-1])}）"
    return text
