"""xml_rows.py: the rows of a long XML list, without a tree of all of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.callback import tree
from handler.callback.payload import Limits, parse
from handler.callback.xml_rows import RowNames, Rows, read_rows
from handler.ci_api.signing import to_xml
from handler.errors import PayloadError

NAMES = RowNames("List", "Row", frozenset({"Key", "Size"}), frozenset({"Next"}))

texts = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8)


def read(body: bytes, limits: Limits | None = None) -> Rows:
    """The rows of a body."""
    return read_rows(body, NAMES, limits or Limits())


def test_only_texts_that_are_asked_for_are_kept() -> None:
    """Of a row and beside the rows, at their own depth only."""
    body = (
        b"<List><Name>b</Name><Row><Key>a</Key><Owner><Key>no</Key></Owner><Size>3</Size></Row>"
        b"<Row><Key>b&amp;c</Key><ETag>x</ETag></Row><Row/><Next>d</Next></List>"
    )
    assert read(body) == Rows([{"Key": "a", "Size": "3"}, {"Key": "b&c"}, {}], {"Next": "d"})


def test_a_text_may_come_in_parts() -> None:
    """Around a comment, for one."""
    assert read(b"<List><Row><Key>a<!-- b -->c</Key></Row></List>").rows == [{"Key": "ac"}]


def test_a_text_may_be_longer_than_what_the_parser_holds() -> None:
    """It comes in parts then."""
    text = "0123456789\n" * 10_000
    assert read(f"<List><Row><Key>{text}</Key></Row></List>".encode()).rows == [{"Key": text}]


def test_a_list_may_be_as_long_as_the_limit() -> None:
    """And no byte longer."""
    body = b"<List><Row><Key>a</Key></Row></List>"
    assert read(body, Limits()._replace(max_bytes=len(body))).rows == [{"Key": "a"}]
    with pytest.raises(PayloadError, match="too_long"):
        read(body, Limits()._replace(max_bytes=len(body) - 1))


rows_of_texts = st.fixed_dictionaries(
    {"Other": st.just("x")}, optional={"Key": texts, "Size": texts}
)


@given(st.lists(rows_of_texts, min_size=2))
def test_it_reads_what_the_tree_holds(rows: list[dict[str, str]]) -> None:
    """Whatever the texts are."""
    body = to_xml({"List": {"Row": [dict(row) for row in rows], "Next": "7"}})
    node, _ = parse(body, Limits())
    kept = [
        {name: tree.text(row, name) or "" for name in ("Key", "Size") if name in row}
        for row in tree.get_all(node, "List.Row")
        if isinstance(row, dict)
    ]
    found = [
        {name: text if text.strip() else "" for name, text in row.items()}
        for row in read(body).rows
    ]
    assert found == kept


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<List><Row>", "xml_invalid"),
        (b"<Error><Code>NoSuchBucket</Code></Error>", "no_known_envelope"),
        (b'<!DOCTYPE List [<!ENTITY a "b">]><List>&a;</List>', "dtd_forbidden"),
        (b"<List>" + b"<a/>" * 300 + b"</List>", "too_many_nodes"),
        (b"<List " + b"a='1' " * 90 + b"/>", "tag_too_long"),
        (b"<List>" + b" " * 5_000 + b"</List>", "too_long"),
        (b"", "xml_invalid"),
    ],
)
def test_what_is_no_such_list_is_refused(body: bytes, reason: str) -> None:
    """By the limits and guards of every other body."""
    with pytest.raises(PayloadError) as error:
        read(body, Limits(max_bytes=4_000, max_nodes=100, max_tag_bytes=400))
    assert error.value.reason == reason
