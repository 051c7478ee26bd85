"""Callbacks that make the function import all that a callback may need."""

from __future__ import annotations

from tests.slow.hostile.case import json_job, xml_job

_RUN = '{"WorkflowExecution": {"RunId": "i1", "State": "Failed"}}'
_REVIEW = '{"EventName": "ReviewText", "JobsDetail": {"JobId": "j1", "State": "Success"}}'
_TAGS = ("Transcode", "Translation", "SpeechRecognition", "DocProcess")

CALLBACKS: tuple[str, ...] = (
    *(json_job(JobId=f"warm-{tag}", Tag=tag, State="Failed") for tag in _TAGS),
    xml_job(JobId="warm-xml"),
    _RUN,
    _REVIEW,
    "no callback",
    "<!DOCTYPE a><a/>",
    "",
)
