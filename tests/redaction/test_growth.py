"""Redaction takes time in proportion to the length of a text, however hostile that is.

What is counted is not time but work: the lines of Python that are run, and the characters that
regular expressions are let loose on.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from handler.redaction import escapes, text, values
from handler.redaction.text import redact


class Work:
    """Counts; stands in for the patterns of a module."""

    def __init__(self) -> None:
        self.done = 0

    def line(self, frame: FrameType, event: str, argument: Any) -> Any:
        """A trace function."""
        self.done += event == "line"
        return self.line


class Counted:
    """A pattern that counts the characters it is let loose on."""

    def __init__(self, pattern: re.Pattern[str], work: Work) -> None:
        self._pattern = pattern
        self._work = work

    def match(self, string: str, at: int = 0) -> re.Match[str] | None:
        match = self._pattern.match(string, at)
        self._work.done += (match.end() if match else self._failed_at(string, at)) - at
        return match

    def search(self, string: str, at: int = 0) -> re.Match[str] | None:
        match = self._pattern.search(string, at)
        self._work.done += (match.end() if match else len(string)) - at
        return match

    def finditer(self, string: str, at: int = 0) -> Iterator[re.Match[str]]:
        for match in self._pattern.finditer(string, at):
            self._work.done += match.end() - at
            at = match.end()
            yield match
        self._work.done += len(string) - at

    @staticmethod
    def _failed_at(string: str, at: int) -> int:
        """Blanks, then one word or one run of signs: no pattern that is matched reads further."""
        for part in (r"\s*", r"[^\w\s]*", r"\s*", r"[\w.$-]*", r"\s*", r"[^\w\s]*"):
            match = re.compile(part).match(string, at)
            at = match.end() if match else at
        return at


def work_for(monkeypatch: pytest.MonkeyPatch, body: str) -> int:
    """What it takes to redact a body."""
    work = Work()
    with monkeypatch.context() as patched:
        for module in (escapes, text, values):
            for name, value in list(vars(module).items()):
                if isinstance(value, re.Pattern):
                    patched.setattr(module, name, Counted(value, work))
                elif isinstance(value, dict) and any(
                    isinstance(pattern, re.Pattern) for pattern in value.values()
                ):
                    counted = {key: Counted(pattern, work) for key, pattern in value.items()}
                    patched.setattr(module, name, counted)
        before = sys.gettrace()
        sys.settrace(work.line)
        try:
            redact(body)
        finally:
            sys.settrace(before)
    return work.done


FAMILIES = (
    ("", '{"DocPassword":"x"},', ""),
    ("", "<DocPassword>x</DocPassword>", ""),
    ("", "<DocPassword>", ""),
    ("", "<DocPassword/>", ""),
    ("", "<DocPassword a='", ""),
    ("", "<DocPassword><a b=\"'", ""),
    ("", "<DocPassword><![CDATA[", ""),
    ("", "<IV><!--", ""),
    ("", "</IV>", ""),
    ("<IV>", "</IV>x", ""),
    ("", '"DocPassword":"x" ', ""),
    ("", '"DocPassword":[', ""),
    ("", '"DocPassword":{"a":"]', ""),
    ("", '{"DocPassword":""},', ""),
    ("", '"DocPassword"', ""),
    ("", "DocPassword", ""),
    ("", "DocPassword ", ""),
    ("", "DocPassword:", ""),
    ("", "DocPassword=&", ""),
    ("", "DocPassword=%26", ""),
    ("", "<TtsConfig>", ""),
    ("", "<TtsConfig><Encryption><Input>x</Input>", ""),
    ("", '"TtsConfig":{"Input":"x"},', ""),
    ("", '"TtsConfig":{"Encryption":{"Key":"x",', ""),
    ("DocPassword", " ", "x"),
    ('"DocPassword"', " ", "x"),
    ("DocPassword:", " ", "x"),
    ('DocPassword:"', '", ', "x"),
    ('DocPassword:"', '"a', ""),
    ('DocPassword:"', '\\"', ""),
    ('DocPassword:"', "\\", ""),
    ('DocPassword:\\"', '\\\\"', ""),
    ("", "\\", "u0044"),
    ("", "\\u0044", ""),
    ("", "&amp;", ""),
    ("&", "amp;", "#68;"),
    ("", "&#68;", ""),
    ("&#", "0", "68;"),
    ("%", "25", "44"),
    ("", "%44", ""),
    ("", "%", ""),
    ("", "\x00", ""),
    ("", "D\x00", ""),
    ("", "a:", ""),
    ("", "a.", ""),
    ("", "<a", ""),
    ("", "<", ""),
    ("", '"', ""),
    ("", "Key</Key><Value>x</Value>", ""),
    ("", "token</a><", ""),
    ("", '"token","Value":', ""),
    ("", '"CallBack":"', ""),
    ("", '"CallBack":"//"', ""),
    ("", "CallBack=//", ""),
    ("", "<CallBack></CallBack>//", ""),
    ("", "<CallBack>//", ""),
    ("", "\u200b", ""),
    ("D", "\u200b", "ocPassword"),
    ("", "D\u200b", ""),
    ("", "\uff24", ""),
    ("", "\U0001d403", ""),
    ("", "\u0430", ""),
    ("", "\u24b9ocPassword:x,", ""),
    ("", '"DocPass\u200bword":"x",', ""),
    ("", "\ufdfa", ""),
)
"""What comes before, what is repeated, and what comes behind."""


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: repr("".join(family))[:40])
def test_twice_the_length_takes_twice_the_work(
    monkeypatch: pytest.MonkeyPatch, family: tuple[str, str, str]
) -> None:
    """And a character a bounded amount."""
    before, repeated, behind = family
    lengths = (2_000, 4_000)
    bodies = [before + repeated * (length // len(repeated)) + behind for length in lengths]

    once, twice = (work_for(monkeypatch, body) for body in bodies)

    assert twice <= 2.1 * once + 500
    assert twice <= 60 * lengths[1]
