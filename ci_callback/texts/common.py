"""Texts of several places: heads of columns in console and report, the test alert of doctor, the
alarms and the dashboard of the log service."""

from __future__ import annotations

from ci_callback.texts.row import rows

TEXTS = rows(
    {
        "colon": (": ", "："),
        "comma": (", ", "，"),
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
        # Alarms of the log service, by deploy's table
        "watch.errors": (
            "The function wrote errors: read its log, `ci-callback logs --level ERROR`",
            "函数日志中有错误：请查看日志 `ci-callback logs --level ERROR`",
        ),
        "watch.no sweep": (
            "No sweep for ten minutes: failures are not retried. Is the timer on? "
            "`ci-callback doctor`",
            "已有十分钟没有巡检，失败的任务不会重试。请检查定时触发器，运行 `ci-callback doctor`",
        ),
        "watch.refused": (
            "Many requests without a valid token: does a queue call with an old address?",
            "大量请求未携带有效 token：请检查是否有队列仍在使用旧的回调地址",
        ),
        "dashboard.callbacks": ("Callbacks by outcome", "回调数（按结果）"),
        "dashboard.retries": ("Jobs submitted again", "重新提交的任务数"),
        "dashboard.sweeps": ("Longest sweep, ms", "最长巡检耗时（毫秒）"),
        "dashboard.refused": ("Requests without a valid token", "未携带有效 token 的请求数"),
    }
)
