"""results_*.py: what differs between documents, SDKs and samples is read all the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.callback.test_record import job, valid


def result(tag: str, **operation: Any) -> Any:
    """The result of a job with these nodes."""
    return valid(job(Tag=tag, State="Success", Operation=operation))["result"]


def test_media_info_is_in_numbers_and_units() -> None:
    """One stream is a list of one."""
    info = {
        "Format": {"Duration": "13.654000", "Size": "15134046", "Bitrate": "8867.172000"},
        "Stream": {"Video": {"Width": "1280", "Fps": "50/1"}, "Audio": "", "Subtitle": {}},
    }
    media = result("MediaInfo", MediaInfo=info)["media"]
    assert media["format"]["duration_s"] == 13.654
    assert media["format"]["size_bytes"] * 8 / 13.654 == pytest.approx(8_867_172, abs=1)
    assert media["format"]["bit_rate_bps"] == 8_867_172
    (video,) = media["video"]
    assert (video["width_px"], video["fps"], video["avg_fps"]) == (1280, 50.0, None)
    assert (media["audio"], media["subtitle"]) == ([], [])


def test_empty_media_info_is_null() -> None:
    """The sample of Snapshot sends the nodes without anything in them."""
    empty = {"Format": "", "Stream": {"Audio": "", "Subtitle": "", "Video": ""}}
    assert result("Snapshot", MediaInfo=empty)["media"] is None
    assert result("Snapshot")["media"] is None


def test_the_sdks_form_of_a_picture_result_is_read() -> None:
    """UploadResult, as the Go SDK has it."""
    upload = {
        "OriginalInfo": {"ETag": '"abc"', "ImageInfo": {"Width": "500"}},
        "ProcessResults": {"Object": [{"Key": "/a.jpg", "Size": "10"}, {"Key": "b.jpg"}]},
    }
    read = result("PicProcess", PicProcessResult={"UploadResult": upload})
    assert (read["original"]["etag"], read["original"]["width_px"]) == ("abc", 500)
    assert [one["object"] for one in read["pictures"]] == ["a.jpg", "b.jpg"]
    assert read["pictures"][0]["size_bytes"] == 10


@pytest.mark.parametrize(
    ("sent", "etag"), [('"abc"', "abc"), ("abc", "abc"), ('"X-2"', "X-2"), ('""', None), ("", None)]
)
def test_an_etag_has_no_quotes(sent: str, etag: str | None) -> None:
    """CI sends it with them in one place and without in another."""
    read = result("PicProcess", PicProcessResult={"ProcessResult": {"Key": "a", "Etag": sent}})
    assert read["pictures"][0]["etag"] == etag


@pytest.mark.parametrize("name", ["DNAResult", "DnaResult"])
def test_both_names_of_a_dna_result_are_read(name: str) -> None:
    """The SDKs differ."""
    read = result("DNA", **{name: {"VideoId": "v1", "Detection": {"VideoId": "v2"}}})
    assert read["video_id"] == "v1"
    assert [match["video_id"] for match in read["matches"]] == ["v2"]


@pytest.mark.parametrize(
    "sent", [{"ErrorCount": 2}, {"ErrorDetail": {"ErrorCount": "2"}, "ErrorCount": ""}]
)
def test_failures_of_an_archive_are_counted_in_either_place(sent: Any) -> None:
    """The page and the SDK differ."""
    assert result("FileCompress", FileCompressResult=sent)["error_count"] == 2


@pytest.mark.parametrize("hash_name", ["MD5", "SHA1", "SHA256"])
def test_the_hash_that_was_asked_for_is_told(hash_name: str) -> None:
    """The others are null."""
    read = result("FileHashCode", FileHashCodeResult={hash_name: "abc", "FileSize": "123"})
    hashes = {name: read[name] for name in ("md5", "sha1", "sha256")}
    assert hashes == {"md5": None, "sha1": None, "sha256": None} | {hash_name.lower(): "abc"}
    assert read["size_bytes"] == 123
