"""rebuild.py: from what CI tells of a job back to the request that makes it again."""

from __future__ import annotations

from typing import Any

import pytest

from handler.callback.lineage import Lineage, Marker
from handler.callback.redacted import REDACTED
from handler.ci_api.request_builder import NoRoomError, NotRebuildableError, request

SECOND = Marker(Lineage("j1", 2), "00c0ffee00c0ffee")


def detail(**operation: Any) -> Any:
    """A JobsDetail as CI tells it."""
    return {
        "Code": "InternalError",
        "JobId": "j1",
        "State": "Failed",
        "CreationTime": "2022-07-25T16:35:39+0800",
        "Tag": "Transcode",
        "QueueId": "p1",
        "Input": {
            "BucketId": "b-1250000000",
            "Region": "ap-guangzhou",
            "Object": "in.mp4",
            "CosHeaders": [{"Key": "a", "Value": "b"}],
        },
        "Operation": {"TemplateId": "t1", "Output": {"Object": "out.mp4"}} | operation,
        "Workflow": {"RunId": "i1"},
    }


def test_only_what_a_request_holds_is_sent_again() -> None:
    """No state, no times, no result, nothing that CI added."""
    described = detail(
        MediaInfo={"Format": {"Size": "1"}},
        MediaResult={"OutputFile": ""},
        NewResult={"a": "b"},
        TemplateName="x",
        JobLevel="1",
    )
    assert request(described, SECOND, None) == {
        "Tag": "Transcode",
        "Input": {"Object": "in.mp4"},
        "Operation": {
            "TemplateId": "t1",
            "Output": {"Object": "out.mp4"},
            "JobLevel": "1",
            "UserData": "/ci-retry:j1:2:00c0ffee00c0ffee",
        },
        "QueueId": "p1",
    }


def test_nested_results_go_and_echoes_get_their_name_back() -> None:
    """What CI told is left as it is."""
    described = detail(
        DigitalWatermark={"Message": "m", "State": "Failed"},
        Output={
            "StreamExtract": [{"Index": "0", "Output": "a.mp4"}, {"Index": "1", "Output": "b"}]
        },
    )
    before = repr(described)
    operation: Any = request(described, SECOND, None)["Operation"]
    assert operation["DigitalWatermark"] == {"Message": "m"}
    assert operation["Output"]["StreamExtract"] == [
        {"Index": "0", "Object": "a.mp4"},
        {"Index": "1", "Object": "b"},
    ]
    assert repr(described) == before
    single: Any = request(
        detail(Output={"StreamExtract": {"Index": "0", "Output": "a"}}, DigitalWatermark="x"),
        SECOND,
        None,
    )["Operation"]
    assert single["Output"]["StreamExtract"] == {"Index": "0", "Object": "a"}


def test_the_users_text_stays_and_the_marker_counts_on() -> None:
    """An older marker gives way to the new one."""
    third = Marker(Lineage("j1", 3), "123456789abcdef0")
    made: Any = request(detail(UserData=f"mine{SECOND}"), third, None)
    assert made["Operation"]["UserData"] == "mine/ci-retry:j1:3:123456789abcdef0"


def test_a_callback_address_is_given_where_one_is_set() -> None:
    """CI does not tell the one that was used."""
    made = request(detail(), SECOND, "https://example.com/?token=t")
    assert (made["CallBack"], made["CallBackFormat"]) == ("https://example.com/?token=t", "JSON")


def test_empty_nodes_are_not_sent_but_for_the_one_that_says_what_to_do() -> None:
    """CI echoes what was not sent as empty nodes."""
    described = detail(Watermark="", Sub={"a": ""}, Transcode="")
    operation: Any = request(described, SECOND, None)["Operation"]
    assert "Watermark" not in operation
    assert "Sub" not in operation
    assert operation["Transcode"] == ""


def test_a_job_without_input_can_be_made_again() -> None:
    """Tts and FileCompress have none."""
    described = detail()
    del described["Input"], described["QueueId"]
    assert set(request(described, SECOND, None)) == {"Tag", "Operation"}


@pytest.mark.parametrize(
    "described",
    [
        {"Tag": "Transcode"},
        {"Operation": {"a": "b"}},
        detail(DocProcess={"DocPassword": REDACTED}),
        detail(Watermark=[{"Text": REDACTED}]),
    ],
)
def test_what_is_not_known_is_not_guessed(described: Any) -> None:
    """A secret that is not kept can't be sent again."""
    with pytest.raises(NotRebuildableError):
        request(described, SECOND, None)


@pytest.mark.parametrize("sent", ["input/a.pdf", [{"Object": "input/a.pdf"}, {"Object": "b.pdf"}]])
def test_an_input_that_is_not_one_node_is_not_left_out(sent: Any) -> None:
    """Without it another job would be submitted, on no input."""
    with pytest.raises(NotRebuildableError, match="Input"):
        request(detail() | {"Input": sent}, SECOND, None)


def test_a_full_user_data_leaves_no_room() -> None:
    """The user's own text is never cut."""
    with pytest.raises(NoRoomError):
        request(detail(UserData="x" * 1020), SECOND, None)
