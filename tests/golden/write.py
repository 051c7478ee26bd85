"""Writes the golden records, the published schema and its two pages: python -m tests.golden.write

Look at the difference before you commit it: a field that changed its name, its type or its
unit breaks whoever queries the ledger.
"""

from __future__ import annotations

from pathlib import Path

from ci_callback import record_schema as schema
from handler.callback.catalogue import TAGS
from tests.golden import GOLDEN, golden_of, payloads, records_of, written
from tests.golden.record_page import EN, ZH, page

SCHEMA = Path(schema.__file__).parent / "job-record-1.schema.json"

DOCS = Path(__file__).parents[2] / "docs"

PAGES = {DOCS / "record.md": EN, DOCS / "zh" / "record.md": ZH}


def main() -> None:
    """Write all files, and delete those whose payload is gone."""
    SCHEMA.write_text(written(schema.build()), encoding="utf-8")
    for path, words in PAGES.items():
        path.write_text(page(schema.build(), TAGS.values(), words), encoding="utf-8")
    wanted = {golden_of(path): path for path in payloads()}
    for golden, path in wanted.items():
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(written(records_of(path.read_bytes())), encoding="utf-8")
    for stale in set(GOLDEN.rglob("*.json")) - set(wanted):
        stale.unlink()


if __name__ == "__main__":
    main()
