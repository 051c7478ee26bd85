"""Every payload of the tests: valid, as its golden record says, and the same in both formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from handler.callback import payload
from handler.callback.catalogue import TAGS
from tests.callback.test_record import VALIDATOR
from tests.callback.twins import as_json, as_xml
from tests.golden import GOLDEN, golden_of, name_of, payloads, records_of

ALL = pytest.mark.parametrize("path", payloads(), ids=name_of)


def without_format(records: list[Any]) -> list[Any]:
    """Records without what may differ between formats; the digest may not."""
    for record in records:
        record.pop("details", None)
        record["digest"] = record.pop("source", {}).get("digest")
    return records


def tree_of(path: Path) -> Any:
    """What stands below the root."""
    tree, _ = payload.parse(path.read_bytes(), payload.Limits())
    return tree["Response"] if isinstance(tree, dict) and "Response" in tree else tree


@ALL
def test_its_records_are_the_golden_ones(path: Path) -> None:
    """If they aren't and that is meant: python -m tests.golden.write."""
    assert records_of(path.read_bytes()) == json.loads(golden_of(path).read_text(encoding="utf-8"))


@ALL
def test_its_records_are_valid(path: Path) -> None:
    """Against the published schema, results included."""
    for record in records_of(path.read_bytes()):
        if "ignored" not in record:
            VALIDATOR.validate(record)


@ALL
def test_its_twins_in_xml_and_json_agree(path: Path) -> None:
    """In whichever of the two it was written down."""
    tree = tree_of(path)
    as_it_is = without_format(records_of(path.read_bytes()))
    assert without_format(records_of(as_json(tree))) == as_it_is
    assert without_format(records_of(as_xml(tree))) == as_it_is


@ALL
def test_it_is_the_same_when_every_list_is_written_as_one(path: Path) -> None:
    """What its record shows as a list may come as a list of one, or as nothing at all."""
    for record in records_of(path.read_bytes()):
        if record.get("kind") != "job":
            continue
        body = {"EventName": record["event"], "JobsDetail": [record["details"]]}
        again = records_of(as_json({name: value for name, value in body.items() if value}))
        before, after = without_format([record]), without_format(again)
        assert before == after


def test_every_tag_has_a_payload() -> None:
    """And so has each kind of callback."""
    records = [record for path in payloads() for record in records_of(path.read_bytes())]
    finished = [record for record in records if record.get("outcome") not in (None, "unfinished")]
    assert {record["tag"] for record in finished} >= set(TAGS)
    assert {record["kind"] for record in finished} == {"job", "workflow", "review"}


def test_no_golden_record_is_left_over() -> None:
    """A payload that goes takes its golden record along."""
    assert set(GOLDEN.rglob("*.json")) == {golden_of(path) for path in payloads()}
