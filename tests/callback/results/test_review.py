"""review.py: what moderation found, in both forms."""

from __future__ import annotations

from typing import Any

from handler.callback.results.review import REVIEW
from tests.callback.test_record import records, valid
from tests.callback.twins import as_json


def detail(event: str = "ReviewImage", **nodes: Any) -> Any:
    """The record of a Detail callback, as JSON."""
    told = {"JobId": "r1", "State": "Success"} | nodes
    (one,) = records(as_json({"EventName": event, "JobsDetail": told}))
    return valid(one)


def simple(**data: Any) -> Any:
    """The record of a Simple callback, as JSON."""
    told = {"code": 0, "message": "success", "data": {"trace_id": "r1", **data}}
    (one,) = records(as_json(told))
    return valid(one)


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
    found = read["result"]
    assert (found["result"], found["label"], found["score"]) == (1, "Porn", 99.0)
    assert found["forbidden_status"] == 1


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
    assert read["result"]["scenes"] == [
        {
            "scene": "porn",
            "hit": 2,
            "score": 80.0,
            "label": "Sexy",
            "sub_label": None,
            "category": None,
            "count": None,
        }
    ]


def test_a_failed_simple_one_has_failed() -> None:
    """A code other than 0 says so."""
    (one,) = records(as_json({"code": -61011, "message": "x", "data": {"trace_id": "r1"}}))
    assert (one.outcome, one.code) == ("failed", "-61011")


def test_a_simple_one_without_a_code_is_not_failed() -> None:
    """It says nothing of how it ended."""
    (one,) = records(as_json({"data": {"trace_id": "r1", "result": 0}}))
    assert (one.outcome, one.code) == ("unknown", "")


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


def test_parts_tell_where_it_was_found() -> None:
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
    assert list(REVIEW.lists()) == [
        "Snapshot",
        "AudioSection",
        "Section",
        "PageSegment.Results",
        "ImageResults.Results",
        "TextResults.Results",
    ]


def test_unfinished_reviews_are_told_and_are_unfinished() -> None:
    """A live one is told while it runs."""
    assert detail("ReviewVideo", State="Auditing")["outcome"] == "unfinished"
