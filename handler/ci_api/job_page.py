"""One page of CI's list of jobs, of which only what reconciliation compares is read at once.

A page of 100 jobs is some 150 KB of XML. Its tree takes 5 ms and some megabytes, the rows 2.5 ms,
and of almost all jobs nothing else is needed, since their callbacks came. So the page itself is
kept, compressed, for the jobs that turn out to be missing.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from typing import NamedTuple

from handler.callback import converters, tree
from handler.callback.payload import parse
from handler.callback.tree import Tree
from handler.callback.xml_rows import RowNames, Rows, read_rows
from handler.ci_api.responses import ANSWER_LIMITS, details_in, response_of
from handler.errors import PayloadError
from handler.http_client import Answer

ENDED = ("Success", "Failed", "Cancel")
"""The states that are ends (list page of CI's job API)."""

_OF_ROW = frozenset({"JobId", "State", "CreationTime", "EndTime", "QueueId"})
_NAMES = RowNames("Response", "JobsDetail", _OF_ROW, frozenset({"NextToken"}))


class Window(NamedTuple):
    """Times of creation, epoch seconds: begin is included, end is not."""

    begin: int
    end: int


class ListedJob(NamedTuple):
    """A job that has ended, by CI's list. A time is None, and queue_id "", where CI tells none."""

    job_id: str
    created_at: datetime | None
    ended_at: datetime | None
    queue_id: str = ""


class JobPage(NamedTuple):
    """The jobs in CI's order, and what the next page is asked for with; None at the end."""

    jobs: list[ListedJob]
    next_token: str | None
    packed: bytes

    def details(self) -> Iterator[dict[str, Tree]]:
        """The JobsDetail of each job."""
        node, _ = parse(zlib.decompress(self.packed), ANSWER_LIMITS)
        yield from details_in("list", _below(node), "JobsDetail")


def page_of(operation: str, answer: Answer) -> JobPage:
    """Read a page.

    Raises:
        CiError: it is an error or something else.
    """
    rows, beside = _rows(operation, answer)
    jobs = [_listed(row) for row in rows if row.get("JobId") and row.get("State") in ENDED]
    # Level 1: 0.2 ms a page, and a tenth of its length is left.
    return JobPage(jobs, beside.get("NextToken") or None, zlib.compress(answer.body, 1))


def _rows(operation: str, answer: Answer) -> Rows:
    if answer.status < HTTPStatus.MULTIPLE_CHOICES:
        try:
            rows = read_rows(answer.body, _NAMES, ANSWER_LIMITS)
        except PayloadError:
            pass  # the reader of trees knows more forms, and says what is wrong
        else:
            return Rows([_stripped(row) for row in rows.rows], _stripped(rows.beside))
    response = response_of(operation, answer)
    details = details_in(operation, response, "JobsDetail")
    found = [{name: tree.text(detail, name) or "" for name in _OF_ROW} for detail in details]
    return Rows(
        [_stripped(row) for row in found], {"NextToken": tree.text(response, "NextToken") or ""}
    )


def _stripped(row: dict[str, str]) -> dict[str, str]:
    return {name: text.strip() for name, text in row.items()}


def _listed(row: dict[str, str]) -> ListedJob:
    created, ended = (converters.moment(row.get(name)) for name in ("CreationTime", "EndTime"))
    return ListedJob(row["JobId"], created, ended, row.get("QueueId", ""))


def _below(node: Tree) -> dict[str, Tree]:
    response = node.get("Response") if isinstance(node, dict) else None
    return response if isinstance(response, dict) else {}
