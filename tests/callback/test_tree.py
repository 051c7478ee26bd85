"""tree.py: paths, text, numbers and times."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from handler.callback import converters, tree

TREE: Any = {"A": {"B": [{"C": "1"}, {"C": "2"}], "E": "", "S": " ", "L": ["only"]}, "N": None}


@pytest.mark.parametrize(
    ("path", "text"),
    [("A.B.C", "1"), ("A.E", None), ("A.S", None), ("A.L", "only"), ("A.B", None), ("N", None)],
)
def test_text_is_found_by_path_or_is_none(path: str, text: str | None) -> None:
    """Blank, null, absent and of another shape read alike."""
    assert tree.text(TREE, path) == text


def test_a_path_through_a_leaf_or_an_empty_list_leads_nowhere() -> None:
    """No exception leaves the module."""
    assert tree.get({"A": "x"}, "A.B") is None
    assert tree.get({"A": []}, "A.B") is None


def test_one_and_none_are_lists_too() -> None:
    """A repeated element may come once, or not at all."""
    assert tree.get_all({"A": "x"}, "A") == ["x"]
    assert tree.get_all({"A": ["x", "", "y"]}, "A") == ["x", "y"]
    assert tree.get_all({}, "A") == []


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2022-07-25T16:35:39+0800", "2022-07-25T08:35:39Z"),
        ("2022-07-25T16:35:39+08:00", "2022-07-25T08:35:39Z"),
        ("2022-08-09 14:54:17+0800", "2022-08-09T06:54:17Z"),
        ("2022-07-25T08:35:39Z", "2022-07-25T08:35:39Z"),
        ("2022-07-25T03:05:39-0530", "2022-07-25T08:35:39Z"),
        ("2022-07-25T08:35:39.25Z", "2022-07-25T08:35:39.250Z"),
        ("2022-07-25T08:35:39.123456789Z", "2022-07-25T08:35:39.123Z"),
        ("2022-07-25T08:35:39.999999Z", "2022-07-25T08:35:39.999Z"),
        ("-", None),
        ("", None),
        (None, None),
        ("2022-07-25T16:35:39", None),
        ("2022-13-25T16:35:39Z", None),
        ("0001-01-01T00:00:00+0800", None),
        ("2022-07-25T16:35:39+9900", None),
        ("２０22-07-25T16:35:39Z", None),
        ("yesterday", None),
    ],
)
def test_times_are_read_with_their_offset_or_not_at_all(sent: str | None, read: str | None) -> None:
    """Every form that CI's documents print, in UTC; nothing is guessed."""
    assert converters.rfc3339(converters.moment(sent)) == read


@pytest.fixture
def _zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Eight hours ahead of UTC."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "CST-8")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_zone_of_the_machine")
def test_times_are_in_utc_whatever_the_machines_own_zone() -> None:
    """Those of CI and those of the clock."""
    at = converters.moment("2022-07-25T08:35:39Z")
    assert at == datetime(2022, 7, 25, 8, 35, 39, tzinfo=timezone.utc)
    assert converters.moment("2022-07-25T16:35:39+0800") == at
    assert at
    assert at.tzinfo is timezone.utc
    assert converters.rfc3339(at) == "2022-07-25T08:35:39Z"


def test_durations_hold_across_offsets() -> None:
    """Seconds are counted between moments, not between clock faces."""
    start = converters.moment("2022-07-25T23:59:59+0800")
    assert converters.seconds_between(start, converters.moment("2022-07-25T16:00:00Z")) == 1
    assert converters.seconds_between(start, converters.moment("2022-07-25T15:59:59.5Z")) == 0.5
    assert (
        converters.seconds_between(start, converters.moment("2022-07-25T15:59:59.1234Z")) == 0.123
    )
    assert converters.seconds_between(start, None) is None
    assert isinstance(converters.seconds_between(start, start), int)


@pytest.mark.parametrize(
    ("sent", "whole", "real"),
    [
        ("0", 0, 0.0),
        ("-7", -7, -7.0),
        ("5.320000", None, 5.32),
        ("1e3", None, 1000.0),
        ("1e400", None, None),
        ("nan", None, None),
        ("1_000", None, None),
        ("x", None, None),
        ("9" * 19, None, 1e19),
        (None, None, None),
    ],
)
def test_numbers_are_numbers_or_null(sent: str | None, whole: int | None, real: float) -> None:
    """What is no finite number of a sane length reads as None."""
    assert converters.integer(sent) == whole
    assert converters.number(sent) == real


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("BasicType", "basic_type"),
        ("Lang", "lang"),
        ("QueueID", "queue_id"),
        ("CIRoleName", "ci_role_name"),
        ("Md5Info", "md5_info"),
        ("already_snake", "already_snake"),
        ("@x", "x"),
        ("…", "…"),
    ],
)
def test_names_become_snake_case(name: str, snake: str) -> None:
    """A name without a letter or digit stays as it is."""
    assert converters.snake_case(name) == snake
