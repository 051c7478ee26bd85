"""The words of the report in English and Chinese, a row each. {} is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handler.recovery.wording import Lang

_ROWS: Mapping[str, tuple[str, str]] = {
    # outcomes
    "succeeded": ("succeeded", "成功"),
    "partial": ("partial", "部分成功"),
    "failed": ("failed", "失败"),
    "cancelled": ("cancelled", "已取消"),
    "unfinished": ("unfinished", "未结束"),
    "unknown": ("unknown", "未知"),
    # fates of failed jobs
    "retried": ("tried again", "已重试"),
    "waiting": ("first retry due", "等待首次重试"),
    "not_retried": ("not retried", "未重试"),
    "recovered": ("recovered", "重试成功"),
    "gave_up": ("gave up", "重试用尽"),
    "refused": ("refused by CI", "被数据万象拒绝"),
    "held": ("held for a person", "暂停待人工处理"),
    "pending": ("still pending", "进行中"),
    "other": ("partial or cancelled", "部分成功或取消"),
    # the page
    "title": ("Jobs of Tencent Cloud Infinite", "数据万象任务报告"),
    "period": ("{since} to {until} (days in UTC)", "{since} 至 {until}（UTC 日）"),
    "made": ("Made at {at} by ci-callback {version}", "由 ci-callback {version} 生成于 {at}"),
    "empty": ("No jobs in these days", "这些日子没有任务"),
    "empty_why": (
        "No record of a job stands in the ledger for this period.",
        "账本中这段时间没有任务记录。",
    ),
    "empty_since": ("look further back", "查看更早的日期"),
    "empty_ledger": ("look at another ledger", "换一个账本"),
    "empty_try": ("put a documented callback into it", "放入一个文档中的回调试一试"),
    "numbers": ("Numbers", "数据"),
    "unreadable": (
        "{count} records could not be read and are not counted.",
        "有 {count} 条记录无法读取，未计入。",
    ),
    "besides": ("Besides", "此外"),
    "runs": ("Workflow runs", "工作流运行"),
    "reviews": ("Moderation reviews", "内容审核"),
    "besides_note": (
        "Counted here alone: a run's jobs have records of their own, and a review may be told "
        "several times.",
        "仅在此处计数：工作流中的任务各有记录，而一次审核可能多次回调。",
    ),
    # tiles
    "jobs": ("jobs", "任务数"),
    "jobs_note": ("re-submissions included", "含重新提交的任务"),
    "share": ("succeeded", "成功率"),
    "share_note": ("{count} of {jobs}", "{jobs} 个中的 {count} 个"),
    "failed_jobs": ("failed", "失败任务"),
    "failed_note": ("{share} of all", "占 {share}"),
    "p50": ("median run", "运行时长中位数"),
    "p50_note": ("from start to end", "从开始到结束"),
    "p95": ("run, 95th percentile", "运行时长 P95"),
    "p95_note": ("longest {longest}", "最长 {longest}"),
    "wait": ("wait, 95th percentile", "排队时长 P95"),
    "wait_note": ("median {median}", "中位数 {median}"),
    # charts
    "days_title": ("Jobs by day", "每日任务"),
    "days_title_week": ("Jobs by week", "每周任务"),
    "days_title_month": ("Jobs by month", "每月任务"),
    "days_title_year": ("Jobs by year", "每年任务"),
    "days_note": (
        "By the day on which CI created the job, and by outcome. Failures stand at the bottom.",
        "按任务创建日和结果统计，失败在最下方。",
    ),
    "days_aria": ("{jobs} jobs, {failed} failed", "{jobs} 个任务，{failed} 个失败"),
    "run_title": ("Run time by tag", "各标签的运行时长"),
    "run_note": (
        "Line: 5th to 95th percentile. Box: the middle half. Mark: median. The scale is "
        "logarithmic.",
        "细线：P5 至 P95；方框：中间一半；竖线：中位数。对数刻度。",
    ),
    "run_right": ("median {p50} · p95 {p95}", "中位 {p50} · P95 {p95}"),
    "more": ("{count} more in the numbers.", "另有 {count} 项见数据。"),
    "codes_title": ("Failures by code", "失败错误码"),
    "codes_note": (
        "Failed jobs by CI's error code, and the tags they had.",
        "按错误码统计失败任务及其标签。",
    ),
    "no_code": ("(no code)", "（无错误码）"),
    "no_tag": ("(no tag)", "（无标签）"),
    "retry_title": ("What became of failures", "失败之后"),
    "retry_note": (
        "A job and its re-submissions count once. Upper bar: all that failed; of those not retried "
        "people were told. Lower bar: those tried again, by how it ended.",
        "一个任务连同其重新提交只计一次。上：全部失败，未重试的已告警；下：已重试者的结局。",
    ),
    "retry_up": ("{count} failed", "{count} 个失败"),
    "retry_down": ("{count} tried again", "{count} 个已重试"),
    "retry_attempt": ("recovered at attempt {attempt}", "第 {attempt} 次尝试成功"),
    "slow_title": ("Slowest jobs", "最慢的任务"),
    "slow_note": ("By run time, from start to end.", "按运行时长（开始到结束）。"),
    "large_title": ("Largest jobs", "最大的任务"),
    "large_note": (
        "By the larger of input (the Size that CI sends with it) and what the result tells of "
        "its files; {sized} of {jobs} jobs told either.",
        "按输入大小（CI 随输入给出的 Size）与结果所述文件大小中较大者；"
        "{jobs} 个任务中有 {sized} 个给出。",
    ),
    "large_in": ("in {size}", "输入 {size}"),
    "large_out": ("out {size}", "输出 {size}"),
    "none_yet": ("Nothing to show in these days.", "这些日子没有可显示的内容。"),
    # heads of tables
    "col_day": ("Day", "日"),
    "col_from": ("From", "起始日"),
    "col_tag": ("Tag", "标签"),
    "col_jobs": ("Jobs", "任务"),
    "col_timed": ("Timed", "有时长"),
    "col_max": ("Longest", "最长"),
    "col_code": ("Code", "错误码"),
    "col_share": ("Share", "占比"),
    "col_of_failed": ("Of failed", "占失败"),
    "col_of_retried": ("Of tried again", "占重试"),
    "col_tags": ("By tag", "按标签"),
    "col_what": ("What became of it", "结局"),
    "col_families": ("Jobs", "任务"),
    "col_job": ("Job", "任务"),
    "col_outcome": ("Outcome", "结果"),
    "col_created": ("Created (UTC)", "创建（UTC）"),
    "col_object": ("Input", "输入"),
    "col_run": ("Run", "运行"),
    "col_in": ("Input size", "输入大小"),
    "col_out": ("Result size", "结果大小"),
    "col_media": ("Media length", "媒体时长"),
    # units
    "s": ("{} s", "{} 秒"),
    "min": ("{} min", "{} 分"),
    "h": ("{} h", "{} 时"),
    "d": ("{} d", "{} 天"),
}


@dataclass(frozen=True)
class Words:
    """The words of one language."""

    lang: Lang

    def __call__(self, key: str, *places: object, **values: object) -> str:
        """The text of a row, filled in."""
        return _ROWS[key][self.lang == "zh"].format(*places, **values)
