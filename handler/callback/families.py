"""The families of CI's jobs, as data: endpoints, and what to leave out when one is sent again.

Sources, with the number of the page under cloud.tencent.com/document where there is one:
submit and list pages of each family; list of all families 460/84766 (2025-12-03), in
English 1045/73114; describe 436/120621; cancel 436/120620; file jobs 436/116003 and
436/116004; document jobs 436/54096 and 1250/109275; workflows 436/76863 and 436/80048.
Paths are relative to the host <bucket>.ci.<region>.myqcloud.com.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

FamilyName: TypeAlias = Literal["media", "picture", "ai", "speech", "document", "file", "workflow"]


@dataclass(frozen=True)
class Family:
    """Jobs that CI keeps in one place and speaks of in one way."""

    name: FamilyName
    letter: str | None
    """What its JobIds begin with: so in every sample, though no page promises it."""
    create_path: str
    older_create_path: str | None
    """Where older pages send the same body; None where there never was another."""
    describe_path: str
    """A slash and the JobId follow."""
    list_path: str | None
    """None where CI has no list by tag."""
    queue_type: str | None
    """queueType of the list; None where it would hide jobs, or is no parameter of the page."""
    cancel_path: str | None
    """A slash, the JobId and ?cancel follow. None where no page tells how."""
    list_known: bool
    """Whether a page documents the list of this family."""
    user_data_known: bool
    """Whether the documents show that this list gives a job back with its UserData."""
    detail_node: str = "JobsDetail"
    id_node: str = "JobId"


FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        # UserData: sample of the list page DescribeMediaJobs. No queueType: speed transcoding
        # has a queue of its own, and newer pages count voice jobs among smart audio (1045/73370,
        # 1045/73375), so Transcoding might hide jobs; the list requires the tag alone.
        Family(
            name="media",
            letter="j",
            create_path="/jobs",
            older_create_path=None,
            describe_path="/jobs",
            list_path="/jobs",
            queue_type=None,
            cancel_path="/jobs",
            list_known=True,
            user_data_known=True,
        ),
        # UserData: sample of the list page DescribePicJobs (there under /pic_jobs).
        Family(
            name="picture",
            letter="c",
            create_path="/jobs",
            older_create_path="/pic_jobs",
            describe_path="/jobs",
            list_path="/jobs",
            queue_type="PicProcess",
            cancel_path="/jobs",
            list_known=True,
            user_data_known=True,
        ),
        # UserData: sample of the list page of content recognition, GET /jobs?tag=Translation.
        Family(
            name="ai",
            letter="a",
            create_path="/jobs",
            older_create_path="/ai_jobs",
            describe_path="/jobs",
            list_path="/jobs",
            queue_type="AIProcess",
            cancel_path="/jobs",
            list_known=True,
            user_data_known=True,
        ),
        # UserData: the list page (436/47597) gives the JobsDetail of the submit page, whose
        # sample answer has it. The list page itself prints no sample with it.
        Family(
            name="speech",
            letter="s",
            create_path="/jobs",
            older_create_path="/asr_jobs",
            describe_path="/jobs",
            list_path="/jobs",
            queue_type="Speeching",
            cancel_path="/jobs",
            list_known=True,
            user_data_known=True,
        ),
        # The list is documented (436/54096), without queueType and inputObject. UserData: the
        # submit page does not name it, the SDK's method can't send it, and the one real
        # capture of the list (cos-php-sdk-v5, issue 295) is of jobs sent without: not known.
        Family(
            name="document",
            letter="d",
            create_path="/doc_jobs",
            older_create_path=None,
            describe_path="/doc_jobs",
            list_path="/doc_jobs",
            queue_type=None,
            cancel_path="/doc_jobs",
            list_known=True,
            user_data_known=False,
        ),
        # No list page of its own. 460/84766 names the queueType FileProcess, but no sample
        # shows a file job in a list; the describe page does show UserData.
        Family(
            name="file",
            letter="f",
            create_path="/jobs",
            older_create_path="/file_jobs",
            describe_path="/file_jobs",
            list_path="/jobs",
            queue_type="FileProcess",
            cancel_path=None,
            list_known=False,
            user_data_known=False,
        ),
        # A run takes no UserData, and its list (GET /workflowexecution) wants a workflowId
        # and gives rows of five fields.
        Family(
            name="workflow",
            letter=None,
            create_path="/triggerworkflow",
            older_create_path=None,
            describe_path="/workflowexecution",
            list_path=None,
            queue_type=None,
            cancel_path=None,
            list_known=False,
            user_data_known=False,
            detail_node="WorkflowExecution",
            id_node="RunId",
        ),
    )
}

_TAGS: Mapping[FamilyName, tuple[str, ...]] = {
    "media": (
        "Transcode",
        "Snapshot",
        "Animation",
        "Concat",
        "SmartCover",
        "VideoMontage",
        "VoiceSeparate",
        "VideoProcess",
        "VideoEnhance",
        "SuperResolution",
        "SDRtoHDR",
        "DigitalWatermark",
        "ExtractDigitalWatermark",
        "Segment",
        "StreamExtract",
        "MediaInfo",
        "QualityEstimate",
        "VideoTag",
        "Tts",
        "NoiseReduction",
        "SplitVideoParts",
        "DNA",
        "FillConcat",
        "VideoSynthesis",
        "GeneratePlayList",
    ),
    "picture": ("PicProcess", "PosterProduction", "ImageInspect"),
    # ImageOCR is told with a JobId of letter a (460/102328).
    "ai": ("Translation", "WordsGeneralize", "VideoTargetRec", "SegmentVideoBody", "ImageOCR"),
    # VocalScore is told with a JobId of letter s and QueueType Speeching (460/96718).
    "speech": ("SpeechRecognition", "VocalScore", "SoundHound"),
    "document": ("DocProcess", "DocWatermark", "DocAIGCMetadata"),
    "file": ("FileHashCode", "FileUncompress", "FileCompress"),
}

TAG_FAMILY: Mapping[str, FamilyName] = {
    tag: family for family, tags in _TAGS.items() for tag in tags
}
"""The family of each Tag that is known."""

_LETTER_FAMILY = {family.letter: family for family in FAMILIES.values() if family.letter}


def family_of(tag: str | None, job_id: str) -> Family | None:
    """By the tag where it is known, else by the JobId's first letter; None where neither tells."""
    if tag is not None and tag in TAG_FAMILY:
        return FAMILIES[TAG_FAMILY[tag]]
    return _LETTER_FAMILY.get(job_id[:1])


# --- from what CI tells of a job back to a request ----------------------------------------

INPUT_READ_ONLY = frozenset({"BucketId", "Region", "CosHeaders"})
"""Children of Input that CI adds: the bucket is the host's, the headers are those of an upload."""

RESULT_NODES = frozenset(
    {
        "AITranslateResult",
        "AutoProcessResult",
        "Detection",  # of ImageOCR
        "DNAResult",
        "DnaResult",  # the Java and the Go SDK name it differently
        "DocProcessResult",
        "DocWatermarkResult",
        "FileCompressResult",
        "FileHashCodeResult",
        "FileUncompressResult",
        "ImageInspectResult",
        "Input",  # the sample of a workflow's Tts has the CosHeaders here
        "MediaInfo",
        "MediaResult",
        "PicProcessResult",
        "SoundHoundResult",
        "SpeechRecognitionResult",
        "SplitVideoInfoResult",
        "TemplateName",  # TemplateId is what counts
        "VideoTagResult",
        "VideoTargetRecResult",
        "VocalScoreResult",
        "WordsGeneralizeResult",
    }
)
"""Children of Operation that CI adds: they are no part of a request."""

RESULT_SUFFIX = "Result"
"""A child of Operation whose name ends so is a result too: no page has a request node like that."""

NESTED_RESULTS = (
    "Operation.QualityEstimate.Score",
    "Operation.QualityEstimate.VqaPlusResult",
    "Operation.DigitalWatermark.State",
    "Operation.ExtractDigitalWatermark.Message",
)
"""Results beside nodes of the request, as paths below JobsDetail."""

RENAMES = (("Operation.Output.StreamExtract.Output", "Object"),)
"""Nodes that a request names otherwise: path below JobsDetail (of each, where there is a list)."""

SECRET_NODES = (
    "Operation.DocProcess.DocPassword",
    "Operation.FileUncompressConfig.UnCompressKey",
    "Operation.FileCompressConfig.CompressKey",
    "Operation.Segment.HlsEncrypt.UriKey",
    "Operation.Transcode.TransConfig.HlsEncrypt.UriKey",
    "Operation.VideoEnhance.Transcode.TransConfig.HlsEncrypt.UriKey",
    "Operation.TtsConfig.Input",
)
"""What CI echoes of a request and nobody else should read, as paths below JobsDetail.

HlsEncrypt: submit page of Segment, and Request.TransConfig of the transcoding template.
TtsConfig.Input: the text to be spoken, or the name of the object that holds it.
"""
