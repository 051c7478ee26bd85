"""`python -m tests.slow.fuzz`: fuzz the function, and print the figures of the run.

Needs atheris: Python 3.11 or newer, Linux on x86-64. Exit status: 0 where no promise was
broken; 1 where one was, and the input is then under dist/fuzz/; 2 where no run came about.

    python -m tests.slow.fuzz --target event --input dist/fuzz/event-crash-…   without atheris
    python -m tests.slow.fuzz.keep                            what was found, into the corpus
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

from tests.slow.fuzz.run import Budget, fuzz
from tests.slow.fuzz.target import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.slow.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=int, default=60, help="for each target; default 60")
    parser.add_argument("--target", choices=tuple(TARGETS), help="default: one after the other")
    parser.add_argument("--seed", type=int, default=0, help="0, the default: another each time")
    parser.add_argument("--quiet", action="store_true", help="only the figures")
    parser.add_argument("--input", type=Path, help="give this one input to --target instead")
    options = parser.parse_args()
    targets = (options.target,) if options.target else tuple(TARGETS)
    if options.input:
        if not options.target:
            parser.error("--input needs --target")
        TARGETS[options.target](options.input.read_bytes())
        return 0
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not installed here; see requirements/dev.in")
    return max(_run(target, options) for target in targets)


def _run(target: str, options: argparse.Namespace) -> int:
    echo = (lambda line: None) if options.quiet else print
    figures = fuzz(target, Budget(options.seconds, seed=options.seed), echo=echo)
    print(figures, flush=True)
    if figures.status == 0:
        return 0
    if options.quiet:
        print(figures.report)
    for path in figures.crashes:
        print(f"A promise was broken by {path}", file=sys.stderr)
    return 1 if figures.crashes else 2


if __name__ == "__main__":
    sys.exit(main())
