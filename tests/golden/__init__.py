"""A golden record for every payload, so that a change to the record's form is seen in review.

tests/golden/NAME.json is what tests/payloads/NAME gives: a list of records, or of reasons
to ignore. After a change that is meant, write them anew and look at the difference:

    python -m tests.golden.write
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from handler.callback import envelope, payload
from handler.callback.record import Source, normalise

PAYLOADS = Path(__file__).parents[1] / "payloads"
GOLDEN = Path(__file__).parent


def payloads() -> list[Path]:
    """Every payload of the tests."""
    return sorted(path for form in ("xml", "json") for path in PAYLOADS.rglob(f"*.{form}"))


def name_of(path: Path) -> str:
    """A payload's name, such as made/Tts.xml."""
    return path.relative_to(PAYLOADS).as_posix()


def golden_of(path: Path) -> Path:
    """Where the records of a payload are kept."""
    return GOLDEN / f"{name_of(path)}.json"


def records_of(body: bytes) -> list[Any]:
    """What a callback's body gives, as JSON values: each record, or why it is ignored."""
    tree, form = payload.parse(body, payload.Limits())
    source = Source("http", form, "2026-11-21T08:00:00Z", "request-1")
    return [_record_of(notice, source) for notice in envelope.read(tree)]


def _record_of(
    notice: envelope.Notice | envelope.Unreadable | envelope.Ignored, source: Source
) -> Any:
    if isinstance(notice, envelope.Ignored):
        return {"ignored": notice.reason}
    assert isinstance(notice, envelope.Notice)
    return json.loads(normalise(notice, source).to_json())


def written(value: Any) -> str:
    """A value as it is kept, to be read by people."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
