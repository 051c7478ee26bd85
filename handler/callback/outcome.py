"""How a job ended: its State, and what else in its callback says that a part of it failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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

TERMINAL: frozenset[Outcome] = frozenset({"succeeded", "partial", "failed", "cancelled"})
"""Outcomes that a job never leaves again."""


@dataclass(frozen=True)
class PartialFailureRule:
    """A node that can tell of a failed part although State is Success."""

    path: str
    tells: Callable[[str], bool]
    """Whether the text that stands there tells of a failure."""
    names: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.path.split(".")))


PartialFailureRules: TypeAlias = Mapping[str, Sequence[PartialFailureRule]]
"""By the child of Operation that they stand in."""


def failed(state: str) -> bool:
    """A State of its own."""
    return state.strip() == "Failed"


def no_success(code: str) -> bool:
    """A Code of its own: Success where all is well; some algorithms have ok or 0 for it."""
    return code.strip().lower() not in ("success", "ok", "0")


def above_zero(count: str) -> bool:
    """A number of failures."""
    return (converters.number(count) or 0) > 0


def there(name: str) -> bool:
    """Something that is only named where it failed."""
    return bool(name)


def of_job(state: str | None, code: str, operation: Tree, doubts: PartialFailureRules) -> Outcome:
    """A job's outcome. A missing State is not a failure."""
    if state is not None:
        outcome = OUTCOMES.get(state, "unknown")
    else:
        # WordsGeneralize's sample has no State: a Code of Success then says how it ended.
        outcome = "succeeded" if code == "Success" else "unknown"
    if outcome == "succeeded" and isinstance(operation, dict):
        found = (is_doubtful(operation[name], doubts[name]) for name in doubts if name in operation)
        return "partial" if any(found) else outcome
    return outcome


def is_doubtful(at: Tree, doubts: Sequence[PartialFailureRule]) -> bool:
    """Whether a part of what stands there failed."""
    return any(doubt.tells(sent) for doubt in doubts for sent in tree.every(at, doubt.names))


OBJECT_DOUBTS = (
    PartialFailureRule("Code", no_success),
    PartialFailureRule("ImageOcrResult.State", failed),
    PartialFailureRule("ImageOcrResult.Code", no_success),
)
"""Of one object of a workflow's task. GO: WorkflowExecutionNotifyBody, ObjectInfo."""


def of_task(task: Tree) -> Outcome:
    """The outcome of one task of a workflow: partial where one of its objects failed."""
    state = tree.text(task, "State")
    outcome = OUTCOMES.get(state or "", "unknown")
    is_partial = any(is_doubtful(one, OBJECT_DOUBTS) for one in task_objects(task))
    return "partial" if outcome == "succeeded" and is_partial else outcome


def task_objects(task: Tree) -> list[Tree]:
    """The objects that a task of a workflow tells of, sheets of small pictures included."""
    return [
        one
        for kind in ("ObjectInfo", "SpriteObjectInfo")
        for one in tree.get_all(task, f"ResultInfo.{kind}")
    ]


def of_workflow(state: str | None, execution: Tree) -> Outcome:
    """A run's outcome: its State is Failed where any task failed (460/80039), and where a
    State of Success hides a task or an object that failed all the same, it is partial."""
    outcome = OUTCOMES.get(state or "", "unknown")
    if outcome != "succeeded":
        return outcome
    ends = [of_task(task) for task in tree.get_all(execution, "Tasks")]
    return "partial" if {"failed", "partial", "cancelled"}.intersection(ends) else outcome


def of_review(state: str | None, code: str, is_simple: bool) -> Outcome:
    """A review's outcome: by its State or, in the Simple form, by a code that is 0 if it went
    well. What was found is no matter here."""
    if is_simple and code:
        return "succeeded" if code == "0" else "failed"
    return REVIEW_OUTCOMES.get(state or "", "unknown")
