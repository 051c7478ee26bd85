"""From a name and options to the bytes of a callback. Pure: clock and ids are passed in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from ci_callback.program import PROGRAM
from ci_callback.samples import edit, jobs, reviews, runs
from ci_callback.samples.ids import Ids
from ci_callback.samples.options import NotSampledError, SampleOptions
from ci_callback.samples.wire import as_json, as_xml
from ci_callback.samples.writing import Node
from handler.callback.catalogue import TAGS
from handler.callback.envelope import Kind
from handler.callback.payload import Format
from handler.callback.results.review import REVIEW
from handler.callback.results.workflow import RUN
from handler.callback.tree import Tree
from handler.ci_api.signing import NotWritableError

RUN_EVENT = "WorkflowFinish"

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")


@dataclass(frozen=True)
class Known:
    """One kind of callback that can be sampled."""

    name: str
    kind: Kind
    family: str
    letters: str
    """What its ids begin with."""
    about: str
    """What its result tells; "" where it finds nothing out."""
    fields: tuple[str, ...]
    """Names in the record's result."""


@dataclass(frozen=True)
class Sample:
    """One callback, as its body goes over the wire."""

    name: str
    job_id: str
    format: Format
    body: bytes
    content_version: str | None
    """What the header X-Ci-Content-Version says of a review's form; no job has it."""


def _known() -> Mapping[str, Known]:
    tags = [
        Known(
            name,
            "job",
            tag.family.name,
            tag.family.letter or "",
            tag.result.about if tag.result else "",
            tuple(tag.result.fields) if tag.result else (),
        )
        for name, tag in TAGS.items()
    ]
    run = Known(RUN_EVENT, "workflow", "workflow", "i", RUN.about, tuple(RUN.fields))
    moderation = [
        Known(name, "review", "review", event.letters, REVIEW.about, tuple(REVIEW.fields))
        for name, event in reviews.EVENTS.items()
    ]
    return {known.name: known for known in (*tags, run, *moderation)}


KNOWN = _known()
"""Every tag of the catalogue, and the events that are no jobs, by name."""


def sample(name: str, options: SampleOptions, now: float, hex_id: str) -> Sample:
    """The callback. now: epoch seconds; hex_id: 32 hexadecimal digits for the id of its job.

    Raises:
        NotSampledError: there is no such callback, by its name, its state or its form.
    """
    known = KNOWN.get(name)
    if known is None:
        all_names = f"`{PROGRAM} sample --list`"
        near = " / ".join(get_close_matches(name, KNOWN))
        if near:
            raise NotSampledError(
                f"{name}: no such tag or event; did you mean {near}? {all_names} shows all"
            )
        raise NotSampledError(f"{name}: no such tag or event; {all_names} shows all")
    _refuse_odd(known, options)
    ids = Ids(options.job_id or known.letters + hex_id)
    form: Format = options.format or ("json" if known.kind == "review" else "xml")
    tree, node = _tree(known, options, now, ids)
    for assignment in options.sets or ():
        edit.put(node, assignment)
    try:
        as_text = as_xml(tree)
    except NotWritableError as error:
        raise NotSampledError(str(error)) from error
    body = as_text if form == "xml" else _json(known, tree)
    version = "Simple" if options.simple else "Detail"
    return Sample(name, ids.job_id, form, body, version if known.kind == "review" else None)


def names(incomplete: str) -> list[tuple[str, str]]:
    """Names that begin so, each with what it is, to complete a command line."""
    return [
        (known.name, known.about or known.kind)
        for known in KNOWN.values()
        if known.name.lower().startswith(incomplete.lower())
    ]


def _refuse_odd(known: Known, options: SampleOptions) -> None:
    if known.kind == "review":
        if options.format == "xml":
            raise NotSampledError("--format xml: CI sends reviews only in JSON")
        if options.partial:
            raise NotSampledError("--partial: no part of a review shows that it failed")
    elif options.simple:
        raise NotSampledError("--simple: only reviews have such a form")
    if known.kind != "job" and (options.workflow or options.user_data is not None):
        raise NotSampledError("--workflow and --user-data: only jobs have them")


def _tree(known: Known, options: SampleOptions, now: float, ids: Ids) -> tuple[Node, Node]:
    """The whole callback, and the node that --set begins at."""
    if known.kind == "workflow":
        run = runs.execution(options, now, ids)
        return {"EventName": known.name, "WorkflowExecution": run}, run
    if known.kind == "review" and options.simple:
        whole = reviews.simple(known.name, options, ids)
        return whole, whole
    if known.kind == "review":
        review = reviews.detail(known.name, options, now, ids)
        return {"EventName": known.name, "JobsDetail": review}, review
    job = jobs.detail(TAGS[known.name], options, now, ids)
    return {"EventName": "TaskFinish", "JobsDetail": [job]}, job


def _json(known: Known, tree: dict[str, Tree]) -> bytes:
    """Reviews send their numbers as such; jobs only one, the level in the queue."""
    if known.kind == "review":
        return as_json(tree, lambda name, text: bool(_INTEGER.fullmatch(text)))
    return as_json(tree, lambda name, text: name == "JobLevel" and bool(_INTEGER.fullmatch(text)))
