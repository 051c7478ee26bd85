"""The functions of one description: one, or three with `--split`. Pure but where it reads SCF.

    NAME          the address; a role that can only put and get below the ledger's prefix
    NAME-sweep    the timer of sweeps; all rights, and a quota of one instance
    NAME-tasks    the other timers; all rights by the role of NAME-sweep, no quota

All of them run the same bundle with the same variables. What runs long must not hold the only
instance that sweeps have, so reconciliation and forwarding have a function of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ci_callback.deploy import actual
from ci_callback.deploy.actual import Api, FunctionVersion
from ci_callback.deploy.description import Description
from ci_callback.deploy.desired import MARK, role_name
from ci_callback.deploy.errors import EXIT_SETTINGS, DeployError

SUFFIXES = ("-sweep", "-tasks")
SWEEP = "sweep"
LEDGER = "LEDGER_URL"

Rights: TypeAlias = Literal["all", "public", "shared"]
"""all: docs/cam-policy.json. public: what a callback needs. shared: the role of another part."""


@dataclass(frozen=True)
class Part:
    """One function. description: with its own name, triggers and no others. role: its name. is_one:
    one instance at a time. elsewhere: timers of the deployment that other parts have."""

    description: Description
    rights: Rights
    role: str
    is_one: bool = False
    elsewhere: frozenset[str] = frozenset()


def parts(described: Description, is_split: bool) -> tuple[Part, ...]:
    """In the order in which they are deployed: what sweeps is there before the address's timers go.

    Raises:
        DeployError: a split deployment makes roles of its own.
    """
    name = described.name
    if not is_split:
        return (Part(described, "all", described.role or role_name(name)),)
    if described.role:
        what = "SCF_EXEC_ROLE names one role, and a split deployment has two"
        raise DeployError(what, "unset SCF_EXEC_ROLE: deploy makes the roles", EXIT_SETTINGS)
    sweep, tasks = (f"{name}{suffix}" for suffix in SUFFIXES)
    role = role_name(sweep)
    return (
        _with_timers(described, sweep, Part(described, "all", role, is_one=True)),
        _with_timers(described, tasks, Part(described, "shared", role)),
        _with_timers(described, name, Part(described, "public", role_name(name))),
    )


def _with_timers(described: Description, name: str, part: Part) -> Part:
    """The part with its own name and triggers."""
    is_public = part.rights == "public"
    own = tuple(
        timer
        for timer in described.timers
        if not is_public and (timer.argument == SWEEP) == part.is_one
    )
    others = frozenset(timer.name for timer in described.timers if timer not in own)
    url = described.url if is_public else None
    changed = replace(described, name=name, timers=own, url=url)
    return replace(part, description=changed, elsewhere=others)


def is_split(api: Api, name: str) -> bool:
    """Whether the deployment of that name is split. May raise CloudError."""
    return bool(made_others(api, name))


def made_others(api: Api, name: str) -> Sequence[str]:
    """The functions of a deployment besides the one with the address, as far as they are there and
    deploy made them. May raise CloudError."""
    return [other for other, found in _others(api, name) if _is_ours(found)]


def members(api: Api, name: str) -> Sequence[str]:
    """The functions of a deployment, the one with the address first; of the others those that
    deploy made, and those that Terraform made, which have the same ledger. May raise CloudError."""
    others = list(_others(api, name))
    first = actual.function_version(api, name) if others else None
    ledger = first.variables.get(LEDGER) if first else None
    return [
        name,
        *(
            other
            for other, found in others
            if _is_ours(found) or (ledger and found.variables.get(LEDGER) == ledger)
        ),
    ]


def _others(api: Api, name: str) -> Iterator[tuple[str, FunctionVersion]]:
    for suffix in SUFFIXES:
        found = actual.function_version(api, f"{name}{suffix}")
        if found:
            yield f"{name}{suffix}", found


def _is_ours(found: FunctionVersion) -> bool:
    return str(found.answer.get("Description") or "").startswith(MARK)
