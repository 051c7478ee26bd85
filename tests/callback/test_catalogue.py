"""catalogue.py: what is known of each tag, and that its tables agree with one another."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handler.callback.added_nodes import NESTED_RESULTS, is_result
from handler.callback.catalogue import TAGS
from handler.callback.families import FAMILIES
from handler.callback.tag import COMMON_LISTS, UNKNOWN
from tests.callback.test_record import job, records, valid
from tests.callback.twins import as_json, as_xml

ALL = pytest.mark.parametrize("name", TAGS)


@ALL
def test_a_tag_knows_its_family_and_where_it_is_documented(name: str) -> None:
    """Where to ask CI about such a job, and where to look it up."""
    tag = TAGS[name]
    assert tag.name == name
    assert tag.family is FAMILIES[tag.family_name]
    assert tag.family.letter in ("a", "c", "d", "f", "j", "s")
    assert tag.source


@ALL
def test_result_nodes_are_left_out_when_a_job_is_sent_again(name: str) -> None:
    """What CI adds is no part of a request."""
    for node in TAGS[name].result_nodes:
        assert is_result(node) or f"Operation.{node}" in NESTED_RESULTS


@ALL
def test_all_that_a_table_reads_as_rows_is_a_list_in_the_details(name: str) -> None:
    """Common nodes and those of its request besides."""
    tag = TAGS[name]
    assert set(tag.lists) >= {*COMMON_LISTS, *tag.repeats}
    assert set(tag.lists) >= set(tag.result.lists() if tag.result else ())
    assert all(path.split(".")[0] in ("Input", "Operation") for path in tag.lists)


@pytest.mark.parametrize("name", TAGS)
def test_a_job_without_a_tag_has_that_of_its_result(name: str) -> None:
    """Where only that tag has such a result. A callback page of CI prints no Tag (分词任务回调)."""
    for node in TAGS[name].result_nodes:
        owners = [tag for tag in TAGS.values() if node in tag.result_nodes]
        record = job(State="Success", Operation={"UserData": "u", node: {"X": "1"}})
        assert record.tag == (name if len(owners) == 1 and "." not in node else None)


def test_a_job_without_a_tag_is_read_by_its_result() -> None:
    """As if it had named its tag, which goes first where there is one."""
    operation = {"WordsGeneralizeResult": {"WordsGeneralizeToken": {"Word": "今天", "Pos": "t"}}}
    nameless, named = job(Operation=operation), job(Operation=operation, Tag="WordsGeneralize")
    assert nameless.result == named.result
    assert job(Operation=operation, Tag="New").tag == "New"
    assert job(Operation=[]).tag is None


def test_only_tags_that_find_nothing_out_have_no_table() -> None:
    """They write an object, and say no more."""
    without = {name for name, tag in TAGS.items() if tag.result is None}
    assert without == {"PosterProduction", "DocAIGCMetadata"}


def test_an_unknown_tag_has_no_result_but_the_common_lists() -> None:
    """So that its files are lists too."""
    assert UNKNOWN.result is None
    assert UNKNOWN.lists == COMMON_LISTS


def test_tables_are_imported_when_a_tag_of_theirs_comes_by() -> None:
    """A cold start for one job should not pay for all kinds."""
    code = (
        "import sys, handler.callback.record\n"
        "from handler.callback.catalogue import TAGS\n"
        "loaded = lambda: {n for n in sys.modules if n.startswith('handler.callback.results.')}\n"
        "fields = 'handler.callback.results.fields'\n"
        "assert loaded() <= {fields}, loaded()\n"
        "TAGS['Translation'].result\n"
        "own = {'handler.callback.results.content', 'handler.callback.results.leaves'}\n"
        "assert loaded() == {fields, *own}, loaded()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "wrap",
    [lambda node: node, lambda node: [node], lambda node: [node, node]],
    ids=["1", "[1]", "2"],
)
@ALL
def test_odd_shapes_are_read_without_an_error(name: str, wrap: Any) -> None:
    """Each node of the table in turn is a text, a list, or something else that it shouldn't be."""
    names = sorted({part for path in TAGS[name].lists for part in path.split(".")})
    for odd in ("x", ["x", {"y": "z"}], dict.fromkeys(names, "x"), {"": ""}):
        operation = {node.split(".")[0]: wrap(odd) for node in TAGS[name].result_nodes}
        valid(job(Tag=name, State="Success", Operation=operation))


def vocabulary(field: Any) -> set[str]:
    """All names of nodes that a table looks for."""
    within = field.fields.values() if hasattr(field, "fields") else ()
    paths = [getattr(field, "path", "").replace("[]", ""), *field.lists()]
    names = {
        part for path in paths for alternative in path.split("|") for part in alternative.split(".")
    }
    return names.union(*(vocabulary(inner) for inner in within)) - {""}


VOCABULARIES = {name: sorted(vocabulary(tag.result)) for name, tag in TAGS.items() if tag.result}
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("[0:1,0:2] x")


@st.composite
def jobs_for_twins(draw: st.DrawFn) -> dict[str, Any]:
    """Jobs that can be written in XML as well: no list holds another one, and none is empty."""
    name = draw(st.sampled_from(sorted(VOCABULARIES)))
    names = st.sampled_from([node for node in VOCABULARIES[name] if not node.startswith("X-")])
    leaf = st.sampled_from(
        ["", " ", "x", "12", "1.5", "50/1", "true", "[0:1,0:2] said", "/a", "${n}"]
    )
    value = st.recursive(
        leaf,
        lambda below: st.dictionaries(
            names, below | st.lists(below, min_size=1, max_size=3), max_size=5
        ),
        max_leaves=25,
    )
    several = value | st.lists(value, min_size=1, max_size=3)
    results = {node.split(".")[0] for node in TAGS[name].result_nodes} | {"MediaResult", "Output"}
    operation = draw(st.fixed_dictionaries(dict.fromkeys(sorted(results), several)))
    return {
        "JobId": "j1",
        "Tag": name,
        "State": "Success",
        "Input": draw(several),
        "Operation": draw(st.sampled_from([operation, [operation]])),
    }


@settings(max_examples=100, deadline=None)
@given(jobs_for_twins())
def test_twins_of_odd_jobs_agree(detail: dict[str, Any]) -> None:
    """In XML one of a list can't be told from a list of one, nor nothing from an empty text."""
    from_xml, from_json = (records(write({"JobsDetail": detail})) for write in (as_xml, as_json))
    for x, j in zip(from_xml, from_json, strict=True):
        assert x._replace(details={}, source={}) == j._replace(details={}, source={})
        assert x.source["digest"] == j.source["digest"]


@st.composite
def odd_jobs(draw: st.DrawFn) -> dict[str, Any]:
    """Jobs whose nodes stand where they should, and hold anything."""
    name = draw(st.sampled_from(sorted(VOCABULARIES)))
    names = st.sampled_from(VOCABULARIES[name])
    anything = st.recursive(
        LEAVES,
        lambda below: st.lists(below, max_size=3) | st.dictionaries(names, below, max_size=6),
        max_leaves=25,
    )
    results = {node.split(".")[0] for node in TAGS[name].result_nodes} | {"MediaResult", "Output"}
    operation = draw(st.fixed_dictionaries(dict.fromkeys(sorted(results), anything)))
    return {"Tag": name, "State": "Success", "Input": draw(anything), "Operation": operation}


@settings(max_examples=100, deadline=None)
@given(odd_jobs())
def test_a_reader_never_raises_and_its_result_is_valid(detail: dict[str, Any]) -> None:
    """Whatever stands where a result should."""
    valid(job(**detail))
