"""output_bucket.py: where a job may write that CI did not confirm."""

from __future__ import annotations

from typing import Any

import pytest

from handler.retries.output_bucket import foreign_output_bucket
from handler.settings import Settings
from tests.callback.test_record import job

OWN, OTHER = "own-1250000000", "other-1299999999"
RECORD = job(State="Failed", Input={"BucketId": OWN, "Object": "a"})


def foreign_bucket(operation: Any, **env: str) -> str | None:
    base = {"LEDGER_URL": "file:nowhere", "VERIFY_CALLBACKS": "never", "CI_BUCKET": "ci-1250000001"}
    settings = Settings.from_env(base | env)
    return foreign_output_bucket(RECORD, {"Operation": operation}, settings)


@pytest.mark.parametrize(
    "operation",
    [
        {"Output": {"Bucket": OTHER}},
        {"Output": {"BucketId": OTHER}},
        {"TargetBucket": OTHER},
        {"Outputs": [{"Bucket": OWN}, {"Deep": [{"DestinationBucketId": OTHER}]}]},
        {"Bucket": {"Bucket": OTHER}},
    ],
)
def test_a_bucket_is_found_at_any_depth(operation: Any) -> None:
    """By the end of its node's name."""
    assert foreign_bucket(operation) == OTHER


@pytest.mark.parametrize(
    "operation",
    [
        None,
        "text",
        {"Output": {"Bucket": OWN}},
        {"Output": {"Bucket": "ci-1250000001"}},
        {"Output": {"Bucket": ""}},
        {"Output": {"Object": OTHER}},
    ],
)
def test_the_inputs_bucket_and_cis_are_the_functions_own(operation: Any) -> None:
    """What names no bucket writes to none."""
    assert foreign_bucket(operation) is None


def test_a_bucket_or_its_appid_may_be_allowed() -> None:
    """Either is enough, and only the whole of it."""
    operation = {"Output": {"Bucket": OTHER}}
    assert foreign_bucket(operation, ALLOWED_BUCKETS=OTHER) is None
    assert foreign_bucket(operation, ALLOWED_BUCKETS="1299999999") is None
    assert foreign_bucket(operation, ALLOWED_BUCKETS="other") == OTHER


@pytest.mark.parametrize("verify", ["failures", "always"])
def test_where_ci_confirms_each_failure_any_bucket_is_its_own(verify: str) -> None:
    """The request is then CI's own word."""
    assert foreign_bucket({"Output": {"Bucket": OTHER}}, VERIFY_CALLBACKS=verify) is None
