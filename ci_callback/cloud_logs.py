"""The lines of the deployed function, out of its log topic (`deploy --logs`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ci_callback.deploy.actual import Api
from handler.log import BODY_PART, BODY_TRUNCATED

PAGE = 1_000
MESSAGE = "SCF_Message"
LOST_BODIES = f"{BODY_PART} OR {BODY_TRUNCATED}"
"""The search for bodies that only the log holds. Of words and not of fields, so that a topic
without an index of fields takes it too."""


@dataclass(frozen=True)
class Line:
    """at_ms: epoch milliseconds, of the log service. text: the function's own line; for a line of
    the platform, its fields as JSON."""

    at_ms: int
    text: str


def query(wanted: Mapping[str, str]) -> str:
    """The search for fields with these values. A value holds no quotation mark and no backslash."""
    return " AND ".join(f'{name}:"{value}"' for name, value in wanted.items()) or "*"


def search(api: Api, topic: str, asked: str, begin_ms: int, end_ms: int) -> Iterator[Line]:
    """The lines from begin_ms on and before end_ms, in the order of time, however many there are.
    May raise CloudError.

    Pages are asked for by Offset: by Context a search ends after 10,000 lines (SearchLog). A line
    that arrives late while pages are read may come twice, and none is left out.
    """
    params = _search_log(topic, asked, begin_ms, end_ms)
    params |= {"Sort": "asc", "Limit": PAGE, "Offset": 0}
    while True:
        answer = api.call("cls", "SearchLog", params)
        rows = answer.get("Results") or []
        yield from map(_line, rows)
        if answer.get("ListOver") or not rows:
            return
        params["Offset"] += len(rows)


def newest(api: Api, topic: str, asked: str, begin_ms: int, end_ms: int) -> Line | None:
    """The last line from begin_ms on and before end_ms; None where there is none. May raise
    CloudError."""
    params = _search_log(topic, asked, begin_ms, end_ms) | {"Sort": "desc", "Limit": 1}
    rows = api.call("cls", "SearchLog", params).get("Results") or []
    return _line(rows[0]) if rows else None


def _search_log(topic: str, asked: str, begin_ms: int, end_ms: int) -> dict[str, Any]:
    return {
        "TopicId": topic,
        "From": begin_ms,
        "To": end_ms,
        "QueryString": asked,
        "QuerySyntax": 1,
    }


def _line(row: Mapping[str, Any]) -> Line:
    whole = str(row.get("LogJson") or row.get("RawLog") or "")
    try:
        fields = json.loads(whole)
        text = str(fields[MESSAGE]) if fields.get(MESSAGE) else whole
    except (ValueError, AttributeError):
        text = whole
    return Line(int(row.get("Time") or 0), text)
