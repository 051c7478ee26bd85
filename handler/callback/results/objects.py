"""What jobs on pictures, documents and files find out: tables for the record's `result`.

Sources, with the number of the page under cloud.tencent.com/document where there is one,
are named beside each table; GO is cos-go-sdk-v5. Paths begin below JobsDetail.
"""

from __future__ import annotations

from handler.callback.converters import as_key
from handler.callback.results.fields import (
    Fields,
    Group,
    Leaf,
    Rows,
    Values,
    boolean,
    integer,
    key,
    moment,
    text,
    texts,
)


def _etag(path: str) -> Leaf:
    """An ETag; CI sends it with its quotes in one place and without in another."""
    example = "d5a491cd3d8d071e3212c3478e8e35a1"
    return Leaf(path, "ETag, without its quotes", example, "string", _unquoted)


def _unquoted(sent: str | None) -> str | None:
    return (sent or "").strip('"') or None


_PICTURE: Fields = {
    "format": text("Format", "Format", "JPEG"),
    "width_px": integer("Width", "Width", 500, "pixels"),
    "height_px": integer("Height", "Height", 417, "pixels"),
    "quality": integer("Quality", "Quality, 1 to 100", 68),
}

# 图片处理回调 1045/49948. GO (PicProcessResult) has UploadResult around it, and Object below
# ProcessResults with a Key of its own.
PIC_PROCESS = Group(
    "Operation.PicProcessResult.UploadResult|Operation.PicProcessResult",
    "The picture as it was, and the pictures that were made of it",
    {
        "original": Group(
            "OriginalInfo",
            "The picture as it was; null where IsPicInfo did not ask for it",
            {
                "format": text("ImageInfo.Format", "Format", "JPEG"),
                "width_px": integer("ImageInfo.Width", "Width", 500, "pixels"),
                "height_px": integer("ImageInfo.Height", "Height", 417, "pixels"),
                "quality": integer("ImageInfo.Quality", "Quality, 1 to 100", 68),
                "average_color": text("ImageInfo.Ave", "Average colour", "0xc64847"),
                "orientation": integer("ImageInfo.Orientation", "Orientation of EXIF", 0),
                "etag": _etag("Etag|ETag"),
            },
            optional=True,
        ),
        "pictures": Rows(
            "ProcessResult|ProcessResults.Object",
            "The pictures that were made",
            {
                "object": key("Key", "Key of the object, where it is told", "output/out.jpg"),
                **_PICTURE,
                "size_bytes": integer("Size", "Size", 24911, "bytes"),
                "etag": _etag("Etag|ETag"),
            },
        ),
        "objects": Values(
            "ObjectName", "Keys of the objects", ["output/out.jpg"], "string", as_key
        ),
    },
)

# 图片可疑性检测 (黑产检测); ImageInspectResult in GO.
IMAGE_INSPECT = Group(
    "Operation.ImageInspectResult",
    "Whether something foreign hides in the picture",
    {
        "state": text("State", "How the inspection ended", "Success"),
        "code": text("Code", "Its code", "Success"),
        "message": text("Message", "Its message", "Success"),
        "object": key("InputObjectName", "Key of the picture", "input/deer.jpg"),
        "suspicious": boolean("ProcessResult.Suspicious", "Whether something hides in it"),
        "suspicious_type": text("ProcessResult.SuspiciousType", "What hides in it", "MPEG-TS"),
        "suspicious_begin_byte": integer(
            "ProcessResult.SuspiciousBeginByte", "Where that begins", 1024, "bytes"
        ),
        "suspicious_end_byte": integer(
            "ProcessResult.SuspiciousEndByte", "Where that ends", 2048, "bytes"
        ),
        "suspicious_size_bytes": integer(
            "ProcessResult.SuspiciousSize", "Size of that", 1024, "bytes"
        ),
        "picture_size_bytes": integer(
            "ProcessResult.PicSize", "Size of the picture", 1024, "bytes"
        ),
        "picture_type": text("ProcessResult.PicType", "Type of the picture", "jpg"),
        "auto_process_code": text(
            "ProcessResult.AutoProcessResult.Code", "Code of what was done about it", "Success"
        ),
        "auto_process_message": text(
            "ProcessResult.AutoProcessResult.Message", "Message of what was done", "Success"
        ),
    },
)

# 文档转码: callback 1545/65203, submit page 436/54056; GO ci_doc.go.
DOC_PROCESS = Group(
    "Operation.DocProcessResult",
    "The pages of the document, and what was made of them",
    {
        "total_page_count": integer("TotalPageCount", "Pages in all", 3),
        "succeeded_page_count": integer("SuccPageCount", "Pages that were made", 2),
        "failed_page_count": integer("FailPageCount", "Pages that failed", 1),
        "target_type": text("TgtType", "File type of the output", "jpg"),
        "task_id": text("TaskId", "TaskId", "d89c4cf4a728311ebb1229f23e6c9963b"),
        "pages": Rows(
            "PageInfo",
            "The pages that were made",
            {
                "page": integer("PageNo", "Number of the page; of the sheet, for a table", 1),
                "object": key("TgtUri", "Key of the object", "test1/1.jpg"),
                "sheet_picture_count": integer(
                    "X-SheetPics", "Pictures that were made of the sheet, for a table", 2
                ),
                "picture_in_document": integer(
                    "PicIndex", "Number of the picture in the document, for a table", 1
                ),
                "picture_in_sheet": integer(
                    "PicNum", "Number of the picture in its sheet, for a table", 1
                ),
            },
        ),
    },
)

# 文档水印; DocWatermarkResult in GO ci_doc.go.
DOC_WATERMARK = Group(
    "Operation.DocWatermarkResult",
    "The document with its watermark",
    {
        "total_page_count": integer("TotalPageCount", "Pages in all", 3),
        "size_bytes": integer("Size", "Size", 24911, "bytes"),
        "etag": _etag("Etag|ETag"),
    },
)

# 哈希值计算 436/83109; GO ci_fileprocess.go.
FILE_HASH_CODE = Group(
    "Operation.FileHashCodeResult",
    "The hash of the file: the one that was asked for",
    {
        "md5": text("MD5", "MD5, in hexadecimal", "5d41402abc4b2a76b9719d911017c592"),
        "sha1": text("SHA1", "SHA-1, in hexadecimal", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"),
        "sha256": text(
            "SHA256",
            "SHA-256, in hexadecimal",
            "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        ),
        "size_bytes": integer("FileSize", "Size of the file", 123, "bytes"),
        "last_modified_at": moment(
            "LastModified", "When the file was last changed", "2022-06-27T07:23:11Z"
        ),
        "etag": _etag("Etag|ETag"),
    },
)

# 文件解压 436/83111: FileList only where ListingFile asked for it.
FILE_UNCOMPRESS = Group(
    "Operation.FileUncompressResult",
    "What was taken out of the archive",
    {
        "file_count": integer("FileCount", "Files that were taken out", 2),
        "files": Rows(
            "FileList.Contents",
            "The files, where the job was asked to list them",
            {
                "object": key("Key", "Key of the object", "output/1.jpg"),
                "size_bytes": integer("Size|UncompressedSize", "Size", 46743, "bytes"),
                "last_modified_at": moment(
                    "LastModified", "When it was last changed", "2021-11-21T12:30:42Z"
                ),
                "etag": _etag("ETag|Etag"),
            },
        ),
        "is_truncated": boolean("FileList.IsTruncated", "Whether there are more than listed"),
    },
)

# 多文件打包压缩 436/83113; ErrorCount beside ErrorDetail in GO ci_fileprocess.go.
FILE_COMPRESS = Group(
    "Operation.FileCompressResult",
    "What was put into the archive",
    {
        "file_count": integer("CompressFileCount", "Files that were put in", 10),
        "error_count": integer("ErrorDetail.ErrorCount|ErrorCount", "Files that failed", 3),
        "error_files": texts("ErrorDetail.ErrorFile", "Which ones failed", ["test1.jpg"]),
        "object": key("Object", "Key of the archive", "output/test.zip"),
    },
)
