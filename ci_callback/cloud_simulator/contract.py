"""Actions, parameters and answers as tccli's description has them (api.json).

The codes are those of every product of the API 3.0 (公共错误码): InvalidAction, NoSuchVersion,
UnknownParameter, MissingParameter, InvalidParameter.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, TypeAlias

from ci_callback.cloud_simulator.errors import ApiError

Shape: TypeAlias = "str | list[str]"

_TEXTS = (str,)
_PLAIN: Mapping[str, tuple[type, ...]] = {
    "string": _TEXTS,
    "datetime": _TEXTS,
    "datetime_iso": _TEXTS,
    "bool": (bool,),
    "int64": (int,),
    "float": (int, float),
}
"""Types of JSON for each plain type. A number in quotes is refused, as by the service."""


@functools.cache
def services() -> Mapping[str, Any]:
    """The description of each service."""
    text = resources.files(__package__).joinpath("api.json").read_text("utf-8")
    described: dict[str, Any] = json.loads(text)["services"]
    return described


def check_request(service: str, version: str, action: str, params: Mapping[str, Any]) -> None:
    """
    Raises:
        ApiError: the service would refuse it, whatever the account holds.
    """
    described = services().get(service)
    if described is None or action not in described["actions"]:
        raise ApiError("InvalidAction", f"The request action=`{action}` is invalid or not found.")
    if version != described["version"]:
        raise ApiError("NoSuchVersion", f"The api version `{version}` is not supported.")
    for code, words in _faults(described["objects"], described["actions"][action][0], params, ""):
        raise ApiError(code, words)


def check_answer(service: str, action: str, answer: Mapping[str, Any]) -> None:
    """
    Raises:
        AssertionError: the simulator invented a field, or gave one another type. null is allowed.
    """
    described = services()[service]
    name = described["actions"][action][1]
    for code, words in _faults(described["objects"], name, answer, "", is_answer=True):
        raise AssertionError(f"the simulator's {action}: {code}: {words}")


def _faults(
    objects: Mapping[str, Any],
    name: str,
    values: Mapping[str, Any],
    place: str,
    *,
    is_answer: bool = False,
) -> Iterator[tuple[str, str]]:
    described = objects.get(name, {"required": [], "members": {}})
    for member, value in values.items():
        where = f"{place}{member}"
        if member not in described["members"]:
            yield "UnknownParameter", f"The parameter `{where}` is not recognized."
        elif not (is_answer and value is None):
            yield from _of_value(objects, described["members"][member], value, where, is_answer)
    for member in described["required"]:
        if member not in values:
            words = f"The request is missing a required parameter `{place}{member}`."
            yield "MissingParameter", words


def _of_value(
    objects: Mapping[str, Any], shape: Shape, value: Any, where: str, is_answer: bool
) -> Iterator[tuple[str, str]]:
    wrong = "InvalidParameter", f"The value type of parameter `{where}` is not valid."
    if isinstance(shape, list):
        if not isinstance(value, list):
            yield wrong
            return
        for index, item in enumerate(value):
            yield from _of_value(objects, shape[0], item, f"{where}.{index}", is_answer)
    elif shape in objects:
        if isinstance(value, dict):
            yield from _faults(objects, shape, value, f"{where}.", is_answer=is_answer)
        else:
            yield wrong
    elif not _is_plain(shape, value):
        yield wrong


def _is_plain(kind: str, value: Any) -> bool:
    if isinstance(value, bool) or kind == "bool":
        return isinstance(value, bool) and kind == "bool"
    if kind == "uint64":
        return isinstance(value, int) and value >= 0
    return isinstance(value, _PLAIN[kind])
