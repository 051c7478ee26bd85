"""A JSON body to a tree: strict, but for trailing commas, and within limits before it is loaded."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from handler.callback.limits import Limits
from handler.errors import PayloadError

if TYPE_CHECKING:
    from handler.callback.tree import Tree

_Container: TypeAlias = "dict[str, Any] | list[Any]"

MAX_NUMBER_CHARS = 400
"""Longest JSON number: room for any double written out in full."""

_TRAILING_COMMA = r",(?=[ \t\r\n]*[}\]])"
_STRING = r'"[^"]*"?'


def parse(body: bytes, limits: Limits) -> Tree:
    """Read a JSON body.

    Raises:
        PayloadError: it is malformed, or goes over a limit.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PayloadError("encoding", f"not UTF-8 at byte {error.start}") from error
    _refuse_many_nodes(text, limits.max_nodes)
    try:
        tree = _loads(text)
    except ValueError as first:
        # The documents print trailing commas. Strict first, so good input pays nothing.
        repaired = _without_trailing_commas(text)
        if repaired is None:
            raise _invalid(first) from first
        try:
            tree = _loads(repaired)
        except ValueError as second:
            raise _invalid(second) from second
    return _plain(tree, limits, may_hold_surrogates="\\ud" in text or "\\uD" in text)


def _invalid(error: ValueError) -> PayloadError:
    return PayloadError("json_invalid", f"not valid JSON: {error}")


def _refuse_many_nodes(text: str, limit: int) -> None:
    """[[],[],…] of 5 MB costs 161 MB to load: count what makes nodes before it is loaded."""

    def count(part: str) -> int:
        return part.count(",") + part.count("[") + part.count("{")

    # Commas inside strings make no nodes, so only a count that looks too high is taken exactly.
    if count(text) > limit and sum(map(count, _outside_strings(text))) > limit:
        raise PayloadError("too_many_nodes", f"more than {limit} nodes")


def _outside_strings(text: str) -> Iterator[str]:
    """The parts of a JSON text that lie outside its strings.

    One part at a time: a list of all would cost 15 times a body of short strings.
    """
    masked = _masked(text)
    end = 0
    for string in re.finditer(_STRING, masked):
        yield masked[end : string.start()]
        end = string.end()
    yield masked[end:]


def _masked(text: str) -> str:
    """A JSON text of the same length whose quotes are those of its strings' ends.

    Masked at the speed of C a string needs no stack, where a regular expression over a long run
    of escapes needs 50 bytes of it a character.
    """
    return text.replace("\\\\", "__").replace('\\"', "__")


def _loads(text: str) -> object:
    try:
        return json.loads(
            text, parse_int=_number, parse_float=_number, parse_constant=_refuse_constant
        )
    except RecursionError as error:
        raise PayloadError("too_deep", "nested too deep to be read") from error


def _number(literal: str) -> str:
    if len(literal) > MAX_NUMBER_CHARS:
        raise PayloadError("number_too_long", f"a number of more than {MAX_NUMBER_CHARS} digits")
    return literal


def _refuse_constant(name: str) -> NoReturn:
    raise PayloadError("json_invalid", f"{name} is not JSON")


def _without_trailing_commas(text: str) -> str | None:
    """Blank out each comma directly before } or ], in one pass.

    None where such a comma directly follows the opening bracket ([,] {,}): there a value is
    missing, and without the comma no reader would see it. Two in a row stay broken in any case.
    """
    masked = _masked(text)
    commas: list[int] = []
    looked_at = quotes = 0
    for match in re.finditer(_TRAILING_COMMA, masked):
        quotes += masked.count('"', looked_at, match.start())
        looked_at = match.start()
        if quotes % 2:
            continue  # within a string
        before = looked_at - 1
        while before >= 0 and masked[before] in " \t\r\n":
            before -= 1
        if before >= 0 and masked[before] in "[{":
            return None
        commas.append(looked_at)
    edges = [-1, *commas, len(text)]
    return " ".join(text[a + 1 : b] for a, b in itertools.pairwise(edges))


def _plain(loaded: object, limits: Limits, may_hold_surrogates: bool) -> Tree:
    """Check depth and nodes, and turn true and false into the words that XML would send."""
    root: list[Any] = [loaded]
    level: list[_Container] = [root]
    nodes = depth = 0
    while level:
        nodes += sum(map(len, level))
        below: list[_Container] = []
        for container in level:
            if isinstance(container, dict):
                _refuse_long_names(container, limits.max_name_chars)
            below += _plain_values(container, may_hold_surrogates)
            if may_hold_surrogates and isinstance(container, dict):
                _clean_names(container)
        if nodes > limits.max_nodes:
            raise PayloadError("too_many_nodes", f"more than {limits.max_nodes} nodes")
        depth += 1
        if depth > limits.max_depth + 1:
            raise PayloadError("too_deep", f"nested deeper than {limits.max_depth}")
        level = below
    tree: Tree = root[0]
    return tree


def _plain_values(container: Any, may_hold_surrogates: bool) -> list[_Container]:
    """Replace the values that are no plain text; the containers among them, as they are."""
    pairs = container.items() if isinstance(container, dict) else enumerate(container)
    below: list[_Container] = []
    changed: list[tuple[Any, str]] = []
    for name, value in pairs:
        if isinstance(value, (dict, list)):
            below.append(value)
        elif isinstance(value, bool):
            changed.append((name, "true" if value else "false"))
        elif may_hold_surrogates and isinstance(value, str):
            changed.append((name, scalar_values(value)))
    for name, value in changed:
        container[name] = value
    return below


def _refuse_long_names(container: dict[str, Any], limit: int) -> None:
    if container and max(map(len, container)) > limit:
        raise PayloadError("name_too_long", f"a name of more than {limit} characters")


def _clean_names(container: dict[str, object]) -> None:
    if all(scalar_values(name) == name for name in container):
        return
    cleaned = {scalar_values(name): value for name, value in container.items()}
    container.clear()
    container.update(cleaned)


def scalar_values(text: str) -> str:
    """A lone surrogate is no character and can't be stored as UTF-8: U+FFFD replaces it."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
