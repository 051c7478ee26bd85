"""details.py: what may repeat is a list, and JSON is written without what JSON has not."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.callback import details, path_trie


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_json_has_no_number_for_is_never_written(number: float) -> None:
    """Another reader of the line would stumble over it."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        details.dumps({"a": number})


def test_marked_nodes_are_lists_wherever_they_repeat() -> None:
    """One path may lead through another."""
    trie = path_trie.build(["A.B", "A.B.C", "D"])
    tree: Any = {"A": [{"B": {"C": "1"}}, {"B": ""}], "D": ["x"], "E": "y"}
    before = copy.deepcopy(tree)
    assert details.with_lists(tree, trie) == {
        "A": [{"B": [{"C": ["1"]}]}, {"B": []}],
        "D": ["x"],
        "E": "y",
    }
    assert tree == before


def test_an_empty_name_is_no_end_of_a_path() -> None:
    """JSON may hold one."""
    trie = path_trie.build(["A", "A.B"])
    assert details.with_lists({"": "x", "A": "y"}, trie) == {"": "x", "A": ["y"]}
    assert details.with_lists({"A": {"": "x", "B": "y"}}, trie) == {"A": [{"": "x", "B": ["y"]}]}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below),
    max_leaves=10,
)


@given(VALUES)
def test_in_parts_the_same_bytes_are_written(value: Any) -> None:
    """Only the way there takes less memory."""
    assert details.dumps_in_parts(value) == details.dumps(value)
