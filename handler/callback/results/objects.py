"""Results of jobs on documents and files: tables for the record's `result`.

Sources, with the number of the page under cloud.tencent.com/document where there is one,
are named beside each table; GO is cos-go-sdk-v5. Paths begin below JobsDetail.
"""

from __future__ import annotations

from handler.callback.results.fields import Group, Rows
from handler.callback.results.leaves import boolean, etag, integer, key, moment, text, texts

# 文档转码: callback 1545/65203, submit page 436/54056; GO ci_doc.go.
DOC_PROCESS = Group(
    "Operation.DocProcessResult",
    "The pages of the document, and what was made of them",
    {
        "total_page_count": integer("TotalPageCount", "Pages in all", 3),
        "succeeded_page_count": integer("SuccPageCount", "Pages that were made", 2),
        "failed_page_count": integer("FailPageCount", "Pages that failed", 1),
        "total_sheet_count": integer("TotalSheetCount", "Sheets in all, of a table", 2),
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
        "watermark": Group(
            "WatermarkInfo",
            "The document with its watermark; null where none was put in",
            {
                "size_bytes": integer("Size", "Size", 24911, "bytes"),
                "etag": etag("Etag|ETag"),
                "page_count": integer("Page", "Its pages", 3),
            },
            optional=True,
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
        "etag": etag("Etag|ETag"),
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
        "etag": etag("Etag|ETag"),
    },
)

# 文件解压 436/83111: FileList only where ListingFile asked for it.
FILE_UNCOMPRESS = Group(
    "Operation.FileUncompressResult",
    "The extracted files",
    {
        "file_count": integer("FileCount", "Files that were taken out", 2),
        "bucket": text("Bucket", "Bucket that they were put into", "test-1250000000"),
        "region": text("Region", "Region of that bucket", "ap-chongqing"),
        "files": Rows(
            "FileList.Contents",
            "The files, where the job was asked to list them",
            {
                "object": key("Key", "Its key; maybe its name in the archive only", "output/1.jpg"),
                "size_bytes": integer("Size|FileSize|UncompressedSize", "Size", 46743, "bytes"),
                "last_modified_at": moment(
                    "LastModified", "When it was last changed", "2021-11-21T12:30:42Z"
                ),
                "etag": etag("ETag|Etag"),
            },
        ),
        "is_truncated": boolean("FileList.IsTruncated", "Whether there are more than listed"),
    },
)

# 多文件打包压缩 436/83113; ErrorCount beside ErrorDetail in GO ci_fileprocess.go.
FILE_COMPRESS = Group(
    "Operation.FileCompressResult",
    "The packed files",
    {
        "file_count": integer("CompressFileCount", "Files that were put in", 10),
        "error_count": integer("ErrorDetail.ErrorCount|ErrorCount", "Files that failed", 3),
        "error_files": texts("ErrorDetail.ErrorFile", "Which ones failed", ["test1.jpg"]),
        "object": key("Object", "Key of the archive", "output/test.zip"),
    },
)
