"""Writes the golden records, the published schema and its page anew: python -m tests.golden.write

Look at the difference before you commit it: a field that changed its name, its type or its
unit breaks whoever queries the ledger.
"""

from __future__ import annotations

from pathlib import Path

from ci_callback import record_schema as schema
from handler.callback.catalogue import TAGS
from tests.golden import GOLDEN, golden_of, payloads, records_of, written
from tests.golden.record_page import page

SCHEMA = Path(schema.__file__).parent / "job-record-1.schema.json"

PAGE = Path(__file__).parents[2] / "docs" / "record.md"


def main() -> None:
    """Write all files, and delete those whose payload is gone."""
    SCHEMA.write_text(written(schema.build()), encoding="utf-8")
    PAGE.write_text(page(schema.build(), TAGS.values()), encoding="utf-8")
    wanted = {golden_of(path): path for path in payloads()}
    for golden, path in wanted.items():
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(written(records_of(path.read_bytes())), encoding="utf-8")
    for stale in set(GOLDEN.rglob("*.json")) - set(wanted):
        stale.unlink()


if __name__ == "__main__":
    main()
