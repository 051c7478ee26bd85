"""The nodes that CI adds to a job when it reports on it. A request to submit the job again leaves
them out."""

from __future__ import annotations

from handler.callback.catalogue import TAGS

INPUT_READ_ONLY = frozenset({"BucketId", "Region", "CosHeaders"})
"""Children of Input that CI adds: the bucket is the host's, the headers are those of an upload."""

_RESULTS = tuple(node for tag in TAGS.values() for node in tag.result_nodes)

RESULT_NODES = frozenset(node for node in _RESULTS if "." not in node) | {
    "Input",  # the sample of a workflow's Tts has the CosHeaders here
    "TemplateName",  # TemplateId is what counts
}
"""Children of Operation that CI adds."""

RESULT_SUFFIX = "Result"
"""A child of Operation whose name ends so is a result too: no page has a request node like that."""

NESTED_RESULTS = (
    *(f"Operation.{node}" for node in _RESULTS if "." in node),
    "Operation.DigitalWatermark.State",  # under every tag that takes a digital watermark
)
"""Results beside nodes of the request, as paths below JobsDetail."""

RENAMES = (("Operation.Output.StreamExtract.Output", "Object"),)
"""Nodes that a request names otherwise: path below JobsDetail (of each, where there is a list)."""


def is_result(name: str) -> bool:
    """Whether a child of Operation is a result."""
    return name in RESULT_NODES or name.endswith(RESULT_SUFFIX)
