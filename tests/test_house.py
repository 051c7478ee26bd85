"""The bounds that keep the code readable: how long a module and a function are, and how many
parameters a function has."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = "ci_callback/commands/"
MODULE_LINES, FUNCTION_LINES, PARAMETERS = 300, 40, 5

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def faults(path: str, source: str) -> Iterator[str]:
    """What of a module is over a bound, with its name and number."""
    lines = source.count("\n")
    if lines > MODULE_LINES:
        yield f"{path}: {lines} lines"
    tree = ast.parse(source)
    commands = {id(node) for node in tree.body if path.startswith(COMMANDS) and is_public(node)}
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            yield from faults_of_function(
                f"{path}:{node.lineno} {node.name}", node, id(node) in commands
            )


def faults_of_function(where: str, function: Function, is_command: bool) -> Iterator[str]:
    """A command's options are its parameters: neither they nor their lines are counted."""
    begin = function.body[0].lineno if is_command else function.lineno
    lines = (function.end_lineno or begin) - begin + 1
    if lines > FUNCTION_LINES:
        yield f"{where}: {lines} lines"
    named = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    parameters = [arg for arg in named if arg.arg not in ("self", "cls")]
    if len(parameters) > PARAMETERS and not is_command:
        yield f"{where}: {len(parameters)} parameters"


def is_public(node: ast.stmt) -> bool:
    """Whether it is a function that other modules may call, such as a command."""
    return isinstance(node, FUNCTIONS) and not node.name.startswith("_")


@pytest.mark.parametrize("package", ["handler", "ci_callback"])
def test_modules_functions_and_signatures_are_short(package: str) -> None:
    """Where this fails: split by what is done, or let the parameters be a dataclass."""
    modules = sorted((ROOT / package).rglob("*.py"))
    assert modules
    over = [
        fault
        for module in modules
        for fault in faults(module.relative_to(ROOT).as_posix(), module.read_text(encoding="utf-8"))
    ]
    assert not over, "\n".join(over)


def long_function(lines: int, signature: str = "") -> str:
    """Source of a function of so many lines."""
    return f"def run({signature}):\n" + "    work()\n" * (lines - 1)


SIX = "a, b, c, d, *, e, f"


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        ("handler/a.py", "x = 1\n" * 300, []),
        ("handler/a.py", "x = 1\n" * 301, ["handler/a.py: 301 lines"]),
        ("handler/a.py", long_function(40), []),
        ("handler/a.py", long_function(41), ["handler/a.py:1 run: 41 lines"]),
        ("handler/a.py", "async " + long_function(41), ["handler/a.py:1 run: 41 lines"]),
        ("handler/a.py", "class A:\n    def b(self, a, b, c, d, e): ...\n", []),
        ("handler/a.py", long_function(2, SIX), ["handler/a.py:1 run: 6 parameters"]),
        (COMMANDS + "a.py", long_function(41, SIX), []),
        (COMMANDS + "a.py", long_function(42), [COMMANDS + "a.py:1 run: 41 lines"]),
        (
            COMMANDS + "a.py",
            long_function(2, SIX).replace("run", "_run"),
            [COMMANDS + "a.py:1 _run: 6 parameters"],
        ),
    ],
)
def test_what_is_over_a_bound_is_found(path: str, source: str, expected: list[str]) -> None:
    """Each bound is reached, and then exceeded by one; a command's signature is not counted."""
    assert list(faults(path, source)) == expected
