"""CI's queues: does each call this function, with a token that opens it?

A queue's NotifyConfig is {Url, State On|Off, Type Url|TDMQ, Event, ResultFormat} (436/86276 and
the queue pages of each family). A job's own CallBack and a workflow's own NotifyConfig come
before it, and can't be seen here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ci_callback.deploy import reconciled
from ci_callback.doctor.case import Case
from ci_callback.doctor.ci_api import NoBucketError, ask, place
from ci_callback.doctor.findings import Finding, fault, grant_needed, ok, skipped, warning
from ci_callback.doctor.queue_rules import Expected, Verdict, console_of, judge
from ci_callback.program import PROGRAM
from handler.callback import tree
from handler.callback.tree import Tree
from handler.ci_api.client import CiError
from handler.parallel import in_parallel


class Kind(NamedTuple):
    """A kind of queue: a bucket has at most one of each, but for media (two)."""

    path: str
    action: str
    params: tuple[tuple[str, str], ...] = ()


KINDS: dict[str, Kind] = {
    "media": Kind("/queue", "ci:DescribeMediaQueues", (("category", "CateAll"),)),
    "picture": Kind("/picqueue", "ci:DescribePicProcessQueues"),
    # The name of this action is inferred from the others: no page has it.
    "ai": Kind("/ai_queue", "ci:DescribeAiProcessQueues"),
    "speech": Kind("/asrqueue", "ci:DescribeAsrQueues"),
    "document": Kind("/docqueue", "ci:DescribeDocProcessQueues"),
    "file": Kind("/file_queue", "ci:DescribeFileProcessQueues"),
}


def queues(case: Case) -> list[Finding]:
    """Each queue of the bucket. Those that are named with --queue must call; of the others one."""
    try:
        bucket, _ = place(case)
    except NoBucketError as error:
        return [skipped("queues", str(error))]
    wanted = case.target.queues or tuple(KINDS)
    verdict_lists = in_parallel(lambda kind: _kind(case, kind, bucket), wanted)
    verdicts = [verdict for of_kind in verdict_lists for verdict in of_kind]
    findings = [verdict.finding for verdict in verdicts]
    if not any(verdict.calls for verdict in verdicts):
        findings.append(
            fault(
                "queues",
                f"no queue of {bucket} calls this function, so it receives no callback",
                console_of(bucket),
            )
        )
    return [*findings, *_reconciled(case, [verdict.ours for verdict in verdicts if verdict.ours])]


def _reconciled(case: Case, ours: Sequence[str]) -> list[Finding]:
    """Are callbacks of these queues looked for that never came?"""
    name, known = "reconcile queues", case.settings.reconcile_queues
    noted = {queue.queue_id for queue in known}
    missing, strange = sorted(set(ours) - noted), sorted(noted - set(ours))
    if missing and not case.settings.reconcile_tags:
        what = f"RECONCILE_QUEUES lacks {', '.join(missing)}, so nothing looks for callbacks"
        text = reconciled.value(known, ours, noted, case.clock())
        fix = f"{PROGRAM} deploy connect, or set RECONCILE_QUEUES={text}"
        return [warning(name, f"{what} of these queues that never come", fix)]
    if strange and case.target.address[0]:
        what = f"RECONCILE_QUEUES names {', '.join(strange)}, which CI does not show as calling"
        fix = f"{PROGRAM} deploy connect, or take them out: their jobs are retried"
        return [warning(name, f"{what} this function", fix)]
    return [ok(name, f"{len(noted)} queues are checked")] if noted else []


def _kind(case: Case, kind: str, bucket: str) -> list[Verdict]:
    name = f"queue {kind}"
    row = KINDS[kind]
    try:
        response = ask(case, row.path, dict(row.params))
    except CiError as error:
        if error.status in (401, 403):
            return [_unknown(skipped(name, f"no answer: {error}", grant_needed(row.action)))]
        if error.status is None or not error.code:
            return [_unknown(skipped(name, f"no answer: {error}", "try again"))]
        return [Verdict(skipped(name, f"CI has none for {bucket}: {error}"), False)]
    listed = tree.get_all(response, "QueueList")
    must_call = kind in case.target.queues
    if not listed and must_call:
        return [Verdict(fault(name, f"CI has none for {bucket}", console_of(bucket)), False)]
    if not listed:
        return [Verdict(skipped(name, f"CI has none for {bucket}"), False)]
    host, path = case.target.address
    tokens = case.settings.callback_tokens or case.target.tokens
    expected = Expected(host, path, tokens, must_call, bucket)
    return [judge(_name(name, queue, len(listed)), queue, expected) for queue in listed]


def _unknown(finding: Finding) -> Verdict:
    """CI did not describe it: it may be the one that calls."""
    return Verdict(finding, True)


def _name(name: str, queue: Tree, count: int) -> str:
    """With its id where there are several of the kind."""
    return f"{name} {tree.text(queue, 'QueueId') or ''}".strip() if count > 1 else name
