"""The policy of the function's role: docs/cam-policy.json with the names filled in. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handler.ledger.bucket import is_bucket_name
from handler.settings import Settings

_MEDIA = "MEDIA_BUCKET-APPID"
_CI_ROLE = "CI_QCSRole"
_CAPITALS = re.compile(r"[A-Z]{3,}")

TRUST = {
    "version": "2.0",
    "statement": [
        {
            "action": "name/sts:AssumeRole",
            "effect": "allow",
            "principal": {"service": ["scf.qcloud.com"]},
        }
    ],
}
"""SCF may act as the role, and no one else (583/32389)."""


@dataclass(frozen=True)
class Owner:
    """The account. app_id, uin: as digits."""

    app_id: str
    uin: str


def policy(template: str, settings: Settings, owner: Owner) -> dict[str, Any]:
    """The document for these settings, whose ledger is on COS. Statements about a spill are left
    out if no spill is on COS.

    Raises:
        ValueError: a name in capitals is left, since the template has one that is not known.
    """
    document: dict[str, Any] = json.loads(template)
    names = _names(settings, owner)
    statements = []
    for statement in document["statement"]:
        resources = [
            resource
            for pattern in statement["resource"]
            for resource in _filled(pattern, names, media_buckets(settings))
        ]
        if resources:
            statements.append({**statement, "resource": resources})
    return {**document, "statement": statements}


PUBLIC = frozenset({"name/cos:PutObject", "name/cos:GetObject"})
"""What a callback needs of COS."""


def public(document: Mapping[str, Any], is_verifying: bool) -> dict[str, Any]:
    """The rights of a function that takes callbacks and does nothing else: objects are put and
    read. is_verifying: VERIFY_CALLBACKS=always, with which CI is asked about each job too."""
    kept = []
    for statement in document["statement"]:
        actions = [name for name in statement["action"] if _is_public(name, is_verifying)]
        if actions:
            kept.append({**statement, "action": actions})
    return {**document, "statement": kept}


def _is_public(action: str, is_verifying: bool) -> bool:
    is_question = action.startswith("ci:Describe") and action.endswith("Job")
    return action in PUBLIC or (is_verifying and is_question)


def media_buckets(settings: Settings) -> Sequence[str]:
    """The buckets whose jobs the function may ask for and submit."""
    own = settings.ci_bucket or settings.ledger_url.bucket
    allowed = [name for name in settings.allowed_buckets or () if is_bucket_name(name)]
    return tuple(dict.fromkeys([own, *sorted(allowed)]))


def _names(settings: Settings, owner: Owner) -> Mapping[str, str | None]:
    """A name of the template → its value; None where the setting is not there. The longer names
    come first: one is the end of another."""
    ledger, spill = settings.ledger_url, settings.spill_url
    on_cos = spill is not None and spill.scheme == "cos"
    return {
        "SPILL_BUCKET-APPID": spill.bucket if spill and on_cos else None,
        "SPILL_REGION": (spill.region or settings.region or "") if spill and on_cos else None,
        "/SPILL_PREFIX/": _below(spill.prefix) if spill and on_cos else None,
        "LEDGER_BUCKET-APPID": ledger.bucket,
        "/PREFIX/": _below(ledger.prefix),
        "REGION": settings.region or "",
        "uid/APPID": f"uid/{owner.app_id}",
        "UIN:": f"{owner.uin}:",
    }


def _below(prefix: str) -> str:
    return f"/{prefix.strip('/')}/" if prefix.strip("/") else "/"


def _filled(pattern: str, names: Mapping[str, str | None], buckets: Sequence[str]) -> Iterator[str]:
    rest = pattern
    for known in (*names, _MEDIA, _CI_ROLE):
        rest = rest.replace(known, "")
    if _CAPITALS.search(rest):
        raise ValueError(f"docs/cam-policy.json: {pattern} has a name that is not known")
    for name, value in names.items():
        if name in pattern:
            if value is None:
                return
            pattern = pattern.replace(name, value)
    if _MEDIA not in pattern:
        yield pattern
        return
    for bucket in buckets:
        yield pattern.replace(_MEDIA, bucket)
