"""results/: the tables that are put together on import.

Each module is imported once more beside the one in use, so that what runs while it is imported
runs within a test: a mutation tester, for one, changes a function only while a test runs.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from typing import Any

import pytest

from handler.callback.catalogue import TAGS
from handler.callback.results.fields import Group
from handler.callback.results.review import REVIEW
from handler.callback.results.workflow import RUN
from tests.callback.test_record import SCHEMA
from tests.golden import golden_of, payloads

IN_USE = {name: tag.result for name, tag in TAGS.items() if tag.result}
IN_USE |= {"workflow": RUN, "review": REVIEW}


def anew(module: str) -> Any:
    """A module of handler.callback.results, imported once more."""
    spec = importlib.util.find_spec(f"handler.callback.results.{module}")
    assert spec
    assert spec.loader
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    return again


def tables(module: str) -> dict[str, Group]:
    """Its tables, by tag, or by kind where there is no tag."""
    loaded = anew(module)
    names = {"workflow": "RUN", "review": "REVIEW"}
    if module in names:
        return {module: getattr(loaded, names[module])}
    places = {name: str(tag.table).partition(".") for name, tag in TAGS.items() if tag.table}
    return {name: getattr(loaded, table) for name, (at, _, table) in places.items() if at == module}


def record_list(name: str) -> Iterator[Any]:
    """The golden records of a tag or a kind."""
    for path in payloads():
        for record in json.loads(golden_of(path).read_text(encoding="utf-8")):
            if name in (record.get("tag"), record.get("kind")):
                yield record


MODULES = sorted({str(tag.table).partition(".")[0] for tag in TAGS.values() if tag.table})


@pytest.mark.parametrize("module", [*MODULES, "workflow", "review"])
def test_a_table_says_what_is_published_and_reads_what_was_sent(module: str) -> None:
    """Its schema, the nodes that may repeat, and the result of each golden record."""
    built = tables(module)
    assert built
    for name, table in built.items():
        assert table.schema() == SCHEMA["$defs"][name]
        assert list(table.lists()) == list(IN_USE[name].lists())
        for record in record_list(name):
            assert table.read(record["details"]) == record["result"]
