"""Mutation testing: python -m tools.mutation [FOLDER…] [--sample 400 --seed 1] [--survivors]

Changes the code one place at a time, and lists the changes that no test notices. mutmut makes the
mutants and finds which tests reach which function. Here they are judged: the tests are collected
once, and each mutant runs those that reach it in a fork, the fast ones first, until one fails.
`mutmut show NAME` prints a mutant. Verdicts are kept in mutants/ until a function changes.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import resource
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pytest
from mutmut.__main__ import collect_or_load_stats, create_mutants
from mutmut.configuration import config
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import (
    change_cwd,
    copy_also_copy_files,
    copy_src_dir,
    setup_source_paths,
    walk_mutatable_files,
)
from mutmut.utils.format_utils import mangled_name_from_mutant_name
from mutmut.workers.isolation import get_mutant_runner

from tools.mutation_figures import LEFT, Verdict, distance, sample, table

ROOT = Path(__file__).resolve().parent.parent

KILLED, SURVIVED, NO_TESTS, TIMED_OUT = 1, 0, 33, 36
CPU_LIMIT_S = 30
"""Of one mutant: all tests together take half of that."""
WALL_LIMIT_S = 90
"""Of one mutant, beside twice what its tests took when they were measured."""


@dataclass(frozen=True)
class Mutant:
    """tests: node ids of the tests that reach the changed function: those that mirror its module
    first, then those of its folder, each the fast ones first."""

    name: str
    data: SourceFileMutationData
    tests: tuple[str, ...]

    @property
    def module(self) -> str:
        return Path(self.data.path).with_suffix("").as_posix().removeprefix("handler/")

    @property
    def status(self) -> str:
        return str(status_by_exit_code[self.data.exit_code_by_key[self.name]])

    def record(self, exit_code: int) -> None:
        self.data.exit_code_by_key[self.name] = exit_code
        with change_cwd(ROOT):
            self.data.save()


def prepare(longest_s: float) -> list[Mutant]:
    """Make the mutants of what changed, and find the tests of each."""
    Path("mutants").mkdir(exist_ok=True)
    set_mutant_under_test("mutant_generation")
    copy_src_dir()
    copy_also_copy_files()
    setup_source_paths()
    create_mutants(1)
    collect_or_load_stats(get_mutant_runner(1), apply_config_invalidation=True)
    return [mutant for path in walk_mutatable_files() for mutant in _of_file(path, longest_s)]


def _of_file(path: Path, longest_s: float) -> Iterator[Mutant]:
    data = SourceFileMutationData(path=path)
    data.load()
    took = state().duration_by_test
    for name in data.exit_code_by_key:
        reached = state().tests_by_mangled_function_name[mangled_name_from_mutant_name(name)]
        fast = [test for test in reached if took[test] <= longest_s]
        fast.sort(key=lambda test: (distance(path, test), took[test], test))
        yield Mutant(name, data, tuple(fast))


class Judge:
    """A plugin of pytest that runs the tests once per mutant instead of once."""

    def __init__(self, mutants: Sequence[Mutant]) -> None:
        self._mutants = mutants
        self._killers: dict[str, list[str]] = defaultdict(list)
        """Of each function: the tests that killed a mutant of it are the first for the next."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        gc.freeze()  # collecting what the forks share would copy it into each
        for number, mutant in enumerate(self._mutants, 1):
            killers = self._killers[mangled_name_from_mutant_name(mutant.name)]
            names = dict.fromkeys([*killers, *mutant.tests])
            tests = [items[test] for test in names if test in items]
            code, killer = _verdict(mutant, session, tests) if tests else (NO_TESTS, "")
            mutant.record(code)
            if killer and killer not in killers:
                killers.insert(0, killer)
            print(f"{number}/{len(self._mutants)} {mutant.status} {mutant.name}", flush=True)
        return True


def _verdict(
    mutant: Mutant, session: pytest.Session, tests: Sequence[pytest.Item]
) -> tuple[int, str]:
    """The verdict, and the test that failed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        _run(mutant, session, tests, write)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as pipe:
        killer = pipe.read()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    ended_by = {-signal.SIGALRM: TIMED_OUT, -signal.SIGXCPU: TIMED_OUT, -signal.SIGKILL: TIMED_OUT}
    return ended_by.get(code, code if code in (KILLED, SURVIVED) else KILLED), killer


def _run(
    mutant: Mutant, session: pytest.Session, tests: Sequence[pytest.Item], killer: int
) -> None:
    """In the child: ends the process with the verdict."""
    expected = 2 * sum(state().duration_by_test[test.nodeid] for test in tests)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S + 1))
    signal.alarm(math.ceil(WALL_LIMIT_S + expected))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    set_mutant_under_test(mutant.name)
    code = KILLED
    try:
        for test, following in zip(tests, [*tests[1:], None], strict=True):
            test.config.hook.pytest_runtest_protocol(item=test, nextitem=following)
            if session.testsfailed:
                os.write(killer, test.nodeid.encode())
                break
        else:
            code = SURVIVED
    finally:
        os._exit(code)


def judge(mutants: Sequence[Mutant]) -> int:
    """Run the tests against each; pytest's exit status."""
    settings = config()
    options = [
        "--rootdir=.",
        "-o",
        "addopts=",
        "--import-mode=importlib",
        "-p",
        "no:terminal",
        "-s",
    ]
    tests = settings.pytest_add_cli_args_test_selection
    with change_cwd("mutants"):
        return int(
            pytest.main([*options, *settings.pytest_add_cli_args, *tests], plugins=[Judge(mutants)])
        )


def figures(mutants: Sequence[Mutant], chosen: Sequence[Mutant]) -> str:
    """The table of one folder."""
    made = Counter(mutant.module for mutant in mutants)
    return table(made, (Verdict(mutant.module, mutant.name, mutant.status) for mutant in chosen))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help="of handler/; default: all")
    parser.add_argument("--sample", type=int, help="so many mutants of each folder")
    parser.add_argument("--seed", type=int, default=1, help="of the sample; default 1")
    parser.add_argument("--longest", type=float, default=2.5, help="seconds; slower tests are out")
    parser.add_argument("--survivors", action="store_true", help="judge those that survived again")
    chosen = parser.parse_args()
    made = prepare(chosen.longest)
    folders = chosen.folders or sorted({mutant.module.split("/")[0] for mutant in made})
    wanted: list[tuple[list[Mutant], list[Mutant]]] = []
    for folder in folders:
        inside = {mutant.name: mutant for mutant in made if mutant.module.split("/")[0] == folder}
        names = sample(inside, chosen.sample or len(inside), chosen.seed)
        wanted.append(([*inside.values()], [inside[name] for name in names]))
    again = ("not checked", *(LEFT if chosen.survivors else ()))
    # One of each folder in turn: broken off, it has judged about as many of each.
    turns = [
        mutant for turn in zip_longest(*(few for _, few in wanted)) for mutant in turn if mutant
    ]
    status = judge([mutant for mutant in turns if mutant.status in again])
    for every, few in wanted:
        print(figures(every, few), end="\n\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
