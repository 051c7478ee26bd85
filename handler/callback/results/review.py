"""The result of a moderation review (内容审核) or a virus detection, in its Detail and Simple form.

Sources: INTL "图片审核回调内容", "视频审核回调内容", "直播审核回调内容", "音频审核回调内容",
"文本审核回调内容", "文档审核回调内容", 网页审核 460/65808, and 病毒检测 436/63962; the structs
*AuditingJobDetail and VirusDetectJobDetail of cos-go-sdk-v5. Documents and web pages say Suggestion
where the others say Result, and put the scenes below Labels; the Simple form writes snake_case.
"""

from __future__ import annotations

from collections.abc import Iterator

from handler.callback import converters, path_trie, tree
from handler.callback.results.fields import (
    Fields,
    Group,
    Json,
    Leaf,
    Rows,
    Schema,
    ValueType,
    refuse_many_rows,
)
from handler.callback.results.leaves import boolean, integer, key, number, seconds_of_ms, text
from handler.callback.results.scenes import HITS, VERDICT, VOICES, Scenes, nodes_of_scenes
from handler.callback.tree import Tree

_PARTS = {
    "Snapshot": "picture",
    "AudioSection": "sound",
    "Section": "section",
    "PageSegment.Results": "page",
    "ImageResults.Results": "picture",
    "TextResults.Results": "text",
}
"""Where a Detail reports on the parts that were looked at, and what kind of part they are."""


_VERDICT = ValueType("integer", converters.as_verdict)


def _verdict(path: str, about: str) -> Leaf:
    """Virus detection says normal and block for 0 and 1."""
    return Leaf(path, f"{about}: {VERDICT}", 0, _VERDICT)


_PART: Fields = {
    "result": _verdict("Result|Suggestion", "Verdict on the part"),
    "label": text("Label", "Worst that was found", "Normal"),
    "sub_label": text("SubLabel", "The same, finer", "SexBehavior"),
    "score": number("Score", "Confidence, 0 to 100", 99.0),
    "begin_s": seconds_of_ms("SnapshotTime|OffsetTime", "Begin, or time of day of a live one", 5.0),
    "duration_s": seconds_of_ms("Duration", "Length", 30.0),
    "begin_chars": integer("StartByte", "Begin in a text", 0, "characters"),
    "page": integer("PageNumber", "Number of the page", 1),
    "sheet": integer("SheetNumber", "Number of the sheet, in a table", 1),
    "url": text("Url", "Address, good for two hours", "https://example.com/0.jpg"),
    "text": text("Text", "Text in it, written or spoken", "…"),
    "languages": Rows("LanguageResults|LanguageResult", "Languages that were spoken", VOICES),
    # JAVA SectionInfo, of a text.
    "sentiment": Group(
        "SentimentAnalysis",
        "Mood of the text; null if it was not analysed",
        {
            "label": text("Label", "Mood", "Negative"),
            "score": number("Score", "Confidence, 0 to 100", 98.0),
            "negative_score": number("Detail.Negative", "How negative it is, 0 to 100", 98.0),
            "positive_score": number("Detail.Positive", "How positive it is, 0 to 100", 2.0),
        },
        optional=True,
    ),
    "scenes": Scenes(),
}
_PART_GROUP = Group("", "", _PART)


class Parts:
    """The pictures, sounds, pages and texts that were looked at: a Field."""

    def read(self, parsed: Tree) -> Json:
        """Raises PayloadError: more parts than MAX_ROWS and MAX_CELLS allow, or with the scenes of
        all of them more than MAX_ROWS."""
        sent = [
            (kind, node)
            for path, kind in _PARTS.items()
            for node in tree.get_all(parsed, path)
            if not tree.is_hollow(node)
        ]
        refuse_many_rows(len(sent), len(_PART))
        refuse_many_rows(len(sent) + sum(len(nodes_of_scenes(node)) for _, node in sent))
        return [
            {"kind": kind, **part}
            for kind, node in sent
            for part in [_PART_GROUP.read(node)]
            if isinstance(part, dict)
        ]

    def schema(self) -> Schema:
        kind = text("", "picture, sound, section, page or text", "picture")
        return Rows("", "The reviewed parts", {"kind": kind, **_PART}).schema()

    def lists(self) -> Iterator[str]:
        return iter(_PARTS)


# GO UserExtraInfo: what the user's own request said of the one whose content it is.
_USER = Group(
    "UserInfo",
    "The user as the request described them; null if it did not",
    {
        "token_id": text("TokenId", "Account", "user-1"),
        "nickname": text("Nickname", "Name that others see", "nick"),
        "device_id": text("DeviceId", "Device", "device-1"),
        "app_id": text("AppId", "App", "app-1"),
        "room": text("Room", "Room", "room-1"),
        "ip": text("IP", "Address in the network", "192.0.2.1"),
        "type": text("Type", "Kind of business", "chat"),
        "receive_token_id": text("ReceiveTokenId", "Account of the one who receives", "user-2"),
        "gender": text("Gender", "Gender", "0"),
        "level": text("Level", "Level", "3"),
        "role": text("Role", "Role", "member"),
    },
    optional=True,
)

# GO AuditingMaskInfo: the copy in which what is against the rules was covered.
_MASK = Group(
    "MaskInfo",
    "The copy in which what was found is covered; null where none was asked for",
    {
        "code": text("RecordInfo.Code", "Code of its failure, or Success", "Success"),
        "message": text("RecordInfo.Message", "Message of its failure", "Success"),
        "bucket": text("RecordInfo.Output.Bucket", "Its bucket", "test-1250000000"),
        "region": text("RecordInfo.Output.Region", "Region of the bucket", "ap-chongqing"),
        "object": key("RecordInfo.Output.Object", "Its key", "output/masked.mp4"),
        "live_url": text("LiveInfo.Output", "Address of a live one", "rtmp://example.com/live"),
        "live_begin": text("LiveInfo.StartTime", "Its begin, as CI sent it", "2022-08-09 14:54:18"),
        "live_end": text("LiveInfo.EndTime", "Its end, as CI sent it", "2022-08-09 14:54:39"),
    },
    optional=True,
)

REVIEW = Group(
    "",
    "The findings of a review, in either form; they do not affect the outcome",
    {
        "result": _verdict("Result|Suggestion|data.result", "Verdict"),
        "label": text("Label|data.label", "Worst that was found", "Normal"),
        "sub_label": text("SubLabel|data.sub_label", "The same, finer", "SexBehavior"),
        "category": text("Category|data.category", "Kind of what was found", "Sexy"),
        "score": number("Score|data.score", "Confidence, 0 to 100", 99.0),
        "forbidden_status": integer(
            "ForbidState|data.forbidden_status",
            "The measure: 0 none, 1 frozen, 2 moved",
            0,
        ),
        "data_id": text("DataId|data.data_id", "The user's own DataId", "123-abc"),
        "type": text("Type", "Kind of review: live_video", "live_video"),
        "text": text("Text|AudioText|ContextText", "Text, written or spoken", "…"),
        "is_compressed": boolean("CompressionResult", "Whether the picture was made smaller first"),
        "snapshot_count": integer("SnapshotCount", "Number of reviewed pictures", 1),
        "section_count": integer("SectionCount", "Parts of the text", 1),
        "page_count": integer("PageCount", "Number of reviewed pages", 1),
        "scenes": Scenes(),
        "languages": Rows("LanguageResults", "Languages that were spoken", VOICES),
        "parts": Parts(),
        "text_hits": Group(
            "OcrHitInfos",
            "Words in the text of the picture; null where none were looked for",
            {"text": text("Text", "The text", "…"), "hits": HITS},
            optional=True,
        ),
        "viruses": Rows(
            "DetectDetail[].Result",
            "Viruses that were detected",
            {
                "file": text("FileName", "Name of the file", "virus.doc"),
                "virus": text("VirusName", "Name of the virus", "Worm.Win32"),
            },
        ),
        "lists": Rows(
            "ListInfo.ListResults",
            "Lists of the user's own that it is in",
            {
                "type": integer("ListType", "0 is a white list, 1 a black one", 1),
                "name": text("ListName", "Name of the list", "blocked-users"),
                "entity": text("Entity", "The listed value", "user-1"),
            },
        ),
        "user": _USER,
        "mask": _MASK,
    },
)

LIST_TRIE = path_trie.build(REVIEW.lists())
"""Nodes that may repeat."""
