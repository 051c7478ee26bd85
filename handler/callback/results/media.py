"""Results of jobs on sound and moving pictures: tables for the record's `result`.

Sources, with the number of the page under cloud.tencent.com/document: the callback pages
of each tag (436/85058 and its neighbours), media information 436/55672, its units
1045/47228, and the structs MediaInfo, MediaResult, QualityEstimate, DnaResult of
cos-go-sdk-v5's ci_media.go. Paths begin below JobsDetail.
"""

from __future__ import annotations

from handler.callback.results.fields import Fields, Group, Rows
from handler.callback.results.files import Files
from handler.callback.results.leaves import (
    bit_rate,
    boolean,
    integer,
    integers,
    moment,
    number,
    ratio,
    seconds,
    text,
)

_FORMAT: Fields = {
    "format_name": text("FormatName", "Container format", "mov,mp4,m4a,3gp,3g2,mj2"),
    "format_long_name": text("FormatLongName", "Container format in words", "QuickTime / MOV"),
    "duration_s": seconds("Duration", "Length", 13.654),
    "start_s": seconds("StartTime", "Begin of the recording", 0.0),
    "bit_rate_bps": bit_rate("Bitrate", "Bit rate of the whole file", 8867172),
    "size_bytes": integer("Size", "Size", 15134046, "bytes"),
    "stream_count": integer("NumStream", "Number of streams", 2),
    "program_count": integer("NumProgram", "Number of programs", 0),
}

_VIDEO: Fields = {
    "index": integer("Index", "Number of the stream, from 0", 0),
    "codec_name": text("CodecName", "Codec", "hevc"),
    "codec_long_name": text("CodecLongName", "Codec in words", "H.265 / HEVC"),
    "codec_tag": text("CodecTagString", "Codec's tag in the container", "hvc1"),
    "codec_tag_number": text("CodecTag", "The same as a number", "0x31637668"),
    "codec_time_base": text("CodecTimeBase", "Time base of the codec, in seconds", "1/50"),
    "time_base": text("Timebase", "Time base of the stream, in seconds", "1/12800"),
    "created_at": moment("CreationTime", "When it was recorded", "2019-06-20T09:05:38Z"),
    "profile": text("Profile", "Profile of the codec", "Main"),
    "level": number("Level", "Level of the codec", 31.0),
    "width_px": integer("Width", "Width", 1280, "pixels"),
    "height_px": integer("Height", "Height", 720, "pixels"),
    "sample_aspect_ratio": text("Sar", "Width to height of a pixel", "1:1"),
    "display_aspect_ratio": text("Dar", "Width to height of the picture", "16:9"),
    "rotation_deg": number("Rotation", "Rotation", 90.0, "degrees"),
    "pixel_format": text("PixFormat", "Pixel format", "yuv420p"),
    "color_range": text("ColorRange", "Colour range", "tv"),
    "color_primaries": text("ColorPrimaries", "Colour primaries", "bt470bg"),
    "color_transfer": text("ColorTransfer", "Colour transfer", "smpte170m"),
    "field_order": text("FieldOrder", "Order of the fields", "progressive"),
    "fps": ratio("Fps", "Frame rate", 25.0, "frames per second"),
    "avg_fps": ratio("AvgFps", "Average frame rate", 24.96, "frames per second"),
    "frame_count": integer("NumFrames", "Number of frames", 341),
    "b_frames": integer("HasBFrame", "Most B frames in a row", 2),
    "ref_frames": integer("RefFrames", "Number of reference frames", 1),
    "duration_s": seconds("Duration", "Length", 13.64),
    "start_s": seconds("StartTime", "Begin of the stream", 0.0),
    "bit_rate_bps": bit_rate("Bitrate", "Bit rate", 8733280),
    "language": text("Language", "Language", "und"),
}

_AUDIO: Fields = {
    "index": integer("Index", "Number of the stream, from 0", 1),
    "codec_name": text("CodecName", "Codec", "aac"),
    "codec_long_name": text("CodecLongName", "Codec in words", "AAC (Advanced Audio Coding)"),
    "codec_tag": text("CodecTagString", "Codec's tag in the container", "mp4a"),
    "codec_tag_number": text("CodecTag", "The same as a number", "0x6134706d"),
    "codec_time_base": text("CodecTimeBase", "Time base of the codec, in seconds", "1/44100"),
    "time_base": text("Timebase", "Time base of the stream, in seconds", "1/44100"),
    "created_at": moment("CreationTime", "When it was recorded", "2019-06-20T09:05:38Z"),
    "sample_format": text("SampleFmt", "Sample format", "fltp"),
    "sample_rate_hz": integer("SampleRate", "Sample rate", 44100, "hertz"),
    "channel_count": integer("Channel", "Number of channels", 2),
    "channel_layout": text("ChannelLayout", "Layout of the channels", "stereo"),
    "duration_s": seconds("Duration", "Length", 13.653),
    "start_s": seconds("StartTime", "Begin of the stream", 0.0),
    "bit_rate_bps": bit_rate("Bitrate", "Bit rate", 128726),
    "language": text("Language", "Language", "und"),
}

_SUBTITLE: Fields = {
    "index": integer("Index", "Number of the stream, from 0", 2),
    "language": text("Language", "Language", "chi"),
}

MEDIA_INFO = Group(
    "Operation.MediaInfo",
    "The media file that was made or analysed; null if the callback has none",
    {
        "format": Group("Format", "The file as a whole; null where absent", _FORMAT, optional=True),
        # IOS QCloudWorkflowMediaInfo has no Stream between.
        "video": Rows("Stream.Video|Video", "Its video streams", _VIDEO),
        "audio": Rows("Stream.Audio|Audio", "Its audio streams", _AUDIO),
        "subtitle": Rows("Stream.Subtitle", "Its subtitle streams", _SUBTITLE),
    },
    optional=True,
    name="media_info",
)

FILES = Files("Operation.MediaResult.OutputFile", "The files that were written")

# 超分辨率: State may be Failed in a job that is reported as a Success.
DIGITAL_WATERMARK = Group(
    "Operation.DigitalWatermark",
    "The digital watermark that was put in; null where none was asked for",
    {
        "message": text("Message", "Its text", "123456789ab"),
        "type": text("Type", "Its type", "Text"),
        "version": text("Version", "Its version", "V1"),
        "state": text("State", "The result: Success or Failed", "Success"),
        "ignore_error": boolean("IgnoreError", "Whether the job goes on without it"),
    },
    optional=True,
    name="digital_watermark",
)

_MEDIA_FIELDS: Fields = {
    "media": MEDIA_INFO,
    "files": FILES,
    "digital_watermark": DIGITAL_WATERMARK,
}

MEDIA = Group("", "The media files that were made", _MEDIA_FIELDS, name="media_result")

# 截帧
SNAPSHOT = Group(
    "",
    "The pictures that were taken",
    {
        "media": MEDIA_INFO,
        "files": Files("Operation.MediaResult.OutputFile", "The pictures"),
        "sprites": Files(
            "Operation.MediaResult.OutputFile.SpriteOutputFile", "The sheets of small pictures"
        ),
    },
)

# 获取媒体信息
MEDIA_INFO_JOB = Group("", "Properties of the media file", {"media": MEDIA_INFO})

# 提取数字水印
EXTRACT_DIGITAL_WATERMARK = Group(
    "Operation.ExtractDigitalWatermark",
    "The digital watermark that was found",
    {
        "message": text("Message", "Its text", "123456789ab"),
        "type": text("Type", "Its type", "Text"),
        "version": text("Version", "Its version", "V1"),
    },
)

# 视频质量评分 1045/49519; Mode vqaPlus 436/85025.
QUALITY_ESTIMATE = Group(
    "",
    "How good the video is",
    {
        "score": number("Operation.QualityEstimate.Score", "Score of the whole", 6.460358),
        "no_audio": boolean(
            "Operation.QualityEstimate.VqaPlusResult.NoAudio", "Whether it has no sound"
        ),
        "no_video": boolean(
            "Operation.QualityEstimate.VqaPlusResult.NoVideo", "Whether it has no picture"
        ),
        "defects": Rows(
            "Operation.QualityEstimate.VqaPlusResult.DetailedResult",
            "Defects, by kind",
            {
                "type": text("Type", "Kind of defect", "Blur"),
                "items": Rows(
                    "Items",
                    "Where it was seen",
                    {
                        "confidence": number("Confidence", "Confidence, 0 to 100", 90.0),
                        "begin_s": seconds("StartTimeOffset", "Begin in the video", 1.2),
                        "end_s": seconds("EndTimeOffset", "End in the video", 3.4),
                        "area_px": integers(
                            "AreaCoordSet",
                            "Two corners of the area: x1, y1, x2, y2",
                            [0, 0, 1280, 720],
                            "pixels",
                        ),
                    },
                ),
            },
        ),
        "media": MEDIA_INFO,
    },
)

# 视频 DNA 460/96115. The SDKs of Java and Go name the node differently. No page gives the
# unit of its times: taken as seconds, as in all other media jobs.
DNA = Group(
    "Operation.DNAResult|Operation.DnaResult",
    "Which videos of the library it resembles",
    {
        "video_id": text("VideoId", "Id of the video in the library", "v0b1a2c3d4e5f6071"),
        "duration_s": seconds("Duration", "Length of the video", 120.0),
        "matches": Rows(
            "Detection",
            "The videos that resemble it",
            {
                "video_id": text("VideoId", "Id of the other video", "v9f8e7d6c5b4a3021"),
                "similarity": number("Similar", "How similar the pictures are", 98.0),
                "audio_similarity": number("Audio.Similar", "How similar the sound is", 95.0),
                "similar_s": seconds("SimilarDuration", "Length of what is similar", 90.0),
                "duration_s": seconds("Duration", "Length of the other video", 100.0),
                "parts": Rows(
                    "MatchDetail",
                    "The similar segments",
                    {
                        "source_begin_s": seconds(
                            "SrcStartTime", "Begin on the side that CI calls Src", 0.0
                        ),
                        "source_end_s": seconds("SrcEndTime", "End on that side", 30.0),
                        "match_begin_s": seconds(
                            "MatchStartTime", "Begin on the side that CI calls Match", 5.0
                        ),
                        "match_end_s": seconds("MatchEndTime", "End on that side", 35.0),
                    },
                ),
            },
        ),
    },
)
