"""Parts of a job that can fail although it succeeded, by the rules of outcome.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from ci_callback.samples.writing import Node
from handler.callback.added_nodes import NESTED_RESULTS, is_result
from handler.callback.outcome import (
    Matches,
    is_above_zero,
    is_failed_state,
    is_failure_code,
    is_named,
    rule_of,
)
from handler.callback.tree import Tree
from handler.failure_codes import CODES

PLAINEST_CODE = next(code for code, (reaction, _) in CODES.items() if reaction == "retry")
"""What a job fails with unless an option says otherwise: it is worth a retry."""

_VALUES: Mapping[Matches, tuple[str, str]] = {
    is_failed_state: ("Success", "Failed"),
    is_above_zero: ("0", "1"),
    is_failure_code: ("Success", PLAINEST_CODE),
    is_named: ("", "input/broken.jpg"),
}
"""By rule: the value of a node where all is well, and where that part failed."""

_Leaf: TypeAlias = "tuple[Node, str, Matches]"
"""A node, the name of a leaf in it, and the rule for that leaf."""

_NESTED = frozenset(path.split(".")[1] for path in NESTED_RESULTS)


def make_well(operation: Node) -> None:
    """Let no part report a failure. An example of the catalogue may."""
    for leaves in _results(operation):
        for node, name, rule in leaves:
            if _matches(node[name], rule):
                node[name] = _VALUES[rule][0]


def fail_a_part(operation: Node, code: str | None) -> bool:
    """Let a part report a failure, by this Code or by any; False where no part can."""
    for leaves in _results(operation):
        if not leaves:
            continue
        for node, name, rule in leaves:
            if rule is is_failure_code and code is not None:
                node[name] = code
            elif not _matches(node[name], rule):
                node[name] = _VALUES[rule][1]
        return code is None or any(rule is is_failure_code for _, _, rule in leaves)
    return False


def _results(operation: Node) -> Iterator[list[_Leaf]]:
    for name, child in operation.items():
        if is_result(name) or name in _NESTED:
            yield list(_leaves(child))


def _leaves(node: Tree) -> Iterator[_Leaf]:
    """The leaves for which there is a rule, in the first of what repeats."""
    if isinstance(node, list):
        yield from _leaves(node[0] if node else None)
    elif isinstance(node, dict):
        for name, value in node.items():
            rule = rule_of(name)
            if rule is not None and not isinstance(value, dict):
                yield node, name, rule
            else:
                yield from _leaves(value)


def _matches(value: Tree, rule: Matches) -> bool:
    return any(
        rule(text)
        for text in (value if isinstance(value, list) else [value])
        if isinstance(text, str)
    )
