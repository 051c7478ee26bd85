"""Which tone means what, the same in every chart. Colours: charts.css; hatches: draw.py."""

from __future__ import annotations

from collections.abc import Mapping

OUTCOME_TONES: Mapping[str, str] = {
    "failed": "bad",
    "partial": "part",
    "cancelled": "off",
    "unknown": "odd",
    "unfinished": "open",
    "succeeded": "good",
}
"""The tone of each outcome, the same everywhere; from the bottom of a column to its top."""

FATE_TONES: Mapping[str, str] = {
    "recovered": "good",
    "pending": "open",
    "other": "part",
    "held": "odd",
    "refused": "stop",
    "gave_up": "bad",
    "retried": "retry",
    "waiting": "open",
    "not_retried": "off",
}
"""Of a job that was tried again nothing is good or bad yet: its tone is neutral."""
