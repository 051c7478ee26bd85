"""CI's workflows that have a callback of their own: it goes before that of the queue.

An update takes the whole workflow (436/113264), so it is sent back as CI showed it, but for the
address. One without an address of its own is left alone: its queue's callback is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from ci_callback.doctor.case import Case
from ci_callback.doctor.ci_api import ask, put
from handler.callback import tree
from handler.callback.tree import Tree
from handler.ci_api.client import CiError

KIND = "workflow"
PATH = "/workflow"
_START = ("Topology", "Nodes", "Start", "Input", "NotifyConfig")
CONFIG = ".".join(_START)
_SENT = ("Name", "State", "Topology")
"""What an update takes; the rest is CI's own."""
_PAGE, _MAX_PAGES = 10, 100


def listed(case: Case) -> list[Tree]:
    """The workflows of the bucket.

    Raises:
        CiError
    """
    found: list[Tree] = []
    for number in range(1, _MAX_PAGES + 1):
        page = {"pageNumber": str(number), "pageSize": str(_PAGE)}
        response = ask(case, PATH, page)
        rows = tree.get_all(response, "MediaWorkflowList")
        found += rows
        # A page that is not full is the last one, whatever the total says.
        if len(rows) < _PAGE or str(len(found)) == tree.text(response, "TotalCount"):
            return found
    raise CiError("workflow", f"no end after {_MAX_PAGES} pages")


def has_address(workflow: Tree) -> bool:
    """Whether it has a callback of its own."""
    config = tree.get(workflow, CONFIG)
    return isinstance(config, dict) and any(tree.text(config, name) for name in ("Url", "MqName"))


def update(case: Case, workflow: Tree, config: Mapping[str, str]) -> None:
    """Give it another NotifyConfig.

    Raises:
        CiError, NotWritableError
    """
    notify: dict[str, Tree] = {name: value for name, value in config.items() if value}
    sent = _with(workflow, _START, notify or {"State": "Off"})
    body: Tree = {name: sent[name] for name in _SENT if name in sent}
    workflow_id = quote(tree.text(workflow, "WorkflowId") or "", safe="=")
    put(case, f"{PATH}/{workflow_id}", {"Request": {"MediaWorkflow": body}})


def _with(node: Tree, path: tuple[str, ...], value: Tree) -> dict[str, Tree]:
    """The node with another value at a path; it is not changed itself."""
    children = node if isinstance(node, dict) else {}
    first, *rest = path
    return {**children, first: _with(children.get(first), tuple(rest), value) if rest else value}
