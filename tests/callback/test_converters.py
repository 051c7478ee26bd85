"""converters.py: from the text that CI sent to what it stands for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.callback import converters


@pytest.mark.parametrize(
    ("sent", "bits_per_second"),
    [
        ("8867.172000", 8_867_172),  # SuperResolution: 15,134,046 bytes in 13.654 s
        ("97624.424000", 97_624_424),  # Animation: 10,616,656 bytes in 0.87 s
        ("834736", 834_736),  # QualityEstimate: 1,424,687 bytes in 13.654 s
        ("1031968", 1_031_968),  # speed transcoding
        ("0", 0),
        ("999999999999999", 999_999_999_999_999),
        ("1000000000000000", None),
        ("-1", None),
        ("1e300", None),
        ("N/A", None),
        (None, None),
    ],
)
def test_a_bit_rate_with_a_point_is_in_kbit(sent: str | None, bits_per_second: int | None) -> None:
    """So that Size and Duration of the documents' samples agree with it."""
    assert converters.as_bit_rate(sent) == bits_per_second


@pytest.mark.parametrize(
    ("sent", "ratio"),
    [
        ("50/1", 50.0),
        ("30000/1001", 29.97003),
        ("25.000000", 25.0),
        ("1/3", 0.333333),
        ("0/0", None),
        ("25/", None),
        ("/1", None),
        ("1e308/1e-308", None),
        ("x", None),
        (None, None),
    ],
)
def test_a_frame_rate_may_be_a_ratio(sent: str | None, ratio: float | None) -> None:
    """As ffmpeg tells it."""
    assert converters.as_ratio(sent) == ratio


@pytest.mark.parametrize(
    ("sent", "meant"),
    [("true", True), ("False", False), (" 1 ", True), ("0", False), ("yes", None), (None, None)],
)
def test_yes_and_no_come_as_words_and_numbers(sent: str | None, meant: bool | None) -> None:
    """In any case."""
    assert converters.as_boolean(sent) is meant


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ("19712", 19.712),
        ("0", 0.0),
        ("1.5", 0.0015),
        ("1.2344", 0.001234),
        ("x", None),
        (None, None),
    ],
)
def test_milliseconds_become_seconds(sent: str | None, seconds: float | None) -> None:
    """Exact to the microsecond."""
    assert converters.in_seconds(sent) == seconds


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("out/0.jpg", "out/0.jpg"),
        ("/out.mp3", "out.mp3"),
        ("X/out.mp3", "X/out.mp3"),
        ("out/${Number}.jpg", None),
        ("/", None),
        ("", None),
        (None, None),
    ],
)
def test_a_key_has_no_slash_before_it_and_a_template_is_none(
    name: str | None, key: str | None
) -> None:
    """The addresses in the documents show it."""
    assert converters.as_key(name) == key


@pytest.mark.parametrize(
    ("sent", "verdict"),
    [
        ("normal", 0),
        ("Nomal ", 0),
        ("BLOCK", 1),
        ("review", 2),
        ("1", 1),
        ("3", 3),
        ("xxxx", None),
        ("", None),
        (None, None),
    ],
)
def test_a_verdict_is_a_number_or_a_word_for_one(sent: str | None, verdict: int | None) -> None:
    """In whatever case."""
    assert converters.as_verdict(sent) == verdict


def test_a_time_is_written_in_utc() -> None:
    """And a hyphen is none."""
    assert converters.as_moment("2022-06-27T15:23:11+0800") == "2022-06-27T07:23:11Z"
    assert converters.as_moment("-") is None


@given(st.text(max_size=40))
def test_nothing_is_raised_and_nothing_is_infinite(sent: str) -> None:
    """Whatever was sent."""
    readers = (converters.as_bit_rate, converters.as_ratio, converters.in_seconds)
    for read in (*readers, converters.as_boolean):
        value = read(sent)
        assert value is None or math.isfinite(value)
