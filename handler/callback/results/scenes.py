"""The scenes that moderation checks, and its findings: the nodes PornInfo, AdsInfo and so on.

Sources: INTL "图片审核回调内容" and its neighbours; RecognitionInfo, TextRecognitionInfo,
OcrResult, ObjectResult, LibResult and LanguageResult of cos-go-sdk-v5; HitInfo of cos-java-sdk-v5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from handler.callback import converters, tree
from handler.callback.results.fields import Fields, Group, Json, Rows, Schema, refuse_many_rows
from handler.callback.results.leaves import integer, number, seconds_of_ms, text
from handler.callback.tree import Tree

VERDICT = "0 is normal, 1 is against the rules, 2 needs a person's review"


class Keywords(NamedTuple):
    """Words, sent as a list of them or as one text with commas between: a Field."""

    names: tuple[str, ...] = ("Keywords",)

    def read(self, node: Tree) -> Json:
        sent = (words for name in self.names for words in tree.every(node, (name,)))
        return [word for words in sent for part in words.split(",") if (word := part.strip())]

    def schema(self) -> Schema:
        return {
            "type": "array",
            "description": "The words that were found",
            "items": {"type": "string"},
            "examples": [["word"]],
        }

    def lists(self) -> Iterator[str]:
        return iter(())


_LOCATION: Fields = {
    "x_px": number("Location.X", "Left edge", 12.0, "pixels"),
    "y_px": number("Location.Y", "Upper edge", 34.0, "pixels"),
    "width_px": number("Location.Width", "Width", 120.0, "pixels"),
    "height_px": number("Location.Height", "Height", 24.0, "pixels"),
    "rotation_deg": number("Location.Rotate", "Rotation", 0.5, "degrees"),
}

VOICES: Fields = {
    "label": text("Label", "The recognised content", "zh"),
    "score": number("Score", "Confidence, 0 to 100", 99.0),
    "begin_s": seconds_of_ms("StartTime", "Begin in the recording", 1.2),
    "end_s": seconds_of_ms("EndTime", "End in the recording", 3.4),
}

HITS = Rows(
    "HitInfos",
    "The words that were found, and where",
    {
        "type": text("Type", "How they were found", "Keyword"),
        "keywords": Keywords(("Keywords", "Keyword")),
        "library": text("LibName", "Name of the user's own library", "my-words"),
        "positions": Rows(
            "Positions",
            "Where in the text",
            {
                "begin_chars": integer("Start", "Begin", 0, "characters"),
                "end_chars": integer("End", "End", 2, "characters"),
            },
        ),
    },
)

_FIELDS: Fields = {
    "hit": integer("HitFlag|hit_flag", f"The finding: {VERDICT}", 1),
    "score": number("Score|score", "Confidence, 0 to 100", 99.0),
    "label": text("Label|label", "The finding, in one word", "SexBehavior"),
    "sub_label": text("SubLabel|sub_label", "The same, finer", "SexBehavior"),
    "category": text("Category|category", "Kind of what was found", "Sexy"),
    "count": integer("Count|count", "How many pictures or parts hold it", 3),
    "code": text("Code", "Code of looking for it; 0 is well", "0"),
    "message": text("Msg", "Message of that", "OK"),
    "keywords": Keywords(),
    "texts": Rows(
        "OcrResults",
        "Texts in the picture",
        {
            "text": text("Text", "The text", "…"),
            "sub_label": text("SubLabel", "Kind of text", "Ads"),
            "keywords": Keywords(),
            **_LOCATION,
        },
    ),
    "objects": Rows(
        "ObjectResults",
        "Things and persons in the picture",
        {
            "name": text("Name", "Name of the thing or person", "flag"),
            "sub_label": text("SubLabel", "The same, finer", "flag"),
            **_LOCATION,
        },
    ),
    "libraries": Rows(
        "LibResults",
        "The similar entry in a library of risks",
        {
            "type": integer("LibType", "1 is CI's own library, 2 is the user's", 2),
            "name": text("LibName", "Name of the library", "my-words"),
            "keywords": Keywords(),
            "image_id": text("ImageId", "Id of the picture in it", "img-1"),
            "score": number("Score", "Confidence, 0 to 100", 99.0),
        },
    ),
    "hits": HITS,
    "speakers": Rows("SpeakerResults", "Who was heard", VOICES),
    "sounds": Rows("RecognitionResults", "What was heard", VOICES),
}
SCENE = Group("", "What was found of one thing that was looked for", _FIELDS)


class Scenes:
    """The nodes PornInfo, AdsInfo and so on, each a row that names its scene: a Field."""

    def read(self, parsed: Tree) -> Json:
        """Raises PayloadError: more scenes than MAX_ROWS."""
        sent = nodes_of_scenes(parsed)
        refuse_many_rows(len(sent))
        return [
            {"scene": converters.snake_case(name).removesuffix("_info"), **scene}
            for name, node in sent
            for scene in [SCENE.read(node)]
            if isinstance(scene, dict)
        ]

    def schema(self) -> Schema:
        scene = text("", "The scene: porn, ads, …", "porn")
        rows = Rows(
            "", "The reviewed scenes, and the findings of each", {"scene": scene, **_FIELDS}
        )
        return rows.schema()

    def lists(self) -> Iterator[str]:
        return iter(())


def nodes_of_scenes(parsed: Tree) -> list[tuple[str, Tree]]:
    """(name, node) of each scene of a review, or of a part of one."""
    places = [parsed, tree.get(parsed, "Labels"), tree.get(parsed, "data")]
    return [
        (name, node)
        for place in places
        if isinstance(place, dict)
        for name, node in place.items()
        if name.endswith(("Info", "_info")) and _is_scene(node)
    ]


def _is_scene(node: Tree) -> bool:
    return isinstance(node, dict) and ("HitFlag" in node or "hit_flag" in node)
