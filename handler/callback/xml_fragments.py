"""XML without a root: page 460/80039 prints a workflow's callback as two elements side by side,

    <EventName>WorkflowFinish</EventName><WorkflowExecution>…</WorkflowExecution>

which is not well-formed. Whether CI sends it so is not known; if it does, it is read.
"""

from __future__ import annotations

import re

_START = re.compile(
    rb"(<\?xml\b[^>]*\?>)?(\s*<(?:EventName|JobsDetail|WorkflowExecution|Workflow)[\s/>])"
)


def with_root(body: bytes) -> bytes | None:
    """The body with <Response> around it, behind its prolog; None where it does not begin with
    an element that is known from Response."""
    start = _START.match(body)
    if start is None:
        return None
    prolog = start[1] or b""
    return prolog + b"<Response>" + body[len(prolog) :] + b"</Response>"
