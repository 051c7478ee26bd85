"""The words of the report in English and Chinese, a row each. {} is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handler.alerts.texts import Lang

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
    "gave_up": ("gave up", "重试次数用尽"),
    "refused": ("refused by CI", "被数据万象拒绝"),
    "held": ("held for a person", "已暂停，待人工处理"),
    "pending": ("still pending", "仍在处理"),
    "other": ("partial or cancelled", "部分成功或已取消"),
    # the page
    "title": ("Jobs of Tencent Cloud Infinite", "数据万象任务报告"),
    "period": ("{since} to {until} (days in UTC)", "{since} 至 {until}（按 UTC 日期）"),
    "made": ("Made at {at} by ci-callback {version}", "由 ci-callback {version} 生成于 {at}"),
    "empty": ("No jobs in these days", "该时段没有任务"),
    "empty_why": (
        "No record of a job stands in the ledger for this period.",
        "账本中没有该时段的任务记录。",
    ),
    "empty_since": ("look further back", "查看更早的日期"),
    "empty_ledger": ("look at another ledger", "换一个账本"),
    "empty_try": ("put a documented callback into it", "用官方文档中的回调试一试"),
    "numbers": ("Numbers", "数据表"),
    "unreadable": (
        "{count} records could not be read and are not counted.",
        "有 {count} 条记录无法读取，未计入。",
    ),
    "besides": ("Besides", "其他"),
    "runs": ("Workflow runs", "工作流实例"),
    "reviews": ("Moderation reviews", "内容审核"),
    "besides_note": (
        "Counted here alone: a run's jobs have records of their own, and a review may be told "
        "several times.",
        "仅在此处计数：工作流实例中的各任务另有记录，同一次审核可能多次回调。",
    ),
    # tiles
    "jobs": ("jobs", "任务数"),
    "jobs_note": ("re-submissions included", "含重新提交的任务"),
    "share": ("succeeded", "成功率"),
    "share_note": ("{count} of {jobs}", "{count} / {jobs} 个"),
    "failed_jobs": ("failed", "失败任务"),
    "failed_note": ("{share} of all", "占全部的 {share}"),
    "p50": ("median run", "运行时长中位数"),
    "p50_note": ("from start to end", "从开始到结束"),
    "p95": ("run, 95th percentile", "运行时长 P95"),
    "p95_note": ("longest {longest}", "最长 {longest}"),
    "wait": ("wait, 95th percentile", "排队时长 P95"),
    "wait_note": ("median {median}", "中位数 {median}"),
    # charts
    "days_title": ("Jobs by day", "每日任务数"),
    "days_title_week": ("Jobs by week", "每周任务数"),
    "days_title_month": ("Jobs by month", "每月任务数"),
    "days_title_year": ("Jobs by year", "每年任务数"),
    "days_note": (
        "By the day on which CI created the job, and by outcome. Failures stand at the bottom.",
        "按任务创建日和结果统计，失败在最下方。",
    ),
    "days_aria": ("{jobs} jobs, {failed} failed", "{jobs} 个任务，{failed} 个失败"),
    "run_title": ("Run time by tag", "各 Tag 的运行时长"),
    "run_note": (
        "Line: 5th to 95th percentile. Box: the middle half. Mark: median. The scale is "
        "logarithmic.",
        "细线：P5 至 P95；方框：P25 至 P75；竖线：中位数。对数刻度。",
    ),
    "run_right": ("median {p50} · p95 {p95}", "中位数 {p50} · P95 {p95}"),
    "more": ("{count} more in the numbers.", "另有 {count} 项，见数据表。"),
    "codes_title": ("Failures by code", "失败任务的错误码"),
    "codes_note": (
        "Failed jobs by CI's error code, and the tags they had.",
        "按错误码统计失败任务及其 Tag。",
    ),
    "no_code": ("(no code)", "（无错误码）"),
    "no_tag": ("(no tag)", "（无 Tag）"),
    "retry_title": ("What became of failures", "失败任务的后续处理"),
    "retry_note": (
        "A job and its re-submissions count once. Upper bar: all that failed; of those not retried "
        "people were told. Lower bar: those tried again, by how it ended.",
        "一个任务连同其重新提交只计一次。上方：全部失败任务，其中未重试的均已告警；"
        "下方：已重试的任务，按最终结果划分。",
    ),
    "retry_up": ("{count} failed", "{count} 个失败"),
    "retry_down": ("{count} tried again", "{count} 个已重试"),
    "retry_attempt": ("recovered at attempt {attempt}", "第 {attempt} 次尝试成功"),
    "slow_title": ("Slowest jobs", "最慢的任务"),
    "slow_note": ("By run time, from start to end.", "按运行时长（开始到结束）。"),
    "large_title": ("Largest jobs", "文件最大的任务"),
    "large_note": (
        "By the larger of input (the Size that CI sends with it) and what the result tells of "
        "its files; {sized} of {jobs} jobs told either.",
        "取输入大小（数据万象随输入给出的 Size）与结果中给出的文件大小两者的较大值；"
        "{jobs} 个任务中有 {sized} 个给出了其中之一。",
    ),
    "large_in": ("in {size}", "输入 {size}"),
    "large_out": ("out {size}", "输出 {size}"),
    "none_yet": ("Nothing to show in these days.", "该时段没有可显示的内容。"),
    # heads of tables
    "col_day": ("Day", "日期"),
    "col_from": ("From", "起始日"),
    "col_tag": ("Tag", "Tag"),
    "col_jobs": ("Jobs", "任务"),
    "col_timed": ("Timed", "有时长的任务"),
    "col_max": ("Longest", "最长"),
    "col_code": ("Code", "错误码"),
    "col_share": ("Share", "占比"),
    "col_of_failed": ("Of failed", "占失败任务"),
    "col_of_retried": ("Of tried again", "占已重试任务"),
    "col_tags": ("By tag", "按 Tag"),
    "col_what": ("What became of it", "最终结果"),
    "col_families": ("Jobs", "任务"),
    "col_job": ("Job", "任务"),
    "col_outcome": ("Outcome", "结果"),
    "col_created": ("Created (UTC)", "创建时间（UTC）"),
    "col_object": ("Input", "输入"),
    "col_run": ("Run", "运行时长"),
    "col_in": ("Input size", "输入大小"),
    "col_out": ("Result size", "结果大小"),
    "col_media": ("Media length", "媒体时长"),
    # units
    "s": ("{} s", "{} 秒"),
    "min": ("{} min", "{} 分钟"),
    "h": ("{} h", "{} 小时"),
    "d": ("{} d", "{} 天"),
}


@dataclass(frozen=True)
class Words:
    """The words of one language."""

    lang: Lang

    def __call__(self, key: str, *places: object, **values: object) -> str:
        """The text of a row, filled in."""
        return _ROWS[key][self.lang == "zh"].format(*places, **values)
