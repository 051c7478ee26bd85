"""What a moderation review (内容审核) tells, in its Detail and in its Simple form.

Sources: INTL "图片审核回调内容", "视频审核回调内容", "直播审核回调内容", "音频审核回调内容",
"文档审核回调内容", and 网页审核 460/65808. Documents and web pages say Suggestion where the
others say Result, and put the scenes below Labels; the Simple form writes snake_case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from handler.callback import converters, path_trie, tree
from handler.callback.results.fields import (
    Fields,
    Group,
    Json,
    Rows,
    Schema,
    integer,
    number,
    seconds_of_ms,
    text,
)
from handler.callback.tree import Tree

_VERDICT = "0 is normal, 1 is against the rules, 2 is to be looked at by a person"

_SCENE: Fields = {
    "hit": integer("HitFlag|hit_flag", f"What was found: {_VERDICT}", 1),
    "score": number("Score|score", "Confidence, 0 to 100", 99.0),
    "label": text("Label|label", "What was found, in one word", "SexBehavior"),
    "sub_label": text("SubLabel|sub_label", "The same, finer", "SexBehavior"),
    "category": text("Category|category", "Kind of what was found", "Sexy"),
    "count": integer("Count|count", "How many pictures or parts hold it", 3),
}
_SCENE_GROUP = Group("", "", _SCENE)


@dataclass(frozen=True)
class Scenes:
    """The nodes PornInfo, AdsInfo and so on, each a row that names its scene: a Field."""

    def read(self, parsed: Tree) -> Json:
        places = [parsed, tree.get(parsed, "Labels"), tree.get(parsed, "data")]
        return [
            {"scene": converters.snake_case(name).removesuffix("_info"), **scene}
            for place in places
            if isinstance(place, dict)
            for name, node in place.items()
            if name.endswith(("Info", "_info")) and _is_scene(node)
            for scene in [_SCENE_GROUP.read(node)]
            if isinstance(scene, dict)
        ]

    def schema(self) -> Schema:
        scene = text("", "What was looked for: porn, ads, …", "porn")
        rows = Rows("", "What was looked for, and what was found of it", {"scene": scene, **_SCENE})
        return rows.schema()

    def lists(self) -> Iterator[str]:
        return iter(())


def _is_scene(node: Tree) -> bool:
    return isinstance(node, dict) and ("HitFlag" in node or "hit_flag" in node)


_PARTS = {
    "Snapshot": "picture",
    "AudioSection": "sound",
    "Section": "section",
    "PageSegment.Results": "page",
    "ImageResults.Results": "picture",
    "TextResults.Results": "text",
}
"""Where a Detail tells of the parts that it looked at, and what kind of part they are."""

_PART: Fields = {
    "result": integer("Result|Suggestion", f"Verdict on the part: {_VERDICT}", 0),
    "label": text("Label", "Worst that was found", "Normal"),
    "begin_s": seconds_of_ms("SnapshotTime|OffsetTime", "Begin, or time of day of a live one", 5.0),
    "duration_s": seconds_of_ms("Duration", "Length", 30.0),
    "page": integer("PageNumber", "Number of the page", 1),
    "url": text("Url", "Address, good for two hours", "https://example.com/0.jpg"),
    "scenes": Scenes(),
}
_PART_GROUP = Group("", "", _PART)


@dataclass(frozen=True)
class Parts:
    """The pictures, sounds, pages and texts that were looked at: a Field."""

    def read(self, parsed: Tree) -> Json:
        return [
            {"kind": kind, **part}
            for path, kind in _PARTS.items()
            for node in tree.get_all(parsed, path)
            for part in [_PART_GROUP.read(node)]
            if isinstance(part, dict)
        ]

    def schema(self) -> Schema:
        kind = text("", "picture, sound, section, page or text", "picture")
        return Rows("", "The parts that were looked at", {"kind": kind, **_PART}).schema()

    def lists(self) -> Iterator[str]:
        return iter(_PARTS)


REVIEW = Group(
    "",
    "What a review found, in either form; it is no matter of outcome",
    {
        "result": integer("Result|Suggestion|data.result", f"Verdict: {_VERDICT}", 0),
        "label": text("Label|data.label", "Worst that was found", "Normal"),
        "sub_label": text("SubLabel", "The same, finer", "SexBehavior"),
        "category": text("Category", "Kind of what was found", "Sexy"),
        "score": number("Score", "Confidence, 0 to 100", 99.0),
        "forbidden_status": integer(
            "ForbidState|data.forbidden_status",
            "What was done about it: 0 nothing, 1 frozen, 2 moved away",
            0,
        ),
        "data_id": text("DataId|data.data_id", "The user's own DataId", "123-abc"),
        "text": text("Text|AudioText", "Text that was read or heard", "…"),
        "snapshot_count": integer("SnapshotCount", "Pictures that were looked at", 1),
        "page_count": integer("PageCount", "Pages that were looked at", 1),
        "scenes": Scenes(),
        "parts": Parts(),
    },
)

LIST_TRIE = path_trie.build(REVIEW.lists())
"""Nodes that may repeat."""
