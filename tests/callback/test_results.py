"""results/: what differs between documents, SDKs and samples is read all the same."""

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
    (read,) = result("PicProcess", PicProcessResult={"UploadResult": upload})["results"]
    assert (read["original"]["etag"], read["original"]["width_px"]) == ("abc", 500)
    assert [picture["object"] for picture in read["pictures"]] == ["a.jpg", "b.jpg"]
    assert read["pictures"][0]["size_bytes"] == 10


@pytest.mark.parametrize(
    ("sent", "etag"), [('"abc"', "abc"), ("abc", "abc"), ('"X-2"', "X-2"), ('""', None), ("", None)]
)
def test_an_etag_has_no_quotes(sent: str, etag: str | None) -> None:
    """CI sends it with them in one place and without in another."""
    sent_result = {"ProcessResult": {"Key": "a", "Etag": sent}}
    (read,) = result("PicProcess", PicProcessResult=sent_result)["results"]
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
def test_the_requested_hash_is_in_the_result(hash_name: str) -> None:
    """The others are null."""
    read = result("FileHashCode", FileHashCodeResult={hash_name: "abc", "FileSize": "123"})
    hashes = {name: read[name] for name in ("md5", "sha1", "sha256")}
    assert hashes == {"md5": None, "sha1": None, "sha256": None} | {hash_name.lower(): "abc"}
    assert read["size_bytes"] == 123


@pytest.mark.parametrize(
    ("tag", "node"), [("ImageInspect", "ImageInspectResult"), ("ImageOCR", "Detection")]
)
def test_of_several_pictures_none_is_left_out(tag: str, node: str) -> None:
    """The first as ever, and the others beside it."""
    first = {"State": "Success", "InputObjectName": "a.jpg"}
    other = {"State": "Failed", "Code": "Denied", "InputObjectName": "b.jpg"}
    key = "object" if tag == "ImageInspect" else "input_object"
    for sent, others in ((first, []), ([first], []), ([first, other], ["b.jpg"])):
        read = result(tag, **{node: sent})
        assert (read["state"], read[key]) == ("Success", "a.jpg")
        assert [further[key] for further in read["others"]] == others


@pytest.mark.parametrize(
    "words",
    [
        {"Character": "", "Confidence": "0", "WordCoordPoint": ""},
        [
            {
                "Character": "",
                "Confidence": "0",
                "WordCoordPoint": {"WordCoordinate": {"X": "0", "Y": "0"}},
            }
        ],
        [{}, {"Confidence": "0.0"}],
    ],
)
def test_an_empty_node_makes_no_row(words: Any) -> None:
    """Zeros beside an empty text say nothing."""
    (line,) = result(
        "ImageOCR", Detection={"TextDetections": {"DetectedText": "a", "Words": words}}
    )["texts"]
    assert line["characters"] == []


def test_a_row_of_zeros_is_a_row_where_it_has_no_text() -> None:
    """The first part of a video begins at 0."""
    parts = {"TimeInfo": [{"Index": "0", "PartBegin": "0", "PartEnd": "0"}, ""]}
    read = result("SplitVideoParts", SplitVideoInfoResult=parts)
    assert read["parts"] == [{"index": 0, "begin_s": 0.0, "end_s": 0.0}]


PLACE = {"X": "1", "Y": "2", "Width": "3", "Height": "4"}
FOUND = {"Name": "n", "Score": "80", "Location": PLACE}
DETAILS = {"ResultDetails": {"Time": "1", "ResultInfo": FOUND}}


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({"BodyRecognition": {"Time": "1", "BodyInfo": FOUND}}, "bodies"),
        ({"BodyRecognitionResult": DETAILS}, "bodies"),
        ({"PetRecognitionResult": [DETAILS]}, "pets"),
        ({"CarRecognitionResult": [{"FusionScore": "9", **DETAILS}]}, "cars"),
        ({"FaceRecognition": [{"Time": "1", "FaceInfo": [FOUND]}]}, "faces"),
        ({"LicenseRecognitionResult": {"Time": "1", "PlateInfo": FOUND}}, "plates"),
        ({"LicenseRecognitionResult": {"FusionScore": "9", **DETAILS}}, "plates"),
        ({"CarPlateRecognition": {"Time": "1", "CarPlateInfo": FOUND}}, "plates"),
    ],
)
def test_targets_are_read_in_each_form_of_the_sdks(sent: Any, kind: str) -> None:
    """And none of another kind appears."""
    read = result("VideoTargetRec", VideoTargetRecResult=sent)
    (moment,) = read[kind]
    assert (moment["time_s"], moment["found"][0]["name"]) == (1.0, "n")
    kinds = {"bodies", "pets", "cars", "faces", "plates"} - {kind}
    assert not any(read[other] for other in kinds)
