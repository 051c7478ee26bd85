"""Samples for the console's button: a callback of any tag, state, code and format."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ci_callback.samples.options import NotSampledError, SampleOptions
from ci_callback.samples.samples import KNOWN, Sample, sample
from handler.callback import payload, tree
from handler.callback.added_nodes import RESULT_NODES, RESULT_SUFFIX
from handler.callback.tree import Tree
from handler.errors import HandlerError

STATES = ("Failed", "Success", "Cancel", "Running", "Submitted", "Pause")
PARTIAL = "Partial"
"""No state of CI's: a Success of which a part says that it failed."""

FORMATS: tuple[Literal["xml", "json"], ...] = ("xml", "json")


class NoSuchSampleError(HandlerError):
    """There is no such sample. The message says why."""


@dataclass(frozen=True)
class Asked:
    """The values of the form; "" where nothing was chosen."""

    name: str
    state: str = "Failed"
    code: str = ""
    message: str = ""
    form: str = ""
    user_data: str = ""


def names() -> dict[str, list[str]]:
    """The names of samples, by kind: tags of jobs, runs, reviews."""
    kinds: dict[str, list[str]] = {}
    for name, known in sorted(KNOWN.items()):
        kinds.setdefault(known.kind, []).append(name)
    return kinds


def make(asked: Asked, hex_id: str | None = None) -> Sample:
    """The callback, of a job that ends now. hex_id: 32 hexadecimal digits, random if not given.

    Raises:
        NoSuchSampleError
    """
    if asked.state not in (*STATES, PARTIAL) or asked.form not in ("", *FORMATS):
        raise NoSuchSampleError("there is no such state or format")
    is_partial = asked.state == PARTIAL
    options = SampleOptions(
        state="Success" if is_partial else asked.state,
        code=(asked.code or None) if asked.state == "Failed" else None,
        message=asked.message or None,
        partial=is_partial,
        format=next((form for form in FORMATS if form == asked.form), None),
        user_data=asked.user_data or None,
    )
    try:
        return sample(asked.name, options, time.time(), hex_id or uuid.uuid4().hex)
    except NotSampledError as error:
        raise NoSuchSampleError(str(error)) from error


def results_of(tag: str) -> Mapping[str, Tree]:
    """The nodes that CI adds below Operation once a job of a tag has succeeded."""
    try:
        made = sample(tag, SampleOptions(), time.time(), uuid.uuid4().hex)
    except NotSampledError:
        return {}
    node, _ = payload.parse(made.body, payload.Limits())
    operation = tree.get(node, "Response.JobsDetail.Operation")
    if not isinstance(operation, dict):
        return {}
    return {
        name: value
        for name, value in operation.items()
        if name in RESULT_NODES or name.endswith(RESULT_SUFFIX)
    }
