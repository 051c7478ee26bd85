"""The filter of the list, as in the page's address. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, tzinfo
from typing import cast

from ci_callback.console import times
from ci_callback.record_index.search import SORTS, Search, Sort
from ci_callback.report.retries import RETRIED
from handler.ledger import keys

FATES = (*RETRIED, "retried", "waiting", "not_retried")
"""What may have become of a failure, as the charts tell it."""

MAX_PAGE = 1_000_000


@dataclass(frozen=True)
class Filter:
    """ "" shows all. since, until: days, both included: in the reader's time zone by which the
    callback was received, or with by="created" in UTC. fate: what became of a failure, as the
    charts tell it."""

    tag: str = ""
    outcome: str = ""
    code: str = ""
    text: str = ""
    since: str = ""
    until: str = ""
    by: str = ""
    fate: str = ""
    sort: Sort = "newest"

    @classmethod
    def of(cls, args: Mapping[str, str]) -> Filter:
        """Out of the parameters of an address; what is no day or no order is left out."""
        values = {name: args.get(name, "").strip() for name in _NAMES}
        for name in ("since", "until"):
            day = times.day_of(values[name])
            values[name] = day.isoformat() if day else ""
        for name, known in (("by", ("created",)), ("fate", FATES)):
            if values[name] not in known:
                values[name] = ""
        sort = values.pop("sort")
        return cls(**values, sort=next((one for one in SORTS if one == sort), SORTS[0]))

    def query(self, **changes: str) -> dict[str, str]:
        """The parameters of an address for this filter with some changes."""
        values = asdict(replace(self, **cast("dict[str, Sort]", changes)))
        return {name: value for name, value in values.items() if value != getattr(_ALL, name)}

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves anything out."""
        return replace(self, sort="newest", by="") != _ALL

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the search, each once. Of the key of a record, its name."""
        return tuple(dict.fromkeys(_name_in(word).casefold() for word in self.text.split()))

    def search(self, zone: tzinfo, roots: Collection[str] | None = None) -> Search:
        """The search of the index."""
        is_created = self.by == "created"
        return Search(
            tag=self.tag,
            outcome=self.outcome,
            code=self.code or None,
            words=self.words,
            received=(None, None) if is_created else self.received(zone),
            created=(self.since, self.until) if is_created else ("", ""),
            roots=roots,
        )

    def received(self, zone: tzinfo) -> tuple[float | None, float | None]:
        """From and before, in epoch seconds."""
        return (
            times.day_begins(date.fromisoformat(self.since), zone) if self.since else None,
            times.day_ends(date.fromisoformat(self.until), zone) if self.until else None,
        )


_ALL = Filter()
_NAMES = tuple(asdict(_ALL))


def _name_in(word: str) -> str:
    if word.endswith(".json") and "/dt=" in word:
        return keys.sent(word.rpartition("/")[2].removesuffix(".json"))
    return word
