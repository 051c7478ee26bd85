"""The process that fuzzes: `python -m tests.slow.fuzz.child TARGET FLAG… FOLDER…`, with libFuzzer's
flags. Needs atheris."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["handler"]):
    import handler
    from tests.slow.fuzz.mutate import mutator
    from tests.slow.fuzz.run import INVOCATIONS
    from tests.slow.fuzz.target import TARGETS
    from tests.slow.fuzz.world import COUNT

    # What the function imports only where it is needed is instrumented here or never.
    for module in pkgutil.walk_packages(handler.__path__, "handler."):
        importlib.import_module(module.name)


EXECUTIONS_PER_LINE = 250


def counted(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """The target, with a line about how often the function was invoked now and then: libFuzzer
    ends the process without a word to Python."""
    executions = 0

    def run(data: bytes) -> None:
        nonlocal executions
        target(data)
        executions += 1
        if executions % EXECUTIONS_PER_LINE == 0:
            os.write(2, f"{INVOCATIONS} {COUNT['event']} {COUNT['timer']}\n".encode())

    return run


def main() -> None:
    """Does not return: libFuzzer ends the process."""
    program, target, *flags = sys.argv
    mutate = mutator(target, lambda data, limit: atheris.Mutate(data or b"0", limit))
    atheris.Setup([program, *flags], counted(TARGETS[target]), custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
