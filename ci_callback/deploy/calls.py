"""A call that changes the account, and how it is shown: with every secret masked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ci_callback.deploy.bundle import Bundle
from handler.settings.rows import ROWS

PLAIN_VARIABLES = frozenset(row.variable for row in ROWS if not row.secret)
"""Whose values are shown. One that is not known may be a secret."""
HIDDEN = "[hidden]"


class LostAnswerError(Exception):
    """A resource of an earlier call exists, but the answer that gives its id was lost."""


class Later(NamedTuple):
    """A value that the answer to an earlier call gives."""

    action: str
    member: str

    @property
    def shown(self) -> str:
        return f"<{self.member} of {self.action}>"


class Zip(NamedTuple):
    """The bundle, in base64 once it is sent."""

    bundle: Bundle

    @property
    def shown(self) -> str:
        return f"<{self.bundle.shown}>"


class Secret(NamedTuple):
    """A value that is sent, and what people see of it."""

    value: str
    shown: str


class Text(NamedTuple):
    """A value that is sent as JSON in a text."""

    value: Any


@dataclass(frozen=True)
class Call:
    """service: scf, cam, or cos for an object below the ledger's prefix. why: one line."""

    service: str
    action: str
    params: Mapping[str, Any]
    why: str

    @property
    def shown(self) -> dict[str, Any]:
        """The parameters, for people."""
        return {name: _shown(value) for name, value in self.params.items()}

    def filled(self, answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The parameters as they are sent. answers: of the calls that were made, by action.

        Raises:
            LostAnswerError
        """
        return {name: _filled(value, answers) for name, value in self.params.items()}


def variable_shown(name: str, value: str) -> str:
    """A value of the environment, for people."""
    return value if name in PLAIN_VARIABLES else HIDDEN


def holds(found: Any, wanted: Any) -> bool:
    """Whether a part of an answer has every desired member, with its value. It does not have
    members that an earlier call must still give."""
    if isinstance(wanted, Secret):
        return bool(found == wanted.value)
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            name in found and holds(found[name], value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        is_like = isinstance(found, list) and len(found) == len(wanted)
        return is_like and all(map(holds, found, wanted))
    return bool(found == wanted)


def _shown(value: Any) -> Any:
    if isinstance(value, (Later, Secret, Zip)):
        return value.shown
    if isinstance(value, Text):
        return _shown(value.value)
    if isinstance(value, Mapping):
        if value.keys() == {"Key", "Value"}:
            return {**value, "Value": variable_shown(value["Key"], value["Value"])}
        return {name: _shown(item) for name, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value


def _filled(value: Any, answers: Mapping[str, Mapping[str, Any]]) -> Any:
    if isinstance(value, Later):
        if value.member not in answers[value.action]:
            raise LostAnswerError(value.shown)
        return answers[value.action][value.member]
    if isinstance(value, Secret):
        return value.value
    if isinstance(value, Zip):
        return value.bundle.base64
    if isinstance(value, Text):
        return json.dumps(_filled(value.value, answers), ensure_ascii=False)
    if isinstance(value, Mapping):
        return {name: _filled(item, answers) for name, item in value.items()}
    return [_filled(item, answers) for item in value] if isinstance(value, list) else value
