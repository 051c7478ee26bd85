"""ci_wire.py: a tree as XML. The signing is tested by every request of test_ci.py."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handler.callback.payload import Limits, parse
from handler.ci_api.client import NotWritableError, to_xml

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r<>&\"'"),
    max_size=20,
)


def elements(inner: Any) -> Any:
    """Containers of what is given, as the reader makes them: never empty, lists from two on."""
    some = st.dictionaries(names, inner, min_size=1, max_size=3)
    return some | st.dictionaries(names, st.lists(texts | some, min_size=2, max_size=3), min_size=1)


trees = st.dictionaries(names, st.recursive(texts, elements, max_leaves=12), min_size=1, max_size=4)


@settings(deadline=None, max_examples=60)
@given(trees)
def test_what_is_written_is_read_again(tree: dict[str, Any]) -> None:
    """By the reader of this package, whatever the texts hold."""
    assert parse(to_xml({"Request": tree}), Limits()) == ({"Request": tree}, "xml")


def test_lists_repeat_their_element() -> None:
    """And what is empty stays an element."""
    tree: dict[str, Any] = {"A": {"B": ["1", {"C": "2"}], "D": None, "E": [], "F": {}}}
    assert to_xml(tree) == b"<A><B>1</B><B><C>2</C></B><D></D><F></F></A>"


@pytest.mark.parametrize(
    "name", ["", "a b", "a><b", "@id", "#text", "1a", "中", "a/", "ns:a", "-a", "a\n"]
)
def test_other_names_are_refused(name: str) -> None:
    """A name comes from a callback, and stands where no escape helps."""
    with pytest.raises(NotWritableError, match="no name of an XML element"):
        to_xml({"Request": {name: ""}})


@pytest.mark.parametrize("text", ["\0", "\x0b", "\x1b", "\ud800", "\ufffe", "\uffff"])
def test_characters_that_xml_has_not_are_refused(text: str) -> None:
    """No escape stands for them. The message names the place, not the text."""
    with pytest.raises(NotWritableError, match=r"^Key holds U\+[0-9A-F]{4}, which XML") as raised:
        to_xml({"Request": {"Key": f"secret{text}"}})
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("value", [1, True, ["a"]])
def test_other_leaves_are_refused(value: Any) -> None:
    """CI sends and takes texts alone; a list in a list has no element."""
    with pytest.raises(NotWritableError, match=r"Key holds a .* where a text is expected"):
        to_xml({"Request": {"Key": [value]}})
