"""The texts of a job's time line, in the console."""

from __future__ import annotations

from ci_callback.texts.row import rows

TEXTS = rows(
    {
        "event.created": ("The job was created", "任务创建"),
        "event.ended": ("It ended: {state}", "任务结束：{state}"),
        "event.ended_again": (
            "Attempt {attempt} ended: {state}",
            "第 {attempt} 次尝试结束：{state}",
        ),
        "in_part": ("{state}, in part", "{state}（部分成功）"),
        "event.callback": ("Callback received and kept", "已收到并保存回调"),
        "event.callback_odd": ("Callback received: {kept}", "收到回调：{kept}"),
        "event.again": ("Delivered again: a duplicate", "再次收到同一回调"),
        "event.taken_in": (
            "No callback came; a sweep asked CI and kept the answer",
            "未收到回调；巡检向数据万象查询，并保存了查询结果",
        ),
        "event.submitted": (
            "A sweep submitted it again: attempt {attempt}, {job}",
            "巡检重新提交：第 {attempt} 次尝试，{job}",
        ),
        "event.running": (
            "Attempt {attempt} is running: {job}",
            "第 {attempt} 次尝试进行中：{job}",
        ),
        "event.refused": ("CI refused attempt {attempt}", "数据万象拒绝了第 {attempt} 次尝试"),
        "event.submitting": (
            "Attempt {attempt} was claimed; CI's answer is not known",
            "第 {attempt} 次尝试已登记，提交结果未知",
        ),
        "event.not_taken": (
            "CI did not take attempt {attempt}; it is tried again later",
            "数据万象未接受第 {attempt} 次尝试，稍后重试",
        ),
        "event.retry_waits": ("A retry is due", "等待重试"),
        "event.verify_waits": ("CI is asked about it again", "再次向数据万象核实"),
        "event.alert_waits": (
            "The next sweep sends an alert: {kind}",
            "将在下次巡检时告警：{kind}",
        ),
        "event.alert_sent": ("Alert sent: {kind}", "已在摘要中告警：{kind}"),
        "event.alert_undelivered": (
            "The alert is in the log only; no channel received it: {kind}",
            "仅写入日志，没有渠道接收：{kind}",
        ),
        "event.final_event": (
            "Final event {type} to destination {to}",
            "最终事件 {type}，目标 {to}",
        ),
        "event.other_event": ("Event {type} to destination {to}", "事件 {type}，目标 {to}"),
        "event.deferred": ("Deferred", "已推迟"),
        "event.stopped": ("Not tried again: {kind}", "不再重试：{kind}"),
        "no_time": ("time not known", "时间未知"),
        "now_running": ("now", "现在"),
        "in_s": ("in {n} s", "{n} 秒后"),
        "in_min": ("in {n} min", "{n} 分钟后"),
        "in_h": ("in {n} h", "{n} 小时后"),
        "due_now": ("due now", "已到期"),
        "see_delivery": ("delivery {n}", "回调 {n}"),
        "see_sweep": ("sweep {n}", "巡检 {n}"),
        "no_timeline": ("No job was identified, so nothing follows.", "未识别出任务，没有后续。"),
    }
)
