"""The texts of alerts in English and Chinese: a row per kind of alert, and the parts of a digest.

Their reader is a person who is paged at night: each kind says what to do next.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Lang: TypeAlias = Literal["zh", "en"]


class Kind(NamedTuple):
    """A kind of alert: its name, and what the person who is paged does next."""

    order: int
    """The lower, the sooner someone must act."""
    en: str
    zh: str
    en_next: str
    zh_next: str

    def texts(self, lang: Lang) -> tuple[str, str]:
        """Name and next step in a language."""
        return (self.zh, self.zh_next) if lang == "zh" else (self.en, self.en_next)


_ROWS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "sweep",
        "Sweep problem",
        "巡检异常",
        "Read the function's log of the last minutes, then run `ci-callback doctor`. "
        "Nothing is lost: tickets wait in _outbox/.",
        "查看函数最近几分钟的日志，再运行 `ci-callback doctor`。"
        "数据没有丢失，待办保留在 _outbox/ 中。",
    ),
    (
        "absent",
        "Missing callbacks",
        "未收到回调",
        "The callback URL or the queue's NotifyConfig is probably wrong: run "
        "`ci-callback doctor`, then compare with the queue in CI's console.",
        "回调 URL 或队列的 NotifyConfig 可能有误：运行 `ci-callback doctor`，"
        "并与数据万象控制台的队列配置对照。",
    ),
    (
        "gave-up",
        "Gave up after the last attempt",
        "重试次数用尽",
        "No more retries follow. Remove the cause that the message names, then submit the job "
        "again by hand.",
        "不会再重试。请按错误信息排除原因，然后手动重新提交任务。",
    ),
    (
        "held",
        "On hold: it is not known whether it was submitted",
        "已暂停：无法确定是否已提交",
        "Look in CI's console whether a job was submitted for this object after the failed one. "
        "If there is none, submit it by hand. The function does not submit it again.",
        "请在数据万象控制台确认，任务失败后是否已为该对象提交过新任务；如没有，请手动提交。"
        "系统不会再自动提交。",
    ),
    (
        "dead",
        "Not understood, kept as dead letters",
        "无法解析，已存为死信",
        "`ci-callback dead list`, `dead show KEY`; `dead replay KEY` once the cause is removed.",
        "`ci-callback dead list`、`dead show KEY`；排除原因后再 `dead replay KEY`。",
    ),
    (
        "undelivered",
        "Events given up",
        "事件投递已放弃",
        "A destination of FORWARD_URLS did not take them for three days: put it right, then "
        "`ci-callback events resend`. The dead letter names them.",
        "FORWARD_URLS 中的某个目标连续三天未接收这些事件：修复后运行 `ci-callback events resend`。"
        "死信中列有这些事件。",
    ),
    (
        "paused",
        "A destination of events is paused",
        "事件目标已暂停",
        "Look at that server, and at the last answer in `ci-callback events`. Nothing is lost: "
        "events wait for three days, and are sent once it takes them again.",
        "请检查该服务器，并在 `ci-callback events` 中查看最近的应答。事件没有丢失：会保留三天，"
        "目标恢复后自动补发。",
    ),
    (
        "refused",
        "Re-submission refused by CI",
        "重新提交被数据万象拒绝",
        "Read the code: a parameter, a right of the role (CAM) or the queue is wrong. Put it "
        "right, then submit the job by hand.",
        "请查看错误码：可能是参数、角色权限（CAM）或队列有误。修正后手动提交任务。",
    ),
    (
        "failed",
        "Failed",
        "任务失败",
        "The input or a parameter is probably wrong: read the message, put it right, submit again. "
        "If a retry is running, another alert reports its result.",
        "多为输入文件或参数有误：查看错误信息，修正后重新提交。若正在重试，结果会再通知。",
    ),
    (
        "partial",
        "Succeeded in part",
        "部分成功",
        "Look in the job's record (details) which part failed; submit that part again if it is "
        "needed.",
        "在任务记录（details）中查看失败的部分，需要时重新提交该部分。",
    ),
    (
        "mismatch",
        "The callback differs from CI's own answer",
        "回调与数据万象的查询结果不一致",
        "Trust CI's console, not the callback. If CI does not know the job, someone may be "
        "forging callbacks: change CALLBACK_TOKENS.",
        "请以数据万象控制台为准，不要以回调为准。若数据万象查不到该任务，回调可能是伪造的："
        "请更换 CALLBACK_TOKENS。",
    ),
    (
        "unknown",
        "CI does not report the job's result",
        "无法得知任务结果",
        "Look the job up in CI's console. If it is gone, submit it again by hand.",
        "在数据万象控制台查询该任务；若已不存在，手动重新提交。",
    ),
    (
        "conflict",
        "Two different results of one job",
        "同一任务有两种结果",
        "The first is kept, the other is a dead letter: `ci-callback dead show KEY`, then "
        "compare both with CI's console.",
        "先到的结果已保留，另一个存为死信：`ci-callback dead show KEY`，并与数据万象控制台对照。",
    ),
    (
        "duplicate",
        "Submitted twice, or its UserData copied",
        "重复提交，或 UserData 被复制",
        "No job was cancelled. If the other one was not submitted by hand, cancel it in CI, or "
        "delete what it wrote.",
        "未取消任何任务。若另一个任务不是人工提交的，请在数据万象中取消它，或删除其输出的文件。",
    ),
    (
        "unmarked",
        "Not retried: no room for the marker",
        "未重试：UserData 剩余长度不足，无法加入标记",
        "Shorten the job's UserData (1,024 characters with the marker), then submit it by hand.",
        "缩短任务的 UserData（连同标记最多 1024 个字符），然后手动提交。",
    ),
    (
        "recovered",
        "Recovered by a retry",
        "重试成功",
        "Nothing to do.",
        "无需处理。",
    ),
)

KINDS: dict[str, Kind] = {name: Kind(order, *rest) for order, (name, *rest) in enumerate(_ROWS)}
"""Each kind of alert, the most urgent first."""

WORDS: dict[Lang, dict[str, str]] = {
    "en": {
        "title": "[Cloud Infinite] {}",
        "count": "{name}: {n}",
        "between_counts": "; ",
        "between": ", ",
        "jobs": "jobs: {}",
        "attempts": "attempts made: {}",
        "object": "input: {}",
        "message": "message: {}",
        "note": "note: {}",
        "and_more": "{named} and {rest} more",
        "more_entries": "… and {n} more, of other tags or codes",
        "more_line": "… and 1 more line",
        "more_lines": "… and {n} more lines",
        "nothing": "nothing to report",
    },
    "zh": {
        "title": "[数据万象] {}",
        "count": "{name}：{n}",
        "between_counts": "；",
        "between": "、",
        "jobs": "任务：{}",
        "attempts": "已尝试次数：{}",
        "object": "输入：{}",
        "message": "错误信息：{}",
        "note": "备注：{}",
        "and_more": "{named} 等 {total} 项",
        "more_entries": "……另有 {n} 项，属于其他 Tag 或错误码",
        "more_line": "……另有 1 行",
        "more_lines": "……另有 {n} 行",
        "nothing": "没有告警",
    },
}
