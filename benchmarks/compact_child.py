"""A process that folds a day of a ledger into Parquet: python -m benchmarks.compact_child DAY.

The environment names the ledger. Prints what it took, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time

from ci_callback.compacted_day import part_key
from ci_callback.compaction import compact
from handler.settings import Settings
from handler.stores import open_store


def main() -> None:
    day = sys.argv[1]
    store = open_store(Settings.from_env(os.environ))
    cpu, wall = time.process_time(), time.perf_counter()
    manifest = compact(store, day)
    took = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    if manifest is None or store.get(part_key(day)) is None:
        raise SystemExit("nothing was folded")
    with open("/proc/self/status", encoding="ascii") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    records, size = len(manifest.names), manifest.part.size
    print(json.dumps({**took, "peak_kb": peak, "records": records, "bytes": size}))


if __name__ == "__main__":
    main()
