"""From many entries to one message for the person on call. Pure.

Text from outside (ids, codes, names, messages) is made harmless here, once for all
channels: on one line, without control characters, and without the signs that chat services
make a mention or a link of (`<@all>`, `<at user_id=…>`, `<!channel>`, `@name`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from handler.alerts.texts import KINDS, WORDS, Kind, Lang

__all__ = ["KINDS", "Entry", "Message", "compose", "fold", "harmless"]

MAX_VALUE_CHARS = 200
MAX_IDS = 5
MAX_OTHERS = 3
"""Objects and notes that are named before "and N more"."""
MAX_GROUPS = 20
"""Pairs of tag and code that a kind is split into. The others are only counted, so that the
kinds that come behind are still seen."""

_FOLDED = frozenset({"failed", "gave-up"})
_SIGNS = str.maketrans({"@": "＠", "<": "＜", ">": "＞"})
"""Full-width twins: they read the same, and no service sees a mention or a tag in them."""


@dataclass(frozen=True)
class Entry:
    """One alert. A text is "" where there is nothing to say.

    kind: a name in KINDS. attempts: how many were made; 0 where that makes no sense.
    object: bucket/object of the job's input. message: CI's own words. note: ours, such as
    the key of a dead letter.
    """

    kind: str
    tag: str | None
    code: str
    job_id: str
    root_job_id: str
    attempts: int
    object: str
    message: str
    note: str


@dataclass(frozen=True)
class Message:
    """A digest, not yet cut to any channel's limit. id stays the same however often it is sent."""

    id: str
    title: str
    lines: tuple[str, ...]
    lang: Lang = "en"

    def text(self, max_bytes: int, escape: Callable[[str], str] = str) -> str:
        """Title and lines in at most so many bytes of UTF-8.

        Cut where a line ends, with a last line that says how many are missing; inside a
        character never. escape: applied to each line as its service requires; its characters count
        too.
        """
        return self._cut((self.title, *self.lines), max_bytes, escape)

    def body(self, max_bytes: int) -> str:
        """Only the lines, for a service that shows the title elsewhere; cut as `text` is."""
        return self._cut(self.lines, max_bytes, str)

    def _cut(self, lines: Sequence[str], max_bytes: int, escape: Callable[[str], str]) -> str:
        escaped = [escape(line) for line in lines]
        whole = "\n".join(escaped)
        if not whole or _size(whole) <= max_bytes:
            return whole
        kept = 0
        used = 0
        while kept < len(escaped) - 1:
            used += _size(escaped[kept]) + 1
            if used + _size(self._missing(len(escaped) - kept - 1)) > max_bytes:
                break
            kept += 1
        if kept:
            return "\n".join((*escaped[:kept], self._missing(len(escaped) - kept)))
        return escaped[0].encode("utf-8")[: max(max_bytes, 0)].decode("utf-8", "ignore")

    def _missing(self, count: int) -> str:
        words = WORDS[self.lang]
        return words["more_line"] if count == 1 else words["more_lines"].format(n=count)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self) | {"lines": list(self.lines)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Message:
        """Read back what `to_dict` gave.

        Raises:
            ValueError: it is no message.
        """
        texts = (values.get("id"), values.get("title"), *_listed(values.get("lines")))
        lang = values.get("lang")
        if lang not in ("zh", "en") or not all(isinstance(text, str) for text in texts):
            raise ValueError("not a message")
        name, title, *lines = texts
        return cls(name, title, tuple(lines), lang)


def fold(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Leave out a failed or given-up job whose root has recovered in the same digest."""
    listed = tuple(entries)
    recovered = {entry.root_job_id for entry in listed if entry.kind == "recovered"} - {""}
    return tuple(
        entry for entry in listed if entry.kind not in _FOLDED or entry.root_job_id not in recovered
    )


def compose(entries: Iterable[Entry], lang: Lang, id: str) -> Message:  # noqa: A002  # the message's own word for it
    """One message from all entries, folded, the most urgent kind first.

    The title counts each kind, so that the numbers survive any cut. Then, by kind: the next step,
    and by tag and code: how many, which jobs, attempts, input and message.
    """
    words = WORDS[lang]
    by_kind = sorted(fold(entries), key=lambda entry: (_kind(entry.kind).order, entry.kind))
    titles: list[str] = []
    lines: list[str] = []
    for name, of_kind in groupby(by_kind, key=lambda entry: entry.kind):
        group = tuple(of_kind)
        title, what_next = _kind(name).texts(lang)
        titles.append(words["count"].format(name=title, n=len(group)))
        lines += [f"■ {titles[-1]}", f"  → {what_next}", *_of_kind(group, lang)]
    counts = words["between_counts"].join(titles) or words["nothing"]
    return Message(id, words["title"].format(counts), tuple(lines), lang)


def harmless(text: str, limit: int = MAX_VALUE_CHARS) -> str:
    """A text from outside as one line that no terminal and no chat service acts on.

    Whatever is not printable becomes a space: line breaks, control characters, marks that
    turn the direction of writing, and lone surrogates, which UTF-8 can't hold.
    """
    end = "…" if len(text) > limit else ""
    shown = text[:limit].translate(_SIGNS)
    return "".join(sign if sign.isprintable() else " " for sign in shown).strip() + end


def _kind(name: str) -> Kind:
    """The table's row; a kind that a later version wrote is shown under its own name."""
    shown = harmless(name)
    return KINDS.get(name, Kind(len(KINDS), shown, shown, "-", "-"))


def _of_kind(entries: Sequence[Entry], lang: Lang) -> list[str]:
    """The lines of one kind: the largest groups of tag and code first."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.tag or "", entry.code), []).append(entry)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    lines = [line for pair, group in ordered[:MAX_GROUPS] for line in _of_group(pair, group, lang)]
    left_out = sum(len(group) for _, group in ordered[MAX_GROUPS:])
    if left_out:
        lines.append("  " + WORDS[lang]["more_entries"].format(n=left_out))
    return lines


def _of_group(pair: tuple[str, str], entries: Sequence[Entry], lang: Lang) -> list[str]:
    """The lines of one tag and code, without details that no entry has."""
    words = WORDS[lang]
    name = " / ".join(harmless(part) or "-" for part in pair)
    details = {
        "jobs": _some((_job(entry) for entry in entries), MAX_IDS, lang),
        "attempts": _span(entry.attempts for entry in entries if entry.attempts),
        "object": _some((entry.object for entry in entries), MAX_OTHERS, lang),
        "message": _some((entry.message for entry in entries), 1, lang),
        "note": _some((entry.note for entry in entries), MAX_OTHERS, lang),
    }
    return [
        "  · " + words["count"].format(name=name, n=len(entries)),
        *(f"    {words[word].format(text)}" for word, text in details.items() if text),
    ]


def _job(entry: Entry) -> str:
    """A job; of a re-submitted one also the job that its owner knows."""
    if not entry.job_id or entry.root_job_id in ("", entry.job_id):
        return entry.job_id or entry.root_job_id
    return f"{entry.root_job_id} → {entry.job_id}"


def _span(numbers: Iterable[int]) -> str:
    ordered = sorted(set(numbers))
    return "–".join(str(number) for number in dict.fromkeys((*ordered[:1], *ordered[-1:])))


def _some(texts: Iterable[str], limit: int, lang: Lang) -> str:
    """The first few different texts, and how many more there are; "" without any."""
    different = tuple(dict.fromkeys(text for text in texts if text))
    named = WORDS[lang]["between"].join(harmless(text) for text in different[:limit])
    rest = len(different) - limit
    if rest <= 0:
        return named
    return WORDS[lang]["and_more"].format(named=named, rest=rest, total=len(different))


def _listed(lines: object) -> Sequence[Any]:
    """Lines as they were read; one that is no text where they are no list."""
    return lines if isinstance(lines, list) else (None,)


def _size(text: str) -> int:
    return len(text.encode("utf-8"))
