"""Hostile envelopes: whose callback it is, of how many jobs, and what CI echoes in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.slow.hostile.case import (
    JOB,
    PLANTED,
    Bait,
    Case,
    dead,
    json_job,
    kept,
    no_id,
    post,
    xml_job,
)

ODDLY_WRITTEN = (
    *("Doc\u200bPassword", "\ufeffDocPassword", "DocPassword\u00ad", "Doc\u034fPassword"),
    *("Doc\u202ePassword", "Doc\x00Password", "Doc\U000e0041Password", "\uff24ocPassword"),
    *("\U0001d403ocPassword", "Pa\u017fsword", "D\u043ecPassword", "dOCpASSWORd", "uRIkEY"),
    *("compress\u200bkey", "UnCompressKe\u0443", "I\u200dV", "plain_text", "To\u212aen"),
)
"""Names that a reader takes for those of secrets."""


def cases(bait: Bait) -> list[Case]:
    return [*_shapes(), *_many(), *_events(), *_reviews(), *_repeated(), *_secrets()]


def _callback(detail: Any, **more: Any) -> str:
    return json.dumps({"JobsDetail": detail, **more})


def _shapes() -> Iterator[Case]:
    nothing: dict[str, Any] = {
        "null": None,
        "a blank": " ",
        "no text": "",
        "an empty list": [],
        "an empty object": {},
        "a list of nothing": [None, "", {}, []],
    }
    for name, detail in nothing.items():
        yield dead(f"JobsDetail is {name}", _callback(detail), "no_callback")
    no_jobs: dict[str, Any] = {
        "a text": "j1",
        "a number": 7,
        "true": True,
        "a list in a list": [[dict(JOB)]],
        "a text of JSON": json.dumps(dict(JOB)),
        "an object without an id": {"State": "Failed"},
        "another callback": {"JobsDetail": dict(JOB)},
        "a Response": {"Response": {"JobsDetail": dict(JOB)}},
    }
    for name, detail in no_jobs.items():
        yield no_id(f"JobsDetail is {name}", _callback(detail))
        yield no_id(f"WorkflowExecution is {name}", json.dumps({"WorkflowExecution": detail}))
    for name, tree in {
        "Response and more": {"Response": {"JobsDetail": dict(JOB)}, "x": 1},
        "Response twice": {"Response": {"Response": {"JobsDetail": dict(JOB)}}},
        "Response is a list": {"Response": [{"JobsDetail": dict(JOB)}]},
        "Response is a text": {"Response": json_job()},
        "JobsDetail one level down": {"data": {"JobsDetail": dict(JOB)}},
        "JobsDetail in another case": {"jobsDetail": dict(JOB)},
        "JobsDetail in the singular": {"JobDetail": dict(JOB)},
        "an error of CI": {"Error": {"Code": "AccessDenied", "Message": "x"}},
        "the name alone": {"EventName": "TaskFinish"},
        "trace_id at the root": {"trace_id": "t1", "code": 0},
        "trace_id blank": {"data": {"trace_id": " "}},
        "trace_id a list": {"data": {"trace_id": ["a", "b"]}},
        "data a list": {"data": [{"trace_id": "t1"}]},
        "data a text": {"data": '{"trace_id": "t1"}'},
    }.items():
        yield dead(f"no callback: {name}", json.dumps(tree), "no_callback")
    for node in ("Operation", "Input", "Workflow", "Tag", "State", "Code", "Message", "QueueId"):
        kinds: tuple[Any, ...] = ("", "x", 7, True, [], {}, [[]], [{}], ["a", "b"], {"a": ["b"]})
        for kind in kinds:
            yield kept(f"{node} is {kind!r}", json_job(**{node: kind}), key=_kept_at(node, kind))
    for node in ("MediaResult", "MediaInfo", "Output", "UserData", "DigitalWatermark"):
        deep: tuple[Any, ...] = (
            "x",
            7,
            [],
            [[[]]],
            {"OutputFile": "x"},
            {"OutputFile": [1, [2]]},
            {"Stream": {"Video": {"Index": []}}},
            [{"Object": {"Object": "a"}}],
        )
        for kind in deep:
            yield kept(f"Operation.{node} is {kind!r}", json_job(Operation={node: kind}))


def _kept_at(node: str, kind: Any) -> str | None:
    """A State that is no single text is unknown, so the job is put aside."""
    if node != "State":
        return "jobs/dt=1970-01-01/j1.json"
    state = {"'x'": "x", "7": "7", "True": "true"}.get(repr(kind), "none")
    return f"_unfinished/dt=1970-01-01/j1-{state}.json"


def _many() -> Iterator[Case]:
    def jobs(count: int) -> list[dict[str, str]]:
        return [{"JobId": f"j{n}", "State": "Success"} for n in range(count)]

    yield Case("100 jobs", post(_callback(jobs(100))), 200, ("kept",) * 100)
    for count in (101, 1_000, 20_000):
        yield dead(f"{count:,} jobs", _callback(jobs(count)), "too_many_jobs")
    runs = [{"RunId": "i1", "State": "Success"}] * 60
    body = _callback(jobs(60), WorkflowExecution=runs)
    yield dead("60 jobs and 60 runs", body, "too_many_jobs")
    elements = "<JobsDetail><JobId>j</JobId></JobsDetail>" * 101
    yield dead("101 jobs in XML", f"<Response>{elements}</Response>", "too_many_jobs")
    yield Case(
        "one of three without an id",
        post(_callback([{"JobId": "j1", "State": "Success"}, {}, "x", {"JobId": "j2"}])),
        202,
        ("kept", "dead_letter", "kept"),
        "no_job_id",
    )
    yield Case(
        "a job and a run",
        post(_callback(dict(JOB), WorkflowExecution={"RunId": "j1", "State": "Success"})),
        200,
        ("kept", "kept"),
    )


def _events() -> Iterator[Case]:
    events: tuple[Any, ...] = (
        "",
        " ",
        "TaskFinish",
        "taskfinish",
        "WorkflowFinish",
        "../../x",
        "x\r\ny: z",
        "x\0y",
        "\u202e",
        "译",
        "x" * 10_000,
        7,
        None,
        [],
        {},
        ["Review"],
    )
    for event in events:
        # ["Review"] reads as the one text that it holds: a review, kept beside the jobs.
        key = None if event == ["Review"] else "jobs/dt=1970-01-01/j1.json"
        yield kept(f"EventName {ascii(event)[:40]}", _callback(dict(JOB), EventName=event), key=key)
    for event in ("Review", "ReviewImage", "Reviewer", "Review/../../x", "Review\0"):
        yield kept(
            f"EventName {event!r} of a review",
            _callback(dict(JOB), EventName=event),
            holds={"kind": "review", "event": event},
        )
    header = [{"Key": "EventName", "Value": "ReviewImage"}]
    yield kept(
        "EventName in a header",
        json_job(Input={"CosHeaders": header, "Object": "a"}),
        holds={"kind": "job", "event": None},
    )


def _reviews() -> Iterator[Case]:
    def simple(**data: Any) -> str:
        return json.dumps({"code": 0, "message": "success", "data": {"trace_id": "t1", **data}})

    yield Case("the console's test", post(simple(trace_id="test_trace_id")), 200, "ignored")
    for trace_id in ("Test_trace_id", "test_trace_id ", "test_trace_id\0", "../test_trace_id"):
        yield kept(f"nearly the console's test {trace_id!r}", simple(trace_id=trace_id))
    for node in ("porn_info", "cos_headers", "result", "label", "url", "event", "forbidden_status"):
        kinds: tuple[Any, ...] = ("x", 7, [], {}, [[]], {"hit_flag": []}, {"hit_flag": {"a": 1}})
        for kind in kinds:
            yield kept(f"review with {node} {kind!r}", simple(**{node: kind}))
    yield kept(
        "a review and a job in one is the review",
        json.dumps({**json.loads(simple()), "JobsDetail": dict(JOB)}),
        holds={"kind": "review", "job_id": "t1"},
    )
    codes: tuple[Any, ...] = ("0", 0, "1", "x", None, [], {}, "9" * 300)
    for code in codes:
        body = json.dumps({"code": code, "data": {"trace_id": "t1"}})
        yield Case(f"review with code {ascii(code)[:20]}", post(body), 200, ("kept",))


def _repeated() -> Iterator[Case]:
    """One JobId several times in one callback: once is kept, another end is a dead letter."""
    good, bad = {"JobId": "j1", "State": "Success"}, {"JobId": "j1", "State": "Failed"}
    for name, jobs, words in (
        ("twice", [good, good], ("kept", "kept")),
        ("100 times", [good] * 100, ("kept",) * 100),
        ("with other details", [good, {**good, "Message": "x"}], ("kept", "duplicate")),
        ("unfinished and finished", [{**good, "State": "Running"}, good], ("kept", "kept")),
    ):
        yield Case(f"the same JobId {name}", post(_callback(jobs)), 200, words)
    for name, jobs in {"good and bad": [good, bad], "bad and good": [bad, good]}.items():
        event = post(_callback(jobs))
        yield Case(f"the same JobId {name}", event, 202, ("kept", "dead_letter"), "conflict")


def _secrets() -> Iterator[Case]:
    """What CI echoes of a request's secrets is written nowhere, however it is wrapped."""
    wraps: dict[str, Any] = {
        "a text": PLANTED,
        "a list": [PLANTED],
        "two": [PLANTED, PLANTED],
        "an object": {"x": PLANTED},
        "an object for a name": {PLANTED: "x"},
        "a list in a list": [[PLANTED]],
    }
    for node in ("DocPassword", "UnCompressKey", "CompressKey", "UriKey"):
        for wrap, value in wraps.items():
            for place, detail in {
                "in the job": {node: value},
                "in the Operation": {"Operation": {node: value}},
                "in the Input": {"Input": {node: value, "Object": "a"}},
                "in a list": {"Operation": [{"x": [{node: value}]}]},
                "in MediaResult": {"Operation": {"MediaResult": {"OutputFile": {node: value}}}},
            }.items():
                yield kept(
                    f"{node} {place}, as {wrap}",
                    json_job(State="Failed", **detail),
                    key="jobs/dt=1970-01-01/j1.json",
                )
        element = f"<{node}>{PLANTED}</{node}>"
        for name, inner in {
            "once": element,
            "twice": element * 2,
            "with an attribute": f'<{node} k="v">{PLANTED}</{node}>',
            "as an attribute of it": f'<{node} k="{PLANTED}"/>',
            "in CDATA": f"<{node}><![CDATA[{PLANTED}]]></{node}>",
            "deep": f"<Operation><a><b>{element}</b></a></Operation>",
        }.items():
            yield kept(f"{node} in XML, {name}", xml_job(inner, State="Failed"))
    for name in ODDLY_WRITTEN:
        odd: dict[str, dict[str, Any]] = {
            "in the job": {name: PLANTED},
            "in the Operation": {"Operation": {name: [PLANTED]}},
            "in the Input": {"Input": {"Object": "a", name: {"x": PLANTED}}},
        }
        for place, detail in odd.items():
            yield kept(f"{name!a} {place}", json_job(State="Failed", **detail))
    for name in ("CallBack", "CallBackUrl", "callback"):
        address = f"https://f.example.com/?token={PLANTED}"
        yield kept(f"the address in {name}", json_job(State="Failed", **{name: address}))
        yield kept(f"{name} in XML", xml_job(f"<{name}>{address}</{name}>", State="Failed"))
