"""The body of a callback, made from the record of one. Pure.

`details` is lossless except for secrets, so the body is read as the same record again.
"""

from __future__ import annotations

import json
from typing import Any

from handler.callback.record import JobRecord


def callback_body(record: JobRecord) -> bytes:
    """A body in CI's JSON form that is read as this record, except for `source`.

    UserData is sent as it was echoed, marker included, so root and attempt stay.
    """
    return json.dumps(_tree(record), ensure_ascii=False).encode("utf-8", "replace")


def _tree(record: JobRecord) -> dict[str, Any]:
    if record.kind == "review" and "JobId" not in record.details:
        return dict(record.details)  # the Simple form: the whole callback is its details
    event = {} if record.event is None else {"EventName": record.event}
    if record.kind == "workflow":
        return event | {"WorkflowExecution": record.details}
    if record.workflow is None or "Workflow" in record.details:
        return event | {"JobsDetail": [record.details]}
    names = {
        "RunId": "run_id",
        "WorkflowId": "workflow_id",
        "WorkflowName": "workflow_name",
        "Name": "node",
    }
    workflow = {sent_name: record.workflow[name] for sent_name, name in names.items()}
    return event | {"JobsDetail": [record.details], "Workflow": workflow}
