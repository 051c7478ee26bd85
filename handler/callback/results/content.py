"""Results of jobs that look into content: tables for the record's `result`.

Sources, with the number of the page under cloud.tencent.com/document where there is one,
are named beside each table; GO is ci_media.go of cos-go-sdk-v5. Paths begin below
JobsDetail.
"""

from __future__ import annotations

from handler.callback.results.fields import Fields, Group, Rows
from handler.callback.results.leaves import integer, number, seconds, text, texts

# Callback page "翻译", 2023-08-11; submit page 460/84799; AITranslateResult in IOS.
TRANSLATION = Group(
    "",
    "The languages and file types of the translation",
    {
        "source_lang": text("Input.Lang", "Language of the input, as CI names it", "en"),
        "target_lang": text("Operation.Translation.Lang", "Language of the output", "zh"),
        "source_type": text("Input.Type", "File type of the input", "pdf"),
        "target_type": text("Operation.Translation.Type", "File type of the output", "txt"),
        "basic_type": text("Input.BasicType", "File type that the input was made from", "pptx"),
        "text": text(
            "Operation.AITranslateResult.Result",
            "The translation, where no output was asked for",
            "Hello world",
        ),
    },
)

# Callback page "视频拆条"; submit page 436/98452.
SPLIT_VIDEO_PARTS = Group(
    "Operation",
    "Where the video was split",
    {
        "mode": text("SplitVideoParts.Mode", "SHOTDETECT or SCENEDETECT", "SHOTDETECT"),
        "parts": Rows(
            "SplitVideoInfoResult.TimeInfo",
            "The parts, in the order in which they were sent",
            {
                "index": integer("Index", "Number of the part, from 0", 1),
                "begin_s": seconds("PartBegin", "Begin of the part", 5.32),
                "end_s": seconds("PartEnd", "End of the part", 13.28),
            },
        ),
    },
)

_TAGS: Fields = {
    "tag": text("Tag", "The tag", "说话"),
    "class": text("TagCls", "Its class", "说话"),
    "confidence": number("Confidence", "Confidence, 0 to 1", 0.421531),
}

_BOXES = Rows(
    "BBox",
    "Where in the picture: corners as shares of its width and height, from the upper left",
    {
        "x1": number("X1", "Left edge", 0.101818),
        "y1": number("Y1", "Upper edge", 0.688025),
        "x2": number("X2", "Right edge", 0.806919),
        "y2": number("Y2", "Lower edge", 0.877984),
    },
)

# 视频标签 436/85058, submit page 460/84777, Labels of the scenario ShortVideo in GO. A stray
# JobsDetail.VideoTag is beside Operation in one sample and is not read.
VIDEO_TAG = Group(
    "Operation.VideoTagResult.StreamData",
    "The content of the video",
    {
        "error_code": text("SubErrCode", "The algorithm's code: 0 is well", "0"),
        "error_message": text("SubErrMsg", "The algorithm's message", "ok"),
        "tags": Rows("Data.Tags", "Tags of the whole video", _TAGS),
        "persons": Rows(
            "Data.PersonTags",
            "Who is seen",
            {
                "name": text("Name", "Name of the person", "张三"),
                "confidence": number("Confidence", "Confidence, 0 to 1", 0.9),
                "count": integer("Count", "How often the person is seen", 3),
                "seen": Rows(
                    "DetailPerSecond",
                    "When and where",
                    {
                        "time_s": seconds("TimeStamp", "When", 11.0),
                        "name": text("Name", "Name of the person", "张三"),
                        "confidence": number("Confidence", "Confidence, 0 to 1", 0.9),
                        "boxes": _BOXES,
                    },
                ),
            },
        ),
        "places": Rows(
            "Data.PlaceTags",
            "Where it takes place",
            {
                "begin_s": seconds("StartTime", "Begin of the part", 0.0),
                "end_s": seconds("EndTime", "End of the part", 11.0),
                "begin_frame": integer("StartIndex", "First frame of the part", 0),
                "end_frame": integer("EndIndex", "Last frame of the part", 11),
                "tags": Rows("Tags", "Tags of the part", _TAGS),
                "frames": texts("ClipFrameResult", "Best guess a frame", ["办公室:0.55"]),
            },
        ),
        "actions": Rows(
            "Data.ActionTags",
            "What is done",
            {
                "begin_s": seconds("StartTime", "Begin of the part", 0.0),
                "end_s": seconds("EndTime", "End of the part", 11.0),
                "tags": Rows("Tags", "Tags of the part", _TAGS),
            },
        ),
        "objects": Rows(
            "Data.ObjectTags",
            "Which things are seen",
            {
                "time_s": seconds("TimeStamp", "When", 11.0),
                "objects": Rows(
                    "Objects",
                    "The things",
                    {
                        "name": text("Name", "What it is", "电脑键盘"),
                        "confidence": number("Confidence", "Confidence, 0 to 1", 0.808393),
                        "boxes": _BOXES,
                    },
                ),
            },
        ),
        "labels": Rows(
            "Data.Labels",
            "Classes of the whole video",
            {
                "first": text("First", "Upper class", "生活"),
                "second": text("Second", "Lower class", "美食"),
                "confidence": number("Confidence", "Confidence, 0 to 1", 0.7),
            },
        ),
    },
)
