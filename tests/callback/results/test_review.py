"""review.py: what moderation found, in both forms."""

from __future__ import annotations

from typing import Any

import pytest

from handler.callback.results.review import REVIEW
from tests.callback.test_record import records, valid
from tests.callback.twins import as_json


def detail(event: str = "ReviewImage", **nodes: Any) -> Any:
    """The record of a Detail callback, as JSON."""
    tree = {"JobId": "r1", "State": "Success"} | nodes
    (record,) = records(as_json({"EventName": event, "JobsDetail": tree}))
    return valid(record)


def simple(**data: Any) -> Any:
    """The record of a Simple callback, as JSON."""
    tree = {"code": 0, "message": "success", "data": {"trace_id": "r1", **data}}
    (record,) = records(as_json(tree))
    return valid(record)


def test_a_detail_is_a_record_of_its_own_kind() -> None:
    """What it found is a number, and no matter of its outcome."""
    read = detail(
        BucketId="b-1",
        Region="ap-x",
        Object="a.jpg",
        CreationTime="2021-08-10T21:01:10+08:00",
        Result=1,
        Label="Porn",
        Score=99,
        ForbidState=1,
        CosHeaders={"x-cos-meta-id": "7"},
    )
    assert (read["kind"], read["event"], read["tag"]) == ("review", "ReviewImage", None)
    assert (read["outcome"], read["created_at"]) == ("succeeded", "2021-08-10T13:01:10Z")
    assert (read["input"]["object"], read["input"]["headers"]) == ("a.jpg", {"x-cos-meta-id": "7"})
    review = read["result"]
    assert (review["result"], review["label"], review["score"]) == (1, "Porn", 99.0)
    assert review["forbidden_status"] == 1


def test_a_simple_one_gives_the_same_fields() -> None:
    """So that one table holds both; its state is null."""
    read = simple(
        event="ReviewImage",
        url="https://example.com/a.jpg",
        result=2,
        forbidden_status=0,
        data_id="mine",
        porn_info={"hit_flag": 2, "label": "Sexy", "score": 80},
    )
    assert set(read["result"]) == set(detail()["result"])
    assert (read["state"], read["code"], read["message"]) == (None, "0", "success")
    assert read["input"]["url"] == "https://example.com/a.jpg"
    assert (read["result"]["result"], read["result"]["data_id"]) == (2, "mine")
    (scene,) = read["result"]["scenes"]
    said = {name: value for name, value in scene.items() if value not in (None, [])}
    assert said == {"scene": "porn", "hit": 2, "score": 80.0, "label": "Sexy"}


def test_a_failed_simple_one_has_failed() -> None:
    """A code other than 0 says so."""
    (record,) = records(as_json({"code": -61011, "message": "x", "data": {"trace_id": "r1"}}))
    assert (record.outcome, record.code) == ("failed", "-61011")


def test_a_simple_one_without_a_code_is_not_failed() -> None:
    """It says nothing of how it ended."""
    (record,) = records(as_json({"data": {"trace_id": "r1", "result": 0}}))
    assert (record.outcome, record.code) == ("unknown", "")


def test_scenes_are_found_by_what_they_hold() -> None:
    """Below Labels for documents and web pages; UserInfo and ListInfo are no scenes."""
    read = detail(
        "ReviewDocument",
        Suggestion=2,
        Labels={"PornInfo": {"HitFlag": 0}, "PoliticsInfo": {"HitFlag": 2}},
        UserInfo={"TokenId": "t"},
        ListInfo={"ListResults": []},
        OddInfo="text",
    )
    assert read["result"]["result"] == 2
    scenes = {scene["scene"]: scene["hit"] for scene in read["result"]["scenes"]}
    assert scenes == {"porn": 0, "politics": 2}


def test_parts_hold_the_place_of_what_was_found() -> None:
    """Pictures, sounds, sections, pages and texts; times in seconds."""
    read = detail(
        "ReviewVideo",
        Snapshot={"SnapshotTime": 1500, "Result": 1, "PornInfo": {"HitFlag": 1, "Score": 99}},
        AudioSection=[{"OffsetTime": 0, "Duration": 30000, "Label": "Normal"}],
        Section=[{"OffsetTime": 5000}],
        PageSegment={"Results": {"PageNumber": 3, "Suggestion": 0}},
        ImageResults={"Results": [{"Url": "u"}]},
        TextResults={"Results": [{"Label": "Ads"}]},
    )
    parts = read["result"]["parts"]
    kinds = [part["kind"] for part in parts]
    assert kinds == ["picture", "sound", "section", "page", "picture", "text"]
    assert (parts[0]["begin_s"], parts[0]["result"]) == (1.5, 1)
    assert parts[0]["scenes"][0]["score"] == 99.0
    assert (parts[1]["begin_s"], parts[1]["duration_s"]) == (0.0, 30.0)
    assert (parts[3]["page"], parts[3]["result"]) == (3, 0)


def test_parts_may_repeat_and_scenes_may_not() -> None:
    """So parts are lists in the details, though one was sent."""
    lists = list(REVIEW.lists())
    assert lists[: lists.index("Snapshot")] == ["LanguageResults"]
    assert not any("Info" in name for name in lists if "ListInfo" not in name and "Ocr" not in name)
    assert lists[lists.index("Snapshot") :][:6] == [
        "Snapshot",
        "AudioSection",
        "Section",
        "PageSegment.Results",
        "ImageResults.Results",
        "TextResults.Results",
    ]


def test_unfinished_reviews_are_reported_and_are_unfinished() -> None:
    """A live one is told while it runs."""
    assert detail("ReviewVideo", State="Auditing")["outcome"] == "unfinished"


LOCATION = {"X": 1.5, "Y": 2, "Width": 3, "Height": 4, "Rotate": 5}
PLACE = {"x_px": 1.5, "y_px": 2.0, "width_px": 3.0, "height_px": 4.0, "rotation_deg": 5.0}


def scene(**nodes: Any) -> Any:
    """The one scene of a review."""
    (reviewed_scene,) = detail(AdsInfo={"HitFlag": 1, **nodes})["result"]["scenes"]
    return reviewed_scene


@pytest.mark.parametrize("sent", ["one, two,", ["one", "two"], ["one,two"]])
def test_keywords_are_a_list_in_whichever_form_they_come(sent: Any) -> None:
    """Text has them with commas between, pictures and sounds as a list."""
    assert scene(Keywords=sent)["keywords"] == ["one", "two"]
    assert scene(Keywords="")["keywords"] == []


def test_a_scene_says_where_in_the_picture_and_of_which_library() -> None:
    """Texts, things and samples, of which one is a list of one."""
    read = scene(
        OcrResults={"Text": "t", "Keywords": ["k"], "SubLabel": "s", "Location": LOCATION},
        ObjectResults=[{"Name": "flag", "SubLabel": "s", "Location": LOCATION}],
        LibResults=[{"ImageId": "i", "Score": 88}, {"LibType": 2, "LibName": "l", "Keywords": "k"}],
    )
    assert read["texts"] == [{"text": "t", "sub_label": "s", "keywords": ["k"], **PLACE}]
    assert read["objects"] == [{"name": "flag", "sub_label": "s", **PLACE}]
    first, second = read["libraries"]
    assert (first["image_id"], first["score"], first["name"]) == ("i", 88.0, None)
    assert (second["type"], second["name"], second["keywords"]) == (2, "l", ["k"])


def test_a_scene_says_where_in_the_text_and_in_the_recording() -> None:
    """Words with their places, and voices with their times in seconds."""
    read = scene(
        HitInfos={"Type": "Keyword", "Keyword": "k", "Positions": {"Start": "3", "End": "6"}},
        SpeakerResults={"Label": "woman", "Score": 90, "StartTime": 0, "EndTime": 1200},
    )
    (hit,) = read["hits"]
    assert (hit["keywords"], hit["positions"]) == (["k"], [{"begin_chars": 3, "end_chars": 6}])
    voice = {"label": "woman", "score": 90.0, "begin_s": 0.0, "end_s": 1.2}
    assert (read["speakers"], read["sounds"]) == ([voice], [])


@pytest.mark.parametrize(
    ("sent", "verdict"),
    [(0, 0), ("2", 2), ("normal", 0), ("nomal", 0), ("block", 1), ("Block", 1), ("odd", None)],
)
def test_a_verdict_is_a_number(sent: Any, verdict: int | None) -> None:
    """Virus detection says it in words."""
    assert detail(Suggestion=sent)["result"]["result"] == verdict


def test_viruses_are_listed_by_file() -> None:
    """In XML one of them is no list."""
    for sent in ({"FileName": "f", "VirusName": "v"}, [{"FileName": "f", "VirusName": "v"}]):
        read = detail(DetectDetail={"Result": sent})
        assert read["result"]["viruses"] == [{"file": "f", "virus": "v"}]


def test_what_the_request_said_of_the_user_is_kept_apart() -> None:
    """With the lists of the user's own, and the copy that was made."""
    read = detail(
        UserInfo={"TokenId": "user-1", "IP": "192.0.2.1"},
        ListInfo={"ListResults": {"ListType": 1, "ListName": "n", "Entity": "user-1"}},
        MaskInfo={"RecordInfo": {"Output": {"Bucket": "b", "Region": "r", "Object": "/o"}}},
    )["result"]
    assert (read["user"]["token_id"], read["user"]["ip"]) == ("user-1", "192.0.2.1")
    assert read["lists"] == [{"type": 1, "name": "n", "entity": "user-1"}]
    assert (read["mask"]["bucket"], read["mask"]["object"]) == ("b", "o")
    assert detail()["result"]["user"] is None


def test_a_part_of_a_text_says_where_it_begins() -> None:
    """And one of a table which sheet it is."""
    read = detail(
        "ReviewText", Section=[{"StartByte": 10000}], PageSegment={"Results": {"SheetNumber": 2}}
    )
    first, second = read["result"]["parts"]
    assert (first["begin_chars"], second["sheet"]) == (10000, 2)
