"""docs/cam-policy.json with the names of one deployment."""

from __future__ import annotations

from typing import Any

import pytest

from ci_callback.deploy.policy import Owner, policy
from handler.settings import Settings
from tests.ci_callback.deploy.world import POLICY

KEYS = {"TENCENTCLOUD_SECRETID": "id", "TENCENTCLOUD_SECRETKEY": "key"}
OWNER = Owner("1250000000", "100000000001")


def filled(**env: str) -> dict[str, Any]:
    """For these settings."""
    whole = {"LEDGER_URL": "cos://records-1250000000/ci", "COS_REGION": "ap-guangzhou", **KEYS}
    return policy(POLICY, Settings.from_env(whole | env), OWNER)


def resources(document: dict[str, Any], action: str) -> list[str]:
    """Those of the statements that allow an action."""
    return [
        resource
        for part in document["statement"]
        if action in part["action"]
        for resource in part["resource"]
    ]


def test_the_ledger_is_written_below_its_prefix_and_nowhere_else() -> None:
    """Deleted from only where the function deletes."""
    begin = "qcs::cos:ap-guangzhou:uid/1250000000:records-1250000000/ci/"
    document = filled()
    assert resources(document, "name/cos:PutObject") == [f"{begin}*"]
    assert f"{begin}_outbox/*" in resources(document, "name/cos:DeleteObject")


@pytest.mark.parametrize("url", ["cos://records-1250000000", "cos://records-1250000000/"])
def test_a_ledger_without_a_prefix(url: str) -> None:
    """The whole bucket, and no double slash."""
    found = resources(filled(LEDGER_URL=url), "name/cos:PutObject")
    assert found == ["qcs::cos:ap-guangzhou:uid/1250000000:records-1250000000/*"]


def test_a_spill_has_a_statement_of_its_own_where_there_is_one() -> None:
    """In its own region."""
    spill = "cos://spill-1250000000/other#region=ap-shanghai"
    found = resources(filled(SPILL_URL=spill), "name/cos:PutObject")
    expected = "qcs::cos:ap-shanghai:uid/1250000000:spill-1250000000/other/_spill/*"
    assert found[1:] == [expected]
    same = resources(filled(SPILL_URL="cos://spill-1250000000"), "name/cos:PutObject")
    assert same[1] == "qcs::cos:ap-guangzhou:uid/1250000000:spill-1250000000/_spill/*"


def test_jobs_are_asked_for_and_submitted_in_the_buckets_that_are_allowed() -> None:
    """The ledger's unless CI_BUCKET names another, and those of ALLOWED_BUCKETS."""
    found = resources(
        filled(CI_BUCKET="media-1250000000", ALLOWED_BUCKETS="b-1250000000,1250000000"),
        "ci:CreateMediaJobs",
    )
    assert found == [
        "qcs::ci:*:uid/1250000000:bucket/media-1250000000/*",
        "qcs::ci:*:uid/1250000000:bucket/b-1250000000/*",
        "qcs::ci::uid/1250000000:bucket/media-1250000000/*",
        "qcs::ci::uid/1250000000:bucket/b-1250000000/*",
    ]
    assert resources(filled(), "ci:CreateMediaJobs")[0].endswith("bucket/records-1250000000/*")
