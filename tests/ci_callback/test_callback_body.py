"""callback_body.py: a record back to a callback that is read as the same record."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_callback.callback_body import callback_body
from handler.callback import envelope, payload, record
from tests.conftest import PAYLOADS

SAMPLES = sorted(path for path in PAYLOADS.rglob("*.*") if path.suffix in (".xml", ".json"))


def read(body: bytes) -> list[record.JobRecord]:
    """The records of a body."""
    tree, _ = payload.parse(body, payload.Limits())
    source = record.Source("http", "json", "2026-11-21T08:00:00Z", "request")
    notices = [notice for notice in envelope.read(tree) if isinstance(notice, envelope.Notice)]
    return [record.normalise(notice, source) for notice in notices]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_the_body_of_a_record_is_read_as_the_same_record(path: Path) -> None:
    """Whatever the kind and the form: only the digest may differ, where Workflow was moved."""
    for notice in read(path.read_bytes()):
        (again,) = read(callback_body(notice))
        assert again._replace(source={}) == notice._replace(source={})


def test_the_samples_hold_every_kind_and_both_forms_of_reviews() -> None:
    """Else the law above would be shown of less than it says."""
    kinds = {
        (job_record.kind, job_record.event)
        for path in SAMPLES
        for job_record in read(path.read_bytes())
    }
    assert {kind for kind, _ in kinds} == {"job", "workflow", "review"}
    assert ("review", None) in kinds
