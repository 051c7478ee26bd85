"""fields.py: the language in which results are written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from handler.callback.results import fields, leaves
from handler.callback.results.fields import Group, Leaf, Rows, Values
from handler.errors import PayloadError

POINT = {"x": leaves.integer("X|x", "Across", 1, "pixels")}
GROUP = Group(
    "",
    "A thing",
    {
        "name": leaves.text("Name", "Its name", "a"),
        "length_s": leaves.seconds_of_ms("Ms", "Its length", 1.5),
        "is_new": leaves.boolean("New", "Whether it is new"),
        "words": leaves.texts("Words", "Its words", ["a"]),
        "first": Group("First", "Its first point; null where absent", POINT, optional=True),
        "always": Group("First", "The same, never null", POINT),
        "points": Rows("Points|Old.Points", "Its points", POINT),
    },
)
NOTHING: dict[str, Any] = {
    "name": None,
    "length_s": None,
    "is_new": None,
    "words": [],
    "first": None,
    "always": {"x": None},
    "points": [],
}


def test_everything_is_read_in_its_type() -> None:
    """One of a list is a list of one."""
    tree: Any = {
        "Name": "n",
        "Ms": "1500",
        "New": "true",
        "Words": "w",
        "First": {"X": "1"},
        "Points": {"X": "2"},
    }
    assert GROUP.read(tree) == {
        "name": "n",
        "length_s": 1.5,
        "is_new": True,
        "words": ["w"],
        "first": {"x": 1},
        "always": {"x": 1},
        "points": [{"x": 2}],
    }


def test_what_is_absent_is_null_and_no_rows_are_an_empty_list() -> None:
    """An optional group is null as a whole."""
    assert GROUP.read({}) == NOTHING
    assert GROUP.read(None) == NOTHING


def test_empty_nodes_are_as_good_as_absent_ones() -> None:
    """One format sends them, the other leaves them out."""
    empty: Any = {
        "Name": " ",
        "Words": ["", {}],
        "First": {"X": ""},
        "Points": [{"X": ""}, {"X": {"Y": [""]}}, ""],
    }
    assert GROUP.read(empty) == NOTHING


def test_a_value_of_another_type_is_null_and_a_row_stays_a_row() -> None:
    """Somebody who counts rows counts right."""
    tree: Any = {"Ms": "x", "New": "perhaps", "Words": [{"A": "b"}, "w"], "Points": [{"X": "y"}]}
    read: Any = GROUP.read(tree)
    assert (read["length_s"], read["is_new"]) == (None, None)
    assert (read["words"], read["points"]) == (["w"], [{"x": None}])


def test_of_several_paths_the_first_that_holds_something_counts() -> None:
    """Documents and SDKs differ in where they put things."""
    tree: Any = {"Points": "", "Old": {"Points": [{"x": "3"}, {"X": "4", "x": "5"}]}}
    read: Any = GROUP.read(tree)
    assert read["points"] == [{"x": 3}, {"x": 4}]


def test_lists_are_named_with_their_whole_path() -> None:
    """So that they can be marked in `details`."""
    outer = Group("Top", "", {"rows": Rows("Rows", "", {"inner": GROUP})})
    assert list(outer.lists()) == [
        "Top.Rows",
        "Top.Rows.Words",
        "Top.Rows.Points",
        "Top.Rows.Old.Points",
    ]


def test_the_schema_says_what_is_read() -> None:
    """Types, units and examples, and nothing besides the named fields."""
    schema = GROUP.schema()
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(GROUP.read({}))
    validator.validate(GROUP.read({"Name": "n", "Points": [{"X": "1"}]}))
    assert not validator.is_valid(NOTHING | {"more": 1})
    assert not validator.is_valid({"name": None})
    assert schema["properties"]["length_s"] == {
        "type": ["number", "null"],
        "description": "Its length, in seconds",
        "examples": [1.5],
    }


ONE_VALUE: Any = [
    # how it is written down, a text and what it is read as, its type, its description
    (lambda: leaves.text("A", "It", "e"), " x ", " x ", "string", "It"),
    (lambda: leaves.key("A", "It", "e"), "/x", "x", "string", "It"),
    (lambda: leaves.integer("A", "It", 7), "12", 12, "integer", "It"),
    (lambda: leaves.integer("A", "It", 7, "pixels"), "1.5", None, "integer", "It, in pixels"),
    (lambda: leaves.number("A", "It", 7), "1.5", 1.5, "number", "It"),
    (lambda: leaves.number("A", "It", 7, "percent"), "x", None, "number", "It, in percent"),
    (lambda: leaves.seconds("A", "It", 7), "1.5", 1.5, "number", "It, in seconds"),
    (lambda: leaves.seconds_of_ms("A", "It", 7), "1500", 1.5, "number", "It, in seconds"),
    (lambda: leaves.boolean("A", "It"), "1", True, "boolean", "It"),
    (lambda: leaves.ratio("A", "It", 7), "1/4", 0.25, "number", "It"),
    (lambda: leaves.ratio("A", "It", 7, "hertz"), "1/0", None, "number", "It, in hertz"),
    (lambda: leaves.bit_rate("A", "It", 7), "1.5", 1500, "integer", "It, in bits per second"),
    (
        lambda: leaves.moment("A", "It", "e"),
        "2022-07-25T16:35:39+0800",
        "2022-07-25T08:35:39Z",
        "string",
        "It. RFC 3339 in UTC",
    ),
]


EXAMPLES: Any = {"string": "e", "integer": 7, "number": 7, "boolean": False}


@pytest.mark.parametrize(("make", "sent", "read", "kind", "about"), ONE_VALUE)
def test_a_value_is_read_in_its_type(
    make: Callable[[], Leaf], sent: str, read: Any, kind: str, about: str
) -> None:
    """And its schema says which one it is, in which unit, with an example."""
    field = make()
    assert field.read({"A": sent}) == field.read({"A": [sent]}) == read
    assert field.read({"A": {"A": sent}}) is None
    assert list(field.lists()) == []
    schema = field.schema()
    pattern = schema.pop("pattern", None)
    assert (pattern == fields.MOMENT) == ("RFC 3339" in about)
    assert schema == {"type": [kind, "null"], "description": about, "examples": [EXAMPLES[kind]]}


@pytest.mark.parametrize(
    ("tree", "read"),
    [
        ({"A": {"B": "1"}, "C": "2"}, "1"),
        ({"A": {"B": " "}, "C": "2"}, "2"),
        ({"A": [{"C": "3"}], "C": ["2"]}, "2"),
        ({"A.B": "1", "A.B|C": "2", "": "3"}, None),
    ],
)
def test_a_path_leads_through_nodes_and_may_have_alternatives(tree: Any, read: Any) -> None:
    """A dot goes down, a bar stands between what is tried in turn."""
    assert leaves.text("A.B|C", "It", "e").read(tree) == read


SEVERAL_VALUES: Any = [
    (lambda: leaves.texts("A.B|C", "Them", ["e"]), ["x", "y"], ["x", "y"], "string", "Them"),
    (lambda: leaves.integers("A.B|C", "Them", [7]), ["1", "x", "2"], [1, 2], "integer", "Them"),
    (
        lambda: leaves.integers("A.B|C", "Them", [7], "pixels"),
        "1",
        [1],
        "integer",
        "Them, in pixels",
    ),
]


@pytest.mark.parametrize(("make", "sent", "read", "kind", "about"), SEVERAL_VALUES)
def test_several_values_are_read_in_their_type(
    make: Callable[[], Values], sent: Any, read: Any, kind: str, about: str
) -> None:
    """What is of another type is left out, and either path may be a list."""
    field = make()
    assert field.read({"A": {"B": sent}}) == field.read({"C": sent}) == read
    assert field.read({"A": sent}) == []
    assert list(field.lists()) == ["A.B", "C"]
    assert field.schema() == {
        "type": "array",
        "description": about,
        "items": {"type": kind},
        "examples": [[EXAMPLES[kind]]],
    }


def test_more_rows_than_the_bound_are_refused_with_the_bound() -> None:
    """It is lower for rows of many fields."""
    fields.refuse_many_rows(fields.MAX_ROWS)
    with pytest.raises(PayloadError) as caught:
        fields.refuse_many_rows(fields.MAX_ROWS + 1)
    assert str(caught.value) == (
        f"too_many_rows: more than {fields.MAX_ROWS} in one list of the result"
    )
    fields.refuse_many_rows(1, fields.MAX_CELLS)
    with pytest.raises(PayloadError, match="more than 1 in one list"):
        fields.refuse_many_rows(2, fields.MAX_CELLS)


def test_a_named_group_is_defined_once() -> None:
    """And referred to wherever it stands."""
    named = Group("A", "About it", POINT, optional=True, name="point")
    assert named.schema() == {"$ref": "#/$defs/point", "description": "About it"}
    assert named.definition()["type"] == ["object", "null"]
