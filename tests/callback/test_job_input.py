"""job_input.py: the input of a record, with its types."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.callback.job_input import Input
from tests.callback.test_record import job

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(["bucket", "region", "object", "url", "headers", "x"]),
            below,
            max_size=5,
        )
    ),
    max_leaves=12,
)


def test_a_record_has_its_input_with_types() -> None:
    """As its JSON has it."""
    sent = {
        "BucketId": "b-1250000000",
        "Region": "ap-chongqing",
        "Object": "a.mp4",
        "CosHeaders": [{"Key": "Size", "Value": "7"}],
    }
    read = job(Input=sent).job_input
    assert read == Input("b-1250000000", "ap-chongqing", "a.mp4", "", {"Size": "7"})
    assert job().job_input == Input()


@pytest.mark.parametrize(
    "stored", [None, "x", [], 7, {"bucket": 7, "object": None, "headers": ["a"], "url": {}}]
)
def test_what_is_no_text_counts_as_not_said(stored: Any) -> None:
    """A file of a ledger may hold anything."""
    assert Input.of(stored) == Input()


@given(ANY_JSON)
def test_any_json_is_read(stored: Any) -> None:
    """Each field is a text, each header too."""
    read = Input.of(stored)
    texts = (read.bucket, read.region, read.object, read.url, *read.headers.values())
    assert all(isinstance(text, str) for text in texts)
