"""Deployments into a stand-in account, through Tencent's own SDK."""

from __future__ import annotations

import base64
import functools
import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ci_callback.ci_simulator.server import ResetError
from ci_callback.cloud_api import Cloud
from ci_callback.cloud_simulator import Asked
from ci_callback.cloud_simulator.simulator import REGION
from ci_callback.deploy.bundle import MAX_INLINE_BYTES, Bundle
from ci_callback.deploy.calls import Call, Later, Zip
from ci_callback.deploy.carry_out import MAX_POLLS
from ci_callback.deploy.description import Names
from ci_callback.deploy.desired import DEFAULT, LATEST
from ci_callback.deploy.errors import EXIT_SETTINGS, EXIT_UNREACHABLE, DeployError
from ci_callback.deploy.function_plan import KEPT_VERSIONS
from ci_callback.deploy.plan import Choices
from ci_callback.deploy.policy import TRUST
from handler.errors import SettingsError
from tests.ci_callback.deploy.world import (
    NAME,
    SERVERLESS,
    TOKEN,
    World,
    bundle,
    with_variables,
)

TIMERS = re.findall(r"argument: (\w+)", SERVERLESS)
"""The timers of serverless.yml: each is called as its task."""

FROM_NOTHING = [
    "CreateRole",
    "CreatePolicy",
    "AttachRolePolicy",
    "CreateFunction",
    "UpdateFunctionEventInvokeConfig",
    "PublishVersion",
    "UpdateAlias",
    *["CreateTrigger"] * (1 + len(TIMERS)),
]


def failure(world: World, *arguments: Any, **more: Any) -> DeployError:
    """What ends a deployment."""
    with pytest.raises(DeployError) as raised:
        world.deploy(world.job(*arguments, **more))
    return raised.value


def function(world: World, name: str = NAME) -> Any:
    """As the account holds it."""
    return world.account.scf.functions[name]


def variables(world: World, qualifier: str = LATEST) -> dict[str, str]:
    """Of the function."""
    pairs = function(world).version(qualifier).settings["Environment"]["Variables"]
    return {pair["Key"]: pair["Value"] for pair in pairs}


# --- from nothing, and again --------------------------------------------------------------


def test_an_empty_account_becomes_a_function_that_callbacks_reach(world: World) -> None:
    """Role, policy, code, settings, a published version, its alias and three triggers."""
    outcome = world.deploy()
    assert world.made == FROM_NOTHING
    made = function(world)
    settings = made.version(DEFAULT).settings
    shown = [settings[name] for name in ("MemorySize", "Timeout", "InitTimeout", "Runtime")]
    assert shown == [256, 55, 15, "Python3.10"]
    assert (made.aliases, made.retries, made.ttl_s) == ({DEFAULT: "1"}, 0, 60)
    assert made.version(DEFAULT).code == bundle().code
    assert bundle().sha256 in made.version(DEFAULT).description
    timers = {one["TriggerName"]: one for one in made.triggers if one["Type"] == "timer"}
    tasks = {name: one["CustomArgument"] for name, one in timers.items()}
    assert tasks == {name: name for name in TIMERS}
    assert all((one["Qualifier"], one["Enable"]) == (DEFAULT, 1) for one in made.triggers)
    assert outcome.address.startswith("https://1250000000-")
    assert (outcome.token, outcome.is_new) == (TOKEN, True)
    assert variables(world)["CALLBACK_TOKENS"] == TOKEN


def test_a_second_run_changes_nothing(world: World) -> None:
    """And makes no new token."""
    world.deploy()
    before = world.state()
    world.forget()
    outcome = world.deploy()
    assert (world.made, outcome.plan.calls, outcome.plan.differences) == ([], (), ())
    assert (outcome.token, outcome.is_new) == (TOKEN, False)
    assert world.state() == before


def test_the_policy_names_the_ledger_and_the_account(world: World) -> None:
    """docs/cam-policy.json with every name filled in; no spill, so no statement about one."""
    world.deploy()
    (policy,) = world.account.cam.policies.values()
    document = json.loads(policy.document)
    resources = [one for part in document["statement"] for one in part["resource"]]
    assert "qcs::cos:ap-guangzhou:uid/1250000000:records-1250000000/ci/*" in resources
    assert "qcs::cam::uin/100000000001:roleName/CI_QCSRole" in resources
    assert not any("_spill" in one or "PREFIX" in one or "APPID" in one for one in resources)
    assert world.account.cam.roles["ci-callback-role"].policies == [policy.policy_id]


def test_a_dry_run_writes_nothing_and_shows_the_calls_that_are_then_made(world: World) -> None:
    """Parameter by parameter."""
    planned = world.look().plan.calls
    assert world.made == []
    world.deploy()
    same(planned, world.account.writes)
    world.forget()
    again = world.look(world.job(code=bundle("second"))).plan.calls
    world.deploy(world.job(code=bundle("second")))
    assert [call.action for call in again][:2] == [
        "UpdateFunctionCode",
        "UpdateFunctionConfiguration",
    ]
    same(again, world.account.writes)


def same(planned: tuple[Call, ...], made: list[Asked]) -> None:
    """The calls that were planned are those that were made. A value that an earlier call's answer
    gives is the only one that a plan does not hold."""
    assert [call.action for call in planned] == [asked.action for asked in made]
    for call, asked in zip(planned, made, strict=True):
        assert call.shown.keys() == asked.params.keys()
        for name, value in call.params.items():
            if not isinstance(value, Later):
                assert sent(value) == asked.params[name], (call.action, name)


def sent(value: Any) -> Any:
    """A value of a plan as it is sent."""
    if isinstance(value, dict):
        return {name: sent(item) for name, item in value.items()}
    return base64.b64encode(value.bundle.code).decode() if isinstance(value, Zip) else value


@functools.cache
def undisturbed() -> Mapping[str, Any]:
    """What an account holds after one run."""
    with World() as other:
        other.deploy()
        return other.state()


# --- interrupted --------------------------------------------------------------------------


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(len(FROM_NOTHING)))
def test_a_deployment_that_is_killed_at_any_call_is_finished_by_the_next(
    world: World, at: int, is_done: bool
) -> None:
    """Before the call is carried out, or after it: the end is that of one run."""
    kill(world, at, is_done)
    with pytest.raises(KeyboardInterrupt):
        world.deploy()
    assert len(world.made) == at + is_done
    world.account.faults.before = world.account.faults.after = lambda action: None
    world.is_killed = False
    outcome = world.deploy()
    assert world.state() == undisturbed()
    assert outcome.token == TOKEN
    world.forget()
    assert not world.deploy().plan.calls


def kill(world: World, at: int, is_done: bool) -> None:
    """End the process that deploys when the account has made, or is asked for, so many calls."""

    def end(action: str) -> None:
        if not action.startswith(("Get", "List")) and len(world.made) == at + is_done:
            world.is_killed = True
            raise ResetError

    setattr(world.account.faults, "after" if is_done else "before", end)


def test_a_lost_answer_is_no_failure(world: World) -> None:
    """The call is repeated, and what is there by then is taken for done."""
    lost = []

    def cut(action: str) -> None:
        if not action.startswith(("Get", "List")) and action not in lost:
            lost.append(action)
            raise ResetError

    world.account.faults.after = cut
    world.deploy()
    assert world.state() == undisturbed()
    assert set(lost) == set(FROM_NOTHING)


# --- changes ------------------------------------------------------------------------------


def test_callbacks_reach_the_old_version_until_the_new_one_is_ready(world: World) -> None:
    """An update of $LATEST changes nothing for them."""
    world.deploy()
    served: list[bytes] = []

    def look(action: str) -> None:
        if action == "UpdateFunctionConfiguration":
            served.append(function(world).version(DEFAULT).code)

    world.account.faults.after = look
    world.deploy(world.job(code=bundle("second")))
    assert served == [bundle().code]
    assert function(world).version(DEFAULT).code == bundle("second").code
    assert function(world).aliases[DEFAULT] == "2"


def test_a_changed_setting_leaves_the_code_alone(world: World) -> None:
    """One call for the settings, and a new version."""
    world.deploy()
    world.forget()
    changed = SERVERLESS.replace("memorySize: 256", "memorySize: 512")
    outcome = world.deploy(world.job(changed))
    assert world.made == ["UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias"]
    assert ("MemorySize", "256", "512") in outcome.plan.differences
    assert function(world).version(DEFAULT).settings["MemorySize"] == 512


def test_a_trigger_is_changed_in_place_and_its_address_stays(world: World) -> None:
    """A new URL would have another address."""
    address = world.deploy().address
    url, sweep = function(world).triggers[:2]
    url["TriggerDesc"] = url["TriggerDesc"].replace('"NONE"', '"CAM"')
    sweep["Enable"] = 0
    world.forget()
    outcome = world.deploy()
    assert world.made == ["UpdateTrigger", "UpdateTrigger"]
    assert "switched off" in outcome.plan.differences[1].before
    assert outcome.address == address
    assert '"NONE"' in function(world).triggers[0]["TriggerDesc"]


def test_what_the_file_does_not_name_is_kept_and_listed(world: World) -> None:
    """Variables and triggers that someone made in the console."""
    world.deploy()
    by_hand(world)
    outcome = world.deploy()
    assert variables(world)["RETRY_BASE_S"] == "30"
    assert any("RETRY_BASE_S" in line for line in outcome.plan.kept)
    assert any("nightly" in line for line in outcome.plan.kept)


def test_prune_removes_it_but_never_the_token(world: World) -> None:
    """CI would be answered 401."""
    world.deploy()
    by_hand(world)
    world.deploy(world.job(choices=Choices(prune=True)))
    assert variables(world).keys() == {"LEDGER_URL", "CALLBACK_TOKENS"}
    assert [one["TriggerName"] for one in function(world).triggers][1:] == TIMERS


def by_hand(world: World) -> None:
    """A variable and a timer, as from the console."""
    settings = function(world).latest.settings
    settings["Environment"]["Variables"].append({"Key": "RETRY_BASE_S", "Value": "30"})
    timer = {**function(world).triggers[1], "TriggerName": "nightly"}
    function(world).triggers.append(timer)


def test_variables_of_the_environment_replace_those_of_the_function(world: World) -> None:
    """And neither value is shown where it is a secret."""
    world.deploy()
    world.env |= {"CALLBACK_TOKENS": "another-token", "ALERT_URLS": "https://example.com/s3cret"}
    outcome = world.deploy()
    assert variables(world)["CALLBACK_TOKENS"] == "another-token"
    shown = repr(outcome.plan) + "".join(map(repr, (call.shown for call in outcome.plan.calls)))
    assert "another-token" not in shown
    assert "s3cret" not in shown
    assert TOKEN not in shown


def test_the_newest_versions_are_kept(world: World) -> None:
    """The function may have only so many."""
    for number in range(KEPT_VERSIONS + 3):
        world.deploy(world.job(code=bundle(str(number))))
    assert len(function(world).versions) <= KEPT_VERSIONS + 1
    assert function(world).aliases[DEFAULT] == str(KEPT_VERSIONS + 3)


def test_two_stages_are_two_functions(world: World) -> None:
    """With roles, policies and addresses of their own."""
    first = world.deploy()
    world.env["LEDGER_URL"] = "cos://records-1250000000/staging"
    second = world.deploy(world.job(names=Names(stage="staging")))
    assert set(world.account.scf.functions) == {NAME, f"{NAME}-staging"}
    assert set(world.account.cam.roles) == {f"{NAME}-role", f"{NAME}-staging-role"}
    assert first.address != second.address


def test_two_stages_do_not_share_a_ledger(world: World) -> None:
    """Each would sweep the other's tickets."""
    world.deploy()
    world.forget()
    error = failure(world, names=Names(stage="staging"))
    assert "has the same LEDGER_URL" in error.what
    assert world.made == []


def test_a_role_that_the_environment_names_is_left_as_it_is(world: World) -> None:
    """It must be there; deploy gives it no rights."""
    world.env["SCF_EXEC_ROLE"] = "own-role"
    assert "no such role" in failure(world).what
    with_role(world, "own-role")
    world.deploy()
    assert world.account.cam.policies == {}
    assert function(world).latest.settings["Role"] == "own-role"


def with_role(world: World, name: str) -> None:
    """A role that SCF may act as."""
    params = {"RoleName": name, "PolicyDocument": json.dumps(TRUST)}
    world.cloud.call("cam", "CreateRole", params)
    world.forget()


def test_a_bundle_that_is_too_large_for_a_request_goes_through_the_bucket(world: World) -> None:
    """Below the ledger's prefix."""
    padded = Bundle(stored(MAX_INLINE_BYTES + 1))
    seen: list[tuple[str, str, str]] = []

    def from_cos(bucket: str, region: str, key: str) -> bytes | None:
        seen.append((bucket, region, key))
        return padded.code

    world.account.scf.from_cos = from_cos
    planned = world.look(world.job(code=padded)).plan.calls
    assert [call.action for call in planned][3:5] == ["PutObject", "CreateFunction"]
    world.deploy(world.job(code=padded))
    key = f"ci/_code/{padded.sha256}.zip"
    assert seen == [("records", "ap-guangzhou", key)]
    assert world.cos.keys() == [key]
    assert not world.deploy(world.job(code=padded)).plan.calls


def stored(size: int) -> bytes:
    """A zip of about that size."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("index.py", "def main_handler(event, context): return event\n")
        archive.writestr("data", b"x" * size)
    return made.getvalue()


# --- the platform -------------------------------------------------------------------------


def test_a_platform_that_is_busy_is_asked_again(world: World) -> None:
    """Throttled, failed within, a role that SCF does not see yet, a read that lags."""
    faults = world.account.faults
    faults.refuse("GetUserAppId", "RequestLimitExceeded", times=2)
    faults.refuse("CreatePolicy", "InternalError.SystemError")
    faults.refuse("CreateTrigger", "RequestLimitExceeded.UinLimitExceeded")
    faults.refuse("UpdateAlias", "FailedOperation.FunctionStatusError")
    faults.role_lag, faults.read_lag = 3, 1
    world.deploy()
    assert function(world).aliases[DEFAULT] == "1"
    assert world.slept > 0


def test_a_read_that_lags_makes_the_plan_be_made_again(world: World) -> None:
    """It meets what is there already."""
    world.deploy()
    function(world).hidden = 1
    world.account.cam.roles["ci-callback-role"].hidden = 1
    world.forget()
    world.deploy()
    assert len(world.plans) == 2
    assert world.plans[1].calls == ()


def test_a_function_that_could_not_be_created_is_created_again(world: World) -> None:
    """Nothing else can be done with it."""
    world.account.faults.cls_activated = False
    error = failure(world)
    assert "CreateFailed: CLS is not activated" in error.what
    world.account.faults.cls_activated = True
    world.forget()
    world.deploy()
    assert world.made[:2] == ["DeleteFunction", "CreateFunction"]
    assert len(function(world).triggers) == 1 + len(TIMERS)


def test_a_function_that_does_not_become_active_ends_the_run(world: World) -> None:
    """Three minutes later."""
    world.account.faults.activation_reads = MAX_POLLS + 1
    error = failure(world)
    assert "still Creating after 180 s" in error.what
    assert "run deploy again" in error.fix


@pytest.mark.parametrize(
    ("code", "words", "status"),
    [
        ("AuthFailure.SecretIdNotFound", "does not accept the credentials", EXIT_SETTINGS),
        ("AuthFailure.SignatureFailure", "does not accept the credentials", EXIT_SETTINGS),
        ("AuthFailure.SignatureExpire", "clock of this machine", EXIT_SETTINGS),
        ("AuthFailure.TokenFailure", "has expired", EXIT_SETTINGS),
        ("UnauthorizedOperation", "may not CreateFunction", 1),
        ("AuthFailure.UnauthorizedOperation", "may not CreateFunction", 1),
        ("LimitExceeded.Function", "exceed a quota", 1),
        ("ResourceUnavailable.InsufficientBalance", "no balance", 1),
        ("FailedOperation.ClsServiceUnregistered", "not activated", 1),
        ("FailedOperation.CreateFunction", "the platform refused", 1),
        ("UnsupportedRegion", "no such region", EXIT_SETTINGS),
        ("RequestLimitExceeded", "too many requests", 1),
    ],
)
def test_a_refusal_is_one_line_with_what_to_do(
    world: World, code: str, words: str, status: int
) -> None:
    """And a second run finishes what the first began."""
    world.account.faults.refuse("CreateFunction", code, times=7)
    error = failure(world)
    assert words in error.what
    assert code in error.what
    assert (error.exit, bool(error.fix)) == (status, True)
    world.account.faults.stop_refusing()
    world.deploy()
    assert function(world).aliases[DEFAULT] == "1"


def test_no_network_is_told_as_that(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the status of a store that can't be reached."""
    monkeypatch.setattr(World, "cloud", Cloud(world.credentials, REGION, "http://127.0.0.1:1"))
    error = failure(world)
    assert (error.exit, "gave no answer" in error.what) == (EXIT_UNREACHABLE, True)


# --- bad input ----------------------------------------------------------------------------


def test_a_function_of_that_name_that_deploy_did_not_make_is_left_alone(world: World) -> None:
    """Unless it is to be taken over."""
    world.deploy()
    function(world).latest.settings["Description"] = "by hand"
    world.forget()
    error = failure(world)
    assert "did not make it" in error.what
    assert world.made == []
    world.deploy(world.job(choices=Choices(adopt=True)))
    assert function(world).latest.settings["Description"].startswith("ci callback handler")


@pytest.mark.parametrize("kind", ["role", "policy"])
def test_a_role_or_policy_of_that_name_that_deploy_did_not_make_is_left_alone(
    world: World, kind: str
) -> None:
    """Others may have the policy, or act as the role: neither is overwritten or given rights."""
    world.deploy()
    cam = world.account.cam
    (policy,), role = cam.policies.values(), cam.roles["ci-callback-role"]
    (role if kind == "role" else policy).description = "by hand"
    role.policies.clear()
    world.forget()
    job = with_variables(world.job(), CI_BUCKET="media-1250000000")
    with pytest.raises(DeployError) as raised:
        world.deploy(job)
    error = raised.value
    assert f"{kind} ci-callback-{kind} exists, and deploy did not make it" in error.what
    assert world.made == []
    world.deploy(replace(job, choices=Choices(adopt=True)))
    assert "media-1250000000" in policy.document


@pytest.mark.parametrize(("member", "value"), [("Runtime", "Python3.7"), ("Type", "HTTP")])
def test_a_name_that_another_runtime_or_type_has_is_refused(
    world: World, member: str, value: str
) -> None:
    """Neither can be changed."""
    world.deploy()
    function(world).latest.settings[member] = value
    world.forget()
    error = failure(world)
    assert value in error.what
    assert "can't be changed" in error.fix
    assert world.made == []


def test_an_environment_that_is_too_large_is_refused_before_anything_is_called(
    world: World,
) -> None:
    """By the names and values of the file; with those that are kept, before anything is written."""
    job = with_variables(world.job(), ALERT_URLS="https://example.com/" + "x" * 4096)
    with pytest.raises(DeployError, match="SCF allows 4,096"):
        world.deploy(job)
    assert world.account.seen == []
    world.deploy()
    pairs = function(world).latest.settings["Environment"]["Variables"]
    pairs.append({"Key": "KEPT", "Value": "x" * 3000})
    world.forget()
    job = with_variables(world.job(), ALERT_URLS="https://example.com/" + "x" * 2000)
    with pytest.raises(DeployError, match="shorten KEPT"):
        world.deploy(job)
    assert world.made == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"versioning": "Enabled"}, "versioning"),
        ({"location": "ap-beijing"}, "is in ap-beijing"),
    ],
)
def test_a_bucket_that_is_not_fit_is_refused_before_anything_is_made(
    world: World, change: dict[str, str], words: str
) -> None:
    """As doctor finds it."""
    for name, value in change.items():
        setattr(world.cos, name, value)
    error = failure(world)
    assert words in f"{error.what} {error.fix}"
    assert world.made == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("cos://another-1250000000/ci", "knows no bucket"),
        ("cos://records-1259999999/ci", "does not belong to the account"),
        ("file:./ledger", "names a folder"),
    ],
)
def test_another_ledger_is_refused_before_anything_is_made(
    world: World, url: str, words: str
) -> None:
    """A bucket that is not there, another account's, none at all."""
    world.env["LEDGER_URL"] = url
    assert words in failure(world).what
    assert world.made == []


def test_without_a_ledger_the_setting_is_named(world: World) -> None:
    """As the function itself would name it."""
    world.env.pop("LEDGER_URL")
    with pytest.raises(SettingsError, match="LEDGER_URL"):
        world.deploy()
    assert world.made == []


def test_a_template_with_an_unknown_name_is_refused(world: World) -> None:
    """No policy with a name in capitals goes out."""
    job = world.job()
    strange = job.template.replace("MEDIA_BUCKET-APPID", "OTHER_BUCKET-APPID")
    with pytest.raises(DeployError, match="a name that is not known"):
        world.deploy(replace(job, template=strange))


def test_a_policy_that_differs_is_written_again(world: World) -> None:
    """A bucket that CI works on was added; nothing else changes but the setting."""
    world.deploy()
    world.forget()
    job = with_variables(world.job(), CI_BUCKET="media-1250000000")
    world.deploy(job)
    assert world.made[:2] == ["UpdatePolicy", "UpdateFunctionConfiguration"]
    (policy,) = world.account.cam.policies.values()
    assert "bucket/media-1250000000/*" in policy.document
    world.forget()
    assert not world.deploy(job).plan.calls


def test_settings_that_deploy_never_makes_are_kept_and_listed(world: World) -> None:
    """Layers, a private network, a log topic: an update does not name them."""
    world.deploy()
    settings = function(world).latest.settings
    settings |= {
        "Layers": [{"LayerName": "l", "LayerVersion": 1}],
        "VpcConfig": {"VpcId": "vpc-1", "SubnetId": "subnet-1"},
        "ClsTopicId": "topic-1",
    }
    kept = world.look().plan.kept
    assert {"layers", "private network", "log topic topic-1"} <= set(kept)
    world.deploy(world.job(code=bundle("second")))
    assert function(world).latest.settings["ClsTopicId"] == "topic-1"


def test_a_dry_run_that_is_refused_is_one_line_too(world: World) -> None:
    """As a deployment is."""
    world.deploy()
    world.account.faults.refuse("ListTriggers", "UnauthorizedOperation")
    with pytest.raises(DeployError, match="may not ListTriggers"):
        world.look()


def test_a_version_that_does_not_become_active_ends_the_run(world: World) -> None:
    """One that an interrupted run left on its way."""
    world.deploy()
    function(world).versions["1"].change("Publishing", 10_000)
    error = failure(world)
    assert "does not become active" in error.what


def test_reads_that_lag_for_long_end_the_run(world: World) -> None:
    """What is there is never shown."""
    world.deploy()
    function(world).hidden = 10_000
    error = failure(world)
    assert "does not show its state yet" in error.what
