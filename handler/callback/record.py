"""Notice to JobRecord: the one normalised form in which everything is kept, `job-record/1`.

job-record-1.schema.json beside this file says what each field is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from handler.callback import catalogue, common_fields, converters, details, outcome, outputs, tree
from handler.callback.added_nodes import is_result
from handler.callback.envelope import Kind, Notice
from handler.callback.lineage import Lineage, Marker, detach
from handler.callback.outcome import OUTCOMES as OUTCOMES
from handler.callback.outcome import TERMINAL as TERMINAL
from handler.callback.outcome import Outcome as Outcome
from handler.callback.path_trie import PathTrie
from handler.callback.payload import Format
from handler.callback.redaction import redact
from handler.callback.results.fields import Json
from handler.callback.tag import UNKNOWN
from handler.callback.tree import Tree

if TYPE_CHECKING:
    from handler.callback.job_input import Input

SCHEMA = "job-record/1"

_LARGE_BYTES = 262_144
"""Of details: a record from here on is written in parts, which takes less memory."""


class Source(NamedTuple):
    """How a callback reached this function."""

    trigger: str
    format: Format
    received_at: str
    request_id: str
    verified: bool | None = None
    """True where CI itself told the same; None where it was not asked, or could not be."""


class JobRecord(NamedTuple):
    """One job, as one callback reported it. The fields are in the order in which they are
    written."""

    kind: Kind
    event: str | None
    job_id: str
    tag: str | None
    sub_tag: str | None
    state: str | None
    outcome: Outcome
    code: str
    message: str
    queue_id: str | None
    queue_type: str | None
    progress_percent: int | None
    created_at: str | None
    started_at: str | None
    ended_at: str | None
    wait_s: float | None
    run_s: float | None
    input: dict[str, Json] | None
    outputs: list[Json]
    user_data: str | None
    custom_id: str | None
    job_level: int | None
    workflow: dict[str, Json] | None
    result: Json
    details: dict[str, Tree]
    retry: dict[str, Json]
    source: dict[str, Json]

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more can become of the job."""
        return self.outcome in TERMINAL

    @property
    def job_input(self) -> Input:
        """`input` with its types; its texts are "" where the callback names no input."""
        from handler.callback.job_input import Input

        return Input.of(self.input)

    @property
    def lineage(self) -> Lineage:
        """Root and attempt of the job, as far as they were proven when it was stored: without a
        proof it is its own root, attempt 1. Attempts.proven adds what was proven since."""
        return Lineage(str(self.retry["root_job_id"]), int(str(self.retry["attempt"])))

    @property
    def marker(self) -> Marker | None:
        """The marker in the job's UserData; None without one."""
        if self.kind != "job":
            return None
        return detach(common_fields.text(self.details, common_fields.JOB.user_data))[1]

    def with_lineage(self, lineage: Lineage) -> JobRecord:
        """The same record as the attempt that it is proven to be."""
        retry: dict[str, Json] = {
            "root_job_id": lineage.root_job_id,
            "attempt": lineage.attempt,
        }
        return self._replace(retry=retry)

    def confirmed(self) -> JobRecord:
        """The same record, confirmed by CI."""
        return self._replace(source={**self.source, "verified": True})

    def to_json(self) -> bytes:
        """The record as it is kept: one line of JSON, UTF-8, with its line break."""
        sent = details.dumps(self.details)
        write = details.dumps if len(sent) < _LARGE_BYTES else details.dumps_in_parts
        before = write({"schema": SCHEMA, **dict(zip(_BEFORE, self, strict=False))})
        after = write(dict(zip(_AFTER, self[-len(_AFTER) :], strict=True)))
        return b"".join((before[:-1], b',"details":', sent, b",", after[1:], b"\n"))

    def values(self) -> dict[str, Any]:
        """What `to_json` writes, as an object."""
        return {"schema": SCHEMA, **self._asdict()}

    @classmethod
    def from_json(cls, line: bytes) -> JobRecord:
        """Read back what `to_json` wrote.

        Raises:
            ValueError: it is no job-record/1.
        """
        values: Any = json.loads(line)
        if not isinstance(values, dict) or values.pop("schema", None) != SCHEMA:
            raise ValueError(f"not a {SCHEMA}")
        if set(values) != set(_NAMES):
            raise ValueError(f"a {SCHEMA} with other fields than it should have")
        from handler.callback.stored_types import wrong_type

        if wrong := wrong_type(values):
            raise ValueError(f"a {SCHEMA} with another type of value in {wrong}")
        return cls(**values)


_NAMES = JobRecord._fields
_BEFORE, _AFTER = (_NAMES[: _NAMES.index("details")], _NAMES[_NAMES.index("details") + 1 :])
"""The fields of a record in the order in which they are written, but for `details`."""


class _Parsed(NamedTuple):
    """The parts of a record that each kind of callback has its own reader for."""

    form: common_fields.Form
    detail: dict[str, Tree]
    outcome: Outcome
    outputs: list[Json]
    workflow: dict[str, Json] | None
    result: Json
    tag: str | None = None


def normalise(notice: Notice, source: Source) -> JobRecord:
    """Make the record of a notice.

    Raises:
        PayloadError: a list of its result is longer than any real one.
    """
    parsed = _KINDS[notice.kind](notice)
    form, detail = parsed.form, parsed.detail
    created, started, ended = common_fields.times(detail, form)
    user_data, _ = detach(common_fields.text(detail, form.user_data))
    return JobRecord(
        kind=notice.kind,
        event=notice.event,
        job_id=notice.job_id,
        tag=parsed.tag,
        sub_tag=common_fields.identifier(detail, form.sub_tag),
        state=common_fields.identifier(detail, form.state),
        outcome="unfinished" if notice.is_start else parsed.outcome,
        code=common_fields.identifier(detail, form.code) or "",
        message=common_fields.text(detail, form.message) or "",
        queue_id=common_fields.identifier(detail, form.queue_id),
        queue_type=common_fields.identifier(detail, form.queue_type),
        progress_percent=converters.integer(common_fields.text(detail, form.progress)),
        created_at=converters.rfc3339(created),
        started_at=converters.rfc3339(started),
        ended_at=converters.rfc3339(ended),
        wait_s=converters.seconds_between(created, started),
        run_s=converters.seconds_between(started, ended),
        input=common_fields.read_input(detail, form),
        outputs=parsed.outputs,
        user_data=user_data,
        custom_id=common_fields.identifier(detail, form.custom_id),
        job_level=converters.integer(common_fields.text(detail, form.job_level)),
        workflow=parsed.workflow,
        result=parsed.result,
        details=detail,
        # A marker is a claim; the recorder looks for its proof.
        retry={"root_job_id": notice.job_id, "attempt": 1},
        source=_source(source, details.digest({"detail": detail, "workflow": parsed.workflow})),
    )


def _source(source: Source, digest: str) -> dict[str, Json]:
    return {
        "trigger": source.trigger,
        "format": source.format,
        "digest": digest,
        "received_at": source.received_at,
        "request_id": source.request_id,
        "verified": source.verified,
    }


def _of_job(notice: Notice) -> _Parsed:
    # A batch and one of several operations have it in Operation only.
    tag = (
        tree.identifier(notice.detail, "Tag")
        or tree.identifier(notice.detail, "Operation.Tag")
        or catalogue.tag_by_result(next(iter(tree.get_all(notice.detail, "Operation")), None))
    )
    known = catalogue.TAGS.get(tag or "", UNKNOWN)
    detail = _detail(notice, known.list_trie)
    code = tree.text(detail, "Code") or ""
    operation = next(iter(tree.get_all(detail, "Operation")), None)
    ended: Outcome = "unfinished"
    if not notice.is_start:
        ended = outcome.of_job(tree.text(detail, "State"), code, operation, is_result)
    return _Parsed(
        common_fields.JOB,
        detail,
        ended,
        outputs.of_job(operation, detail.get("Input"), ended, catalogue.WRITTEN),
        _workflow(detail.get("Workflow"), notice.workflow),
        known.result.read(detail) if known.result else None,
        tag,
    )


def _of_workflow(notice: Notice) -> _Parsed:
    # Imported here, as below: most callbacks speak of jobs.
    from handler.callback.results.workflow import LIST_TRIE, RUN

    detail = _detail(notice, LIST_TRIE)
    return _Parsed(
        common_fields.WORKFLOW,
        detail,
        outcome.of_workflow(tree.text(detail, "State"), detail),
        outputs.of_workflow(detail),
        _workflow(detail),
        RUN.read(detail),
    )


def _of_review(notice: Notice) -> _Parsed:
    from handler.callback.results.review import LIST_TRIE, REVIEW

    form = common_fields.SIMPLE_REVIEW if notice.is_simple else common_fields.REVIEW
    detail = _detail(notice, LIST_TRIE)
    state, code = (
        common_fields.text(detail, form.state),
        common_fields.text(detail, form.code) or "",
    )
    ended = outcome.of_review(state, code, notice.is_simple)
    return _Parsed(form, detail, ended, [], None, REVIEW.read(detail))


_KINDS: Mapping[Kind, Callable[[Notice], _Parsed]] = {
    "job": _of_job,
    "workflow": _of_workflow,
    "review": _of_review,
}


def _detail(notice: Notice, repeating: PathTrie) -> dict[str, Tree]:
    listed = details.with_lists(notice.detail, repeating)
    return cast("dict[str, Tree]", redact(listed))


def _workflow(*places: Tree) -> dict[str, Json] | None:
    """Documents put Workflow into JobsDetail or into Response: each field from where it is."""
    names = {
        "run_id": "RunId",
        "workflow_id": "WorkflowId",
        "workflow_name": "WorkflowName",
        "node": "Name",
    }
    read: dict[str, Json] = {
        field: next((value for at in places if (value := tree.identifier(at, name))), None)
        for field, name in names.items()
    }
    return read if any(read.values()) else None
