"""examples/on_record.py, run as the documents tell: on records that the function itself kept."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import PAYLOADS, Invoked
from tests.fake_cos import APPID, BUCKET, FakeCos

EXAMPLE = Path(__file__).parents[2] / "examples" / "on_record.py"


@pytest.fixture
def example(cos: FakeCos, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example, with the environment that SCF would give it."""
    for name, value in cos.env.items():
        monkeypatch.setenv(name, value)
    spec = importlib.util.spec_from_file_location("on_record", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def created(key: str) -> dict[str, Any]:
    """What SCF hands over when an object is created (583/31927)."""
    name = BUCKET.rpartition("-")[0]
    return {
        "Records": [
            {
                "cos": {
                    "cosObject": {"key": quote(f"/{APPID}/{name}/{key}"), "size": 1},
                    "cosSchemaVersion": "1.0",
                },
                "event": {"eventName": "cos:ObjectCreated:Put"},
            }
        ]
    }


def test_each_job_that_succeeded_gets_an_entry(
    on_cos: Invoked, cos: FakeCos, example: ModuleType
) -> None:
    """Twice is once."""
    on_cos.post((PAYLOADS / "Translation.seed.xml").read_bytes())
    (key,) = cos.keys("ci/jobs/")
    for _ in range(2):
        assert example.main_handler(created(key), {}) == {"written": 1}
    (entry,) = cos.keys("ready/")
    assert json.loads(cos.read(entry)) == {
        "job_id": "ac34be3aa0bf411ed9ce39d7cc972e427",
        "tag": "Translation",
        "input": "input/en.pdf",
        "outputs": ["output/zh.pdf"],
        "user_data": "This is my Translation job.",
    }


def test_a_job_that_failed_gets_none(on_cos: Invoked, cos: FakeCos, example: ModuleType) -> None:
    """The callback handler sees to it; its recovery has a record, and an event, of its own."""
    on_cos.post(json.dumps({"JobsDetail": {"JobId": "j1", "State": "Failed"}}))
    (key,) = cos.keys("ci/jobs/")
    assert example.main_handler(created(key), {}) == {"written": 0}
    assert cos.keys("ready/") == []
