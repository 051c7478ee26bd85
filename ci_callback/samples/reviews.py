"""A moderation review (内容审核), in its Detail and in its Simple form, that found something.

The parts of a review have names of their own for each event. Sources: "图片审核回调内容" and its
neighbours, 网页审核 460/65808, and review.py, which reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ci_callback.samples import jobs
from ci_callback.samples.ids import Ids
from ci_callback.samples.options import NotSampledError, SampleOptions
from ci_callback.samples.wire import china_time
from ci_callback.samples.writing import Node, Notes, write
from handler.callback import converters
from handler.callback.outcome import REVIEW_OUTCOMES
from handler.callback.results.fields import Group, Leaf
from handler.callback.results.review import REVIEW, Parts
from handler.callback.results.scenes import SCENE, Scenes
from handler.callback.tree import Tree


@dataclass(frozen=True)
class Review:
    """One event. parts: the node that lists the reviewed parts."""

    letters: str
    object: str
    parts: tuple[str, ...] = ()
    verdict: str = "Result"
    has_simple: bool = True
    without: tuple[str, ...] = ("SnapshotCount", "SectionCount", "PageCount", "Type")
    """Nodes that belong to other events."""
    also: tuple[str, ...] = ("user", "lists")
    """Further fields of REVIEW that it fills."""


EVENTS: Mapping[str, Review] = {
    "ReviewImage": Review("si", "input/photo.jpg", also=("text_hits", "user", "lists")),
    "ReviewVideo": Review(
        "av",
        "input/demo.mp4",
        ("Snapshot", "AudioSection"),
        without=("SectionCount", "PageCount", "CompressionResult"),
        also=("mask", "user", "lists"),
    ),
    "ReviewAudio": Review("sa", "input/song.mp3", ("Section",), also=("languages", "mask")),
    "ReviewText": Review(
        "st",
        "input/text.txt",
        ("Section",),
        has_simple=False,
        without=("SnapshotCount", "PageCount", "Type", "CompressionResult"),
    ),
    "ReviewDocument": Review(
        "sd",
        "input/demo.docx",
        ("PageSegment.Results",),
        "Suggestion",
        has_simple=False,
        without=("SnapshotCount", "SectionCount", "Type", "CompressionResult"),
    ),
    "ReviewHtml": Review(
        "sh",
        "input/page.html",
        ("ImageResults.Results", "TextResults.Results"),
        "Suggestion",
        has_simple=False,
        without=("SnapshotCount", "SectionCount", "Type", "CompressionResult"),
    ),
}

_FOUND = {"Result": "1", "Suggestion": "1", "result": "1", "Label": "Porn", "label": "Porn"}
_SIMPLE_FAILURE = "-1"
_PART_NODES = {
    "label": "Label",
    "sub_label": "SubLabel",
    "url": "Url",
    "text": "Text",
    "page": "PageNumber",
    "sheet": "SheetNumber",
    "begin_chars": "StartByte",
}
_SCENE_NODES = {
    "hit": "HitFlag",
    "score": "Score",
    "label": "Label",
    "sub_label": "SubLabel",
    "category": "Category",
    "count": "Count",
}


def detail(event: str, options: SampleOptions, now: float, ids: Ids) -> Node:
    """JobsDetail of a review. now: epoch seconds.

    Raises:
        NotSampledError: there is no such state.
    """
    if options.end not in REVIEW_OUTCOMES:
        raise NotSampledError(
            f"--state {options.end}: a review's is one of {', '.join(REVIEW_OUTCOMES)}"
        )
    review = EVENTS[event]
    written: Node = {
        "JobId": ids.job_id,
        "State": options.end,
        "CreationTime": china_time(now - jobs.RAN_S),
        "Object": options.object or review.object,
        "Url": _address(review, options),
        "BucketId": options.bucket,
        "Region": options.region,
        "CosHeaders": {"x-cos-meta-id": "photo-1"},
    }
    if options.end == "Failed":
        written |= {"Code": jobs.code(options), "Message": jobs.message(options)}
    if options.end != "Success":
        return written
    written |= {"Label": _FOUND["Label"], "PornInfo": _full_scene()}
    _write_result(review, written)
    return written


def _write_result(review: Review, written: Node) -> None:
    """The fields of a review that succeeded, and its parts."""
    leaves = {
        name: leaf.moved(path)
        for name, leaf in REVIEW.fields.items()
        if isinstance(leaf, Leaf)
        for path in [_own_path(leaf, review.verdict)]
        if path not in review.without
    }
    also = {name: REVIEW.fields[name] for name in review.also}
    write(Group("", "", {**leaves, **also}), written, Notes(_FOUND))
    for path in review.parts:
        at: Any = written
        *above, last = path.split(".")
        for name in above:
            at = at.setdefault(name, {})
        at[last] = [_part(path, review, number) for number in range(2)]


def simple(event: str, options: SampleOptions, ids: Ids) -> Node:
    """The whole of a callback in the Simple form, which knows no states but a code.

    Raises:
        NotSampledError: that event has no such form, or the form no such state.
    """
    review = EVENTS[event]
    if not review.has_simple:
        raise NotSampledError(f"--simple: no page shows {event} in a Simple form")
    if options.end not in ("Success", "Failed"):
        raise NotSampledError("--simple: this form reports only a Success or a Failed")
    has_failed = options.end == "Failed"
    data: Node = {"trace_id": ids.job_id, "url": _address(review, options), "event": event}
    if event == "ReviewAudio":
        del data["event"]  # so in its sample
    written: Node = {
        "code": options.code or (_SIMPLE_FAILURE if has_failed else "0"),
        "message": jobs.message(options) if has_failed or options.message else "success",
        "data": data,
    }
    if not has_failed:
        leaves = {
            name: leaf.moved(path)
            for name, leaf in REVIEW.fields.items()
            if isinstance(leaf, Leaf)
            for path in leaf.path.split("|")
            if path.startswith("data.")
        }
        write(Group("", "", leaves), written, Notes(_FOUND))
        data["porn_info"] = _scene(
            {field_name: converters.snake_case(of) for field_name, of in _SCENE_NODES.items()}
        )
        data["cos_headers"] = {"x-cos-meta-id": "photo-1"}
    return written


def _own_path(leaf: Leaf, verdict: str) -> str:
    paths = leaf.path.split("|")
    return verdict if verdict in paths else paths[0]


def _address(review: Review, options: SampleOptions) -> str:
    key = options.object or review.object
    return f"https://{options.bucket}.cos.{options.region}.myqcloud.com/{key}"


def _scene(names: Mapping[str, str]) -> Node:
    shown = _examples(Scenes())
    return {node: _text(shown[name]) for name, node in names.items()}


def _full_scene() -> Node:
    """All that a Detail says of a scene; a Simple one says less."""
    written: Node = {}
    write(SCENE, written, Notes({"Label": "SexBehavior"}))
    return written


def _part(path: str, review: Review, number: int) -> Tree:
    shown = _examples(Parts())
    written: Node = {node: _text(shown[name]) for name, node in _PART_NODES.items()}
    if not path.startswith("PageSegment"):
        del written["PageNumber"], written["SheetNumber"]
    if review.letters != "st":
        del written["StartByte"]
    begin_ms = str(round((shown["begin_s"] + number * shown["duration_s"]) * 1000))
    if path == "Snapshot":
        written["SnapshotTime"] = begin_ms
    elif "Section" in path:
        written |= {"OffsetTime": begin_ms, "Duration": _text(shown["duration_s"] * 1000)}
    return written | {review.verdict: "1", "Label": "Porn", "PornInfo": _full_scene()}


def _examples(field: Scenes | Parts) -> dict[str, Any]:
    properties = field.schema()["items"]["properties"].items()
    return {name: schema["examples"][0] for name, schema in properties if "examples" in schema}


def _text(value: object) -> str:
    return f"{value:.0f}" if isinstance(value, float) else str(value)
