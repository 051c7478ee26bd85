"""docs/cam-policy.json lists just the actions that the function's requests need.

Which action a request needs is written down here, from CI's and COS's pages on CAM (598/98114,
"授权粒度详情", and COS's rule that an action is called like the API). Where a family's jobs are
asked for at /jobs, no page says whether the family's own action or the media one is checked:
both are granted.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from ci_callback.ci_simulator import BUCKET, REGION, CiSimulator, Seen
from ci_callback.deploy import policy
from handler.app import Function
from handler.callback.catalogue import family_of
from handler.callback.families import FAMILIES, Family
from handler.ci_api.client import Ci, CiAddress
from handler.http_client import HttpClient
from handler.ledger.keys import DELETED_BELOW, DOCTOR, SPILL
from handler.log import Log
from handler.settings import Settings
from tests.fake_cos import FakeCos, Fault
from tests.fake_cos import Seen as CosSeen
from tests.forwarding.receivers import SECRET
from tests.peer import Peer
from tests.world import START, TRANSLATION

POLICY = json.loads((Path(__file__).parent.parent / "docs" / "cam-policy.json").read_text())

COS = {
    "PUT": "PutObject",
    "GET": "GetObject",
    "DELETE": "DeleteObject",
    "POST": "DeleteObject",
}

# The names of a family's own actions.
OWN = {
    "media": "Media",
    "picture": "PicProcess",
    "ai": "Media",
    "speech": "Asr",
    "document": "DocProcess",
    "file": "FileProcess",
}
# Endpoint → whose action is checked where the path names the family.
PATHS = {
    "/pic_jobs": "PicProcess",
    "/asr_jobs": "Asr",
    "/doc_jobs": "DocProcess",
    "/file_jobs": "FileProcess",
}


def granted(service: str) -> set[str]:
    """The actions of one service in the policy."""
    actions = {action for part in POLICY["statement"] for action in part["action"]}
    return {action.removeprefix("name/") for action in actions if f"{service}:" in action}


def ci_actions(method: str, path: str, family: Family | None) -> set[str]:
    """What a request to CI may need."""
    if path == "/triggerworkflow":
        return {"ci:TriggerMediaWorkflow"}
    base = re.match(r"/\w+", path)
    assert base
    names = {PATHS.get(base[0], "Media")} | ({OWN[family.name]} if family else set())
    is_single = path != base[0]
    if method == "POST":
        return {f"ci:Create{name}Jobs" for name in names}
    return {f"ci:Describe{name}Job{'' if is_single else 's'}" for name in names}


def cos_action(method: str, key: str) -> str:
    """What a request to COS needs: a GET of the bucket itself is List Objects. A POST deletes
    several objects, of which each is checked as one that is deleted alone (436/8289)."""
    return "cos:GetBucket" if (method, key) == ("GET", "") else f"cos:{COS[method]}"


def keys_of(seen: CosSeen) -> list[str]:
    """The keys that a request is about: one that deletes several names them."""
    if seen.method == "POST":
        return re.findall("<Key>([^<]*)", seen.body.decode())
    return [seen.key or seen.params.get("prefix", "")]


def may(action: str, key: str) -> bool:
    """Whether the policy grants a request about a key of the ledger, its prefix being `ci`."""
    here = f"qcs::cos:REGION:uid/APPID:LEDGER_BUCKET-APPID/{key.replace('ci/', 'PREFIX/', 1)}"
    return any(
        f"name/{action}" in part["action"] and fnmatchcase(here, resource)
        for part in POLICY["statement"]
        for resource in part["resource"]
    )


def test_objects_may_be_deleted_only_where_the_function_deletes() -> None:
    """By the table of keys: whoever has the role's credentials can delete no record."""
    resources = {
        resource
        for part in POLICY["statement"]
        if "name/cos:DeleteObject" in part["action"]
        for resource in part["resource"]
    }
    ledger = "qcs::cos:REGION:uid/APPID:LEDGER_BUCKET-APPID/PREFIX/"
    spill = "qcs::cos:SPILL_REGION:uid/APPID:SPILL_BUCKET-APPID/SPILL_PREFIX/"
    expected = {f"{ledger}{prefix}*" for prefix in DELETED_BELOW - {SPILL}}
    assert resources == expected | {f"{spill}{SPILL}*"}


def test_a_spill_is_listed_read_written_and_emptied(
    cos: FakeCos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below `_spill/` alone, which is all that the policy grants in its bucket."""
    monkeypatch.setattr("handler.stores._warm_stores", {})
    (tmp_path / "file").write_bytes(b"")
    env = cos.env | {"LEDGER_URL": f"file:{tmp_path}/file/x", "SPILL_URL": f"cos://{BUCKET}/other"}

    def invoke(event: Any) -> None:
        log = Log(io.StringIO(), lambda: START)
        Function(env, lambda: START, log, lambda seconds: None).handle(event, {})

    invoke({"httpMethod": "POST", "path": "/", "body": "hello"})
    env["LEDGER_URL"] = f"file:{tmp_path}/ledger"
    invoke({"Type": "Timer", "TriggerName": "x"})
    asked = {
        (cos_action(request.method, request.key), (request.key or request.params["prefix"])[:13])
        for request in cos.seen
    }
    actions = {"cos:PutObject", "cos:GetObject", "cos:GetBucket", "cos:DeleteObject"}
    assert asked == {(action, "other/_spill/") for action in actions}


def every_ci_action() -> set[str]:
    """What all requests that the code can make may need, by the table of families."""
    needed = {"ci:TriggerMediaWorkflow"}
    for family in FAMILIES.values():
        if family.name == "workflow":
            continue
        needed |= ci_actions("GET", f"{family.describe_path}/id", family)
        for path in (family.create_path, family.older_create_path):
            needed |= ci_actions("POST", path, family) if path else set()
        if family.list_path and family.list_known:
            needed |= ci_actions("GET", family.list_path, family)
    return needed


def test_the_policy_grants_what_ci_requests_need_and_nothing_else() -> None:
    """For each family, by today's path and by the older one."""
    assert granted("ci") == every_ci_action()


def test_the_requests_of_a_whole_story_are_granted(cos: FakeCos) -> None:
    """Kept, duplicate, failed, swept, told, reconciled: just what was asked of COS and CI."""
    now = [START]
    away = b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n"
    with (
        CiSimulator(lambda: now[0], cos) as ci,
        contextlib.closing(Peer(away, away, away)) as receiver,
    ):
        env = cos.env | {
            "COS_ENDPOINT": ci.endpoint,
            "CI_BUCKET": BUCKET,
            "RECONCILE_TAGS": "Translation:6",
            "MISSING_CALLBACK_CHECK_S": "60",
            "FORWARD_URLS": f"{receiver.url}#secret={SECRET}",
            "FORWARD_ALLOW_HOSTS": "127.0.0.1",
        }
        settings = Settings.from_env(env)
        assert settings.credentials
        client = Ci(
            HttpClient(), settings.credentials, CiAddress(BUCKET, REGION, settings.cos_endpoint)
        )
        job = client.create(FAMILIES["ai"], TRANSLATION).job_id or ""
        ci.finish(job, "Failed")
        callback = {"httpMethod": "POST", "path": "/", "body": ci.callback_body(job).decode()}
        ci.seen.clear()

        def invoke(event: Any) -> None:
            now[0] += 120
            log = Log(io.StringIO(), lambda: now[0])
            Function(env, lambda: now[0], log, lambda seconds: None).handle(event, {})

        unreadable = callback | {"body": "hello"}
        for event in (callback, callback, unreadable, *[{"Type": "Timer", "TriggerName": "x"}] * 4):
            invoke(event)
        now[0] += 3600
        invoke({"Type": "Timer", "TriggerName": "x", "Message": "reconcile"})
        for _ in range(3):
            invoke({"Type": "Timer", "TriggerName": "x", "Message": "forward"})
            now[0] += 3600

        asked = {cos_action(request.method, request.key) for request in cos.seen}
        assert asked == granted("cos")
        refused = [
            request
            for request in cos.seen
            for key in keys_of(request)
            if not may(cos_action(request.method, request.key), key)
        ]
        assert refused == []
        deleted = {
            key.removeprefix("ci/")
            for request in cos.seen
            if request.method in ("DELETE", "POST")
            for key in keys_of(request)
        }
        assert {key.split("/")[0] + "/" for key in deleted} == DELETED_BELOW - {SPILL, DOCTOR}
        used = {action for request in ci.seen for action in _of(request, job)}
        assert used <= granted("ci")
        assert {"ci:CreateMediaJobs", "ci:DescribeMediaJob", "ci:DescribeMediaJobs"} <= used


@pytest.mark.parametrize("verify", ["failures", "always"])
def test_a_callback_needs_no_more_than_the_rights_of_a_split_deployment(
    cos: FakeCos, verify: str
) -> None:
    """Kept, duplicate, failed, in conflict, unreadable: put and get, and with VERIFY=always a
    question about one job. Sweeps and their like would need more."""
    document = policy.public(POLICY, is_verifying=verify == "always")
    allowed = {
        action.removeprefix("name/") for part in document["statement"] for action in part["action"]
    }
    with CiSimulator(lambda: START, cos) as ci:
        env = cos.env | {"COS_ENDPOINT": ci.endpoint, "CI_BUCKET": BUCKET}
        env |= {
            "VERIFY_CALLBACKS": verify,
            "FORWARD_URLS": f"https://1.1.1.1/#secret={SECRET}",
        }
        settings = Settings.from_env(env)
        assert settings.credentials
        address = CiAddress(BUCKET, REGION, settings.cos_endpoint)
        client = Ci(HttpClient(), settings.credentials, address)
        bodies = []
        for state in ("Success", "Failed"):
            job = client.create(FAMILIES["ai"], TRANSLATION).job_id or ""
            ci.finish(job, state)
            bodies.append(ci.callback_body(job).decode())
        other_end = bodies[0].replace("Success", "Failed")
        ci.seen.clear()

        def deny(seen: CosSeen) -> Fault | None:
            is_allowed = cos_action(seen.method, seen.key) in allowed
            return None if is_allowed else Fault(before=(403, "AccessDenied"))

        def post(body: str) -> int:
            log = Log(io.StringIO(), lambda: START)
            event = {"httpMethod": "POST", "path": "/", "body": body}
            answer = Function(env, lambda: START, log, lambda seconds: None).handle(event, {})
            return int(answer["statusCode"])

        with cos.faulty(deny):
            statuses = [post(body) for body in (*bodies, bodies[0], other_end, "hello")]
    assert statuses == [200, 200, 200, 202, 202]
    asked = {cos_action(request.method, request.key) for request in cos.seen} & allowed
    assert asked == {"cos:PutObject", "cos:GetObject"}
    of_ci = {action for request in ci.seen for action in _of(request, "a1")}
    assert asked | of_ci <= allowed
    assert bool(of_ci) == (verify == "always")
    assert not any(
        "Create" in action or "Delete" in action or "PassRole" in action for action in allowed
    )


def _of(seen: Seen, job_id: str) -> set[str]:
    return ci_actions(seen.method, seen.path, family_of("Translation", job_id))


@pytest.mark.parametrize("part", POLICY["statement"])
def test_every_statement_names_its_resources(part: Any) -> None:
    """Placeholders in capitals, to be filled in; no statement grants everything."""
    assert part["effect"] == "allow"
    assert all(resource.startswith("qcs::") and resource != "*" for resource in part["resource"])
    assert not any(action.endswith("*") for action in part["action"])
