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


def execution(options: SampleOptions, now: float, ids: Ids) -> Node:
    """The node. now: epoch seconds, when the run ended.

    Raises:
        NotSampledError: there is no such state, or it does not fit to --partial.
    """
    _refuse_unknown(options)
    begun = china_time(now - jobs.RAN_S, " ")
    key = options.object or "input/demo.mp4"
    node: Node = {
        "WorkflowId": jobs.workflow(ids)["WorkflowId"],
        "WorkflowName": jobs.workflow(ids)["WorkflowName"],
        "RunId": ids.job_id,
        "State": options.end,
        "BucketId": options.bucket,
        "Object": key,
        "CreateTime": begun,
        "CosHeaders": jobs.headers(ids),
    }
    is_over = options.end in ("Success", "Failed", "Cancel")
    named = {
        "CreateTime": begun,
        "StartTime": begun,
        "EndTime": china_time(now, " ") if is_over else "-",
        "State": options.end,
        "Code": "Success",
        "Message": "Success",
        "InputObjectName": key,
        "ObjectCount": "2",
    }
    write(RUN, node, Notes(named))
    tasks = [task for task in tree.get_all(node, "Tasks") if isinstance(task, dict)]
    for kind, task in zip(TASKS, tasks, strict=True):
        _fit(task, kind, options, ids)
    if options.end == "Failed":
        _fail(tasks, options)
    if options.partial:
        _fail_in_part(tasks[-1], options)
    return node


def _fail_in_part(task: Node, options: SampleOptions) -> None:
    """The last object that a task wrote has a code of its own."""
    object_info = tree.get_all(task, "ResultInfo.ObjectInfo")[-1]
    if isinstance(object_info, dict):
        failed = SampleOptions(state="Failed", code=options.code, message=options.message)
        object_info |= {"Code": jobs.code(failed), "Message": jobs.message(failed)}


def _refuse_unknown(options: SampleOptions) -> None:
    if options.end not in OUTCOMES:
        raise NotSampledError(f"--state {options.end}: a run's is one of {', '.join(OUTCOMES)}")
    if options.partial and options.end != "Success":
        raise NotSampledError(jobs.NO_PARTIAL)


def _fit(task: Node, kind: str, options: SampleOptions, ids: Ids) -> None:
    letter = TAGS[kind].family.letter
    task |= {"Type": kind, "JobId": f"{letter}{ids.of(kind)}", "Name": f"{kind}_1581665960537"}
    for object_ in task_objects(task):
        if isinstance(object_, dict):
            host = f"{options.bucket}.cos.{options.region}.myqcloud.com"
            object_["ObjectUrl"] = f"https://{host}/{object_['ObjectName']}"
    if options.end != "Success":
        task.pop("ResultInfo", None)


def _fail(tasks: list[Node], options: SampleOptions) -> None:
    """A run has failed where one of its tasks did (460/80039)."""
    for task in tasks[:-1]:
        task["State"] = "Success"
    tasks[-1] |= {"Code": jobs.code(options), "Message": jobs.message(options)}
