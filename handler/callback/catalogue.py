"""What is known of each Tag, as data. A tag that is not here is kept all the same.

Paths are relative to JobsDetail. Sources: the callback pages of CI's API reference for
each tag, named beside the entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handler.callback.fields import Group, Rows, integer, number, text


@dataclass(frozen=True)
class Tag:
    """One kind of job."""

    lists: tuple[str, ...] = ()
    """Nodes that may repeat, so that one of them is a list too."""
    result: Group | None = None
    """The record's `result`."""


COMMON_LISTS = (
    "Input.CosHeaders",
    "Operation.Input.CosHeaders",
    "Operation.MediaResult.OutputFile.ObjectName",
)
"""Nodes that may repeat under any tag."""

UNKNOWN = Tag()
"""What stands in for a tag that is not in the table."""

TAGS: Mapping[str, Tag] = {
    # Callback page "翻译", 2023-08-11; submit page 460/84799.
    "Translation": Tag(
        result=Group(
            "",
            "What was translated into what",
            {
                "source_lang": text("Input.Lang", "Language of the input, as CI names it"),
                "target_lang": text("Operation.Translation.Lang", "Language of the output"),
                "source_type": text("Input.Type", "File type of the input"),
                "target_type": text("Operation.Translation.Type", "File type of the output"),
                "basic_type": text("Input.BasicType", "File type that the input was made from"),
            },
        ),
    ),
    # Callback page "视频拆条"; submit page 436/98452.
    "SplitVideoParts": Tag(
        lists=("Operation.SplitVideoInfoResult.TimeInfo",),
        result=Group(
            "Operation",
            "Where the video was split",
            {
                "mode": text("SplitVideoParts.Mode", "SHOTDETECT or SCENEDETECT"),
                "parts": Rows(
                    "SplitVideoInfoResult.TimeInfo",
                    "The parts, in the order in which they were sent",
                    {
                        "index": integer("Index", "Number of the part, from 0"),
                        "begin_s": number("PartBegin", "Begin of the part, in seconds"),
                        "end_s": number("PartEnd", "End of the part, in seconds"),
                    },
                ),
            },
        ),
    ),
}
