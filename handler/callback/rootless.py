"""XML without a root: page 460/80039 prints a workflow's callback as two elements side by side,

    <EventName>WorkflowFinish</EventName><WorkflowExecution>…</WorkflowExecution>

which is not well-formed. Whether CI sends it so is not known; if it does, it is read.
"""

from __future__ import annotations

import re

JUNK_AFTER_ROOT = 9
"""expat's XML_ERROR_JUNK_AFTER_DOC_ELEMENT: a second element, or a text, behind the first."""

_START = re.compile(
    rb"(<\?xml\b[^>]*\?>)?(\s*<(?:EventName|JobsDetail|WorkflowExecution|Workflow)[\s/>])"
)


def with_root(body: bytes, error_code: object) -> bytes | None:
    """The body with <Response> around it, behind its prolog; None where that is not what it
    lacks: it broke for another reason, or doesn't begin with an element known from Response."""
    start = _START.match(body) if error_code == JUNK_AFTER_ROOT else None
    if start is None:
        return None
    prolog = start[1] or b""
    return prolog + b"<Response>" + body[len(prolog) :] + b"</Response>"
