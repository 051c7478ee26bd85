"""The console's messages after a button was pressed."""

from __future__ import annotations

from ci_callback.texts.row import rows

TEXTS = rows(
    {
        "flash.sent": ("The sample was sent: {status}.", "示例已发送：{status}。"),
        "flash.again": ("Delivered again: {status}.", "已重新投递：{status}。"),
        "flash.swept": (
            "The sweep is done: {due} due, {submitted} submitted again, "
            "alerts sent: {alerts_sent}.",
            "巡检完成：到期 {due}，重新提交 {submitted}，告警 {alerts_sent}。",
        ),
        "flash.idle": ("The sweep found nothing to do.", "巡检没有待办事项。"),
        "flash.lease_held": (
            "Another sweep holds the lease, so this one withdrew.",
            "另一次巡检正在进行，本次已退出。",
        ),
        "flash.swept_badly": (
            "The sweep was aborted; its log has the reason.",
            "巡检中断，原因见日志。",
        ),
        "flash.replayed": ("Replayed: {status}.", "已重新处理：{status}。"),
        "flash.not_replayed": ("Not replayed: {why}", "未能重新处理：{why}"),
        "flash.sample_refused": ("Not sent: {why}", "未发送：{why}"),
        "flash.edited": ("Sent: {status}.", "已发送：{status}。"),
        "flash.retried": (
            "Retries made due: {n}; submitted again: {submitted}.",
            "已设为立即到期的重试：{n} 个；已重新提交：{submitted} 个。",
        ),
        "flash.really": (
            "Not sent: tick the box that confirms where it is written.",
            "未发送：请勾选确认写入位置。",
        ),
    }
)

FAILED = frozenset(
    {
        "flash.lease_held",
        "flash.swept_badly",
        "flash.not_replayed",
        "flash.sample_refused",
        "flash.really",
    }
)
"""Messages that say that something was not done."""
