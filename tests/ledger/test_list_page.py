"""list_page.py: one page of a listing of COS."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcloud_cos.cos_comm import decode_result, format_dict, xml_to_dict

from handler.errors import PayloadError
from handler.ledger.list_page import Page, read_page

KEYS = st.lists(st.text("abc~%+/ 中.é", min_size=1, max_size=9), min_size=1, max_size=5)


def page(keys: list[str], beside: str = "") -> bytes:
    """As COS writes one."""
    rows = "".join(
        f"<Contents><Key>{escape(key)}</Key><Size>2</Size><Owner><ID>1</ID></Owner></Contents>"
        for key in keys
    )
    return f"<ListBucketResult><Name>b</Name>{beside}{rows}</ListBucketResult>".encode()


@given(KEYS)
def test_it_reads_the_keys_that_the_sdk_reads(keys: list[str]) -> None:
    """Percent-encoded or not."""
    body = page(keys)
    theirs = xml_to_dict(body)
    format_dict(theirs, ["Contents"])
    decode_result(theirs, [], [["Contents", "Key"]])
    assert read_page(body).keys == [entry["Key"] for entry in theirs["Contents"]]


@pytest.mark.parametrize(
    ("beside", "next_marker"),
    [
        ("", None),
        ("<IsTruncated>false</IsTruncated><NextMarker>x</NextMarker>", None),
        ("<IsTruncated>true</IsTruncated>", "b c"),
        ("<IsTruncated>true</IsTruncated><NextMarker>b%20d</NextMarker>", "b d"),
    ],
)
def test_the_next_page_begins_where_cos_says(beside: str, next_marker: str | None) -> None:
    """Behind the last key where COS does not say."""
    assert read_page(page(["a", "b%20c"], beside)) == Page(["a", "b c"], next_marker, [])


def test_a_page_without_keys_is_the_last_one() -> None:
    """Whatever it says."""
    assert read_page(page([], "<IsTruncated>true</IsTruncated>")) == Page([], None, [])


def test_what_is_no_page_is_refused() -> None:
    """A proxy's answer, or COS's error."""
    with pytest.raises(PayloadError):
        read_page(b"<html/>")
    with pytest.raises(KeyError):
        read_page(b"<ListBucketResult><Contents/></ListBucketResult>")
