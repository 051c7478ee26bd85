"""Results of jobs on pictures: tables for the record's `result`.

Sources are named beside each table, with the number of the page under cloud.tencent.com/document
where there is one; GO, JAVA and IOS are the SDKs. Paths begin below JobsDetail. A job on several
pictures reports on each of them, with a State and a Code of its own.
"""

from __future__ import annotations

from handler.callback.results.fields import Fields, Group, Rows, Several, Values
from handler.callback.results.leaves import KEY, boolean, etag, integer, key, number, text

_PICTURE: Fields = {
    "format": text("Format", "Format", "JPEG"),
    "width_px": integer("Width", "Width", 500, "pixels"),
    "height_px": integer("Height", "Height", 417, "pixels"),
    "quality": integer("Quality", "Quality, 1 to 100", 68),
    "frame_count": integer("FrameCount", "Number of frames, of an animation", 12),
}

# GO AIGCMetadata: what the law of China asks to be written into what was made by a model.
_AIGC = Group(
    "AIGCMetadata",
    "The marks of generated content; null without marks",
    {
        "label": text("Label", "Kind of the content", "1"),
        "content_producer": text("ContentProducer", "Who produced it", "00119144030070846113"),
        "produce_id": text("ProduceID", "The producer's id of it", "f7c94ae5b4b29acc"),
        "reserved_code1": text("ReservedCode1", "Signature of the producer's part", "469b65dfd1c5"),
        "content_propagator": text("ContentPropagator", "Who spread it", "00119144030070846113"),
        "propagate_id": text("PropagateID", "Its id there", "f7c94ae5b4b29acc"),
        "reserved_code2": text("ReservedCode2", "Signature of that part", "469b65dfd1c5"),
    },
    optional=True,
)

# 图片处理回调 1045/49948. GO (PicProcessResult) has UploadResult around it, and Object below
# ProcessResults with a Key of its own; IOS has Object without ProcessResults.
PIC_PROCESS = Group(
    "Operation",
    "The pictures that were processed",
    {
        "results": Rows(
            "PicProcessResult",
            "The result of each picture",
            {
                "state": text("State", "How its processing ended", "Success"),
                "code": text("Code", "Code of its failure, or Success", "Success"),
                "message": text("Message", "Message of its failure", "Success"),
                "input_object": key("InputObjectName", "Key of the picture", "input/deer.jpg"),
                "objects": Values(
                    "ObjectName",
                    "Keys of what was made of it",
                    ["output/out.jpg"],
                    KEY,
                ),
                "url": text(
                    "ObjectUrl", "Address of the output", "https://example.com/output/out.jpg"
                ),
                "original": Group(
                    "UploadResult.OriginalInfo|OriginalInfo",
                    "The picture as it was; null where IsPicInfo did not ask for it",
                    {
                        "object": key("Key", "Key of the picture", "input/deer.jpg"),
                        "location": text("Location", "Its address", "example.com/input/deer.jpg"),
                        "format": text("ImageInfo.Format", "Format", "JPEG"),
                        "width_px": integer("ImageInfo.Width", "Width", 500, "pixels"),
                        "height_px": integer("ImageInfo.Height", "Height", 417, "pixels"),
                        "quality": integer("ImageInfo.Quality", "Quality, 1 to 100", 68),
                        "average_color": text("ImageInfo.Ave", "Average colour", "0xc64847"),
                        "orientation": integer("ImageInfo.Orientation", "Orientation of EXIF", 0),
                        "frame_count": integer(
                            "ImageInfo.FrameCount", "Number of frames, of an animation", 12
                        ),
                        "etag": etag("Etag|ETag"),
                    },
                    optional=True,
                ),
                "pictures": Rows(
                    "UploadResult.ProcessResults.Object|ProcessResults.Object|ProcessResult|Object",
                    "The pictures that were made of it",
                    {
                        "object": key("Key", "Key of the object, where sent", "output/out.jpg"),
                        "location": text("Location", "Its address", "example.com/output/out.jpg"),
                        **_PICTURE,
                        "size_bytes": integer("Size", "Size", 24911, "bytes"),
                        "etag": etag("Etag|ETag"),
                        "aigc": _AIGC,
                    },
                ),
            },
        ),
    },
)

_INSPECTED: Fields = {
    "state": text("State", "How the inspection ended", "Success"),
    "code": text("Code", "Its code", "Success"),
    "message": text("Message", "Its message", "Success"),
    "object": key("InputObjectName", "Key of the picture", "input/deer.jpg"),
    "url": text("InputObjectUrl", "Its address", "https://example.com/input/deer.jpg"),
    "suspicious": boolean("ProcessResult.Suspicious", "Whether it has hidden content"),
    "suspicious_type": text("ProcessResult.SuspiciousType", "The hidden content", "MPEG-TS"),
    "suspicious_begin_byte": integer(
        "ProcessResult.SuspiciousBeginByte", "Where that begins", 1024, "bytes"
    ),
    "suspicious_end_byte": integer(
        "ProcessResult.SuspiciousEndByte", "Where that ends", 2048, "bytes"
    ),
    "suspicious_size_bytes": integer("ProcessResult.SuspiciousSize", "Size of that", 1024, "bytes"),
    "picture_size_bytes": integer("ProcessResult.PicSize", "Size of the picture", 1024, "bytes"),
    "picture_type": text("ProcessResult.PicType", "Type of the picture", "jpg"),
    "auto_process_code": text(
        "ProcessResult.AutoProcessResult.Code", "Code of the automatic processing", "Success"
    ),
    "auto_process_message": text(
        "ProcessResult.AutoProcessResult.Message", "Message of the automatic processing", "Success"
    ),
}

# 图片可疑性检测 (黑产检测) 460/95990; ImageInspectResult in GO.
IMAGE_INSPECT = Several(
    "Operation.ImageInspectResult",
    "Whether the picture has hidden content",
    _INSPECTED,
    "The further pictures, where there were several",
)

_CORNERS: Fields = {
    "x_px": integer("X", "From the left edge", 12, "pixels"),
    "y_px": integer("Y", "From the upper edge", 34, "pixels"),
}


def _corner(name: str, where: str) -> Fields:
    return {
        f"{where}_x_px": integer(f"{name}.X", "From the left edge", 12, "pixels"),
        f"{where}_y_px": integer(f"{name}.Y", "From the upper edge", 34, "pixels"),
    }


_CHARACTER: Fields = {
    "character": text("Character", "The character", "数"),
    "confidence": number("Confidence", "Confidence, 0 to 100", 99.0),
    "corners": Rows(
        "WordCoordPoint[].WordCoordinate|WordCoordPoint", "Corners of the character", _CORNERS
    ),
}

_LINE: Fields = {
    "text": text("DetectedText", "The text", "数据万象"),
    "confidence": number("Confidence", "Confidence, 0 to 100", 99.0),
    "corners": Rows("Polygon", "Corners of the line", _CORNERS),
    "boxes": Rows(
        "ItemPolygon",
        "The line after the picture was rotated",
        {
            **_CORNERS,
            "width_px": integer("Width", "Width", 120, "pixels"),
            "height_px": integer("Height", "Height", 24, "pixels"),
        },
    ),
    "characters": Rows("Words", "Its characters", _CHARACTER),
    "word_corners": Rows(
        "WordPolygon",
        "Corners of its words",
        {
            **_corner("LeftTop", "left_top"),
            **_corner("RightTop", "right_top"),
            **_corner("RightBottom", "right_bottom"),
            **_corner("LeftBottom", "left_bottom"),
        },
    ),
}

OCR: Fields = {
    "state": text("State", "How the recognition ended", "Success"),
    "code": text("Code", "Its code", "Success"),
    "message": text("Message", "Its message", "Success"),
    "input_object": key("InputObjectName", "Key of the picture", "input/sign.jpg"),
    "input_url": text("InputObjectUrl", "Its address", "https://example.com/input/sign.jpg"),
    "object": key("ObjectName", "Key of the object that holds the result", "output/sign.json"),
    "url": text("ObjectUrl", "Its address", "https://example.com/output/sign.json"),
    "language": text("Language", "Language of the text", "zh"),
    "angle_deg": number("Angel", "Rotation of the picture", 0.5, "degrees"),
    "pdf_page_count": integer("PdfPageSize", "Number of pages, for a PDF", 3),
    "texts": Rows("TextDetections", "The lines of text", _LINE),
}

# 图片 OCR 460/102328; ImageOCRDetection in GO, TextDetection in JAVA. "Angel" is how CI writes it.
IMAGE_OCR = Several(
    "Operation.Detection|Operation.ImageOCRResult",
    "The text in the picture",
    OCR,
    "The further pictures, where there were several",
)
