"""Where each kind of callback keeps what every record has, as data, and the reader of it.

Sources: TaskFinish: the callback pages of each tag. WorkflowFinish: 460/80039 and INTL
"工作流回调". Moderation: INTL "图片审核回调内容" and its neighbours; the Simple form writes
other names, in snake_case, below data.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from handler.callback import converters, tree
from handler.callback.details import canonical
from handler.callback.results.fields import Json
from handler.callback.tree import Tree


class Form(NamedTuple):
    """Paths in the callback's own node; "" where that kind has no such thing."""

    state: str = "State"
    code: str = "Code"
    message: str = "Message"
    sub_tag: str = ""
    queue_id: str = ""
    queue_type: str = ""
    progress: str = ""
    created: str = "CreationTime"
    started: str = "StartTime"
    ended: str = "EndTime"
    input: str = ""
    """The node of the input; "" where its parts stand in the callback's own node."""
    bucket: tuple[str, ...] = ("BucketId", "Bucket")
    """The first that holds a name counts; IOS has Bucket in the Input of jobs."""
    region: str = "Region"
    object: str = "Object"
    url: str = "Url"
    headers: tuple[str, ...] = ("CosHeaders",)
    user_data: str = ""
    custom_id: str = ""
    job_level: str = ""


JOB = Form(
    # GO MediaProcessJobDetail and MediaProcessJobOperation, JAVA MediaJobObject.
    sub_tag="SubTag",
    queue_id="QueueId",
    queue_type="QueueType",
    progress="Progress",
    input="Input",
    # A sample of Tts has them below Operation.
    headers=("Input.CosHeaders", "Operation.Input.CosHeaders"),
    user_data="Operation.UserData",
    custom_id="Operation.CustomId",
    job_level="Operation.JobLevel",
)
WORKFLOW = Form(created="CreateTime")
REVIEW = Form()
SIMPLE_REVIEW = Form(
    state="",
    code="code",
    message="message",
    created="",
    started="",
    ended="",
    input="data",
    bucket=(),
    region="",
    object="",
    url="url",
    headers=("data.cos_headers",),
)


INPUT_BUCKETS = (*(f"Input.{name}" for name in JOB.bucket), *REVIEW.bucket)
"""Every path of a detail at which the bucket of its input may be."""


def text(at: Tree, path: str) -> str | None:
    """The text at a form's path."""
    return tree.text(at, path) if path else None


def identifier(at: Tree, path: str) -> str | None:
    """The text at a form's path, where it is no longer than a name."""
    return tree.identifier(at, path) if path else None


def times(at: Tree, form: Form) -> list[datetime | None]:
    """Creation, begin and end."""
    return [converters.moment(text(at, path)) for path in (form.created, form.started, form.ended)]


def read_input(at: dict[str, Tree], form: Form) -> dict[str, Json] | None:
    """{bucket, region, object, url, headers, …}; None where the callback names no input.

    Other nodes of a job's Input are kept under their snake_case name.
    """
    sent = next(iter(tree.get_all(at, form.input)), None) if form.input else at
    headers = next(
        (by_name for path in form.headers if (by_name := _headers(tree.get_all(at, path)))), {}
    )
    read: dict[str, Json] = {
        "bucket": next(filter(None, (identifier(sent, path) for path in form.bucket)), None),
        "region": identifier(sent, form.region),
        "object": text(sent, form.object),
        "url": text(sent, form.url),
        "headers": headers,
    }
    if form is JOB and isinstance(sent, dict):
        read |= _others(sent, set(read))
    return read if any(read.values()) else None


def _others(sent: dict[str, Tree], taken: set[str]) -> dict[str, Json]:
    spoken_for = {*JOB.bucket, "CosHeaders"}  # read under other names; taken holds the others
    others: dict[str, Json] = {}
    for name, value in sent.items():
        plain_name = converters.snake_case(name)
        is_free = name not in spoken_for and plain_name not in taken and plain_name not in others
        if is_free and not tree.is_hollow(value):
            others[plain_name] = canonical(value)
    return others


def _headers(sent: list[Tree]) -> dict[str, Json]:
    """Headers as {name: value}: jobs send Key and Value pairs, moderation sends a map."""
    headers: dict[str, Json] = {}
    for node in sent:
        if not isinstance(node, dict):
            continue
        if "Key" not in node:
            headers |= {name: tree.leaf(value) or "" for name, value in node.items()}
        elif name := tree.text(node, "Key"):
            headers[name] = tree.text(node, "Value") or ""
    return headers
