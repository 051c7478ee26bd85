"""Texts of several places: heads of columns in console and report, and the test alert of doctor."""

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
        "test_alert.title": ("Test alert", "测试告警"),
        "test_alert.line": (
            "Sent by `{command}`. No job failed; no action is needed.",
            "由 `{command}` 发送。没有任务失败，无需处理。",
        ),
    }
)
