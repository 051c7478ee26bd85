"""`deploy --split`: callbacks by a function that can submit nothing, timers by two others."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

import pytest

from ci_callback.deploy import layout, versions
from ci_callback.deploy.description import Names
from ci_callback.deploy.errors import DeployError
from ci_callback.deploy.plan import Choices
from tests.ci_callback.deploy.test_run import failure, kill, same
from tests.ci_callback.deploy.world import NAME, SERVERLESS, World, bundle, with_variables

SPLIT, WHOLE = Choices(split=True), Choices(split=False)
SWEEP, TASKS = f"{NAME}-sweep", f"{NAME}-tasks"
CALLS = 23
"""Of a deployment from nothing, counted by the test below."""


def split(world: World, **more: Any) -> Any:
    """A whole run."""
    return world.deploy(world.job(choices=SPLIT, **more))


def triggers(world: World) -> dict[str, list[str]]:
    """The triggers of each function: a timer by its argument."""
    return {
        name: sorted(one["CustomArgument"] or one["Type"] for one in made.triggers)
        for name, made in world.account.scf.functions.items()
    }


def actions(world: World, name: str) -> set[str]:
    """What the role of a function may do."""
    cam = world.account.cam
    role = cam.roles[world.account.scf.functions[name].latest.settings["Role"]]
    documents = [json.loads(cam.policies[one].document) for one in role.policies]
    return {action for one in documents for part in one["statement"] for action in part["action"]}


@functools.cache
def undisturbed() -> Mapping[str, Any]:
    """What an account holds after one run."""
    with World() as other:
        split(other)
        return other.state()


def test_the_address_has_a_function_that_can_only_put_and_get(world: World) -> None:
    """The others have CI's rights and the timers; sweeps run in one instance, and nothing else in
    that quota. All have one bundle, one environment, no second run, and a minute of patience."""
    outcome = split(world)
    assert triggers(world) == {
        NAME: ["http"],
        SWEEP: ["sweep"],
        TASKS: ["forward", "reconcile"],
    }
    assert actions(world, NAME) == {"name/cos:PutObject", "name/cos:GetObject"}
    assert {"ci:CreateMediaJobs", "name/cos:DeleteObject"} <= actions(world, SWEEP)
    functions = world.account.scf.functions
    assert functions[TASKS].latest.settings["Role"] == f"{SWEEP}-role"
    assert set(world.account.cam.roles) == {f"{NAME}-role", f"{SWEEP}-role"}
    reserved = {name: made.reserved_mb for name, made in functions.items()}
    assert reserved == {NAME: None, SWEEP: 256, TASKS: None}
    assert {made.version("$DEFAULT").code for made in functions.values()} == {bundle().code}
    environments = [made.latest.settings["Environment"] for made in functions.values()]
    assert environments[0] == environments[1] == environments[2]
    assert {(made.retries, made.ttl_s) for made in functions.values()} == {(0, 60)}
    assert outcome.address == f"https://{functions[NAME].triggers[0]['TriggerName']}" + (
        ".ap-guangzhou.tencentscf.com"
    )


def test_with_verification_of_each_callback_it_may_ask_about_a_job(world: World) -> None:
    """And still submits none."""
    job = with_variables(world.job(choices=SPLIT), VERIFY_CALLBACKS="always")
    world.deploy(job)
    of_ci = {action for action in actions(world, NAME) if action.startswith("ci:")}
    assert of_ci == {
        f"ci:Describe{kind}Job"
        for kind in ("Media", "PicProcess", "Asr", "DocProcess", "FileProcess")
    }
    assert "name/cos:DeleteObject" not in actions(world, NAME)


def test_a_second_run_changes_nothing_and_needs_no_option(world: World) -> None:
    """A deployment that is split stays so."""
    split(world)
    before = world.state()
    world.forget()
    assert split(world).plan.calls == world.deploy().plan.calls == ()
    assert world.made == []
    assert world.state() == before == undisturbed()


def test_a_dry_run_shows_the_calls_that_are_then_made(world: World) -> None:
    """Each difference names its function."""
    planned = world.look(world.job(choices=SPLIT)).plan
    assert len(planned.calls) == CALLS
    assert {what.partition(":")[0] for what, _, _ in planned.differences} == {NAME, SWEEP, TASKS}
    split(world)
    same(planned.calls, world.account.writes)


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "at", [pytest.param(at, marks=[] if at % 6 == 0 else [pytest.mark.slow]) for at in range(CALLS)]
)
def test_a_run_that_is_killed_at_any_call_is_finished_by_the_next(
    world: World, at: int, is_done: bool
) -> None:
    """The end is that of one run."""
    kill(world, at, is_done)
    with pytest.raises(KeyboardInterrupt):
        split(world)
    world.account.faults.before = world.account.faults.after = lambda action: None
    world.is_killed = False
    split(world)
    assert world.state() == undisturbed()
    world.forget()
    assert split(world).plan.calls == ()


def test_a_whole_deployment_is_split_without_a_minute_that_no_timer_runs(world: World) -> None:
    """The others have their timers before the address's function loses its own, and that one loses
    its rights after its timers. Address and token stay."""
    first = world.deploy()
    world.forget()
    second = split(world)
    assert (second.address, second.token) == (first.address, first.token)
    assert world.state() == undisturbed()
    made = world.made
    assert made.index("DeleteTrigger") > max(
        at for at, action in enumerate(made) if action == "CreateTrigger"
    )
    assert made[-1] == "UpdatePolicy"


def test_a_split_deployment_becomes_whole_again(world: World) -> None:
    """The others are removed once the first one has all rights and timers."""
    split(world)
    address = world.deploy().address
    world.forget()
    merged = world.deploy(world.job(choices=WHOLE))
    assert set(world.account.scf.functions) == {NAME}
    assert set(world.account.cam.roles) == {f"{NAME}-role"}
    assert triggers(world)[NAME] == ["forward", "http", "reconcile", "sweep"]
    assert "ci:CreateMediaJobs" in actions(world, NAME)
    assert merged.address == address
    assert world.made.index("DeleteFunction") > world.made.index("CreateTrigger")
    world.forget()
    assert world.deploy().plan.calls == ()


@functools.cache
def merged() -> Mapping[str, Any]:
    """What an account holds after a deployment was split and became whole again."""
    with World() as other:
        split(other)
        other.deploy(other.job(choices=WHOLE))
        return other.state()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after"),
    [pytest.param(WHOLE, SPLIT, id="split"), pytest.param(SPLIT, WHOLE, id="merged")],
)
def test_a_change_of_the_layout_that_is_killed_is_finished_by_the_next(
    before: Choices, after: Choices
) -> None:
    """Whichever call it was: the end is that of one run."""
    at, count = 0, 1
    while at < count:
        with World() as world:
            world.deploy(world.job(choices=before))
            count = len(world.look(world.job(choices=after)).plan.calls)
            world.forget()
            kill(world, at, is_done=True)
            with pytest.raises(KeyboardInterrupt):
                world.deploy(world.job(choices=after))
            world.account.faults.after = lambda action: None
            world.is_killed = False
            world.deploy(world.job(choices=after))
            assert world.state() == (undisturbed() if after.split else merged()), at
            world.forget()
            assert world.deploy(world.job(choices=after)).plan.calls == ()
        at += 1
    assert at > 5


def test_a_change_of_the_memory_changes_the_quota(world: World) -> None:
    """One instance, whatever its size."""
    split(world)
    world.deploy(world.job(SERVERLESS.replace("memorySize: 256", "memorySize: 512")))
    assert world.account.scf.functions[SWEEP].reserved_mb == 512


def test_a_quota_of_the_function_with_the_address_is_listed(world: World) -> None:
    """It would refuse callbacks."""
    split(world)
    world.account.scf.functions[NAME].reserved_mb = 256
    outcome = world.deploy()
    assert f"{NAME}: reserved quota of 256 MB: callbacks beyond it are refused" in outcome.plan.kept
    world.deploy(world.job(choices=Choices(prune=True)))
    assert world.account.scf.functions[NAME].reserved_mb is None


def test_a_role_of_the_environment_or_a_taken_stage_is_refused(world: World) -> None:
    """Two roles are needed; and a stage would have the name of another function."""
    world.env["SCF_EXEC_ROLE"] = "mine"
    assert "has two" in failure(world, choices=SPLIT).what
    del world.env["SCF_EXEC_ROLE"]
    with pytest.raises(DeployError, match="another word"):
        world.job(names=Names(stage="sweep"))
    assert world.made == []


def test_a_function_of_others_with_such_a_name_is_left_alone(world: World) -> None:
    """It is no part of the deployment."""
    split(world)
    settings = world.account.scf.functions[SWEEP].latest.settings
    settings["Description"] = "mine"
    deleted = versions.removal_of_others(world.cloud, NAME)
    assert SWEEP not in [call.params.get("FunctionName") for call in deleted]
    # As Terraform makes it: of the same ledger.
    assert layout.members(world.cloud, NAME) == [NAME, SWEEP, TASKS]
    settings["Environment"] = {"Variables": []}
    assert layout.members(world.cloud, NAME) == [NAME, TASKS]
    assert "deploy did not make it" in failure(world, choices=SPLIT).what


def test_destroy_takes_all_of_it_away(world: World) -> None:
    """What sweeps goes first."""
    split(world)
    calls = versions.removal(world.cloud, NAME)
    deleted = [call.params["FunctionName"] for call in calls if call.action == "DeleteFunction"]
    assert deleted == [SWEEP, TASKS, NAME]
    for call in calls:
        world.cloud.call(call.service, call.action, call.params)
    state = world.state()
    assert not any(state[kind] for kind in ("functions", "roles", "policies"))
    assert not versions.removal(world.cloud, NAME)


def test_rollback_takes_each_function_to_the_same_bundle(world: World) -> None:
    """Their versions may have other numbers."""
    world.deploy()
    world.deploy(world.job(code=bundle("second")))
    split(world, code=bundle("second"))
    split(world, code=bundle("third"))
    before, calls = versions.rollback(world.cloud, NAME)
    assert (before, len(calls)) == ("3", 3)
    for call in calls:
        world.cloud.call(call.service, call.action, call.params)
    functions = world.account.scf.functions
    assert {made.version("$DEFAULT").code for made in functions.values()} == {bundle("second").code}
    assert functions[SWEEP].aliases["$DEFAULT"] == "1"


def test_a_bundle_that_the_others_never_had_leaves_them_as_they_are(world: World) -> None:
    """It is from before the split."""
    world.deploy()
    split(world, code=bundle("second"))
    _, calls = versions.rollback(world.cloud, NAME)
    assert [call.params["FunctionName"] for call in calls] == [NAME]
