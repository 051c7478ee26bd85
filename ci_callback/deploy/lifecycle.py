"""`deploy --expire-days`: COS lets expire what the function needs for a while only.

A rule of the bucket's lifecycle for each prefix of keys.EXPIRING (436/8280). A PUT replaces all
rules of the bucket, so the others are sent back as they were read (436/8278).
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ci_callback.deploy.calls import Call
from ci_callback.deploy.errors import EXIT_UNREACHABLE, DeployError
from ci_callback.deploy.plan import Plan
from ci_callback.deploy.target import Operator
from ci_callback.deploy.triggers_plan import Difference
from ci_callback.doctor import cos_api
from ci_callback.doctor.case import CONSOLE, Case, Target
from handler.callback import tree
from handler.callback.tree import Tree
from handler.ci_api.signing import NotWritableError, to_xml
from handler.errors import NoAnswerError
from handler.ledger import keys

MARK = "ci-callback-handler-"
"""Begins the id of each rule that deploy makes."""
NONE = "NoSuchLifecycleConfiguration"
PUT = "PutBucketLifecycle"
MAX_RULES = 1_000


@dataclass(frozen=True)
class Expiry:
    """What differs from what is wanted. notes: prefixes that a rule of others deals with."""

    differences: tuple[Difference, ...] = ()
    calls: tuple[Call, ...] = ()
    notes: tuple[str, ...] = ()


def look(operator: Operator, days: int) -> Expiry:
    """
    Raises:
        DeployError: the rules can't be read.
    """
    found = _read(operator)
    prefix = operator.settings.ledger_url.prefix
    mine = list(wanted(prefix, days))
    ours = {_text(rule, "ID"): rule for rule in found if _text(rule, "ID").startswith(MARK)}
    ids = {rule["ID"] for rule in mine}
    others = [rule for rule in found if _text(rule, "ID") not in ids]
    taken = {_prefix(rule) for rule in others if tree.get(rule, "Expiration") is not None}
    left = [rule for rule in mine if _prefix(rule) not in taken]
    notes = tuple(
        f"lifecycle of {_prefix(rule)}: another rule of the bucket expires it"
        for rule in mine
        if _prefix(rule) in taken
    )
    changed = [rule for rule in left if not _is_same(ours.get(str(rule["ID"])), rule)]
    if not changed:
        return Expiry(notes=notes)
    call = Call("cos", PUT, {"Rule": [*others, *left]}, "the bucket's other rules stay as they are")
    return Expiry(tuple(_difference(ours, rule) for rule in changed), (call,), notes)


def wanted(prefix: str, days: int) -> Iterator[dict[str, Any]]:
    """The rules, as COS has them. prefix: the ledger's, "" or with its slash at the end."""
    for below in sorted(keys.EXPIRING):
        whole = f"{prefix}{below}"
        yield {
            "ID": _id(whole),
            "Filter": {"Prefix": whole},
            "Status": "Enabled",
            "Expiration": {"Days": str(days)},
        }


def _id(whole: str) -> str:
    """Another for each prefix: a bucket may hold the ledgers ci/a and ci-a."""
    words = re.sub(r"[^0-9A-Za-z_-]", "-", whole.rstrip("/"))
    return f"{MARK}{words}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def added(plan: Plan, expiry: Expiry) -> Plan:
    """The plan with it, at its end."""
    return replace(
        plan,
        differences=(*plan.differences, *expiry.differences),
        notes=(*plan.notes, *expiry.notes),
        calls=(*plan.calls, *expiry.calls),
    )


def put(operator: Operator, params: Mapping[str, Any]) -> None:
    """Write all rules of the bucket.

    Raises:
        DeployError
    """
    rules: Sequence[Tree] = params["Rule"]
    if len(rules) > MAX_RULES:
        what = f"the bucket would have {len(rules):,} lifecycle rules, and COS allows {MAX_RULES:,}"
        raise DeployError(what, f"remove some at {CONSOLE}/cos/bucket")
    try:
        body = to_xml({"LifecycleConfiguration": {"Rule": list(rules)}})
        cos_api.put(_case(operator), {"lifecycle": ""}, body)
    except NotWritableError as error:
        what = f"a lifecycle rule of the bucket can't be sent back as it is: {error}"
        raise DeployError(what, f"set the rules at {CONSOLE}/cos/bucket") from error
    except NoAnswerError as error:
        raise _no_answer(error) from error
    except cos_api.CosRefusedError as error:
        what = f"COS did not set the lifecycle of the bucket: {error}"
        raise DeployError(what, "the keys need cos:PutBucketLifecycle; run it again") from error


def _read(operator: Operator) -> list[Tree]:
    try:
        answer = cos_api.ask(_case(operator), {"lifecycle": ""})
    except NoAnswerError as error:
        raise _no_answer(error) from error
    except cos_api.CosRefusedError as error:
        if error.code == NONE:
            return []
        what = f"COS did not show the lifecycle of the bucket: {error}"
        raise DeployError(what, "the keys need cos:GetBucketLifecycle") from error
    return list(tree.get_all(answer, "LifecycleConfiguration.Rule"))


def _no_answer(error: NoAnswerError) -> DeployError:
    fix = "is there a network? Run it again"
    return DeployError(f"COS can't be reached: {error}", fix, EXIT_UNREACHABLE)


def _case(operator: Operator) -> Case:
    return Case(operator.settings, Target(), operator.http, time.time)


def _is_same(found: Tree | None, rule: dict[str, Any]) -> bool:
    return found is not None and all(
        _text(found, path) == _text(rule, path)
        for path in ("Filter.Prefix", "Status", "Expiration.Days")
    )


def _difference(ours: Mapping[str, Tree], rule: dict[str, Any]) -> Difference:
    found, shown = ours.get(str(rule["ID"])), f"{rule['Expiration']['Days']} days"
    before = f"{_text(found, 'Expiration.Days')} days" if found is not None else ""
    return Difference(f"lifecycle of {_prefix(rule)}", before, shown)


def _prefix(rule: Tree) -> str:
    # An older rule has its prefix outside of a filter.
    return _text(rule, "Filter.Prefix") or _text(rule, "Prefix")


def _text(rule: Tree, path: str) -> str:
    return tree.text(rule, path) or ""
