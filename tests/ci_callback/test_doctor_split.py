"""`doctor` on a deployment that is split: it knows each function of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ci_callback.cloud_simulator.errors import ApiError
from ci_callback.doctor import on_deployed, on_function, on_role
from ci_callback.doctor.case import Case, Target
from ci_callback.doctor.findings import Finding
from handler.settings import Settings
from tests.ci_callback.deploy.test_split import SPLIT, SWEEP, TASKS
from tests.ci_callback.deploy.world import NAME, TOKEN, World

PUBLIC, ALL = ("cos:PutObject", "cos:GetObject"), ("cos:GetBucket", "cos:DeleteObject")


@pytest.fixture
def world() -> Iterator[World]:
    """A split deployment."""
    with World() as made:
        made.deploy(made.job(choices=SPLIT))
        yield made


def case(world: World, **env: str) -> Case:
    """What the command looks at."""
    settings = Settings.from_env({**world.env, "CALLBACK_TOKENS": TOKEN, **env})
    return Case(settings, Target(NAME, scf_endpoint=world.account.endpoint), world.http, lambda: 0)


def answering(world: World, **granted: tuple[str, ...]) -> None:
    """What each function answers to the self-check."""

    def run(function: object, qualifier: str, event: str) -> dict[str, str]:
        mine = granted.get(str(getattr(function, "name", "")).replace("-", "_"), ())
        steps = [{"action": one, "is_granted": one in mine} for one in (*PUBLIC, *ALL)]
        return {"RetMsg": json.dumps({"self_check": steps})}

    world.account.scf.run = run


def shown(findings: list[Finding]) -> list[tuple[str, str]]:
    """Name and status."""
    return [(finding.name, finding.status) for finding in findings]


def test_the_timers_are_those_of_all_functions(world: World) -> None:
    """None of them is missed where another function has it."""
    found = on_function.on_scf(case(world, RECONCILE_TAGS="Transcode:6"))
    assert {finding.status for finding in found} == {"ok"}
    world.account.scf.functions[SWEEP].triggers.clear()
    assert "fault" in {finding.status for finding in on_function.on_scf(case(world))}


def test_the_role_of_the_address_is_to_have_two_rights(world: World) -> None:
    """And the others all of them."""
    whole = (*PUBLIC, *ALL)
    answering(world, ci_callback=PUBLIC, ci_callback_sweep=whole, ci_callback_tasks=whole)
    assert shown(on_role.role(case(world))) == [
        ("role", "ok"),
        (f"role of {SWEEP}", "ok"),
        (f"role of {TASKS}", "ok"),
    ]
    answering(world, ci_callback=whole, ci_callback_sweep=PUBLIC, ci_callback_tasks=whole)
    surplus, *lacking, _ = on_role.role(case(world))
    assert (surplus.status, "callbacks do not need" in surplus.what) == ("warning", True)
    assert [finding.status for finding in lacking] == ["fault", "fault"]


@pytest.mark.parametrize("is_error", [True, False], ids=["error", "result"])
def test_a_sweep_that_runs_is_busy_and_no_fault(world: World, is_error: bool) -> None:
    """A 432: the quota's one instance is at work."""

    def run(function: object, qualifier: str, event: str) -> dict[str, str]:
        if is_error:
            raise ApiError("ResourceLimitReached", "Concurrency is exceeded.")
        return {"RetMsg": "", "ErrMsg": "ResourceLimitReached: concurrency is exceeded"}

    world.account.scf.run = run
    found = on_role.role(case(world))
    assert {finding.status for finding in found} == {"skipped"}
    assert all("is busy" in finding.what for finding in found)
    assert all(finding.fix == "run it again in a minute" for finding in found)


def test_quotas_are_as_they_must_be(world: World) -> None:
    """One instance for sweeps, and none for what CI calls."""
    assert shown(on_deployed.settings(case(world))) == [
        ("function settings", "ok"),
        (f"function settings of {SWEEP}", "ok"),
        (f"function settings of {TASKS}", "ok"),
    ]
    functions = world.account.scf.functions
    functions[SWEEP].reserved_mb, functions[NAME].reserved_mb = None, 256
    first, second, _ = on_deployed.settings(case(world))
    assert (first.status, "refused with 432" in first.what) == ("fault", True)
    assert (second.status, "two sweeps may run" in second.what) == ("warning", True)
