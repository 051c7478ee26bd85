"""catalogue.py: a row is all that a kind of job needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).parents[2]

ROW = """
    Tag(
        "MadeUp",
        "ai",
        Group(
            "Operation.MadeUpFindings",
            "What a made-up job found",
            {
                "score": integer("Score", "How sure it is", 98),
                "parts": Rows(
                    "Part", "What it is made of", {"name": text("Name", "Its name", "wheel")}
                ),
            },
        ),
        "a page of nobody",
        ("MadeUpFindings",),
        written={"MadeUpFindings": (Named("", "ObjectName"),)},
    ),
"""

IMPORTS = """
from handler.callback.results.fields import Group, Rows
from handler.callback.results.leaves import integer, text
"""

SCRIPT = """
import json, sys
from ci_callback import record_schema
from ci_callback.samples.options import SampleOptions
from ci_callback.samples.samples import sample
from handler.callback import added_nodes
from handler.callback.catalogue import TAGS
from tests.golden import records_of
from tests.golden.record_page import page

schema = record_schema.build()
shown = page(schema, TAGS.values()).splitlines()
made = sample("MadeUp", SampleOptions(), 1_790_000_000.0, "0" * 32).body
print(json.dumps({
    "records": records_of(sys.stdin.buffer.read()),
    "schema": schema,
    "page": [line for line in shown if "MadeUp" in line],
    "is_result": added_nodes.is_result("MadeUpFindings"),
    "samples": records_of(made),
}))
"""


@pytest.fixture(scope="module")
def copy_output(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a copy of the project, whose catalogue has one row more, makes of such a job."""
    root = tmp_path_factory.mktemp("project")
    for package in ("handler", "ci_callback"):
        shutil.copytree(
            ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    # Under mutation testing the copy looks for its settings.
    shutil.copy(ROOT / "pyproject.toml", root)
    catalogue = root / "handler/callback/catalogue.py"
    text = catalogue.read_text(encoding="utf-8")
    assert text.count("\n_ROWS = (\n") == 1
    catalogue.write_text(
        text.replace("\n_ROWS = (\n", f"{IMPORTS}\n_ROWS = ({ROW}"), encoding="utf-8"
    )
    body = {
        "EventName": "TaskFinish",
        "JobsDetail": {
            "Tag": "MadeUp",
            "JobId": "a1",
            "State": "Success",
            "Operation": {
                "MadeUpFindings": {
                    "Score": "98",
                    "Part": {"Name": "wheel"},
                    "ObjectName": "/out/found.json",
                }
            },
        },
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(body),
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(root), str(ROOT)))},
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_its_result_is_typed(copy_output: dict[str, Any]) -> None:
    """One node that may repeat is a list of one; and the object that it names is an output."""
    (record,) = copy_output["records"]
    assert record["result"] == {"score": 98, "parts": [{"name": "wheel"}]}
    assert record["details"]["Operation"]["MadeUpFindings"]["Part"] == [{"Name": "wheel"}]
    assert [output["object"] for output in record["outputs"]] == ["out/found.json"]


def test_its_nodes_are_known_for_results(copy_output: dict[str, Any]) -> None:
    """So that a job that is submitted again does not send them."""
    assert copy_output["is_result"]


def test_the_schema_and_its_page_show_it(copy_output: dict[str, Any]) -> None:
    """With its fields, and where they are documented."""
    validator = jsonschema.Draft202012Validator(copy_output["schema"])
    (record,) = copy_output["records"]
    validator.validate(record)
    assert not validator.is_valid(record | {"result": {"made": "up"}})
    row, title = copy_output["page"]
    assert row == "| MadeUp | ai | a… | `score`, `parts` | a page of nobody |"
    assert title == "### MadeUp"


def test_it_is_sampled(copy_output: dict[str, Any]) -> None:
    """With the examples of its fields."""
    (record,) = copy_output["samples"]
    assert (record["tag"], record["outcome"]) == ("MadeUp", "succeeded")
    assert record["job_id"].startswith("a")
    assert record["result"]["score"] == 98
    assert all(part == {"name": "wheel"} for part in record["result"]["parts"])
    assert record["result"]["parts"]
