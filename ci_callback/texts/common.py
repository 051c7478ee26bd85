"""Words that pages of the console and of the report share: heads of columns."""

from __future__ import annotations

from ci_callback.texts.row import rows

TEXTS = rows(
    {
        "tag": ("Tag", "Tag"),
        "outcome": ("Outcome", "结果"),
        "job": ("Job", "任务"),
        "code": ("Code", "错误码"),
        "input": ("Input", "输入"),
        "jobs": ("Jobs", "任务"),
    }
)
