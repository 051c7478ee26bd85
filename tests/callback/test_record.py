"""record.py: one normalised form, whatever the callback looked like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ci_callback
from ci_callback import record_schema as schema
from handler.callback import catalogue, envelope, payload
from handler.callback.lineage import Lineage, Marker
from handler.callback.record import JobRecord, Source, normalise
from handler.callback.redacted import REDACTED
from tests.callback.twins import as_json, as_xml
from tests.conftest import PAYLOADS

SCHEMA = json.loads(
    (Path(ci_callback.__file__).parent / "job-record-1.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def records(body: bytes) -> list[JobRecord]:
    """The records of a callback's body."""
    tree, form = payload.parse(body, payload.Limits())
    source = Source("http", form, "2026-11-21T08:00:00Z", "r1")
    notices = envelope.read(tree)
    assert all(isinstance(notice, envelope.Notice) for notice in notices)
    return [normalise(notice, source) for notice in notices if isinstance(notice, envelope.Notice)]


def job(**fields: Any) -> JobRecord:
    """The record of a small JSON callback with these JobsDetail nodes."""
    (job_record,) = records(as_json({"JobsDetail": {"JobId": "j1"} | fields}))
    return job_record


def valid(job_record: JobRecord) -> Any:
    """The record's JSON, checked against the published schema."""
    written = json.loads(job_record.to_json())
    VALIDATOR.validate(written)
    return written


def test_the_schema_is_one() -> None:
    """Draft 2020-12, and it names every field in the order in which it is written."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    names = ["schema", *JobRecord._fields]
    assert list(SCHEMA["properties"]) == SCHEMA["required"] == names
    assert all(field.get("description") for field in SCHEMA["properties"].values())


def test_the_schema_of_each_result_is_the_catalogues() -> None:
    """Reader and schema come from one table, and the published file holds what it says."""
    results = {name: tag.result.schema() for name, tag in catalogue.TAGS.items() if tag.result}
    assert {name: SCHEMA["$defs"][name] for name in results} == results


def test_the_published_schema_is_what_the_tables_give() -> None:
    """If it isn't: python -m tests.golden.write, and look at the difference."""
    assert schema.build() == SCHEMA


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.seed.*")), ids=lambda path: path.name)
def test_the_documented_callbacks_give_valid_records(path: Path) -> None:
    """As they are printed in the documents, trailing commas included."""
    (job_record,) = records(path.read_bytes())
    assert job_record.outcome == "succeeded"
    assert list(valid(job_record)) == SCHEMA["required"]
    assert JobRecord.from_json(job_record.to_json()) == job_record


def test_the_translation_callback_field_by_field() -> None:
    """The record of the documents' first example."""
    (job_record,) = records((PAYLOADS / "Translation.seed.xml").read_bytes())
    read = job_record._asdict()
    details, source = read.pop("details"), read.pop("source")
    assert read == {
        "kind": "job",
        "event": "TaskFinish",
        "job_id": "ac34be3aa0bf411ed9ce39d7cc972e427",
        "tag": "Translation",
        "sub_tag": None,
        "state": "Success",
        "outcome": "succeeded",
        "code": "Success",
        "message": "Success",
        "queue_id": "pbde29b842b1b4e2ea4f0b20d264fcec2",
        "queue_type": None,
        "progress_percent": None,
        "created_at": "2022-07-25T08:35:39Z",
        "started_at": "2022-07-25T08:35:39Z",
        "ended_at": "2022-07-25T08:35:43Z",
        "wait_s": 0,
        "run_s": 4,
        "input": {
            "bucket": None,
            "region": None,
            "object": "input/en.pdf",
            "url": None,
            "headers": {},
            "lang": "en",
            "type": "pdf",
            "basic_type": "pptx",
        },
        "outputs": [
            {"bucket": "test-123456789", "region": "ap-chongqing", "object": "output/zh.pdf"}
        ],
        "user_data": "This is my Translation job.",
        "custom_id": None,
        "job_level": 0,
        "workflow": None,
        "result": {
            "source_lang": "en",
            "target_lang": "en",
            "source_type": "pdf",
            "target_type": "txt",
            "basic_type": "pptx",
            "text": None,
        },
        "retry": {"root_job_id": "ac34be3aa0bf411ed9ce39d7cc972e427", "attempt": 1},
    }
    assert details["Operation"]["JobLevel"] == "0"
    assert source["format"] == "xml"
    assert len(source["digest"]) == 64


def test_the_parts_of_a_split_video_are_numbers() -> None:
    """Seconds and an index, not texts."""
    (job_record,) = records((PAYLOADS / "SplitVideoParts.seed.json").read_bytes())
    result: Any = job_record.result
    assert result["mode"] == "SHOTDETECT"
    assert len(result["parts"]) == 10
    assert result["parts"][1] == {"index": 1, "begin_s": 5.32, "end_s": 13.28}


def test_a_single_part_is_a_list_of_one() -> None:
    """XML can't tell one of a list from a list of one; the catalogue can."""
    operation = {"SplitVideoInfoResult": {"TimeInfo": {"Index": "0", "PartBegin": "x"}}}
    job_record = job(Tag="SplitVideoParts", State="Success", Operation=operation)
    result: Any = valid(job_record)["result"]
    assert result["parts"] == [{"index": 0, "begin_s": None, "end_s": None}]
    details: Any = job_record.details
    assert details["Operation"]["SplitVideoInfoResult"]["TimeInfo"] == [
        {"Index": "0", "PartBegin": "x"}
    ]


def test_an_empty_result_node_is_an_empty_list() -> None:
    """XML can't tell an empty text from an empty container either."""
    job_record = job(Tag="SplitVideoParts", Operation={"SplitVideoInfoResult": {"TimeInfo": ""}})
    result: Any = valid(job_record)["result"]
    assert result["parts"] == []


@pytest.mark.parametrize(
    ("detail", "outcome"),
    [
        ({"State": "Success"}, "succeeded"),
        ({"State": "Failed"}, "failed"),
        ({"State": "Cancel"}, "cancelled"),
        ({"State": "Submitted"}, "unfinished"),
        ({"State": "Running"}, "unfinished"),
        ({"State": "Pause"}, "unfinished"),
        ({"State": "Exploded"}, "unknown"),
        ({"Code": "Success"}, "succeeded"),
        ({"Code": "InternalError"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_the_outcome_follows_from_the_state(detail: dict[str, str], outcome: str) -> None:
    """A missing State is no failure."""
    job_record = job(**detail)
    assert valid(job_record)["outcome"] == outcome
    assert job_record.is_terminal == (outcome in ("succeeded", "failed", "cancelled"))


def test_what_a_kind_of_callback_has_not_is_null() -> None:
    """Even where a node has no name at all."""
    body = {"EventName": "ReviewText", "JobsDetail": {"JobId": "r1", "": "x"}}
    (job_record,) = records(as_json(body))
    assert (job_record.queue_id, job_record.user_data, job_record.job_level) == (None, None, None)


def test_what_is_absent_is_null() -> None:
    """A callback with nothing but a JobId is a valid record."""
    written = valid(job())
    for name in ("event", "tag", "state", "queue_id", "created_at", "run_s", "input", "user_data"):
        assert written[name] is None
    assert (written["code"], written["message"], written["outputs"]) == ("", "", [])


@pytest.mark.parametrize(
    "detail",
    [
        {"Input": {"CosHeaders": [{"Key": "Size", "Value": "14"}, {"Key": "EventName"}]}},
        {
            "Operation": {
                "Input": {
                    "CosHeaders": [
                        {"Key": "Size", "Value": "14"},
                        {"Key": "EventName", "Value": ""},
                    ]
                }
            }
        },
        {"Input": {"CosHeaders": {"Size": "14", "EventName": ""}}},
        {"Input": {"CosHeaders": [{"Key": "Size", "Value": "14"}, {"EventName": ""}]}},
        {"Input": {"CosHeaders": ["text", {"Size": "14", "EventName": ["x", "y"]}]}},
    ],
)
def test_headers_are_a_map_wherever_and_however_they_come(detail: Any) -> None:
    """Under Input, under Operation.Input, as pairs or as a map."""
    read: Any = valid(job(**detail))["input"]
    assert read["headers"] == {"Size": "14", "EventName": ""}


def test_odd_input_nodes_overwrite_nothing() -> None:
    """Only CI's own nodes fill the fixed fields."""
    read: Any = valid(job(Input={"Object": "a", "object": "b", "Headers": "c", "X": {"Y": "1"}}))
    assert read["input"]["object"] == "a"
    assert read["input"]["headers"] == {}
    assert read["input"]["x"] == {"Y": "1"}


def test_outputs_are_the_objects_really_written() -> None:
    """ObjectPrefix + ObjectName, sprites too; a template is no object."""
    output = {"Bucket": "b-1", "Region": "r", "Object": "out/${Number}.jpg"}
    file = {
        "Bucket": "b-1",
        "Region": "r",
        "ObjectPrefix": "out/",
        "ObjectName": ["0.jpg", "1.jpg"],
    }
    sprite = file | {"ObjectPrefix": "", "ObjectName": "s.jpg"}
    job_record = job(
        Operation={
            "Output": output,
            "MediaResult": {"OutputFile": file | {"SpriteOutputFile": sprite}},
        }
    )
    written: Any = valid(job_record)["outputs"]
    assert [entry["object"] for entry in written] == ["out/0.jpg", "out/1.jpg", "s.jpg"]
    assert job(Operation={"Output": output}).outputs == []


def test_workflow_is_put_together_from_both_places() -> None:
    """JobsDetail.Workflow before Response.Workflow, field by field."""
    (job_record,) = records(
        as_json(
            {
                "JobsDetail": {"JobId": "j1", "Workflow": {"RunId": "i1", "Name": "n1"}},
                "Workflow": {"RunId": "i2", "WorkflowId": "w2"},
            }
        )
    )
    assert valid(job_record)["workflow"] == {
        "run_id": "i1",
        "workflow_id": "w2",
        "workflow_name": None,
        "node": "n1",
    }


def test_the_lineage_marker_is_taken_off_the_users_text() -> None:
    """What this function wrote behind UserData is not the user's."""
    job_record = job(Operation={"UserData": "mine/ci-retry:j0:3:00c0ffee00c0ffee"})
    assert (job_record.user_data, job_record.retry) == ("mine", {"root_job_id": "j1", "attempt": 1})
    marker = Marker(Lineage("j0", 3), "00c0ffee00c0ffee")
    assert job_record.marker == marker
    assert job_record.with_lineage(marker.lineage).retry == {"root_job_id": "j0", "attempt": 3}
    assert job_record.with_lineage(marker.lineage).lineage == marker.lineage


def test_only_a_job_has_a_marker() -> None:
    """Runs and reviews are not submitted again."""
    body = {
        "WorkflowExecution": {"RunId": "i1", "Operation": {"UserData": "/ci-retry:a:2:" + "0" * 16}}
    }
    (run,) = records(as_json(body))
    assert run.marker is None


def test_echoed_secrets_are_redacted_in_the_details() -> None:
    """An empty one stays empty, so that it shows that there was none."""
    job_record = job(Tag="DocProcess", Operation={"DocProcess": {"DocPassword": "hunter2"}})
    assert b"hunter2" not in job_record.to_json()
    details: Any = job_record.details
    assert details["Operation"]["DocProcess"]["DocPassword"] == REDACTED
    empty: Any = job(Operation={"DocProcess": {"DocPassword": ""}}).details
    assert empty["Operation"]["DocProcess"]["DocPassword"] == ""


def test_a_failed_job_wrote_nothing_that_it_does_not_name() -> None:
    """Its Output is what it was asked for, and not what it did."""
    operation = {"Output": {"Bucket": "b-1", "Region": "r", "Object": "out.mp4"}}
    assert job(State="Success", Operation=operation).outputs
    assert job(State="Failed", Operation=operation).outputs == []
    assert job(State="Running", Operation=operation).outputs == []
    pages = {"DocProcessResult": {"PageInfo": {"PageNo": "1", "TgtUri": "1.jpg"}}}
    assert job(State="Failed", Operation=operation | pages).outputs == [
        {"bucket": "b-1", "region": "r", "object": "1.jpg"}
    ]


def test_an_operation_may_be_a_list_of_one() -> None:
    """JSON that was made of XML may write it so."""
    operation = {"Output": {"Object": "out.mp4"}, "Detection": {"State": "Failed"}}
    job_record = job(Tag="ImageOCR", State="Success", Operation=[operation])
    assert (job_record.outcome, len(job_record.outputs)) == ("partial", 1)
    result: Any = valid(job_record)["result"]
    assert result["state"] == "Failed"


def test_a_tag_that_finds_nothing_out_has_no_result() -> None:
    """Nor has one that nobody knows."""
    assert valid(job(Tag="PosterProduction", State="Success"))["result"] is None
    assert valid(job(Tag="ATagOfTomorrow", State="Success"))["result"] is None


def test_input_without_anything_in_it_is_none() -> None:
    """What one format sends empty, the other leaves out."""
    assert (
        job(Input={"Object": "", "CosHeaders": {"Key": ""}, "Extra": {"Deep": [""]}}).input is None
    )


@pytest.mark.parametrize(
    ("created", "started", "ended", "wait_s", "run_s"),
    [
        ("2022-07-25T16:35:39+0800", "2022-07-25T08:35:40Z", "2022-07-25 10:35:43.5+02:00", 1, 3.5),
        ("2022-10-30T02:59:59+02:00", "2022-10-30T02:00:01+01:00", "-", 2, None),
        ("-", "2022-07-25T08:35:40Z", "2022-07-25T08:35:40Z", None, 0),
    ],
)
def test_wait_and_run_are_right_across_offsets_and_daylight_changes(
    created: str, started: str, ended: str, wait_s: float | None, run_s: float | None
) -> None:
    """Each time carries its own offset."""
    job_record = job(CreationTime=created, StartTime=started, EndTime=ended)
    assert (job_record.wait_s, job_record.run_s) == (wait_s, run_s)


def test_a_record_that_ci_confirmed_says_so_and_is_the_same_otherwise() -> None:
    """And reads back as it was written."""
    job_record = job(State="Failed")
    body = valid(job_record.confirmed())
    assert body.pop("source") == {**job_record.source, "verified": True}
    assert body | {"source": job_record.source} == valid(job_record)
    assert JobRecord.from_json(job_record.confirmed().to_json()) == job_record.confirmed()


def test_one_line_whatever_it_holds() -> None:
    """Line breaks are escaped, Chinese is not, and the line ends."""
    line = job(Message="翻译\nfailed\r\u2028").to_json()
    assert line.count(b"\n") == 1
    assert line.endswith(b"}\n")
    assert "翻译".encode() in line


@pytest.mark.parametrize(
    "line", [b"{}", b"[]", b'{"schema":"job-record/2"}', b'{"schema":"job-record/1"}', b"x"]
)
def test_what_is_no_record_is_not_read_as_one(line: bytes) -> None:
    """Somebody else's object may stand where a record belongs."""
    with pytest.raises(ValueError, match=r"job-record|JSON|Expecting"):
        JobRecord.from_json(line)


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, {"digest": 7, "root_job_id": 7}], ids=str)
@pytest.mark.parametrize("name", JobRecord._fields)
def test_a_record_with_a_damaged_field_is_none_or_valid(name: str, value: Any) -> None:
    """A file of the ledger may hold anything; what is read back has the types of a record."""
    values = job(Tag="Transcode", State="Failed").values()
    try:
        read = JobRecord.from_json(json.dumps({**values, name: value}).encode())
    except ValueError:
        return
    assert (read.lineage.attempt, len(str(read.source["digest"]))) == (1, 64)
    assert read.job_input.bucket == ""


names = st.sampled_from(["Object", "Lang", "Type", "BasicType", "Url", "Mode", "Extra"])
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12).filter(
    lambda text: text == text.strip()
)
leaf_maps = st.dictionaries(names, texts, max_size=4)
parts = st.lists(
    st.fixed_dictionaries(
        {"Index": st.integers(0, 9).map(str), "PartBegin": st.decimals(0, 9, places=6).map(str)}
    ),
    max_size=3,
)


@st.composite
def callbacks(draw: st.DrawFn) -> dict[str, Any]:
    """Callbacks of one to three jobs, of documented and other tags, with all that may be absent."""
    job = st.fixed_dictionaries(
        {"JobId": st.from_regex(r"[ajs][0-9a-f]{8}", fullmatch=True)},
        optional={
            "Tag": st.sampled_from(["Translation", "SplitVideoParts", "Other"]),
            "State": st.sampled_from(["Success", "Failed", "Cancel", "Running", "Odd"]),
            "Code": texts,
            "Message": texts,
            "CreationTime": st.sampled_from(["2022-07-25T16:35:39+0800", "-", ""]),
            "EndTime": st.sampled_from(["2022-07-25T16:35:41+0800", "-"]),
            "Input": leaf_maps,
            "Workflow": st.fixed_dictionaries({"RunId": texts, "Name": texts}),
            "Operation": st.fixed_dictionaries(
                {},
                optional={
                    "UserData": texts,
                    "JobLevel": st.sampled_from(["0", "2"]),
                    "Output": leaf_maps,
                    "Translation": leaf_maps,
                    "SplitVideoParts": leaf_maps,
                    "SplitVideoInfoResult": parts.map(lambda rows: {"TimeInfo": rows}),
                },
            ),
        },
    )
    return {"EventName": "TaskFinish", "JobsDetail": draw(st.lists(job, min_size=1, max_size=3))}


@settings(deadline=None)  # a busy machine is no fault
@given(callbacks())
def test_xml_and_json_of_one_callback_agree(tree: dict[str, Any]) -> None:
    """Twins give equal records and one digest; `source` and `details` may differ."""
    for from_xml, from_json in zip(records(as_xml(tree)), records(as_json(tree)), strict=True):
        x, j = valid(from_xml), valid(from_json)
        assert x.pop("source")["digest"] == j.pop("source")["digest"]
        x.pop("details"), j.pop("details")
        assert x == j


def test_the_documented_twins_agree() -> None:
    """Translation is printed in both formats."""
    (x,), (j,) = (
        records((PAYLOADS / f"Translation.seed.{form}").read_bytes()) for form in ("xml", "json")
    )
    assert {**x._asdict(), "source": 0} == {**j._asdict(), "source": 0}
    assert x.source["digest"] == j.source["digest"]
