"""What a callback may cost: its record is bounded by its body, in memory and as it is written."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from handler.callback import envelope, payload
from handler.callback.record import Source, normalise
from handler.errors import PayloadError

SOURCE = Source("http", "json", "2026-11-21T08:00:00Z", "request-1")
ROOM = 2_000_000
"""Bytes of a body that a single text may fill."""

MAX_MB = 48
"""Of Python's own memory, the body's own 2 MB aside: the function has 64."""


def job(**detail: Any) -> bytes:
    """A callback of one job, each character as itself."""
    node = {
        "JobId": "j1",
        "Tag": "Transcode",
        "State": "Success",
        "Code": "Success",
        **detail,
    }
    return json.dumps({"JobsDetail": [node]}, ensure_ascii=False, separators=(",", ":")).encode()


def operation(tag: str, **nodes: Any) -> bytes:
    """A job whose Operation holds these."""
    return job(Tag=tag, Operation=nodes)


def output_file(**nodes: Any) -> bytes:
    """A job that names the files that it wrote."""
    return operation("Transcode", MediaResult={"OutputFile": nodes})


def written(body: bytes) -> list[bytes | str]:
    """The records of a body, or why there are none."""
    try:
        tree, _ = payload.parse(body, payload.Limits())
        return [_written(notice) for notice in envelope.read(tree)]
    except PayloadError as error:
        return [error.reason]


def _written(notice: envelope.Notice | envelope.Unreadable | envelope.Ignored) -> bytes | str:
    if isinstance(notice, envelope.Unreadable):
        return notice.error.reason
    assert isinstance(notice, envelope.Notice)
    return normalise(notice, SOURCE).to_json()


def cost(body: bytes) -> tuple[int, float]:
    """Bytes of the records, and the peak of Python's memory in MB."""
    written(body)  # what is imported at first is not the body's
    tracemalloc.start()
    records = written(body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return sum(len(record) for record in records), peak / 1_000_000


TEXTS: Mapping[str, Callable[[str], bytes]] = {
    "JobId": lambda long: job(JobId=long),
    "Tag": lambda long: job(Tag=long),
    "State": lambda long: job(State=long),
    "Code": lambda long: job(Code=long),
    "Message": lambda long: job(Message=long),
    "QueueId": lambda long: job(QueueId=long),
    "CreationTime": lambda long: job(CreationTime=long),
    "UserData": lambda long: operation("Transcode", UserData=long),
    "input object": lambda long: job(Input={"Object": long}),
    "input bucket": lambda long: job(Input={"BucketId": long}),
    "another field of the input": lambda long: job(Input={"Other": long}),
    "a header": lambda long: job(Input={"CosHeaders": [{"Key": "k", "Value": long}]}),
    "a name": lambda long: job(Operation={long: "x"}),
    "a name in the input": lambda long: job(Input={long: "x"}),
    "workflow": lambda long: job(Workflow={"RunId": long, "Name": long[:9]}),
    "ObjectPrefix": lambda long: output_file(ObjectPrefix=long, ObjectName=["a", "b"]),
    "output bucket": lambda long: output_file(Bucket=long, ObjectName=["a", "b"]),
    "an object": lambda long: output_file(ObjectName=[long, "b"]),
    "a transcript": lambda long: operation(
        "SpeechRecognition", SpeechRecognitionResult={"Result": f"[0:1,0:2] {long}"}
    ),
    "an unknown node": lambda long: job(Unknown=long),
    "a run": lambda long: json.dumps(
        {"WorkflowExecution": {"RunId": "i1", "State": "Success", "WorkflowName": long}}
    ).encode(),
    "a Simple review": lambda long: json.dumps(
        {"code": 0, "data": {"trace_id": "t", "url": long}}
    ).encode(),
}


@pytest.mark.parametrize("ending", ["", "译", "😀"], ids=["1 byte", "2 bytes", "4 bytes"])
@pytest.mark.parametrize("place", TEXTS)
def test_a_long_text_is_written_a_few_times_at_most(place: str, ending: str) -> None:
    """Wherever it stands, and however wide its widest character makes it in memory."""
    body = TEXTS[place]("x" * (ROOM - 4) + ending)
    size, peak = cost(body)
    assert size <= 3.1 * len(body)
    assert peak <= MAX_MB


ROWS: Mapping[str, Callable[[], bytes]] = {
    "long prefixes": lambda: output_file(ObjectPrefix="p" * 840, ObjectName=_names(19_000)),
    "a prefix that is too long for a key": lambda: output_file(
        ObjectPrefix="p" * 500_000, ObjectName=_names(19_000)
    ),
    "long buckets": lambda: output_file(Bucket="b" * 500_000, ObjectName=_names(19_000)),
    "short names": lambda: output_file(ObjectPrefix="out/", ObjectName=_names(20_000)),
    "streams": lambda: operation(
        "MediaInfo", MediaInfo={"Stream": dict.fromkeys(("Video", "Audio"), [{"Index": 1}] * 7_400)}
    ),
    "marks of a transcript": lambda: operation(
        "SpeechRecognition", SpeechRecognitionResult={"Result": "[0:1,0:2] x\n" * 150_000}
    ),
    "lines of a transcript": lambda: operation(
        "SpeechRecognition", SpeechRecognitionResult={"Result": "ab\n" * 600_000}
    ),
    "sentences": lambda: operation(
        "SpeechRecognition", SpeechRecognitionResult={"ResultDetail": [{"StartMs": "1"}] * 20_000}
    ),
    "characters of a picture": lambda: operation(
        "ImageOCR",
        Detection={
            "TextDetections": [{"DetectedText": "x", "Words": [{"Character": "y"}] * 900}] * 20
        },
    ),
    "tasks": lambda: json.dumps(
        {"WorkflowExecution": {"RunId": "i1", "State": "Success", "Tasks": [{"Type": "x"}] * 9_000}}
    ).encode(),
    "names of letters that look like ASCII": lambda: operation(
        "New", **{f"\u0430\xe9\uff21{number}": "x" for number in range(60_000)}
    ),
    "names with invisible characters": lambda: operation(
        "New", **{f"\u200b\U000e0041{number}\ufdfa": "x" for number in range(60_000)}
    ),
    "long names of wide characters": lambda: operation(
        "New", **{"\U0001d403" * 480 + f"{number}": "x" for number in range(1_000)}
    ),
    "addresses to call back": lambda: operation(
        "New", a=[{"CallBack": "https://a.b/?c=d"}] * 30_000
    ),
    "jobs with one long event": lambda: json.dumps(
        {"EventName": "e" * 1_000_000, "JobsDetail": [{"JobId": f"j{n}"} for n in range(100)]}
    ).encode(),
    "jobs with one long workflow": lambda: json.dumps(
        {
            "Workflow": {"RunId": "r" * 1_000_000},
            "JobsDetail": [{"JobId": f"j{n}"} for n in range(100)],
        }
    ).encode(),
}


def _names(count: int) -> list[str]:
    return [f"{number:05d}" for number in range(count)]


QUICK = ("long prefixes", "short names")


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=[] if case in QUICK else [pytest.mark.slow]) for case in ROWS],
)
def test_many_small_nodes_make_no_endless_record(case: str) -> None:
    """A prefix of 500 KB before 2,000 names took 3.8 GB once."""
    size, peak = cost(ROWS[case]())
    assert size <= 12_000_000
    assert peak <= MAX_MB


def test_what_is_no_id_or_name_is_not_read_as_one() -> None:
    """The details hold it as it was sent."""
    (record,) = written(job(Tag="t" * 1_025, State="s" * 1_025, Code="c" * 1_025))
    assert isinstance(record, bytes)
    values = json.loads(record)
    assert (values["tag"], values["state"], values["code"]) == (None, None, "")
    assert values["details"]["Tag"] == "t" * 1_025
    assert written(job(JobId="j" * 1_025)) == ["id_too_long"]
    (at_limit,) = written(job(JobId="j" * 1_024, State="s" * 1_024))
    assert isinstance(at_limit, bytes)
    assert json.loads(at_limit)["state"] == "s" * 1_024


def test_a_key_that_cos_cannot_hold_is_no_output() -> None:
    """850 bytes are the most: ObjectPrefix and ObjectName together."""
    (record,) = written(output_file(ObjectPrefix="p" * 840, ObjectName=["n" * 10, "n" * 11]))
    assert isinstance(record, bytes)
    assert [output["object"] for output in json.loads(record)["outputs"]] == ["p" * 840 + "n" * 10]


def test_a_row_with_many_fields_may_come_less_often() -> None:
    """The body becomes a dead letter, and says so."""
    video = {"Stream": {"Video": [{"Index": 1}] * 20_000}}
    assert written(operation("MediaInfo", MediaInfo=video)) == ["too_many_rows"]
    pages = {"PageInfo": [{"PageNo": 1}] * 20_000}
    assert isinstance(written(operation("DocProcess", DocProcessResult=pages))[0], bytes)
