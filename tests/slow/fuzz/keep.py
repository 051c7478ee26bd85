"""Takes what runs found into the corpus: `python -m tests.slow.fuzz.keep`.

An input is kept where it takes a step from one line of handler/ to another that neither a seed,
the corpus nor a smaller input takes. What is in the corpus stays: it may be there because it was
once a bug. Needs no atheris.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeAlias

import handler
from tests.slow.fuzz import seeds
from tests.slow.fuzz.run import FOUND
from tests.slow.fuzz.target import TARGETS

Step: TypeAlias = "tuple[CodeType, int, int]"

MAX_BYTES = 4_096
"""Of one input: larger ones are payloads with a change, and say little."""
MAX_FILES = 120
"""Of one target."""

_HANDLER = str(Path(handler.__file__).parent)


def steps(run: Callable[[bytes], None], data: bytes) -> set[Step]:
    """The steps from line to line that an input takes in handler/."""
    taken: set[Step] = set()
    last: dict[FrameType, int] = {}

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(_HANDLER):
            return None
        if event == "line":
            taken.add((frame.f_code, last.get(frame, 0), frame.f_lineno))
            last[frame] = frame.f_lineno
        elif event == "return":
            last.pop(frame, None)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run(data)
    finally:
        sys.settrace(before)
    return taken


def worth_keeping(target: str, candidates: Iterable[bytes]) -> list[bytes]:
    """Of candidates those that take a new step, the small ones first."""
    run = TARGETS[target]
    known: set[Step] = set()
    present = [path.read_bytes() for path in seeds.corpus(target)]
    for known_input in (*seeds.seeds(target), *present):
        known |= steps(run, known_input)
    kept: list[bytes] = []
    for candidate in sorted(set(candidates), key=lambda data: (len(data), data)):
        if len(candidate) > MAX_BYTES or len(present) + len(kept) >= MAX_FILES:
            break
        taken = steps(run, candidate)
        if not taken <= known:
            known |= taken
            kept.append(candidate)
    return kept


def main() -> None:
    for target in TARGETS:
        folder = FOUND / f"corpus-{target}"
        files = list(folder.iterdir()) if folder.is_dir() else []
        kept = worth_keeping(target, [path.read_bytes() for path in files])
        for data in kept:
            (seeds.CORPUS / target / seeds.file_name(data)).write_bytes(data)
        print(f"{target}: {len(kept)} of {len(files)} kept, {sum(map(len, kept)):,} bytes")


if __name__ == "__main__":
    main()
