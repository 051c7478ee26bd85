"""Parts of a job that can fail although it succeeded, by the catalogue's own table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ci_callback.samples.writing import Node
from handler.callback import tree
from handler.callback.catalogue import DOUBTS
from handler.callback.outcome import PartialFailureRule, above_zero, failed, no_success, there
from handler.callback.tree import Tree
from handler.policy import CODES

PLAINEST_CODE = next(code for code, (reaction, _) in CODES.items() if reaction == "retry")
"""What a job fails with where nothing else is wished for: it is worth a retry."""

_TOLD: Mapping[Callable[[str], bool], tuple[str | None, str]] = {
    failed: ("Success", "Failed"),
    above_zero: ("0", "1"),
    no_success: ("Success", PLAINEST_CODE),
    there: (None, "input/broken.jpg"),
}
"""By what a doubt looks for: what stands there where all is well (None: nothing), and where
that part failed."""


def make_well(operation: Node) -> None:
    """Let no part tell of a failure. An example of the catalogue may."""
    for child, doubt in _doubts(operation):
        if _tells(child, doubt):
            _put(child, doubt, _TOLD[doubt.tells][0])


def fail_a_part(operation: Node, code: str | None) -> bool:
    """Let a part tell of a failure, by this Code or by any; False where no part can."""
    name = next((name for name in DOUBTS if name in operation), None)
    if name is None:
        return False
    child, told = operation[name], False
    for doubt in DOUBTS[name]:
        if not tree.every(child, doubt.names):
            continue
        if doubt.tells is no_success and code is not None:
            _put(child, doubt, code)
            told = True
        elif not _tells(child, doubt):
            _put(child, doubt, _TOLD[doubt.tells][1])
    return told or code is None


def _doubts(operation: Node) -> Iterator[tuple[Tree, PartialFailureRule]]:
    for name, doubts in DOUBTS.items():
        if name in operation:
            yield from ((operation[name], doubt) for doubt in doubts)


def _tells(child: Tree, doubt: PartialFailureRule) -> bool:
    return any(doubt.tells(sent) for sent in tree.every(child, doubt.names))


def _put(child: Tree, doubt: PartialFailureRule, value: str | None) -> None:
    at = tree.walk(child, doubt.names[:-1])
    if isinstance(at, dict):
        at[doubt.names[-1]] = value or ""
