"""From CI's description of a job back to the request that makes the same job again. Pure."""

from __future__ import annotations

from handler.callback import tree
from handler.callback.added_nodes import (
    INPUT_READ_ONLY,
    NESTED_RESULTS,
    RENAMES,
    RESULT_NODES,
    RESULT_SUFFIX,
)
from handler.callback.lineage import Marker, attach, detach
from handler.callback.redacted import REDACTED
from handler.callback.tree import Tree
from handler.errors import HandlerError


class NotRebuildableError(HandlerError):
    """The request can't be made again from what is known. Says why."""


class NoRoomError(HandlerError):
    """UserData leaves no room for the lineage marker."""


def request(
    detail: dict[str, Tree],
    marker: Marker,
    callback_url: str | None,
    user_data: str | None = None,
) -> dict[str, Tree]:
    """The nodes below <Request> to submit the job of a JobsDetail again.

    callback_url: its CallBack, which CI does not show; None: the queue's NotifyConfig decides.
    user_data: the user's own text, where CI's detail has none.

    Raises:
        NotRebuildableError, NoRoomError
    """
    tag = tree.text(detail, "Tag")
    operation = detail.get("Operation")
    if tag is None or not isinstance(operation, dict):
        raise NotRebuildableError("it has no Tag or no Operation")
    asked = _operation(operation, marker, user_data)
    kept: dict[str, Tree] = {"Tag": tag, **_input(detail.get("Input")), "Operation": asked}
    for path in NESTED_RESULTS:
        _drop(kept, path.split("."))
    for path, name in RENAMES:
        _rename(kept, path.split("."), name)
    if queue_id := tree.text(detail, "QueueId"):
        kept["QueueId"] = queue_id
    if callback_url is not None:
        kept |= {"CallBack": callback_url, "CallBackType": "Url", "CallBackFormat": "JSON"}
    if _holds_redacted(kept):
        raise NotRebuildableError("it holds a secret that is not kept, and CI does not show it")
    kept = _without_blanks(kept)
    if tag in operation:
        # The node that says what to do may be empty and must still be there (WordsGeneralize).
        rest = kept.get("Operation")
        kept["Operation"] = {tag: "", **(rest if isinstance(rest, dict) else {})}
    return kept


def _operation(
    operation: dict[str, Tree], marker: Marker, user_data: str | None
) -> dict[str, Tree]:
    """The nodes of the request, the marker included. Raises NoRoomError."""
    own = detach(tree.text(operation, "UserData"))[0] or user_data
    marked = attach(own or "", marker)
    if marked is None:
        raise NoRoomError("UserData leaves no room for the marker")
    asked = {
        name: value
        for name, value in operation.items()
        if name not in RESULT_NODES and not name.endswith(RESULT_SUFFIX)
    }
    return asked | {"UserData": marked}


def _input(sent: Tree) -> dict[str, Tree]:
    """{"Input": its nodes}; {} where it is blank. Raises NotRebuildableError."""
    if isinstance(sent, dict):
        return {"Input": {k: v for k, v in sent.items() if k not in INPUT_READ_ONLY}}
    if not tree.is_blank(sent):
        # Left out, it would make another job, which CI's list would not show on the same input.
        raise NotRebuildableError("its Input is not one node with nodes in it")
    return {}


def _drop(at: Tree, path: list[str]) -> None:
    for parent in _parents(at, path):
        parent.pop(path[-1], None)


def _rename(at: Tree, path: list[str], name: str) -> None:
    for parent in _parents(at, path):
        if path[-1] in parent:
            parent[name] = parent.pop(path[-1])


def _parents(at: Tree, path: list[str]) -> list[dict[str, Tree]]:
    """The nodes in which the last name of the path may stand; copied on the way down, so that
    what CI told is left as it is."""
    level = [at]
    for name in path[:-1]:
        below: list[Tree] = []
        for node in level:
            if not isinstance(node, dict) or name not in node:
                continue
            value = node[name]
            copied: Tree = (
                [dict(v) if isinstance(v, dict) else v for v in value]
                if isinstance(value, list)
                else dict(value)
                if isinstance(value, dict)
                else value
            )
            node[name] = copied
            below += copied if isinstance(copied, list) else [copied]
        level = below
    return [node for node in level if isinstance(node, dict)]


def _holds_redacted(at: Tree) -> bool:
    if isinstance(at, dict):
        return any(_holds_redacted(value) for value in at.values())
    if isinstance(at, list):
        return any(_holds_redacted(value) for value in at)
    return at == REDACTED


def _without_blanks(at: dict[str, Tree]) -> dict[str, Tree]:
    """CI echoes nodes that were not sent as empty ones; as a request they could mean something."""
    kept = {
        name: _without_blanks(value) if isinstance(value, dict) else value
        for name, value in at.items()
        if not tree.is_blank(value)
    }
    return {name: value for name, value in kept.items() if value != {}}
