"""outputs.py: the objects that were really written."""

from __future__ import annotations

from typing import Any

import pytest

from handler.callback import outputs
from handler.callback.converters import MAX_KEY_CHARS
from handler.callback.outputs import Named
from handler.errors import PayloadError
from tests.callback.test_record import job, valid

OUT = {"Bucket": "b-1", "Region": "r"}


def keys(**operation: Any) -> list[Any]:
    """The keys of the outputs of a successful job; all of them in b-1."""
    written: Any = valid(job(State="Success", Operation={"Output": OUT, **operation}))["outputs"]
    assert all((output["bucket"], output["region"]) == ("b-1", "r") for output in written)
    return [output["object"] for output in written]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (
            {"DocProcessResult": {"PageInfo": [{"TgtUri": "1.jpg"}, {"TgtUri": "2.jpg"}]}},
            ["1.jpg", "2.jpg"],
        ),
        ({"DocProcessResult": {"PageInfo": {"TgtUri": "1.jpg"}}}, ["1.jpg"]),
        ({"PicProcessResult": {"ObjectName": ["a.jpg", "b.jpg"]}}, ["a.jpg", "b.jpg"]),
        (
            {
                "PicProcessResult": {
                    "UploadResult": {"ProcessResults": {"Object": {"Key": "a.jpg"}}}
                }
            },
            ["a.jpg"],
        ),
        (
            {
                "SpeechRecognitionResult": {
                    "DetailObjectName": "/a.txt.detail",
                    "ObjectName": "/a.txt",
                }
            },
            ["a.txt", "a.txt.detail"],
        ),
        ({"FileCompressResult": {**OUT, "Object": "a.zip"}}, ["a.zip"]),
        (
            {
                "FileUncompressResult": {
                    **OUT,
                    "FileList": {"Contents": [{"Key": "a"}, {"Key": "b"}]},
                }
            },
            ["a", "b"],
        ),
        (
            {"MediaResult": {"OutputFile": {**OUT, "ObjectName": ["a", "b", "a"]}}},
            ["a", "b"],
        ),
        (
            {"MediaResult": {"OutputFile": {**OUT, "ObjectName": "a", "ObjectPrefix": "/p/"}}},
            ["p/a"],
        ),
    ],
)
def test_they_are_read_where_the_callback_names_them(operation: Any, expected: list[str]) -> None:
    """What was asked for then counts for nothing."""
    asked = {**OUT, "Object": "asked-for"}
    assert keys(**{"Output": asked, **operation}) == expected


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({"Object": "out.mp3"}, ["out.mp3"]),
        (
            {"Object": "b.mp3", "AuObject": "v.mp3", "BassObject": "", "DrumObject": "d.mp3"},
            ["b.mp3", "v.mp3", "d.mp3"],
        ),
        ({"Object": "shot-${number}.jpg", "SpriteObject": "sprite.jpg"}, ["sprite.jpg"]),
        ({"StreamExtract": [{"Index": "0", "Output": "0"}, {"Output": "1"}]}, ["0", "1"]),
        ({"StreamExtract": {"Index": "0", "Object": "0"}}, ["0"]),
    ],
)
def test_else_they_are_what_was_asked_for(output: Any, expected: list[str]) -> None:
    """Never a template."""
    assert keys(Output={**OUT, **output}) == expected


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (Named("File", "Name"), ["out", "a"]),
        (Named("File", "Name", "child"), ["result", "a"]),
        (Named("File", "Name", "node"), ["file", "a"]),
        (Named("File", "Name", "node", "Prefix"), ["file", "p/a"]),
        (Named("File", "Deep.Name"), ["out", "b"]),
        (Named("", "File.Name"), ["out", "a"]),
        (Named("File", "Name", is_known=lambda operation, name: name != "a"), None),
        (Named("", "Name"), None),
    ],
)
def test_a_row_says_where_names_and_their_bucket_are(row: Named, place: list[str] | None) -> None:
    """As paths below one child of Operation."""
    file = {"Name": "a", "Prefix": "p/", "Bucket": "file", "Deep": {"Name": "b"}}
    operation: Any = {
        "Output": {"Bucket": "out"},
        "Result": {"File": file, "Bucket": "result", "": "x"},
    }
    expected = [{"bucket": place[0], "region": None, "object": place[1]}] if place else []
    assert outputs.of_job(operation, {}, "failed", {"Other": (row,), "Result": (row,)}) == expected


def test_each_of_several_nodes_has_its_own_bucket_and_prefix() -> None:
    """One output file may come as a list of them."""
    files = [
        {"Bucket": "b-1", "Region": "r", "ObjectPrefix": "p/", "ObjectName": ["a", "b"]},
        {"Bucket": "b-1", "Region": "r", "ObjectName": "c"},
    ]
    assert keys(MediaResult={"OutputFile": files}) == ["p/a", "p/b", "c"]


FAILED = {"State": "Failed", "Code": "ImageTooLarge", "ObjectName": "bad.jpg"}


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([{"State": "Success", "ObjectName": "a.jpg"}, FAILED], ["a.jpg"]),
        ([FAILED, {"Code": "Success", "ObjectName": "a.jpg"}], ["a.jpg"]),
        ([{"Code": "Denied", "ObjectName": "bad.jpg"}], []),
        (FAILED, []),
        ({"State": "Failed"}, []),
        ([{"State": "Cancel", "ObjectName": "bad.jpg"}], []),
        ([{"State": "running", "ObjectName": "later.jpg"}, {"ObjectName": "a.jpg"}], ["a.jpg"]),
    ],
)
def test_what_failed_was_not_written(results: Any, expected: list[str]) -> None:
    """Nor was then what was asked for."""
    asked = {**OUT, "Object": "asked-for"}
    assert keys(Output=asked, PicProcessResult=results) == expected


def test_a_failure_elsewhere_does_not_say_that_the_output_is_missing() -> None:
    """The watermark failed, and the job wrote its output all the same."""
    assert keys(Output={**OUT, "Object": "o"}, DigitalWatermark={"State": "Failed"}) == ["o"]


def test_a_job_that_was_asked_for_no_output_wrote_none() -> None:
    """A translation whose text comes with the callback."""
    asked = {**OUT, "Object": "zh.txt"}
    assert keys(Output=asked, NoNeedOutput="true") == []
    assert keys(Output=asked, NoNeedOutput="false") == ["zh.txt"]


@pytest.mark.parametrize("sent", ["Manifest", "Prefix", "UrlFile"])
def test_a_batch_writes_nothing_itself(sent: str) -> None:
    """Its Output is that of the jobs that it starts."""
    record = job(State="Success", Input={sent: "x"}, Operation={"Output": {**OUT, "Object": "o"}})
    assert record.outputs == []


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ["a.jpg", "out/b.jpg"]),
        ({"PrefixReplaced": "0"}, ["a.jpg", "out/b.jpg"]),
        ({"Prefix": "out/"}, ["out/b.jpg"]),
        ({"Prefix": "out/", "PrefixReplaced": "1"}, ["out/b.jpg"]),
        ({"Prefix": "/out/", "PrefixReplaced": "1"}, ["out/b.jpg"]),
        ({"Prefix": "elsewhere"}, []),
        ({"PrefixReplaced": "1"}, []),
        ({"PrefixReplaced": "2"}, []),
    ],
)
def test_a_file_of_an_archive_is_an_output_where_its_key_is_known(
    config: Any, expected: list[str]
) -> None:
    """Key may be the name within the archive, and then it is not known what stands before it."""
    files = {"Contents": [{"Key": "a.jpg"}, {"Key": "out/b.jpg"}]}
    result = {**OUT, "FileList": files}
    assert keys(FileUncompressConfig=config, FileUncompressResult=result) == expected


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("https://b-125.cos.ap-chongqing.myqcloud.com/a/b.jpg", ("b-125", "ap-chongqing")),
        ("http://b-125.cos.eu-x.myqcloud.com/?x=1", ("b-125", "eu-x")),
        ("https://cdn.example.com/a.jpg", (None, None)),
        ("https://b-125.cos.ap-x.myqcloud.com.evil.example/a", (None, None)),
        ("", (None, None)),
        (None, (None, None)),
    ],
)
def test_bucket_and_region_are_read_from_an_address(address: str | None, place: Any) -> None:
    """Where it is one of COS's own."""
    assert outputs.place_of(address) == place


def test_a_checksum_belongs_to_its_file() -> None:
    """With and without the prefix in its name."""
    file = {
        "ObjectPrefix": "p/",
        "ObjectName": ["a", "b", "c", "${x}"],
        "Md5Info": [{"ObjectName": "a", "Md5": "1"}, {"ObjectName": "p/b", "Md5": "2"}],
    }
    record = job(Tag="Snapshot", Operation={"MediaResult": {"OutputFile": file}})
    result: Any = valid(record)["result"]
    assert result["files"] == [
        {"object": "p/a", "md5": "1", "url": None},
        {"object": "p/b", "md5": "2", "url": None},
        {"object": "p/c", "md5": None, "url": None},
    ]


@pytest.mark.parametrize(
    ("urls", "read"), [(["u1", "u2"], ["u1", "u2"]), (["u1"], [None, None]), ("", [None, None])]
)
def test_an_address_belongs_to_the_file_of_the_same_place(urls: Any, read: Any) -> None:
    """Where there are as many of them as names."""
    file = {"ObjectName": ["a", "b"], "ObjectUrl": urls}
    record = job(Tag="Transcode", Operation={"MediaResult": {"OutputFile": file}})
    result: Any = valid(record)["result"]
    assert [file["url"] for file in result["files"]] == read


def test_a_prefix_is_written_out_so_often_and_no_more() -> None:
    """A prefix that no key has gives no output, however often it is named."""
    prefix = "p" * MAX_KEY_CHARS
    often = outputs.MAX_PREFIX_CHARS // len(prefix)
    assert len(list(outputs.keys(prefix, [""] * often))) == often
    with pytest.raises(PayloadError) as caught:
        list(outputs.keys(prefix, [""] * (often + 1)))
    assert str(caught.value) == "outputs_too_long: one long prefix for very many objects"
    assert list(outputs.keys(prefix + "p", [""] * (often + 1))) == []
