"""Questions to the index: which records match, how many, in which order."""

# ruff: noqa: S608  # the SQL holds names of this code; each value is a parameter

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

Sort: TypeAlias = Literal["newest", "oldest", "longest"]
SORTS: tuple[Sort, ...] = get_args(Sort)

_ORDERS: Mapping[Sort, str] = {
    "newest": "at DESC, id DESC",
    "oldest": "at ASC NULLS LAST, id",
    "longest": "run_s DESC, id DESC",
}
"""SQLite takes NULL for the smallest value."""

GROUP = 200
"""Words of one pair of brackets: SQLite takes expressions that are 1,000 deep, and an address has
at most 20,000 words that differ."""


@dataclass(frozen=True)
class Search:
    """The search; "" and None: anything. words: each is part of a text, without regard to case.
    received: from and before, epoch seconds. created: UTC days, both included. roots: root jobs."""

    tag: str = ""
    outcome: str = ""
    code: str | None = None
    words: tuple[str, ...] = ()
    received: tuple[float | None, float | None] = (None, None)
    created: tuple[str, str] = ("", "")
    roots: Collection[str] | None = None

    def where(self) -> tuple[str, list[object]]:
        """The condition, and its parameters. `matched` holds the ids of texts with the words."""
        since, until = self.received
        listed = json.dumps(sorted(self.roots)) if self.roots is not None else None
        parts: list[tuple[bool, str, tuple[object, ...]]] = [
            (bool(self.tag), "tag = ?", (self.tag,)),
            (bool(self.outcome), "outcome = ?", (self.outcome,)),
            (self.code is not None, "code = ?", (self.code,)),
            (since is not None, "at >= ?", (since,)),
            (until is not None, "at < ?", (until,)),
            (bool(self.created[0]), "day >= ?", (self.created[0],)),
            (bool(self.created[1]), "day <= ?", (self.created[1],)),
            (listed is not None, "root IN (SELECT value FROM json_each(?))", (listed,)),
            (bool(self.words), "id IN (SELECT id FROM matched)", ()),
        ]
        used = [(sql, values) for is_used, sql, values in parts if is_used]
        sql = " AND ".join(["is_hidden = 0", *(sql for sql, _ in used)])
        return sql, [value for _, values in used for value in values]


class Found(NamedTuple):
    """A record that matches. value: its sort key."""

    key: str
    value: float | None


class Lookup:
    """Asks one connection."""

    def __init__(
        self, connection: sqlite3.Connection, memo: dict[object, Any] | None = None
    ) -> None:
        """memo: answers about the same state of the index."""
        self._memo = {} if memo is None else memo
        self.connection = connection
        self._run = connection.execute
        self._matched: tuple[str, ...] = ()

    def _match(self, words: tuple[str, ...]) -> None:
        """Look through the texts, once for all questions about the same words."""
        if not words or words == self._matched:
            return
        self._run("DROP TABLE IF EXISTS matched")
        each = ["instr(text, ?)" for _ in words]
        groups = (each[at : at + GROUP] for at in range(0, len(each), GROUP))
        texts = " AND ".join(f"({' AND '.join(group)})" for group in groups)
        self._run("CREATE TEMP TABLE matched (id INTEGER PRIMARY KEY)")
        self._run(f"INSERT INTO matched SELECT id FROM texts WHERE {texts} ORDER BY id", words)
        self._matched = words

    def counts(self, search: Search, without: Sequence[str] = ()) -> dict[str, int]:
        """How many match, by outcome; without those of some requests."""
        question = (search, tuple(without)) if search.roots is None else None
        if question is None or question not in self._memo:
            counted = self._counts(search, without)
            if question is None:
                return counted
            self._memo[question] = counted
        return dict(self._memo[question])

    def _counts(self, search: Search, without: Sequence[str]) -> dict[str, int]:
        self._match(search.words)
        where, values = search.where()
        count = "SELECT outcome, count(*) FROM records"
        counted = dict(self._run(f"{count} WHERE {where} GROUP BY outcome", values).fetchall())
        if without:
            marks = ", ".join("?" * len(without))
            among = f"INDEXED BY by_request WHERE {where} AND request_id IN ({marks})"
            left = f"{count} {among} GROUP BY outcome"
            for outcome, count in self._run(left, [*values, *without]):
                counted[outcome] -= count
        return counted

    def page(
        self, search: Search, sort: Sort, place: tuple[int, int], without: Sequence[str] = ()
    ) -> list[Found]:
        """Those that match, in order. place: how many are passed over, and how many are given."""
        self._match(search.words)
        where, values = search.where()
        marks = ", ".join("?" * len(without))
        others = f" AND request_id NOT IN ({marks})" if without else ""
        column = "run_s" if sort == "longest" else "at"
        sql = (
            f"SELECT key, {column} FROM records WHERE {where}{others} "
            f"ORDER BY {_ORDERS[sort]} LIMIT ? OFFSET ?"
        )
        skip, limit = place
        return [Found(*row) for row in self._run(sql, [*values, *without, limit, skip])]

    def names(self, search: Search, among: Collection[str]) -> set[str]:
        """Those of some names of objects that match."""
        self._match(search.words)
        where, values = search.where()
        sql = (
            f"SELECT name FROM records INDEXED BY by_name WHERE {where} AND kind = 'job' "
            "AND name IN (SELECT value FROM json_each(?))"
        )
        return {name for (name,) in self._run(sql, [*values, json.dumps(sorted(among))])}

    def tags(self) -> list[str]:
        """Each tag that there is."""
        if "tags" not in self._memo:
            sql = "SELECT DISTINCT tag FROM records WHERE is_hidden = 0 AND tag <> ''"
            self._memo["tags"] = sorted(tag for (tag,) in self._run(sql))
        tags: list[str] = self._memo["tags"]
        return tags

    def end_of(self, root: str, attempt: int) -> tuple[str, str] | None:
        """Outcome and id of the job that was an attempt, where it has ended."""
        sql = (
            "SELECT outcome, job_id FROM records INDEXED BY by_root "
            "WHERE root = ? AND attempt = ? AND is_final "
            "AND kind = 'job' AND is_hidden = 0 LIMIT 1"
        )
        row: tuple[str, str] | None = self._run(sql, (root, attempt)).fetchone()
        return row

    def keys_of(self, job_id: str) -> list[str]:
        """The keys of all objects of a job, run or review; its end first."""
        sql = "SELECT key FROM records WHERE job_id = ? ORDER BY is_hidden, is_final DESC, at DESC"
        return [key for (key,) in self._run(sql, (job_id,))]

    def ended(self, names: Collection[str]) -> set[str]:
        """Those names of jobs (as in keys) that have a record of their end."""
        sql = (
            "SELECT name FROM records INDEXED BY by_name WHERE is_final AND kind = 'job' "
            "AND name IN (SELECT value FROM json_each(?))"
        )
        return {name for (name,) in self._run(sql, (json.dumps(sorted(names)),))}
