"""The messages of the command line, as its code has them: each text that is printed for people,
with {0}, {1}, … in place of its values."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from handler.settings.rows import ROWS

TOOL = Path(__file__).parents[2] / "ci_callback"

PRINTED = frozenset({"say", "complain", "BadParameter", "confirm", "prompt", "DeployError"})
"""Calls whose texts people read."""

NAMED = frozenset({"what", "fix"})
"""Variables that hold such a text until it is raised."""

FOLDERS = ("commands", "deploy")
MODULES = (
    "common.py",
    "delivery_output.py",
    "listing.py",
    "named_ledgers.py",
    "record_filter.py",
    "writing.py",
)
"""Where such calls are made."""


def messages() -> set[str]:
    """All of them."""
    paths = [path for folder in FOLDERS for path in (TOOL / folder).glob("*.py")]
    paths += [TOOL / name for name in MODULES]
    return {text for path in paths for text in _of(ast.parse(path.read_text(encoding="utf-8")))}


def expectations() -> set[str]:
    """What an error in the settings says was expected."""
    return {row.expected for row in ROWS}


FINDINGS = frozenset({"ok", "warning", "fault", "skipped", "Finding"})
"""What makes a finding of doctor: its name, which is not translated, then its texts."""


def findings() -> set[str]:
    """The texts of doctor's findings."""
    texts: set[str] = set()
    for path in (TOOL / "doctor").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            values = _values_of_finding(node)
            texts |= {text.strip() for value in values for text in _texts(value)}
    return {text for text in texts if _is_message(text)}


def _values_of_finding(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Call):
        if _name(node.func) in FINDINGS:
            return [*node.args[1:], *(keyword.value for keyword in node.keywords)]
        return node.args if _name(node.func) == "NoBucketError" else []
    if isinstance(node, ast.Assign):
        return [node.value] if _name(node.targets[0]) in NAMED | {"why"} else []
    return [node.value] if isinstance(node, ast.Return) and node.value is not None else []


def _of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        values: list[ast.expr] = []
        if isinstance(node, ast.Call) and _name(node.func) in PRINTED:
            values = node.args
        elif isinstance(node, ast.Assign) and _name(node.targets[0]) in NAMED:
            values = [node.value]
        for text in (text.strip() for value in values for text in _texts(value)):
            if _is_message(text):
                yield text


def _name(named: ast.expr) -> str:
    if isinstance(named, ast.Attribute):
        return named.attr
    return named.id if isinstance(named, ast.Name) else ""


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        parts, count = [], 0
        for part in node.values:
            if isinstance(part, ast.Constant):
                parts.append(str(part.value))
            else:
                parts.append(f"{{{count}}}")
                count += 1
        yield "".join(parts)
    elif isinstance(node, ast.Call) and _name(node.func) in ("Styled", "localised"):
        yield from _texts(node.args[0])
    elif isinstance(node, (ast.BoolOp, ast.IfExp)):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from _texts(child)


def _is_message(text: str) -> bool:
    """Whether it has words: a name of a setting or a command is no message."""
    words = [word for word in text.split() if word.isalpha() and word.islower() and len(word) > 1]
    return len(words) > 1 or (len(words) == 1 and len(text.split()) > 1)
