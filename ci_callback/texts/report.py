"""The texts of the report, and of the charts that the console shares with it."""

from __future__ import annotations

from ci_callback.texts.row import rows

TEXTS = rows(
    {
        # The page
        "report.title": ("Jobs of Tencent Cloud Infinite", "数据万象任务报告"),
        "report.period": ("{since} to {until} (days in UTC)", "{since} 至 {until}（按 UTC 日期）"),
        "report.made": (
            "Made at {at} by ci-callback {version}",
            "由 ci-callback {version} 生成于 {at}",
        ),
        "report.empty": ("No jobs in these days", "该时段没有任务"),
        "report.empty_why": (
            "The ledger has no record of a job for this period.",
            "台账中没有该时段的任务记录。",
        ),
        "report.empty_since": ("look further back", "查看更早的日期"),
        "report.empty_ledger": ("look at another ledger", "换一个台账"),
        "report.empty_try": ("put a documented callback into it", "用官方文档中的回调试一试"),
        "report.numbers": ("Numbers", "数据表"),
        "report.unreadable": (
            "{count} records could not be read and are not counted.",
            "有 {count} 条记录无法读取，未计入。",
        ),
        "report.besides": ("Besides", "其他"),
        "report.runs": ("Workflow runs", "工作流实例"),
        "report.reviews": ("Moderation reviews", "内容审核"),
        "report.besides_note": (
            "Counted only here: a run's jobs have records of their own, and CI may report a review "
            "several times.",
            "仅在此处计数：工作流实例中的各任务另有记录，同一次审核可能多次回调。",
        ),
        # Tiles
        "report.jobs": ("jobs", "任务数"),
        "report.jobs_note": ("re-submissions included", "含重新提交的任务"),
        "report.share": ("succeeded", "成功率"),
        "report.share_note": ("{count} of {jobs}", "{count} / {jobs} 个"),
        "report.failed_jobs": ("failed", "失败任务"),
        "report.failed_note": ("{share} of all", "占全部的 {share}"),
        "report.p50": ("median run", "运行时长中位数"),
        "report.p50_note": ("from start to end", "从开始到结束"),
        "report.p95": ("run, 95th percentile", "运行时长 P95"),
        "report.p95_note": ("longest {longest}", "最长 {longest}"),
        "report.wait": ("wait, 95th percentile", "排队时长 P95"),
        "report.wait_note": ("median {median}", "中位数 {median}"),
        # Charts
        "report.days_title.day": ("Jobs by day", "每日任务数"),
        "report.days_title.week": ("Jobs by week", "每周任务数"),
        "report.days_title.month": ("Jobs by month", "每月任务数"),
        "report.days_title.year": ("Jobs by year", "每年任务数"),
        "report.days_note": (
            "By the day on which CI created the job, and by outcome. Failures are at the bottom.",
            "按任务创建日和结果统计，失败在最下方。",
        ),
        "report.days_aria": ("{jobs} jobs, {failed} failed", "{jobs} 个任务，{failed} 个失败"),
        "report.run_title": ("Run time by tag", "各 Tag 的运行时长"),
        "report.run_note": (
            "Line: 5th to 95th percentile. Box: the middle half. Mark: median. "
            "The scale is logarithmic.",
            "细线：P5 至 P95；方框：P25 至 P75；竖线：中位数。对数刻度。",
        ),
        "report.run_right": ("median {p50} · p95 {p95}", "中位数 {p50} · P95 {p95}"),
        "report.more": ("{count} more in the numbers.", "另有 {count} 项，见数据表。"),
        "report.codes_title": ("Failures by code", "失败任务的错误码"),
        "report.codes_note": (
            "Failed jobs by CI's error code, and the tags they had.",
            "按错误码统计失败任务及其 Tag。",
        ),
        "report.no_code": ("(no code)", "（无错误码）"),
        "report.no_tag": ("(no tag)", "（无 Tag）"),
        "report.retry_title": ("What became of failures", "失败任务的后续处理"),
        "report.retry_note": (
            "A job and its re-submissions count once. Upper bar: all failed jobs; those not "
            "retried raised an alert. Lower bar: jobs tried again, by how they ended.",
            "一个任务连同其重新提交只计一次。上方：全部失败任务，其中未重试的均已告警；"
            "下方：已重试的任务，按最终结果划分。",
        ),
        "report.retry_up": ("{count} failed", "{count} 个失败"),
        "report.retry_down": ("{count} tried again", "{count} 个已重试"),
        "report.retry_attempt": ("recovered at attempt {attempt}", "第 {attempt} 次尝试成功"),
        "report.slow_title": ("Slowest jobs", "最慢的任务"),
        "report.slow_note": ("By run time, from start to end.", "按运行时长（开始到结束）。"),
        "report.large_title": ("Largest jobs", "文件最大的任务"),
        "report.large_note": (
            "By the larger of the input (the Size that CI sends with it) and the files that the "
            "result lists; {sized} of {jobs} jobs have such a size.",
            "取输入大小（数据万象随输入给出的 Size）与结果中给出的文件大小两者的较大值；"
            "{jobs} 个任务中有 {sized} 个给出了其中之一。",
        ),
        "report.large_in": ("in {size}", "输入 {size}"),
        "report.large_out": ("out {size}", "输出 {size}"),
        "report.none_yet": ("Nothing to show in these days.", "该时段没有可显示的内容。"),
        # Heads of tables
        "report.col_day": ("Day", "日期"),
        "report.col_from": ("From", "起始日"),
        "report.col_timed": ("Timed", "有时长的任务"),
        "report.col_max": ("Longest", "最长"),
        "report.col_share": ("Share", "占比"),
        "report.col_of_failed": ("Of failed", "占失败任务"),
        "report.col_of_retried": ("Of tried again", "占已重试任务"),
        "report.col_tags": ("By tag", "按 Tag"),
        "report.col_what": ("What became of it", "最终结果"),
        "report.col_created": ("Created (UTC)", "创建时间（UTC）"),
        "report.col_run": ("Run", "运行时长"),
        "report.col_in": ("Input size", "输入大小"),
        "report.col_out": ("Result size", "结果大小"),
        "report.col_media": ("Media length", "媒体时长"),
        # Units
        "unit.s": ("{n} s", "{n} 秒"),
        "unit.min": ("{n} min", "{n} 分钟"),
        "unit.h": ("{n} h", "{n} 小时"),
        "unit.d": ("{n} d", "{n} 天"),
    }
)
