"""What is known of each Tag, as data. A tag that is not here is kept all the same.

Paths begin below JobsDetail. What differs by family (endpoints, the letter that JobIds
begin with, secret nodes) stands in families.py; the tables of results, each with its
source, stand in results/ and are imported when a tag of theirs first comes by.

Sources: the callback page of each tag in CI's API reference; where there is none, the submit
or describe page, or the structs of cos-go-sdk-v5 (ci_media.go, ci_doc.go, ci_fileprocess.go).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from handler.callback.details import Marks, marks
from handler.callback.families import FAMILIES, SECRET_NODES, TAG_FAMILY, Family
from handler.callback.outcome import (
    PartialFailureRule,
    PartialFailureRules,
    above_zero,
    failed,
    no_success,
    there,
)
from handler.callback.outputs import Named, Places
from handler.callback.results.fields import Group

Tables: TypeAlias = Callable[[], Mapping[str, Group]]

COMMON_LISTS = (
    "Input.CosHeaders",
    "Operation.Input.CosHeaders",
    "Operation.MediaInfo.Stream.Audio",
    "Operation.MediaInfo.Stream.Subtitle",
    "Operation.MediaInfo.Stream.Video",
    "Operation.MediaResult.OutputFile.Md5Info",
    "Operation.MediaResult.OutputFile.ObjectName",
    "Operation.MediaResult.OutputFile.SpriteOutputFile.Md5Info",
    "Operation.MediaResult.OutputFile.SpriteOutputFile.ObjectName",
    "Operation.Watermark",
    "Operation.WatermarkTemplateId",
)
"""Nodes that may repeat under any tag."""


@dataclass(frozen=True)
class Tag:
    """One kind of job."""

    name: str
    tables: Tables
    """Where the table of its result is."""
    results: tuple[str, ...] = ()
    """Nodes below Operation that CI adds: they tell what the job found out."""
    repeats: tuple[str, ...] = ()
    """Nodes of its request that may repeat; those of its result say so in their table."""

    @property
    def family(self) -> Family:
        """Where CI keeps such jobs: endpoints, and the letter that their JobIds begin with."""
        return FAMILIES[TAG_FAMILY[self.name]]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What CI echoes of any request and nobody else should read."""
        return SECRET_NODES

    @cached_property
    def result(self) -> Group | None:
        """The table of the record's `result`; None where the job finds nothing out."""
        return self.tables().get(self.name)

    @cached_property
    def lists(self) -> tuple[str, ...]:
        """Nodes that may repeat, so that one of them is a list too."""
        found = self.result.lists() if self.result else ()
        return tuple(dict.fromkeys((*COMMON_LISTS, *self.repeats, *found)))

    @cached_property
    def list_marks(self) -> Marks:
        """`lists`, put together for one walk."""
        return marks(self.lists)


def _media() -> Mapping[str, Group]:
    from handler.callback.results.media import RESULTS

    return RESULTS


def _content() -> Mapping[str, Group]:
    from handler.callback.results.content import RESULTS

    return RESULTS


def _speech() -> Mapping[str, Group]:
    from handler.callback.results.speech import RESULTS

    return RESULTS


def _objects() -> Mapping[str, Group]:
    from handler.callback.results.objects import RESULTS

    return RESULTS


def _none() -> Mapping[str, Group]:
    return {}


UNKNOWN = Tag("", _none)
"""What stands in for a tag that is not in the table."""

_MADE = ("MediaInfo", "MediaResult")
_MIXED = ("Operation.Transcode.AudioMixArray", "Operation.Subtitles.Subtitle")

TAGS: Mapping[str, Tag] = {
    tag.name: tag
    for tag in (
        # media
        Tag("Transcode", _media, _MADE, _MIXED),
        Tag("Snapshot", _media, _MADE),
        Tag("Animation", _media, _MADE),
        Tag(
            "Concat",
            _media,
            _MADE,
            ("Operation.ConcatTemplate.ConcatFragment", "Operation.ConcatTemplate.AudioMixArray"),
        ),
        Tag("SmartCover", _media, ("MediaResult",)),
        Tag("VideoMontage", _media, _MADE, ("Operation.VideoMontage.AudioMixArray",)),
        Tag("VoiceSeparate", _media, _MADE),
        Tag("VideoProcess", _media, _MADE),
        Tag("VideoEnhance", _media, _MADE),
        Tag("SuperResolution", _media, _MADE),
        Tag("SDRtoHDR", _media, _MADE),
        Tag("DigitalWatermark", _media, _MADE),
        Tag("ExtractDigitalWatermark", _media, ("ExtractDigitalWatermark.Message",)),
        Tag("Segment", _media, _MADE),
        Tag("StreamExtract", _media, ("MediaResult",), ("Operation.Output.StreamExtract",)),
        Tag("MediaInfo", _media, ("MediaInfo",)),
        Tag(
            "QualityEstimate",
            _media,
            ("MediaInfo", "QualityEstimate.Score", "QualityEstimate.VqaPlusResult"),
        ),
        Tag("VideoTag", _content, ("VideoTagResult",)),
        Tag("Tts", _media, _MADE),
        Tag("NoiseReduction", _media, _MADE),
        Tag("SplitVideoParts", _content, ("SplitVideoInfoResult",)),
        Tag("DNA", _media, ("DNAResult", "DnaResult")),
        Tag("FillConcat", _media, _MADE, ("Operation.FillConcat.FillInput",)),
        Tag("VideoSynthesis", _media, _MADE, ("Operation.VideoSynthesis.SpliceInfo",)),
        Tag("GeneratePlayList", _media, _MADE),
        # picture
        Tag("PicProcess", _objects, ("PicProcessResult",)),
        Tag("PosterProduction", _none),
        Tag("ImageInspect", _objects, ("ImageInspectResult",)),
        # AI
        Tag("Translation", _content, ("AITranslateResult",)),
        Tag("WordsGeneralize", _content, ("WordsGeneralizeResult",)),
        Tag("VideoTargetRec", _content, ("VideoTargetRecResult",)),
        Tag("SegmentVideoBody", _media, _MADE),
        Tag("ImageOCR", _content, ("Detection",)),
        # speech
        Tag("SpeechRecognition", _speech, ("SpeechRecognitionResult",)),
        Tag("VocalScore", _speech, ("VocalScoreResult",)),
        Tag("SoundHound", _speech, ("SoundHoundResult",)),
        # document
        Tag("DocProcess", _objects, ("DocProcessResult",)),
        Tag("DocWatermark", _objects, ("DocWatermarkResult",)),
        Tag("DocAIGCMetadata", _none),
        # file
        Tag("FileHashCode", _objects, ("FileHashCodeResult",)),
        Tag(
            "FileUncompress",
            _objects,
            ("FileUncompressResult",),
            ("Operation.FileUncompressConfig.DownloadConfig.Key",),
        ),
        Tag(
            "FileCompress",
            _objects,
            ("FileCompressResult",),
            (
                "Operation.FileCompressConfig.Key",
                "Operation.FileCompressConfig.KeyConfig",
                "Operation.FileCompressConfig.PrefixConfig",
            ),
        ),
    )
}

# --- what is the same under every tag, unknown ones included: by the child of Operation ------

WRITTEN: Places = {
    "MediaResult": (
        Named("OutputFile.ObjectName", "OutputFile", "OutputFile.ObjectPrefix"),
        Named(
            "OutputFile.SpriteOutputFile.ObjectName",
            "OutputFile.SpriteOutputFile",
            "OutputFile.SpriteOutputFile.ObjectPrefix",
        ),
    ),
    "DocProcessResult": (Named("PageInfo.TgtUri"),),
    "PicProcessResult": (
        Named("ObjectName"),
        Named("UploadResult.ProcessResults.Object.Key"),
    ),
    "SpeechRecognitionResult": (Named("ObjectName"), Named("DetailObjectName")),
    "FileCompressResult": (Named("Object", ""),),
    "FileUncompressResult": (Named("FileList.Contents.Key", ""),),
}
"""Where callbacks name the objects that were really written."""

ASKED_FOR: Places = {
    "Output": (
        Named("Object"),
        Named("SpriteObject"),
        Named("AuObject"),  # this and the next two: VoiceSeparate
        Named("BassObject"),
        Named("DrumObject"),
        Named("StreamExtract.Output"),
        Named("StreamExtract.Object"),
    ),
}
"""What a job was asked to write: what it wrote where it succeeded and names nothing else."""

DOUBTS: PartialFailureRules = {
    # Sample of 超分辨率: State Success, and this one Failed.
    "DigitalWatermark": (PartialFailureRule("State", failed),),
    "DocProcessResult": (PartialFailureRule("FailPageCount", above_zero),),
    # 436/83113, and FileCompressResult in ci_fileprocess.go.
    "FileCompressResult": (
        PartialFailureRule("ErrorCount", above_zero),
        PartialFailureRule("ErrorDetail.ErrorCount", above_zero),
        PartialFailureRule("ErrorDetail.ErrorFile", there),
    ),
    "ImageInspectResult": (
        PartialFailureRule("State", failed),
        PartialFailureRule("Code", no_success),
        PartialFailureRule("ProcessResult.AutoProcessResult.Code", no_success),
    ),
    # 460/84777: "算法状态码，成功为0，非0异常"
    "VideoTagResult": (PartialFailureRule("StreamData.SubErrCode", no_success),),
    "Detection": (PartialFailureRule("State", failed), PartialFailureRule("Code", no_success)),
}
"""Where a State of Success hides a failed part."""
