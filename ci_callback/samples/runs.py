"""WorkflowExecution: a run of a workflow with its tasks, in any state."""

from __future__ import annotations

from ci_callback.samples import jobs
from ci_callback.samples.ids import Ids
from ci_callback.samples.options import NotSampledError, SampleOptions
from ci_callback.samples.wire import china_time
from ci_callback.samples.writing import Node, Notes, write
from handler.callback import tree
from handler.callback.catalogue import TAGS
from handler.callback.outcome import OUTCOMES, task_objects
from handler.callback.results.workflow import RUN

TASKS = ("Snapshot", "Transcode")
"""The last one is the one that fails."""


def execution(wish: SampleOptions, now: float, ids: Ids) -> Node:
    """The node. now: epoch seconds, when the run ended.

    Raises:
        NotSampledError: there is no such state, or it does not fit to --partial.
    """
    if wish.end not in OUTCOMES:
        raise NotSampledError(f"--state {wish.end}: a run's is one of {', '.join(OUTCOMES)}")
    if wish.partial and wish.end != "Success":
        raise NotSampledError(jobs.NO_PARTIAL)
    begun = china_time(now - jobs.RAN_S, " ")
    key = wish.object or "input/demo.mp4"
    told: Node = {
        "WorkflowId": jobs.workflow(ids)["WorkflowId"],
        "WorkflowName": jobs.workflow(ids)["WorkflowName"],
        "RunId": ids.job_id,
        "State": wish.end,
        "BucketId": wish.bucket,
        "Object": key,
        "CreateTime": begun,
        "CosHeaders": jobs.headers(ids),
    }
    is_over = wish.end in ("Success", "Failed", "Cancel")
    named = {
        "CreateTime": begun,
        "StartTime": begun,
        "EndTime": china_time(now, " ") if is_over else "-",
        "State": wish.end,
        "Code": "Success",
        "Message": "Success",
        "InputObjectName": key,
        "ObjectCount": "2",
    }
    write(RUN, told, Notes(named))
    tasks = [one for one in tree.get_all(told, "Tasks") if isinstance(one, dict)]
    for kind, task in zip(TASKS, tasks, strict=True):
        _fit(task, kind, wish, ids)
    if wish.end == "Failed":
        _fail(tasks, wish)
    if wish.partial:
        one = tree.get_all(tasks[-1], "ResultInfo.ObjectInfo")[-1]
        if isinstance(one, dict):
            failed = SampleOptions(state="Failed", code=wish.code, message=wish.message)
            one |= {"Code": jobs.code(failed), "Message": jobs.message(failed)}
    return told


def _fit(task: Node, kind: str, wish: SampleOptions, ids: Ids) -> None:
    letter = TAGS[kind].family.letter
    task |= {"Type": kind, "JobId": f"{letter}{ids.of(kind)}", "Name": f"{kind}_1581665960537"}
    for one in task_objects(task):
        if isinstance(one, dict):
            host = f"{wish.bucket}.cos.{wish.region}.myqcloud.com"
            one["ObjectUrl"] = f"https://{host}/{one['ObjectName']}"
    if wish.end != "Success":
        task.pop("ResultInfo", None)


def _fail(tasks: list[Node], wish: SampleOptions) -> None:
    """A run has failed where one of its tasks did (460/80039)."""
    for task in tasks[:-1]:
        task["State"] = "Success"
    tasks[-1] |= {"Code": jobs.code(wish), "Message": jobs.message(wish)}
