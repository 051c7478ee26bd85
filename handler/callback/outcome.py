"""How a job ended: its State, and what else in its callback says that a part of it failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from handler.callback import converters, tree
from handler.callback.tree import Tree

Outcome: TypeAlias = Literal["succeeded", "partial", "failed", "cancelled", "unfinished", "unknown"]

OUTCOMES: dict[str, Outcome] = {
    "Success": "succeeded",
    "Failed": "failed",
    "Cancel": "cancelled",
    "Submitted": "unfinished",
    "Running": "unfinished",
    "Pause": "unfinished",
}
"""States of the submit and describe pages of CI's API reference."""

REVIEW_OUTCOMES: Mapping[str, Outcome] = {
    **OUTCOMES,
    "Snapshoting": "unfinished",
    "Auditing": "unfinished",
}
"""States of moderation besides ("直播审核回调内容")."""

_BY_SPELLING: Mapping[str, Outcome] = {
    state.lower(): outcome for state, outcome in REVIEW_OUTCOMES.items()
}

TERMINAL: frozenset[Outcome] = frozenset({"succeeded", "partial", "failed", "cancelled"})
"""Outcomes that a job never leaves again."""


def spelling(state: str | None) -> str:
    """A State without what does not count in it: blanks around it (a callback that was indented on
    its way has them) and case."""
    return (state or "").strip().lower()


def of_state(state: str | None) -> Outcome:
    """The outcome that a State means for a job, a run, a task or a review; unknown for a State that
    CI does not have."""
    return _BY_SPELLING.get(spelling(state), "unknown")


# --- a part that failed although State is Success ----------------------------------------------


def is_failed_state(state: str) -> bool:
    """A State of its own. A part that was cancelled is as little done as one that failed."""
    plain = spelling(state)
    return plain in ("failed", "fail", "failure", "error") or of_state(plain) == "cancelled"


def is_failure_code(code: str) -> bool:
    """A Code of its own: Success where all is well; some algorithms have ok or 0 for it."""
    return code.strip().lower() not in ("", "success", "ok", "0")


def is_above_zero(count: str) -> bool:
    """A number of failures."""
    return (converters.number(count) or 0) > 0


def is_named(name: str) -> bool:
    """Something that is only named where it failed."""
    return bool(name.strip())


Matches: TypeAlias = Callable[[str], bool]
"""Whether the text of a node is that of a failure."""

PARTIAL_FAILURE_RULES: Mapping[str, Matches] = {
    # PicProcessResult, ImageInspectResult, Detection, and objects of a workflow's tasks
    "State": is_failed_state,
    "Code": is_failure_code,
    # VideoTagResult.StreamData, 460/84777: "算法状态码，成功为0，非0异常"
    "SubErrCode": is_failure_code,
    "ErrorCode": is_failure_code,
    "ErrCode": is_failure_code,
    # DocProcessResult
    "FailPageCount": is_above_zero,
    # FileCompressResult: 436/83113, and ErrorDetail in GO
    "ErrorCount": is_above_zero,
    "ErrorFile": is_named,
}
"""By the name of the node. They hold for each node of a result, wherever in it, under any tag."""

_STATE_ONLY: Mapping[str, Matches] = {"State": is_failed_state}
"""What holds for nodes of the request: a sample of 超分辨率 has DigitalWatermark.State Failed."""


def rule_of(name: str) -> Matches | None:
    """The rule for a node of a result; also for counts of failures that no page shows."""
    rule = PARTIAL_FAILURE_RULES.get(name)
    if rule is None and name.endswith("Count") and name.startswith(("Fail", "Err")):
        return is_above_zero
    return rule


def has_failed_part(node: Tree, rule: Callable[[str], Matches | None] = rule_of) -> bool:
    """Whether a result, or anything in it, says that it failed."""
    open_nodes = [node]
    while open_nodes:
        at = open_nodes.pop()
        if isinstance(at, list):
            open_nodes += at
        elif isinstance(at, dict):
            for name, value in at.items():
                if isinstance(value, str):
                    if (matches := rule(name)) is not None and matches(value):
                        return True
                elif isinstance(value, list):
                    # Texts of a list go by the list's name.
                    open_nodes += (
                        {name: item} if isinstance(item, str) else item for item in value
                    )
                else:
                    open_nodes.append(value)
    return False


def is_failed_part(node: Tree) -> bool:
    """Whether a node's State or Code says that it failed."""
    if not isinstance(node, dict):
        return False
    state, code = tree.text(node, "State"), tree.text(node, "Code")
    return is_failed_state(state or "") or is_failure_code(code or "")


def is_done_part(node: Tree) -> bool:
    """Whether a node's State and Code leave room for it being done: it neither failed nor is it
    still to come."""
    if isinstance(node, dict) and of_state(tree.text(node, "State")) == "unfinished":
        return False
    return not is_failed_part(node)


# --- the outcome of each kind ------------------------------------------------------------------


def of_job(
    state: str | None, code: str, operation: Tree, is_result: Callable[[str], bool]
) -> Outcome:
    """A job's outcome. A missing State is not a failure.

    is_result: whether a child of Operation is a result, by its name.
    """
    if state is not None:
        outcome = of_state(state)
    else:
        # WordsGeneralize's sample has no State: a Code of Success then says how it ended.
        outcome = "succeeded" if spelling(code) == "success" else "unknown"
    if outcome == "succeeded" and isinstance(operation, dict):
        failures = (
            has_failed_part(child, rule_of if is_result(name) else _STATE_ONLY.get)
            for name, child in operation.items()
            if not isinstance(child, str)
        )
        return "partial" if any(failures) else outcome
    return outcome


def of_task(task: Tree) -> Outcome:
    """The outcome of one task of a workflow: partial where one of its objects failed."""
    outcome = of_state(tree.text(task, "State"))
    is_partial = outcome == "succeeded" and has_failed_part(tree.get(task, "ResultInfo"))
    return "partial" if is_partial else outcome


def task_objects(task: Tree) -> list[Tree]:
    """The objects that a task of a workflow reports, sheets of small pictures included."""
    return [
        node
        for kind in ("ObjectInfo", "SpriteObjectInfo")
        for node in tree.get_all(task, f"ResultInfo.{kind}")
    ]


def of_workflow(state: str | None, execution: Tree) -> Outcome:
    """A run's outcome: its State is Failed where any task failed (460/80039), and where a
    State of Success hides a task or an object that failed all the same, it is partial."""
    outcome = of_state(state)
    if outcome != "succeeded":
        return outcome
    ends = [of_task(task) for task in tree.get_all(execution, "Tasks")]
    return "partial" if {"failed", "partial", "cancelled"}.intersection(ends) else outcome


def of_review(state: str | None, code: str, is_simple: bool) -> Outcome:
    """A review's outcome: by its State or, in the Simple form, by a code that is 0 if it went
    well. The findings do not affect it."""
    if is_simple and code:
        return "succeeded" if code == "0" else "failed"
    return of_state(state)
