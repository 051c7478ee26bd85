"""The catalogue of tags: one row per tag. A tag that is not here is kept all the same.

Paths begin below JobsDetail. A row names the table of its result, results/MODULE.TABLE, which
is imported when a job with such a tag first arrives. Endpoints and the first letter of JobIds
depend on the family: see families.py.

Sources: the callback page of each tag in CI's API reference (a number is a page under
cloud.tencent.com/document); where there is none, the submit or describe page, or the structs of
cos-go-sdk-v5 (GO), cos-java-sdk-v5 (JAVA) and qcloud-sdk-ios (IOS).
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping

from handler.callback.families import LETTER_FAMILY, Family
from handler.callback.outputs import Named, Places, is_whole_key
from handler.callback.tag import Tag
from handler.callback.tree import Tree

_MADE = ("MediaInfo", "MediaResult")
_MIXED = ("Operation.Transcode.AudioMixArray", "Operation.Subtitles.Subtitle")

_ROWS = (
    # --- media
    Tag("Transcode", "media", "media.MEDIA", "极速高清转码", _MADE, _MIXED),
    Tag("Snapshot", "media", "media.SNAPSHOT", "截帧", _MADE),
    Tag("Animation", "media", "media.MEDIA", "视频转动图", _MADE),
    Tag(
        "Concat",
        "media",
        "media.MEDIA",
        "音视频拼接",
        _MADE,
        ("Operation.ConcatTemplate.ConcatFragment", "Operation.ConcatTemplate.AudioMixArray"),
    ),
    Tag("SmartCover", "media", "media.MEDIA", "智能封面", ("MediaResult",)),
    Tag(
        "VideoMontage",
        "media",
        "media.MEDIA",
        "精彩集锦",
        _MADE,
        ("Operation.VideoMontage.AudioMixArray",),
    ),
    Tag("VoiceSeparate", "media", "media.MEDIA", "人声分离", _MADE),
    Tag("VideoProcess", "media", "media.MEDIA", "视频增强", _MADE),
    Tag("VideoEnhance", "media", "media.MEDIA", "GO VideoEnhance", _MADE),
    Tag("SuperResolution", "media", "media.MEDIA", "超分辨率", _MADE),
    Tag("SDRtoHDR", "media", "media.MEDIA", "SDRtoHDR", _MADE),
    Tag("DigitalWatermark", "media", "media.MEDIA", "添加数字水印", _MADE),
    Tag(
        "ExtractDigitalWatermark",
        "media",
        "media.EXTRACT_DIGITAL_WATERMARK",
        "提取数字水印",
        ("ExtractDigitalWatermark.Message",),
    ),
    Tag("Segment", "media", "media.MEDIA", "转封装", _MADE),
    Tag(
        "StreamExtract",
        "media",
        "media.MEDIA",
        "流分离",
        ("MediaResult",),
        ("Operation.Output.StreamExtract",),
    ),
    Tag("MediaInfo", "media", "media.MEDIA_INFO_JOB", "获取媒体信息", ("MediaInfo",)),
    Tag(
        "QualityEstimate",
        "media",
        "media.QUALITY_ESTIMATE",
        "视频质量评分 1045/49519; vqaPlus 436/85025",
        ("MediaInfo", "QualityEstimate.Score", "QualityEstimate.VqaPlusResult"),
    ),
    Tag(
        "VideoTag",
        "media",
        "content.VIDEO_TAG",
        "视频标签 436/85058; 460/84777",
        ("VideoTagResult",),
    ),
    Tag("Tts", "media", "media.MEDIA", "语音合成", _MADE),
    Tag("NoiseReduction", "media", "media.MEDIA", "降噪", _MADE),
    Tag(
        "SplitVideoParts",
        "media",
        "content.SPLIT_VIDEO_PARTS",
        "视频拆条; 436/98452",
        ("SplitVideoInfoResult",),
    ),
    # The Java and the Go SDK name its node differently.
    Tag("DNA", "media", "media.DNA", "460/96115; GO DnaResult", ("DNAResult", "DnaResult")),
    Tag(
        "FillConcat",
        "media",
        "media.MEDIA",
        "GO FillConcat",
        _MADE,
        ("Operation.FillConcat.FillInput",),
    ),
    Tag(
        "VideoSynthesis",
        "media",
        "media.MEDIA",
        "GO VideoSynthesis",
        _MADE,
        ("Operation.VideoSynthesis.SpliceInfo",),
    ),
    Tag("GeneratePlayList", "media", "media.MEDIA", "GO GeneratePlayListJobOperation", _MADE),
    # --- picture
    Tag(
        "PicProcess",
        "picture",
        "pictures.PIC_PROCESS",
        "图片处理回调 1045/49948; GO PicProcessResult",
        ("PicProcessResult",),
        written={
            "PicProcessResult": (
                Named("", "ObjectName"),
                Named("UploadResult.ProcessResults.Object", "Key"),
                Named("ProcessResults.Object", "Key"),
                Named("Object", "Key"),
            )
        },
    ),
    Tag("PosterProduction", "picture", source="JAVA CreatePosterProductionResponse"),
    Tag(
        "ImageInspect",
        "picture",
        "pictures.IMAGE_INSPECT",
        "图片可疑性检测 460/95990; GO ImageInspectResult",
        ("ImageInspectResult", "AutoProcessResult"),
    ),
    # --- AI
    Tag("Translation", "ai", "content.TRANSLATION", "翻译; 460/84799", ("AITranslateResult",)),
    Tag(
        "WordsGeneralize",
        "ai",
        "words.WORDS_GENERALIZE",
        "分词任务回调",
        ("WordsGeneralizeResult",),
    ),
    Tag(
        "VideoTargetRec",
        "ai",
        "targets.VIDEO_TARGET_REC",
        "视频目标检测 436/121129; GO VideoTargetRecResult",
        ("VideoTargetRecResult", *_MADE),
    ),
    Tag("SegmentVideoBody", "ai", "media.MEDIA", "GO SegmentVideoBody", _MADE),
    # Its JobId has the letter a (460/102328).
    Tag(
        "ImageOCR",
        "ai",
        "pictures.IMAGE_OCR",
        "460/102328; GO ImageOCRDetection",
        ("Detection", "ImageOCRResult"),
    ),
    # --- speech
    Tag(
        "SpeechRecognition",
        "speech",
        "speech.SPEECH_RECOGNITION",
        "语音识别回调; 460/84798",
        ("SpeechRecognitionResult",),
        written={
            "SpeechRecognitionResult": (Named("", "ObjectName"), Named("", "DetailObjectName")),
        },
    ),
    # Its JobId has the letter s, and its QueueType is Speeching (460/96718).
    Tag("VocalScore", "speech", "speech.VOCAL_SCORE", "460/96718", ("VocalScoreResult",)),
    Tag("SoundHound", "speech", "speech.SOUND_HOUND", "GO SoundHoundResult", ("SoundHoundResult",)),
    # --- document
    Tag(
        "DocProcess",
        "document",
        "objects.DOC_PROCESS",
        "1545/65203; 436/54056; GO DocProcessJobDocProcessResult",
        ("DocProcessResult",),
        written={"DocProcessResult": (Named("PageInfo", "TgtUri"),)},
    ),
    Tag(
        "DocWatermark",
        "document",
        "objects.DOC_WATERMARK",
        "GO DocWatermarkResult",
        ("DocWatermarkResult",),
    ),
    Tag("DocAIGCMetadata", "document", source="GO DocAIGCMetadata"),
    # --- file
    Tag(
        "FileHashCode",
        "file",
        "objects.FILE_HASH_CODE",
        "436/83109; GO FileHashCodeResult",
        ("FileHashCodeResult",),
    ),
    Tag(
        "FileUncompress",
        "file",
        "objects.FILE_UNCOMPRESS",
        "436/83111; GO FileUncompressResult",
        ("FileUncompressResult",),
        ("Operation.FileUncompressConfig.DownloadConfig.Key",),
        {
            "FileUncompressResult": (
                Named("FileList.Contents", "Key", "child", is_known=is_whole_key),
            )
        },
    ),
    Tag(
        "FileCompress",
        "file",
        "objects.FILE_COMPRESS",
        "436/83113; GO FileCompressResult",
        ("FileCompressResult",),
        (
            "Operation.FileCompressConfig.Key",
            "Operation.FileCompressConfig.KeyConfig",
            "Operation.FileCompressConfig.PrefixConfig",
        ),
        {"FileCompressResult": (Named("", "Object", "node"),)},
    ),
)

TAGS: Mapping[str, Tag] = {tag.name: tag for tag in _ROWS}
"""Every Tag that is known, by its name."""


@functools.cache
def _result_tags() -> Mapping[str, str]:
    """The only tag that has a result node. Nodes of several tags are not in it."""
    nodes = Counter(node for tag in _ROWS for node in tag.result_nodes if "." not in node)
    return {node: tag.name for tag in _ROWS for node in tag.result_nodes if nodes[node] == 1}


def tag_by_result(operation: Tree) -> str | None:
    """The tag that a result belongs to, for callbacks that name no tag: the page of the callback
    of WordsGeneralize (分词任务回调) prints none."""
    names = operation if isinstance(operation, dict) else ()
    return next((tag for name in names if (tag := _result_tags().get(name))), None)


BATCH_LETTER = "b"
"""What the JobId of a batch begins with (GO: InventoryTriggerJobDetail). Its tag is that of the
jobs that it starts, and it is submitted and described in ways of its own."""


def family_of(tag: str | None, job_id: str) -> Family | None:
    """By the tag where it is known, else by the JobId's first letter; None where neither is, and
    for a batch."""
    if job_id.startswith(BATCH_LETTER):
        return None
    known = TAGS.get(tag or "")
    return known.family if known else LETTER_FAMILY.get(job_id[:1])


WRITTEN: Places = {
    "MediaResult": (
        Named("OutputFile", "ObjectName", "node", "ObjectPrefix"),
        Named("OutputFile.SpriteOutputFile", "ObjectName", "node", "ObjectPrefix"),
    ),
    **{node: rows for tag in _ROWS for node, rows in tag.written.items()},
}
"""Where callbacks name the objects that were really written, under any tag."""
