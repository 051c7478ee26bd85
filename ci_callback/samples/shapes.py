"""The request of each kind of job: its input, its output and its settings, as CI echoes them.

The results of a job are in the catalogue. A tag without a row gets the row of its family. Sources:
the samples of the callback pages and, where there is none, of the submit pages; `${Number}` stands
in a name of which there will be several.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from handler.callback.families import FamilyName
from handler.callback.tree import Tree


@dataclass(frozen=True)
class Shape:
    """One kind of request. Keys of objects; None where that kind has none."""

    object: str | None = "input/demo.mp4"
    output: str | None = "output/demo.mp4"
    names_bucket: bool = True
    """Whether CI echoes the bucket of the input."""
    outputs: Mapping[str, Tree] = field(default_factory=dict)
    """Further nodes of Output."""
    asked: Mapping[str, Tree] = field(default_factory=dict)
    """Nodes of Operation."""
    all_well: Mapping[str, str] = field(default_factory=dict)
    """Values of a result, by the name of their node, where nothing failed: an example of the
    catalogue may show a failure."""


_TEMPLATE = Shape(asked={"TemplateId": "t1f16e1dfbdc994105b31292d45710642a"})

FAMILY_SHAPES: Mapping[FamilyName, Shape] = {
    "media": _TEMPLATE,
    "picture": Shape("input/deer.jpg", "output/out.jpg"),
    "ai": Shape("input/demo.mp4", None),
    "speech": Shape("input/demo.mp3", None),
    "document": Shape("input/demo.docx", "output/demo.docx"),
    "file": Shape("input/test.zip", None),
}


def _media(output: str | None, **more: Tree) -> Shape:
    return Shape(output=output, asked=dict(more)) if more else replace(_TEMPLATE, output=output)


SHAPES: Mapping[str, Shape] = {
    "Snapshot": replace(
        _media("output/snapshot-${Number}.jpg"),
        outputs={"SpriteObject": "output/sprite-${Number}.jpg"},
    ),
    "Animation": _media("output/demo.gif"),
    "Concat": _media(
        "output/concat.mp4",
        ConcatTemplate={
            "ConcatFragment": [
                {"Url": "https://example.com/1.mp4"},
                {"Url": "https://example.com/2.mp4"},
            ],
            "Index": "1",
        },
    ),
    "SmartCover": _media("output/cover-${Number}.jpg", SmartCover={"Format": "jpg", "Count": "2"}),
    "VoiceSeparate": replace(
        _media("output/background.mp3"), outputs={"AuObject": "output/voice.mp3"}
    ),
    "SDRtoHDR": _media("output/hdr.mp4", SDRtoHDR={"HdrMode": "HLG"}),
    "Segment": _media("output/segment-${Number}.mp4", Segment={"Format": "mp4", "Duration": "5"}),
    "StreamExtract": Shape(
        output=None,
        outputs={
            "StreamExtract": [
                {"Index": "0", "Output": "output/stream-0.mp4"},
                {"Index": "1", "Output": "output/stream-1.mp4"},
            ]
        },
    ),
    "ExtractDigitalWatermark": _media(None, ExtractDigitalWatermark={"Type": "Text"}),
    "MediaInfo": Shape(output=None),
    "QualityEstimate": _media(None, QualityEstimateConfig={"Mode": "vqaPlus"}),
    "VideoTag": _media(None, VideoTag={"Scenario": "Stream"}),
    # Its sample has no Input, and a slash before the name.
    "Tts": Shape(None, "/output/speech.mp3", asked={"TtsTpl": {"Codec": "mp3", "Speed": "100"}}),
    "NoiseReduction": replace(_media("output/clean.mp3"), object="input/noisy.mp3"),
    "SplitVideoParts": _media(None, SplitVideoParts={"Mode": "SHOTDETECT"}),
    "DNA": _media(None, DnaConfig={"RuleType": "GetFingerPrint"}),
    "GeneratePlayList": _media("output/list.m3u8", Transcode={"Container": {"Format": "hls"}}),
    "PicProcess": Shape(
        "input/deer.jpg",
        "output/out.jpg",
        asked={"PicProcess": {"IsPicInfo": "true", "ProcessRule": "imageMogr2/rotate/90"}},
    ),
    "ImageInspect": Shape("input/deer.jpg", None, asked={"ImageInspect": {"AutoProcess": "true"}}),
    "ImageOCR": Shape("input/sign.jpg", None, asked={"ImageOCR": {"Type": "general"}}),
    # Their samples echo the Input without its bucket.
    "Translation": Shape("input/en.pdf", "output/zh.txt", names_bucket=False),
    "DocProcess": Shape(
        "input/demo.docx",
        "test1/${Number}.jpg",
        names_bucket=False,
        asked={"DocProcess": {"SrcType": "docx", "TgtType": "jpg", "StartPage": "1"}},
        all_well={"TotalPageCount": "2"},
    ),
    "DocWatermark": Shape(
        "input/demo.pdf", "output/demo.pdf", asked={"DocWatermark": {"Type": "Text"}}
    ),
    "WordsGeneralize": Shape(
        "input/text.txt", None, asked={"WordsGeneralize": {"NerMethod": "DL", "SegMethod": "MIX"}}
    ),
    "VideoTargetRec": Shape(
        asked={"VideoTargetRec": {"Body": "true", "Plate": "true", "ProcessType": "Mosaic"}}
    ),
    "SegmentVideoBody": Shape(asked={"SegmentVideoBody": {"Mode": "Mask"}}),
    "SpeechRecognition": Shape(
        "input/minnong.mp3",
        "output/example.txt",
        asked={"SpeechRecognition": {"EngineModelType": "16k_zh", "ChannelNum": "1"}},
    ),
    "VocalScore": Shape(
        "input/song.mp3", None, asked={"VocalScore": {"StandardObject": "input/original.mp3"}}
    ),
    "FileHashCode": Shape("input/test.mp4", None, asked={"FileHashCodeConfig": {"Type": "MD5"}}),
    "FileUncompress": Shape(
        "input/test.zip",
        None,
        asked={"FileUncompressConfig": {"Prefix": "output/", "ListingFile": "true"}},
    ),
    # It takes many objects, so it has no Input.
    "FileCompress": Shape(
        None,
        "output/test.zip",
        asked={"FileCompressConfig": {"Format": "zip", "Key": ["input/1.jpg", "input/2.jpg"]}},
    ),
}
"""By tag, where it differs from its family's."""
