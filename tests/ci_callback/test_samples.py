"""sampling/: what is sampled is what the parser reads, for all that the catalogue knows."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_callback.samples.options import NotSampledError, SampleOptions
from ci_callback.samples.reviews import EVENTS
from ci_callback.samples.samples import KNOWN, RUN_EVENT, names, sample
from ci_callback.samples.writing import Notes, write
from handler.callback import tree
from handler.callback.added_nodes import NESTED_RESULTS, RESULT_NODES, is_result
from handler.callback.catalogue import TAGS
from handler.callback.lineage import NONCE_CHARS, Lineage, Marker
from handler.callback.outcome import OUTCOMES, PARTIAL_FAILURE_RULES, REVIEW_OUTCOMES, rule_of
from handler.callback.record import JobRecord
from handler.callback.results.fields import Group, Leaf, ValueType
from handler.callback.results.leaves import (
    bit_rate,
    boolean,
    integer,
    moment,
    number,
    ratio,
    seconds_of_ms,
    text,
)
from handler.ci_api.request_builder import request
from handler.clock import rfc3339_of
from handler.failure_codes import CODES
from tests.callback.test_record import records, valid

NOW = 1_790_000_000.0
HEX = "4e431ba00f86711ecb8546d80f2baf56"
FORMATS: Any = ("xml", "json")
MARKER = Marker(Lineage("j1", 2), "0" * NONCE_CHARS)

EVERY_TAG = pytest.mark.parametrize("name", TAGS)
EVERY_FORMAT = pytest.mark.parametrize("form", FORMATS)
EVERY_EVENT = pytest.mark.parametrize("name", EVENTS)

EMPTY_WHERE_ALL_IS_WELL = {
    "FileCompress": {".error_files"},
    RUN_EVENT: {".failed_tasks"},
    "ImageInspect": {".others"},
    "ImageOCR": {".others"},
}
TOLD_IN_ANOTHER_FORM = {"SpeechRecognition": {".segments[].channel"}}
"""FlashResult has it, which holds neither a speed nor, in the samples, a speaker."""


def body(name: str, **options: Any) -> bytes:
    """What is sent."""
    return sample(name, SampleOptions(**options), NOW, HEX).body


def record(name: str, **options: Any) -> JobRecord:
    """What becomes of it: a record that the published schema takes."""
    (job_record,) = records(body(name, **options))
    valid(job_record)
    return job_record


def gaps(value: Any, path: str = "") -> Iterator[str]:
    """Where nothing stands."""
    if value is None or value in ([], ""):
        yield path
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from gaps(member, f"{path}.{name}")
    elif isinstance(value, list):
        for member in value:
            yield from gaps(member, f"{path}[]")


def leaves(tree: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """All values of a JSON tree, with their names."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from leaves(value, name)
    else:
        yield name, tree


# --- every tag, state and format ----------------------------------------------------------


def test_everything_of_the_catalogue_is_there() -> None:
    """Tags, the run of a workflow, and every event of moderation."""
    assert list(KNOWN) == [*TAGS, "WorkflowFinish", *EVENTS]
    assert {callback.kind for callback in KNOWN.values()} == {"job", "workflow", "review"}


@EVERY_FORMAT
@pytest.mark.parametrize("state", OUTCOMES)
@EVERY_TAG
def test_a_sample_is_read_as_what_was_asked_for(name: str, state: str, form: Any) -> None:
    """Tag, state, outcome, id and times."""
    read = record(name, state=state, format=form)
    assert (read.kind, read.event, read.tag) == ("job", "TaskFinish", name)
    assert (read.state, read.outcome) == (state, OUTCOMES[state])
    assert read.job_id == f"{TAGS[name].family.letter}{HEX}"
    assert read.source["format"] == form
    is_over = state in ("Success", "Failed", "Cancel")
    assert read.ended_at == (rfc3339_of(NOW) if is_over else None)
    assert (read.started_at is None) == (state in ("Submitted", "Cancel"))
    assert read.created_at is not None
    assert read.created_at < rfc3339_of(NOW)


@EVERY_FORMAT
@EVERY_TAG
def test_a_result_has_every_field(name: str, form: Any) -> None:
    """Whatever the tag's table reads is there to be read."""
    read = record(name, format=form)
    empty = EMPTY_WHERE_ALL_IS_WELL.get(name, set()) | TOLD_IN_ANOTHER_FORM.get(name, set())
    assert set(gaps(read.result)) == (empty if TAGS[name].result else {""})


@EVERY_TAG
def test_xml_and_json_give_one_record(name: str) -> None:
    """Source and details aside; the digest is the same."""
    for options in ({}, {"state": "Failed"}, {"workflow": True}):
        x, j = (record(name, format=form, **options) for form in FORMATS)
        assert x.source["digest"] == j.source["digest"]
        assert x._replace(source={}, details={}) == j._replace(source={}, details={})


@EVERY_TAG
def test_a_job_that_did_not_succeed_has_no_result(name: str) -> None:
    """But what it was asked to do, so that it can be submitted again."""
    for state in set(OUTCOMES) - {"Success"}:
        read = record(name, state=state)
        operation = read.details["Operation"]
        assert isinstance(operation, dict)
        assert not (RESULT_NODES - {"Input"}) & set(operation)
        assert "Progress" not in read.details
        assert not any(tree.get(read.details, path) for path in NESTED_RESULTS)
        again = request(read.details, MARKER, None)
        assert (again["Tag"], again["QueueId"]) == (name, read.queue_id)


@EVERY_TAG
def test_what_was_written_lies_in_the_bucket_that_was_asked_for(name: str) -> None:
    """So does the input, where CI names its bucket at all."""
    options = {"bucket": "other-1300000000", "region": "ap-beijing", "object": "a/b.bin"}
    read = record(name, **options)
    for output in read.outputs:
        assert isinstance(output, dict)
        assert (output["bucket"], output["region"]) == ("other-1300000000", "ap-beijing")
    if read.input is not None:
        assert read.input["object"] == "a/b.bin"
        assert read.input["bucket"] in ("other-1300000000", None)


@EVERY_TAG
def test_a_part_of_it_can_fail_where_the_catalogue_knows_one(name: str) -> None:
    """Elsewhere no reader would notice, and the option is refused."""
    (success,) = records(body(name))
    operation = success.details["Operation"]
    assert isinstance(operation, dict)
    if rules(operation):
        read = record(name, partial=True)
        assert (read.state, read.outcome, read.code) == ("Success", "partial", "Success")
    else:
        with pytest.raises(NotSampledError, match="no part"):
            body(name, partial=True)


def test_the_part_fails_with_the_code_that_was_asked_for() -> None:
    """Where it has one."""
    read = record("ImageInspect", partial=True, code="SlowDown")
    result: Any = read.result
    assert (read.code, read.outcome) == ("Success", "partial")
    assert (result["state"], result["code"]) == ("Failed", "SlowDown")
    with pytest.raises(NotSampledError, match="by a code"):
        body("DocProcess", partial=True, code="SlowDown")


def rules(operation: Any) -> set[str]:
    """The names of the nodes by which a part of a job can report a failure."""
    results = [node for name, node in operation.items() if is_result(name)]
    nested = {"State"} & set(operation.get("DigitalWatermark") or ())
    return nested | {name for result in results for name, _ in leaves(result) if rule_of(name)}


def test_every_rule_for_a_failed_part_can_be_sampled() -> None:
    """No node of the documents that may report one is left out."""
    seen: set[str] = set()
    for name in TAGS:
        with contextlib.suppress(NotSampledError):  # no part of it can fail
            seen |= rules(record(name, partial=True).details["Operation"])
    assert seen >= set(PARTIAL_FAILURE_RULES) - {"ErrCode", "ErrorCode"}


@EVERY_TAG
def test_a_job_of_a_workflow_names_it(name: str) -> None:
    """With the headers of the upload, one of which is called EventName."""
    read = record(name, workflow=True)
    assert read.workflow is not None
    assert not list(gaps(read.workflow))
    assert read.input is not None
    headers = read.input["headers"]
    assert isinstance(headers, dict)
    assert headers["EventName"] == "cos:ObjectCreated:Put"


# --- the forms of CI ----------------------------------------------------------------------


def test_xml_begins_as_in_the_capture() -> None:
    """With its declaration, and on one line."""
    xml = body("Transcode")
    assert xml.startswith(
        b'<?xml version="1.0" encoding="utf-8"?>\n<Response><EventName>TaskFinish</EventName>'
    )
    assert xml.count(b"\n") == 1


@EVERY_TAG
def test_json_is_made_of_texts(name: str) -> None:
    """As CI makes it of its XML: JobLevel alone is a number, nothing is empty, and one of a list
    stands alone."""
    tree = json.loads(body(name, format="json"))
    assert isinstance(tree["JobsDetail"], list)
    for key, value in leaves(tree):
        assert value not in ("", [], {})
        assert isinstance(value, int if key == "JobLevel" else str)
    assert not re.search(rb'": \[[^,]*\]', json.dumps(tree["JobsDetail"][0]).encode())


def test_times_are_chinas() -> None:
    """2022-07-25T16:35:39+0800."""
    (detail,) = json.loads(body("Transcode", format="json"))["JobsDetail"]
    china = datetime.fromtimestamp(NOW, timezone(timedelta(hours=8)))
    assert detail["EndTime"] == china.strftime("%Y-%m-%dT%H:%M:%S") + "+0800"


def test_rows_follow_each_other() -> None:
    """The second part begins where the first one ends, and is another object."""
    parts: Any = record("SplitVideoParts").result
    first, second = parts["parts"]
    assert first["end_s"] == second["begin_s"] < second["end_s"]
    assert second["index"] == first["index"] + 1
    pages: Any = record("DocProcess").result
    assert [page["page"] for page in pages["pages"]] == [1, 2]
    assert len({page["object"] for page in pages["pages"]}) == 2
    said: Any = record("SpeechRecognition").result
    first, second = said["segments"]
    assert first["end_s"] == second["begin_s"]


@pytest.mark.parametrize(("partial", "failed"), [(False, 0), (True, 1)])
def test_pages_add_up(partial: bool, failed: int) -> None:
    """Those that were made, and those that failed."""
    results: Any = record("DocProcess", partial=partial).result
    assert results["failed_page_count"] == failed
    assert results["total_page_count"] == results["succeeded_page_count"] + failed


def test_names_with_a_number_are_several_objects() -> None:
    """Prefix and names, as in the sample of Snapshot, and one sheet of small pictures."""
    read: Any = record("Snapshot")
    keys = [file["object"] for file in read.result["files"]]
    assert keys == ["output/snapshot-0.jpg", "output/snapshot-1.jpg"]
    assert [sprite["object"] for sprite in read.result["sprites"]] == ["output/sprite-0.jpg"]
    assert [output["object"] for output in read.outputs] == [*keys, "output/sprite-0.jpg"]


def test_a_failed_job_has_a_code_of_the_table() -> None:
    """One that is worth a retry, unless another one is asked for."""
    assert CODES[record("Transcode", state="Failed").code][0] == "retry"
    asked = record("Transcode", code="AccessDenied", message="no")
    assert (asked.state, asked.code, asked.message) == ("Failed", "AccessDenied", "no")


# --- runs and reviews ---------------------------------------------------------------------


@EVERY_FORMAT
@pytest.mark.parametrize("state", OUTCOMES)
def test_a_run_is_read_as_what_was_asked_for(state: str, form: Any) -> None:
    """Its tasks go with it."""
    read = record(RUN_EVENT, state=state, format=form)
    assert (read.kind, read.event, read.job_id) == ("workflow", RUN_EVENT, f"i{HEX}")
    assert (read.state, read.outcome) == (state, OUTCOMES[state])
    result: Any = read.result
    failed = ["Transcode_1581665960537"] if state == "Failed" else []
    assert result["failed_tasks"] == failed
    if state != "Success":
        assert read.outputs == []
    else:
        assert set(gaps(result)) == EMPTY_WHERE_ALL_IS_WELL[RUN_EVENT]
        assert {output["bucket"] for output in read.outputs if isinstance(output, dict)} == {
            "test-1250000000"
        }


def test_a_run_can_hide_a_failed_object() -> None:
    """State Success, and one object with another Code."""
    read = record(RUN_EVENT, partial=True, code="SlowDown")
    assert (read.state, read.outcome) == ("Success", "partial")
    assert "SlowDown" in json.dumps(read.result)


@pytest.mark.parametrize("state", REVIEW_OUTCOMES)
@EVERY_EVENT
def test_a_review_is_read_as_what_was_asked_for(name: str, state: str) -> None:
    """In its Detail form."""
    read = record(name, state=state)
    assert (read.kind, read.event, read.state) == ("review", name, state)
    assert read.outcome == REVIEW_OUTCOMES[state]
    assert read.job_id == f"{KNOWN[name].letters}{HEX}"
    assert sample(name, SampleOptions(), NOW, HEX).content_version == "Detail"


def test_the_reviews_together_fill_every_field() -> None:
    """Each event tells of other parts."""
    results = [record(name).result for name in EVENTS]
    # Detection of viruses has no event of its own.
    for name in set(KNOWN["ReviewImage"].fields) - {"viruses"}:
        assert any(result[name] not in (None, []) for result in results if isinstance(result, dict))
    parts: list[Any] = [
        part for result in results if isinstance(result, dict) for part in _list(result["parts"])
    ]
    assert {part["kind"] for part in parts} == {"picture", "sound", "section", "page", "text"}
    for name in set(parts[0]) - {"kind", "score", "languages", "sentiment"}:
        assert any(part[name] not in (None, []) for part in parts)


def _list(value: Any) -> list[Any]:
    return list(value)


@pytest.mark.parametrize("name", ["ReviewImage", "ReviewVideo", "ReviewAudio"])
def test_a_simple_review(name: str) -> None:
    """Its code says how it ended; the event of sound is not named."""
    read = record(name, simple=True)
    assert (read.kind, read.outcome, read.state) == ("review", "succeeded", None)
    assert read.event == (None if name == "ReviewAudio" else name)
    result: Any = read.result
    assert (result["result"], result["label"]) == (1, "Porn")
    assert result["scenes"][0]["scene"] == "porn"
    says = {name for name, value in result["scenes"][0].items() if value not in (None, [])}
    assert says == {"scene", "hit", "score", "label", "sub_label", "category", "count"}
    assert record(name, simple=True, state="Failed").outcome == "failed"
    assert sample(name, SampleOptions(simple=True), NOW, HEX).content_version == "Simple"


def test_reviews_send_numbers() -> None:
    """As their pages show them, where jobs send texts."""
    detail = json.loads(body("ReviewVideo"))["JobsDetail"]
    assert (detail["Result"], detail["Snapshot"][0]["SnapshotTime"]) == (1, 5000)


# --- --set, ids and options without a sample ------------------------------------------------


@pytest.mark.parametrize(
    ("assignment", "path"),
    [
        ("State=Odd", ["State"]),
        ("Input.Object=a=b.mp4", ["Input", "Object"]),
        ("Made.Up.Node=x", ["Made", "Up", "Node"]),
        ("Operation.Output=", ["Operation", "Output"]),
    ],
)
@EVERY_FORMAT
def test_a_node_is_put_where_the_path_says(form: Any, assignment: str, path: list[str]) -> None:
    """Changed, made, or emptied, in either format."""
    (read,) = records(body("Translation", format=form, sets=[assignment]))
    at: Any = read.details
    for name in path:
        at = at.get(name)
    assert (at or "") == assignment.partition("=")[2]


def test_a_row_of_a_list_is_named_by_its_number() -> None:
    """And what is put last wins."""
    sets = ["Tasks.0.State=Success", "Tasks.0.State=Failed", "CosHeaders.3=gone"]
    run = json.loads(body(RUN_EVENT, format="json", sets=sets))["WorkflowExecution"]
    assert run["Tasks"][0]["State"] == "Failed"
    assert run["CosHeaders"][3] == "gone"


def test_setting_does_not_reach_other_samples() -> None:
    """The tables that samples are made of stay as they are."""
    before = body("FileCompress")
    body("FileCompress", sets=["Operation.FileCompressConfig.Key.0=changed", "Input.Object=x"])
    assert body("FileCompress") == before


def test_an_id_of_ones_own_is_kept() -> None:
    """The others follow from it."""
    read = record("Transcode", job_id="mine", workflow=True)
    assert read.job_id == "mine"
    assert read == record("Transcode", job_id="mine", workflow=True)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("transcod", {}, "did you mean"),
        ("zzz", {}, "--list"),
        ("Transcode", {"state": "Done"}, "one of Success"),
        ("WorkflowFinish", {"state": "Done"}, "one of Success"),
        ("ReviewImage", {"state": "Done"}, "Auditing"),
        ("Transcode", {"partial": True, "state": "Failed"}, "--partial"),
        ("WorkflowFinish", {"partial": True, "state": "Failed"}, "--partial"),
        ("Transcode", {"simple": True}, "--simple"),
        ("ReviewHtml", {"simple": True}, "--simple"),
        ("ReviewImage", {"simple": True, "state": "Auditing"}, "--simple"),
        ("ReviewImage", {"partial": True}, "--partial"),
        ("ReviewImage", {"format": "xml"}, "only in JSON"),
        ("WorkflowFinish", {"workflow": True}, "only jobs"),
        ("ReviewImage", {"user_data": "x"}, "only jobs"),
        ("Transcode", {"sets": ["State"]}, "PATH=VALUE"),
        ("Transcode", {"sets": ["=x"]}, "no name"),
        ("Transcode", {"sets": ["a..b=x"]}, "no name"),
        ("Transcode", {"sets": ["<b>=x"]}, "no name"),
        ("Transcode", {"sets": ["State.Of=x"]}, "is a text"),
        ("WorkflowFinish", {"sets": ["Tasks.State=x"]}, "0 to 1"),
        ("WorkflowFinish", {"sets": ["Tasks.9.State=x"]}, "0 to 1"),
        ("Transcode", {"message": "\x00"}, "XML"),
        ("Transcode", {"message": "\udc80", "format": "json"}, "XML"),
    ],
)
def test_options_without_a_sample_are_refused(name: str, options: Any, message: str) -> None:
    """With what is possible instead."""
    with pytest.raises(NotSampledError, match=re.escape(message)):
        body(name, **options)


WORDS = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), min_size=1
).filter(lambda word: bool(word.strip()))


@given(
    st.sampled_from(sorted(TAGS)),
    st.sampled_from(FORMATS),
    st.sampled_from(sorted(OUTCOMES)),
    st.fixed_dictionaries(
        {},
        optional={
            "job_id": WORDS,
            "code": st.sampled_from(sorted(CODES)) | WORDS,
            "message": WORDS,
            "object": WORDS,
            "bucket": WORDS,
            "region": WORDS,
            "user_data": WORDS.filter(lambda word: "/ci-retry:" not in word),
            "workflow": st.booleans(),
        },
    ),
)
def test_whatever_is_asked_for_arrives(name: str, form: Any, state: str, options: Any) -> None:
    """In any writing."""
    read = record(name, format=form, state=state, **options)
    assert (read.tag, read.state, read.outcome) == (name, state, OUTCOMES[state])
    for field in ("job_id", "code", "message", "user_data"):
        assert getattr(read, field) == options.get(field, getattr(read, field))
    if read.input is not None and "object" in options:
        assert read.input["object"] == options["object"]


# --- the writer -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Odd:
    """A kind of field that nobody has heard of."""

    def read(self, tree: Any) -> Any:
        return None

    def schema(self) -> Any:
        return {}

    def lists(self) -> Iterator[str]:
        return iter(())


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        (text("A", "", "x"), "x"),
        (integer("A", "", 8_867_172), "8867172"),
        (bit_rate("A", "", 8_867_172), "8867.172000"),
        (number("A", "", 13.654), "13.654000"),
        (seconds_of_ms("A", "", 5.25), "5250"),
        (ratio("A", "", 24.96), "24.960000"),
        (boolean("A", ""), "false"),
        (moment("A", "", "2022-06-27T07:23:11Z"), "2022-06-27T07:23:11Z"),
    ],
)
def test_a_value_goes_in_the_form_of_its_field(field: Leaf, sent: str) -> None:
    """And is read again."""
    into: dict[str, Any] = {}
    write(field, into, Notes({}))
    assert into == {"A": sent}
    assert field.read(into) == field.example


@pytest.mark.parametrize("path", ["A|B.C", "B.C|A", "A|B"])
def test_of_several_places_it_goes_to_the_least_nested(path: str) -> None:
    """Of equals, to the first."""
    into: dict[str, Any] = {}
    write(text(path, "", "x"), into, Notes({}))
    assert into == {"A": "x"}


def test_a_new_kind_of_field_must_be_written_too() -> None:
    """So that it is not forgotten here."""
    with pytest.raises(TypeError, match="Odd"):
        write(Group("", "", {"odd": Odd()}), {}, Notes({}))


def test_a_new_form_must_be_written_so_that_it_is_read() -> None:
    """Each value is read back before it is sent."""
    with pytest.raises(ValueError, match="no known form"):
        write(Leaf("A", "", 5, ValueType("integer", lambda sent: None)), {}, Notes({}))


def test_a_node_that_is_two_things_is_an_error() -> None:
    """A table that asks for a text and for nodes below it can't be written."""
    group = Group("", "", {"one": integer("A", "", 1), "two": integer("A.B", "", 2)})
    with pytest.raises(ValueError, match="A is no node"):
        write(group, {}, Notes({}))


def test_names_are_completed() -> None:
    """In any case, each with what it is."""
    assert [name for name, _ in names("transc")] == ["Transcode"]
    assert len(names("")) == len(KNOWN)
    assert all(about for _, about in names(""))
