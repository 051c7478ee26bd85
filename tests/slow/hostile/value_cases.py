"""Hostile times and numbers: what can't be believed is no time and no number, and costs nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.slow.hostile.case import Bait, Case, json_job, kept, xml_job

TIMES: dict[str, str | None] = {
    # sent: the time that it stands for
    "2022-07-25T16:35:39+0800": "2022-07-25T08:35:39Z",
    "2022-07-25 16:35:39+08:00": "2022-07-25T08:35:39Z",
    "2022-07-25T00:00:00+14:00": "2022-07-24T10:00:00Z",
    "2022-07-25T23:59:59-12:00": "2022-07-26T11:59:59Z",
    "2022-07-25T16:35:39.9999999+0800": "2022-07-25T08:35:39.999Z",
    "2022-07-25T16:35:39." + "9" * 10_000 + "Z": "2022-07-25T16:35:39.999Z",
    " 2022-07-25T16:35:39Z\n": "2022-07-25T16:35:39Z",
    "2024-02-29T00:00:00Z": "2024-02-29T00:00:00Z",
    "2015-01-01T00:00:00Z": "2015-01-01T00:00:00Z",
    "2015-01-01T00:00:00+0800": "2014-12-31T16:00:00Z",
    "2014-12-31T23:59:59Z": "2014-12-31T23:59:59Z",
    "2100-12-31T23:59:59Z": "2100-12-31T23:59:59Z",
    "2101-01-01T00:00:00Z": "2101-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z": "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z": "0001-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z": "1969-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z": None,
    "0001-01-01T00:00:00+2359": None,
    "9999-12-31T23:59:59-2359": None,
    "2022-02-30T00:00:00Z": None,
    "2023-02-29T00:00:00Z": None,
    "2022-13-01T00:00:00Z": None,
    "2022-00-10T00:00:00Z": None,
    "2022-07-00T00:00:00Z": None,
    "2022-07-25T24:00:00Z": None,
    "2022-07-25T23:60:00Z": None,
    "2022-12-31T23:59:60Z": None,
    "2022-07-25T16:35:39+9999": None,
    "2022-07-25T16:35:39+2400": None,
    "2022-07-25T16:35:39": None,
    "2022-07-25": None,
    "2022-7-5T1:2:3Z": None,
    "+2022-07-25T16:35:39Z": None,
    "-2022-07-25T16:35:39Z": None,
    "12022-07-25T16:35:39Z": None,
    "2022-07-25T16:35:39ZZ": None,
    "2022-07-25T16:35:39Z; x": None,
    "2022-07-25T16:35:39 Europe/Paris": None,
    "2022-W30-1T00:00:00Z": None,
    "Mon, 25 Jul 2022 16:35:39 GMT": None,
    "2022/07/25 16:35:39": None,
    "1658738139": None,
    "1658738139000": None,
    "-1": None,
    "1e99": None,
    "now": None,
    "-": None,
    "null": None,
    "NaN": None,
    "٢٠٢٢-٠٧-٢٥T١٦:٣٥:٣٩Z": None,
    "２０２２-07-25T16:35:39Z": None,
    "2022‐07‐25T16:35:39Z": None,
    "2022-07-25T16:35:39−08:00": None,
    "9" * 10_000: None,
    "2022-07-25T16:35:39+" + "0" * 10_000: None,
    "2022-07-25" * 10_000: None,
}

LEVELS: dict[str, int | None] = {
    # JobLevel as sent: the integer that it stands for
    "0": 0,
    "-1": -1,
    "+5": 5,
    " 7 ": 7,
    "007": 7,
    "9" * 18: 10**18 - 1,
    "9" * 19: None,
    "9" * 10_000: None,
    "1.5": None,
    "1.0": None,
    "1e3": None,
    "0x10": None,
    "1_000": None,
    "1,000": None,
    "--1": None,
    "１": None,
    "١": None,
    "²": None,
    "Ⅷ": None,
    "NaN": None,
    "Infinity": None,
    "true": None,
    "∞": None,
    "0; x": None,
    "1\u200b": None,
}

LENGTHS: dict[str, float | None] = {
    # a Duration as sent: the number of seconds that it stands for
    "10.5": 10.5,
    "-0": 0.0,
    "1e3": 1000.0,
    "-5": -5.0,
    "5e-324": 5e-324,
    "1.7976931348623157e308": 1.7976931348623157e308,
    "0." + "1" * 10_000: 0.1111111111111111,
    "1e309": None,
    "-1e309": None,
    "nan": None,
    "NaN": None,
    "-nan": None,
    "inf": None,
    "Infinity": None,
    "-Infinity": None,
    "1_0": None,
    "0x1p3": None,
    "1e": None,
    "1e99999999999": None,
    "9" * 10_000: None,
    "": None,
    "1,5": None,
    "١": None,
    "１": None,
}


def cases(bait: Bait) -> list[Case]:
    return [*_creations(), *_ends(), *_levels(), *_lengths(), *_rates()]


def _shown(sent: str) -> str:
    return ascii(sent) if len(sent) < 40 else f"{sent[:16]!a}… of {len(sent)}"


def _day(read: str | None) -> str:
    """The partition, by the design: 1970-01-01 for none, before 2015 and after 2100."""
    return f"dt={read[:10]}" if read and "2015" <= read[:4] <= "2100" else "dt=1970-01-01"


def _creations() -> Iterator[Case]:
    """The time of creation names the folder."""
    for sent, read in TIMES.items():
        for form, job in (("JSON", json_job), ("XML", xml_job)):
            yield kept(
                f"CreationTime {_shown(sent)} in {form}",
                job(CreationTime=sent),
                key=f"jobs/{_day(read)}/j1.json",
                holds={"created_at": read},
            )
    for sent, read in TIMES.items():
        run = {"RunId": "i1", "State": "Failed", "CreateTime": sent}
        yield kept(
            f"CreateTime of a run {_shown(sent)}",
            json.dumps({"WorkflowExecution": run}),
            key=f"workflows/{_day(read)}/i1.json",
            holds={"created_at": read},
        )


def _ends() -> Iterator[Case]:
    """The end of a failed job names the ticket's time."""
    for sent, read in TIMES.items():
        yield kept(
            f"EndTime {_shown(sent)}",
            json_job(State="Failed", CreationTime="2022-07-25T16:35:39+0800", EndTime=sent),
            key="jobs/dt=2022-07-25/j1.json",
            holds={"ended_at": read},
        )
    for start, end in (
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"),
    ):
        body = json_job(State="Failed", CreationTime=start, StartTime=end, EndTime=start)
        yield kept(f"from {start} to {end}", body, key="jobs/dt=1970-01-01/j1.json")


def _levels() -> Iterator[Case]:
    for sent, read in LEVELS.items():
        for form, body in (
            ("JSON", json_job(Operation={"JobLevel": sent})),
            ("XML", xml_job(f"<Operation><JobLevel>{sent}</JobLevel></Operation>")),
        ):
            yield kept(f"JobLevel {_shown(sent)} in {form}", body, holds={"job_level": read})
    kinds: tuple[Any, ...] = (None, True, [], {}, ["7"], [1, 2], {"a": 7}, [[7]])
    for kind in kinds:
        read = 7 if kind == ["7"] else None
        yield kept(
            f"JobLevel that is {kind!r}",
            json_job(Operation={"JobLevel": kind}),
            holds={"job_level": read},
        )


def _lengths() -> Iterator[Case]:
    """A number of a result: finite, or null."""
    for sent, read in LENGTHS.items():
        parts = {"SplitVideoInfoResult": {"TimeInfo": [{"Index": "0", "PartBegin": sent}]}}
        yield kept(
            f"seconds {_shown(sent)}",
            json_job(Tag="SplitVideoParts", Operation=parts),
            holds={"result.parts.0.begin_s": read},
        )


def _rates() -> Iterator[Case]:
    """Bit rates and frame rates are computed with."""
    for sent, rate in {
        "128000": 128_000,
        "128.5": 128_500,
        "-1": None,
        "1e15": None,
        "1e308": None,
        "9" * 400: None,
        "nan": None,
        "0": 0,
    }.items():
        yield _stream("Bitrate", sent, "bit_rate_bps", rate)
    for sent, fps in {
        "25": 25.0,
        "50/2": 25.0,
        "1/0": None,
        "0/0": None,
        "1e308/1e-308": None,
        "1/2/3": None,
        "/": None,
        "25/": None,
        "/25": None,
        "nan/1": None,
        "1/" + "9" * 400: None,
    }.items():
        yield _stream("AvgFps", sent, "avg_fps", fps)


def _stream(node: str, sent: str, field: str, read: float | None) -> Case:
    info = {"MediaInfo": {"Stream": {"Video": [{"Index": "0", "CodecName": "h264", node: sent}]}}}
    return kept(
        f"{node} {_shown(sent)}",
        json_job(Operation=info),
        holds={f"result.media.video.0.{field}": read},
    )
