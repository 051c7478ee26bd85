"""The process that fuzzes: `python -m tests.slow.fuzz.child TARGET FLAG… FOLDER…`, with libFuzzer's
flags. Needs atheris."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import atheris

with atheris.instrument_imports(include=["handler"]):
    import handler
    from tests.slow.fuzz.mutate import mutator
    from tests.slow.fuzz.target import TARGETS

    # What the function imports only where it is needed is instrumented here or never.
    for module in pkgutil.walk_packages(handler.__path__, "handler."):
        importlib.import_module(module.name)


def main() -> None:
    """Does not return: libFuzzer ends the process."""
    program, target, *flags = sys.argv
    mutate = mutator(target, lambda data, most: atheris.Mutate(data or b"0", most))
    atheris.Setup([program, *flags], TARGETS[target], custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
