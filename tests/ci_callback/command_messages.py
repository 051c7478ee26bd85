"""The messages of the command line, as its code has them: each text that is printed for people,
with {0}, {1}, … in place of its values."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from handler.settings.rows import ROWS

TOOL = Path(__file__).parents[2] / "ci_callback"

PRINTED = frozenset(
    {"say", "complain", "BadParameter", "confirm", "prompt", "DeployError", "Call", "_Row"}
) | {"ok", "warning", "fault", "skipped", "ask"}
"""Calls whose texts people read."""

INTERNAL = frozenset({"AssertionError", "KeyError", "RuntimeError", "TypeError"})
"""Errors in the tool itself: they end in a stack trace, for those who mend it. The texts of all
others are printed."""

NAMED = frozenset({"what", "fix", "why", "empty", "words"})
"""Variables and arguments that hold such a text until it is printed."""

FOLDERS = ("", "commands", "deploy", "samples")
"""Where such calls are made."""

OF_PROGRAMS = frozenset({"cloud_api.py", "ledger_checks.py", "policy.py", "record_schema.py"})
"""Modules whose errors say what is wrong with data: with a record, an answer, a file of ours."""


def messages() -> set[str]:
    """All of them."""
    paths = [path for folder in FOLDERS for path in (TOOL / folder).glob("*.py")]
    return {
        text
        for path in paths
        if path.name not in OF_PROGRAMS
        for text in _of(ast.parse(path.read_text(encoding="utf-8")))
    }


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
        if isinstance(node, ast.Call):
            printed = _name(node.func) in PRINTED
            values = node.args if printed else []
            values += [word.value for word in node.keywords if printed or word.arg in NAMED]
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            values = node.exc.args if _name(node.exc.func) not in INTERNAL else []
        elif isinstance(node, ast.Assign):
            values = list(_assigned(node.targets[0], node.value))
        for text in (text.strip() for value in values for text in _texts(value)):
            text = re.sub(r"\{[a-z]+\}", "{0}", text)
            if _is_message(text):
                yield text


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[ast.expr]:
    """Values of the variables of NAMED, of a tuple too."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=True):
            yield from _assigned(one, its)
    elif _name(target) in NAMED:
        yield value


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
    elif isinstance(node, ast.Call) and _name(node.func) in ("Styled", "localised", "Tree"):
        yield from _texts(node.args[0])
    elif isinstance(node, (ast.BoolOp, ast.IfExp)):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from _texts(child)


def _is_message(text: str) -> bool:
    """Whether it has words: a name of a setting or a command is no message."""
    words = [word for word in text.split() if word.isalpha() and word.islower() and len(word) > 1]
    return len(words) > 1 or (len(words) == 1 and len(text.split()) > 1)
