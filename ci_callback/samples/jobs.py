"""JobsDetail: a job of any tag of the catalogue, in any state."""

from __future__ import annotations

from collections.abc import Mapping

from ci_callback.samples.ids import Ids
from ci_callback.samples.options import NotSampledError, SampleOptions
from ci_callback.samples.partial_failures import PLAINEST_CODE, fail_a_part, make_well
from ci_callback.samples.shapes import FAMILY_SHAPES, SHAPES, Shape
from ci_callback.samples.wire import china_time
from ci_callback.samples.writing import Node, Notes, Written, write
from handler.callback import tree
from handler.callback.added_nodes import NESTED_RESULTS, is_result
from handler.callback.catalogue import WRITTEN
from handler.callback.outcome import OUTCOMES
from handler.callback.outputs import of_job
from handler.callback.tag import Tag
from handler.callback.tree import Tree

WAITED_S = 2
RAN_S = 21

NO_PARTIAL = "--partial is a Success of which a part failed: no other --state fits"

_NUMBER = "${Number}"
_NOT_BEGUN = ("Submitted", "Cancel")
_OVER = ("Success", "Failed", "Cancel")


def detail(tag: Tag, options: SampleOptions, now: float, ids: Ids) -> Node:
    """The node. now: epoch seconds, when the job ended or was last looked at.

    Raises:
        NotSampledError: there is no such state, or no part of such a job can fail on its own.
    """
    if options.end not in OUTCOMES:
        raise NotSampledError(f"--state {options.end}: a job's is one of {', '.join(OUTCOMES)}")
    shape = SHAPES.get(tag.name) or FAMILY_SHAPES[tag.family.name]
    key = options.object or shape.object
    operation = _request(tag, shape, key, options, ids)
    asked = frozenset(operation)
    job: Node = {
        "Code": code(options),
        "CreationTime": china_time(now - WAITED_S - RAN_S),
        "EndTime": china_time(now) if options.end in _OVER else "-",
        **_input(shape, key, options, ids),
        "JobId": ids.job_id,
        "Message": message(options),
        "Operation": operation,
        "QueueId": "p2242ab62c7c94486915508540933a2c6",
        "StartTime": "-" if options.end in _NOT_BEGUN else china_time(now - RAN_S),
        "State": options.end,
        "Tag": tag.name,
    }
    if options.workflow:
        job["Workflow"] = {"Name": f"{tag.name}_1581665960537", **workflow(ids)}
    if tag.result:
        named = {
            "InputObjectName": key or "",
            "LastModified": china_time(now - WAITED_S - RAN_S),
            **({} if options.partial else shape.all_well),
        }
        write(tag.result, job, _notes(operation, shape, named, ids))
    _fit_result(job, operation, asked, options)
    return job


def code(options: SampleOptions) -> str:
    """The Code that goes with the state."""
    if options.partial:
        return "Success"  # the options are for the part
    return options.code or (PLAINEST_CODE if options.end == "Failed" else "Success")


def message(options: SampleOptions) -> str:
    """The Message that goes with the state."""
    if options.message is not None:
        return options.message
    return f"{code(options)}: the job failed." if options.end == "Failed" else "Success"


def workflow(ids: Ids) -> Node:
    """The nodes about the workflow of a job and of a run."""
    return {
        "RunId": f"i{ids.of('run')}",
        "WorkflowId": "web6ac56c1ef54dbfa44d7f4103203be9",
        "WorkflowName": "workflow-test",
    }


def headers(ids: Ids) -> list[Tree]:
    """CosHeaders of an upload that started a workflow. One is called EventName."""
    return [
        {"Key": "Content-Type", "Value": "video/mp4"},
        {"Key": "x-cos-request-id", "Value": ids.of("upload")},
        {"Key": "EventName", "Value": "cos:ObjectCreated:Put"},
        {"Key": "Size", "Value": "1424687"},
    ]


def _input(shape: Shape, key: str | None, options: SampleOptions, ids: Ids) -> Node:
    if key is None:
        return {}
    job_input: Node = {"Object": key}
    if shape.names_bucket:
        job_input = {"BucketId": options.bucket, **job_input, "Region": options.region}
    if options.workflow:
        job_input["CosHeaders"] = headers(ids)
    return {"Input": job_input}


def _request(tag: Tag, shape: Shape, key: str | None, options: SampleOptions, ids: Ids) -> Node:
    """Operation without results."""
    echoed: Node = {name: _copy(value) for name, value in shape.asked.items()}
    if key is None and options.workflow:
        echoed["Input"] = {"CosHeaders": headers(ids)}  # so in the sample of Tts
    if shape.output is not None or shape.outputs:
        named: Node = {"Object": shape.output} if shape.output is not None else {}
        more: Node = {name: _copy(value) for name, value in shape.outputs.items()}
        echoed["Output"] = {"Bucket": options.bucket, **named, "Region": options.region, **more}
    user_data = options.user_data
    echoed["UserData"] = f"This is my {tag.name} job." if user_data is None else user_data
    return echoed | {"JobLevel": "0"}


def _copy(node: Tree) -> Tree:
    if isinstance(node, dict):
        return {name: _copy(value) for name, value in node.items()}
    return [_copy(item) for item in node] if isinstance(node, list) else node


def _notes(operation: Node, shape: Shape, named: Mapping[str, str], ids: Ids) -> Notes:
    output = operation.get("Output")
    asked_for = of_job(operation, {}, "succeeded", {})
    plain = tuple(str(file["object"]) for file in asked_for if isinstance(file, dict))
    sprite = output.get("SpriteObject") if isinstance(output, dict) else None
    written = {
        "OutputFile": _numbered(shape.output, 2) or Written("", plain),
        "SpriteOutputFile": _numbered(sprite, 1) or Written("", ()),
    }
    return Notes(named, written, ids.of)


def _numbered(key: Tree, count: int) -> Written | None:
    """The names that CI makes of a key with ${Number} in it; None where it has none."""
    prefix, number, ending = key.partition(_NUMBER) if isinstance(key, str) else ("", "", "")
    return Written(prefix, tuple(f"{n}{ending}" for n in range(count))) if number else None


def _fit_result(job: Node, operation: Node, asked: frozenset[str], options: SampleOptions) -> None:
    """Bring the result to what the state and the option of a failed part say."""
    if options.partial and options.end != "Success":
        raise NotSampledError(NO_PARTIAL)
    if options.end != "Success":
        job.pop("Progress", None)
        for name in [name for name in operation if name not in asked and is_result(name)]:
            del operation[name]
        for path in NESTED_RESULTS:
            _drop(job, path.split("."))
        return
    _name_buckets(operation, options)
    if not options.partial:
        make_well(operation)
    elif not fail_a_part(operation, options.code):
        by_code = " by a code" if options.code else ""
        raise NotSampledError(f"--partial: no part of a {job['Tag']} shows a failure{by_code}")


def _drop(at: Tree, names: list[str]) -> None:
    for name in names[:-1]:
        at = at.get(name) if isinstance(at, dict) else None
    if isinstance(at, dict):
        at.pop(names[-1], None)


def _name_buckets(operation: Node, options: SampleOptions) -> None:
    """Bucket and Region, wherever the catalogue looks for them beside the objects' names."""
    for child, rows in WRITTEN.items():
        for row in rows:
            if child not in operation or row.place == "output":
                continue
            path = row.node if row.place == "node" else ""
            at = tree.get(operation[child], path) if path else operation[child]
            if isinstance(at, dict):
                at |= {"Bucket": options.bucket, "Region": options.region}
