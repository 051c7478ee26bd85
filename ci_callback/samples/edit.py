"""`--set PATH=VALUE`: one value of a sample, changed, or added."""

from __future__ import annotations

import re

from ci_callback.samples.options import NotSampledError
from handler.callback.tree import Tree

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


def put(into: dict[str, Tree], assignment: str) -> None:
    """Do what PATH=VALUE says. A path may name a row of a list by its number, from 0.

    Raises:
        NotSampledError: there is no such place, nor can it be made.
    """
    path, equals, value = assignment.partition("=")
    if not equals:
        raise NotSampledError(f"--set {assignment}: PATH=VALUE is expected, such as State=Failed")
    names = path.split(".")
    at: Tree = into
    for number, name in enumerate(names):
        is_last = number == len(names) - 1
        if isinstance(at, list):
            at = _into_list(at, name, assignment, value if is_last else None)
        elif isinstance(at, dict):
            if not _NAME.fullmatch(name):
                raise NotSampledError(f"--set {assignment}: {name!r} is no name of a node")
            if is_last:
                at[name] = value
            elif not at.get(name):
                at[name] = {}
            at = at[name]
        else:
            above = ".".join(names[:number])
            raise NotSampledError(
                f"--set {assignment}: {above} is a text, and has nothing below it"
            )


def _into_list(at: list[Tree], name: str, assignment: str, value: str | None) -> Tree:
    if not _NUMBER.fullmatch(name) or int(name) >= len(at):
        numbers = f"0 to {len(at) - 1}" if len(at) > 1 else "0"
        raise NotSampledError(
            f"--set {assignment}: there is a list; say which of its rows, {numbers}, not {name}"
        )
    if value is not None:
        at[int(name)] = value
    return at[int(name)]
