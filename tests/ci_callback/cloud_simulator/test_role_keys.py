"""What the credentials of a role may do in a rehearsal: what its policies name, and no more."""

from __future__ import annotations

import json

from ci_callback.cloud_simulator.cam import Cam, Policy, Role
from ci_callback.cloud_simulator.faults import Faults
from ci_callback.cloud_simulator.role_keys import RoleKeys

BUCKET = "records-1250000000"


def keys(*actions: str) -> tuple[RoleKeys, str]:
    """Of a role that may do these to the objects below ci/, and its secret id."""
    resource = f"qcs::cos:ap-guangzhou:uid/1250000000:{BUCKET}/ci/*"
    statement = {"effect": "allow", "action": list(actions), "resource": [resource]}
    cam = Cam(Faults(), 1250000000, "1")
    cam.policies[1] = Policy("p", json.dumps({"version": "2.0", "statement": [statement]}), 1)
    cam.roles["r"] = Role("r", "scf.qcloud.com", "1", policies=[1])
    secrets: dict[str, str] = {}
    made = RoleKeys(cam, secrets)
    secret_id, secret_key = made.of("r")
    assert secrets == {secret_id: secret_key}
    return made, secret_id


def test_objects_are_judged_by_action_bucket_and_key() -> None:
    """As COS would."""
    made, secret_id = keys("name/cos:PutObject", "name/cos:GetBucket")
    assert made.may_cos(secret_id, "PutObject", BUCKET, "ci/jobs/a.json")
    assert made.may_cos(secret_id, "GetBucket", BUCKET, "ci/_outbox/")
    assert not made.may_cos(secret_id, "DeleteObject", BUCKET, "ci/jobs/a.json")
    assert not made.may_cos(secret_id, "PutObject", BUCKET, "other/a.json")
    assert not made.may_cos(secret_id, "PutObject", "other-1250000000", "ci/a.json")


def test_ci_is_judged_by_the_verb() -> None:
    """Whoever may describe may not submit."""
    made, secret_id = keys("ci:DescribeMediaJob")
    assert made.may_ci(secret_id, "GET")
    assert not made.may_ci(secret_id, "POST")


def test_who_is_no_role_may_do_all_and_a_role_that_is_gone_nothing() -> None:
    """The operator; and credentials that outlive their role."""
    made, secret_id = keys("name/cos:PutObject", "ci:DescribeMediaJob")
    assert made.may_cos("AKIDoperator", "DeleteObject", BUCKET, "x")
    assert made.may_ci("AKIDoperator", "POST")
    made.cam.roles.clear()
    assert not made.may_cos(secret_id, "PutObject", BUCKET, "ci/a.json")
    assert not made.may_ci(secret_id, "GET")
