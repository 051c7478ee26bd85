"""The texts of what the function and the tool produce: outcomes, statuses, actions, tasks, and what
became of failures.

A family is made from the function's own enumeration where there is one, so that none of its members
lacks a text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from ci_callback.texts.row import Row, family, rows
from handler.callback.outcome import Outcome
from handler.ledger.outbox import Action
from handler.triggers import TASKS, Status

OUTCOMES = family(
    "outcome",
    get_args(Outcome),
    {
        "succeeded": ("succeeded", "成功"),
        "partial": ("partial", "部分成功"),
        "failed": ("failed", "失败"),
        "cancelled": ("cancelled", "已取消"),
        "unfinished": ("unfinished", "未结束"),
        "unknown": ("unknown", "未知"),
    },
)
"""How jobs end."""

STATUSES = family(
    "outcome",
    get_args(Status),
    {
        "dead_letter": ("dead letter", "死信"),
        "ignored": ("ignored", "已忽略"),
        "rejected": ("rejected", "已拒绝"),
        "retry_later": ("not kept", "未保存"),
        "unverified": ("unverified", "待核实"),
        "spilled": ("in the spill", "已暂存"),
        "kept": ("kept", "已保存"),
        "duplicate": ("duplicate", "重复"),
    },
)
"""What the function did with a callback; shown in place of an outcome where no job was read."""

ACTIONS = family(
    "action",
    get_args(Action),
    {
        "retry": ("retry", "重试"),
        "watch": ("watch", "跟踪"),
        "verify": ("verify", "核实"),
    },
)
"""What a ticket asks for. The kinds of alerts are in handler/alerts/texts.py."""

TASKS_OF_FUNCTION = family(
    "task",
    TASKS,
    {
        "sweep": ("sweep", "巡检"),
        "reconcile": ("reconcile", "对账"),
        "forward": ("forward events", "转发事件"),
    },
)

OTHERS = rows(
    {
        # Answers that are neither: the health check, and none at all
        "outcome.ok": ("ok", "正常"),
        "outcome.": ("none", "无"),
        # An object of the ledger that is no record
        "outcome.unreadable": ("unreadable", "无法读取"),
        "action.alert": ("alert: {kind}", "告警：{kind}"),
        # The console's own tasks
        "task.replay": ("replay of a dead letter", "死信重新处理"),
        "task.run_now": ("retries made due", "提前重试"),
        # What became of a failed job
        "fate.retry_waits": ("retry due", "等待重试"),
        "fate.submitting": ("being submitted", "正在提交"),
        "fate.submitted": ("submitted again", "已重新提交"),
        "fate.recovered": ("recovered", "重试成功"),
        "fate.failed_again": ("failed again", "再次失败"),
        "fate.refused": ("refused by CI", "被数据万象拒绝"),
        "fate.gave_up": ("gave up", "重试次数用尽"),
        "fate.alert_due": ("alert due", "等待告警"),
        "fate.alert_sent": ("alert sent", "已告警"),
        "fate.retried": ("tried again", "已重试"),
        "fate.waiting": ("first retry due", "等待首次重试"),
        "fate.not_retried": ("not retried", "未重试"),
        "fate.held": ("held for a person", "已暂停，待人工处理"),
        "fate.pending": ("still pending", "仍在处理"),
        "fate.other": ("partial or cancelled", "部分成功或已取消"),
        # What became of an event at its destination, or of a digest in its channel
        "delivery.delivered": ("delivered", "已送达"),
        "delivery.failed": ("not accepted", "未接收"),
        "delivery.waiting": ("waiting", "等待发送"),
        "delivery.given_up": ("given up", "已放弃"),
        "delivery.unclear": ("unclear", "不明确"),
        # How a callback or a task came to the function
        "way.http": ("HTTP", "HTTP"),
        "way.sample": ("sample", "示例"),
        "way.again": ("redelivered", "重新投递"),
        "way.edited": ("edited", "编辑后发送"),
        "way.timer": ("timer", "定时触发器"),
        "way.button": ("button", "手动"),
        "way.ledger": ("earlier", "此前记录"),
    }
)

TEXTS: Mapping[str, Row] = {**OUTCOMES, **STATUSES, **ACTIONS, **TASKS_OF_FUNCTION, **OTHERS}
