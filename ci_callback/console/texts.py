"""The words of the console, in English and Chinese: a row a text.

CI's own words (tags, states, codes, names of nodes) stay as they are in both.
"""

from __future__ import annotations

from collections.abc import Mapping

from handler.alerts.texts import KINDS, Lang

LANGS: tuple[Lang, ...] = ("en", "zh")

WORDS: Mapping[str, tuple[str, str]] = {
    # The frame
    "title": ("CI callbacks", "数据万象回调"),
    "skip": ("Skip to the content", "跳到主要内容"),
    "nav": ("Sections", "导航"),
    "deliveries": ("Deliveries", "回调记录"),
    "sweeps": ("Sweeps", "巡检"),
    "outbox": ("Outbox", "待办"),
    "dead": ("Dead letters", "死信"),
    "charts": ("Charts", "图表"),
    "send": ("Send a sample", "发送示例"),
    "language": ("Language", "语言"),
    "ledger": ("Ledger", "账本"),
    "ci_local": ("Local stand-in for CI", "数据万象本地模拟服务"),
    "ci_local_why": (
        "Retries go to a stand-in on this machine; nothing reaches Tencent Cloud.",
        "重试由本机模拟服务处理，不会访问腾讯云。",
    ),
    "ci_real": ("Real CI", "数据万象（真实环境）"),
    "ci_real_why": (
        "Retries are submitted to CI and cost money.",
        "重试会提交到数据万象，并产生费用。",
    ),
    "live": ("Live", "实时"),
    "offline": ("Not connected; trying again", "连接已断开，正在重连"),
    "no_script": (
        "Without JavaScript this page does not update by itself: reload it.",
        "未启用 JavaScript，本页不会自动更新，请手动刷新。",
    ),
    # The list
    "filter": ("Filter", "筛选"),
    "clear": ("Clear", "清除"),
    "tag": ("Tag", "Tag"),
    "outcome": ("Outcome", "结果"),
    "text": ("Text", "文本"),
    "text_hint": ("Job id, code, object, body …", "JobId、错误码、对象、正文……"),
    "any": ("Any", "全部"),
    "time": ("Received", "接收时间"),
    "job": ("Job", "任务"),
    "code": ("Code", "错误码"),
    "answer": ("Answer", "应答"),
    "follow": ("What followed", "后续"),
    "took": ("Took", "耗时"),
    "none": ("No deliveries yet.", "尚无回调。"),
    "none_found": ("Nothing matches the filter.", "没有符合条件的记录。"),
    "first": (
        "Send a sample, or POST a callback to {url}",
        "发送一个示例，或将回调 POST 到 {url}",
    ),
    "new_one": ("1 new delivery", "1 条新回调"),
    "new_many": ("{n} new deliveries", "{n} 条新回调"),
    "more_rows": (
        "{n} older ones are not shown: filter for them.",
        "另有 {n} 条较早的回调未显示，可通过筛选查看。",
    ),
    "attempt": ("attempt {n}", "第 {n} 次尝试"),
    "of_root": ("of {job}", "原任务 {job}"),
    "no_job": ("no job", "无任务"),
    # Outcomes, and what became of deliveries
    "o.succeeded": ("succeeded", "成功"),
    "o.partial": ("partial", "部分成功"),
    "o.failed": ("failed", "失败"),
    "o.cancelled": ("cancelled", "已取消"),
    "o.unfinished": ("unfinished", "未结束"),
    "o.unknown": ("unknown", "未知"),
    "o.dead_letter": ("dead letter", "死信"),
    "o.ignored": ("ignored", "已忽略"),
    "o.rejected": ("rejected", "已拒绝"),
    "o.retry_later": ("not kept", "未保存"),
    "o.unverified": ("unverified", "待核实"),
    "o.spilled": ("in the spill", "已暂存"),
    "o.kept": ("kept", "已保存"),
    "o.duplicate": ("duplicate", "重复"),
    "o.ok": ("ok", "正常"),
    "o.": ("none", "无"),
    "f.retry_waits": ("retry due", "等待重试"),
    "f.submitting": ("being submitted", "正在提交"),
    "f.submitted": ("submitted again", "已重新提交"),
    "f.recovered": ("recovered", "重试成功"),
    "f.failed_again": ("failed again", "再次失败"),
    "f.refused": ("refused by CI", "被数据万象拒绝"),
    "f.gave_up": ("gave up", "重试次数用尽"),
    "f.alert_due": ("alert due", "等待告警"),
    "f.alert_sent": ("alert sent", "已告警"),
    "w.http": ("HTTP", "HTTP"),
    "w.sample": ("sample", "示例"),
    "w.again": ("redelivered", "重新投递"),
    "w.timer": ("timer", "定时触发器"),
    "w.button": ("button", "手动"),
    "w.ledger": ("earlier", "此前记录"),
    # One delivery, one job
    "delivery_n": ("Delivery {n}", "回调 {n}"),
    "job_n": ("Job {job}", "任务 {job}"),
    "request": ("Request", "请求"),
    "headers": ("Headers", "请求头"),
    "body": ("Body", "正文"),
    "bytes": ("{n} bytes", "{n} 字节"),
    "record": ("Record", "记录"),
    "record_key": ("Key", "对象键"),
    "log": ("Log", "日志"),
    "writes": ("Written to the ledger", "写入账本的内容"),
    "timeline": ("Time line", "时间线"),
    "redeliver": ("Redeliver", "重新投递"),
    "redelivering": ("Redelivering …", "正在投递……"),
    "redelivered_from": ("Redelivery of", "来自"),
    "no_body": (
        "The request is not kept: it came before this server started.",
        "未保留该请求：它在本次服务启动之前收到。",
    ),
    "unreadable": ("It can't be read: {why}", "无法读取：{why}"),
    "input": ("Input", "输入"),
    "state": ("State", "状态"),
    "format": ("Format", "格式"),
    "request_id": ("Request id", "请求 ID"),
    "way": ("Came by", "来源"),
    # The time line
    "e.created": ("The job was created", "任务创建"),
    "e.ended": ("It ended: {state}", "任务结束：{state}"),
    "e.ended_again": ("Attempt {attempt} ended: {state}", "第 {attempt} 次尝试结束：{state}"),
    "in_part": ("{state}, in part", "{state}（部分成功）"),
    "e.callback": ("Callback received and kept", "已收到并保存回调"),
    "e.callback_odd": ("Callback received: {kept}", "收到回调：{kept}"),
    "e.again": ("Delivered again: a duplicate", "再次收到同一回调"),
    "e.taken_in": (
        "No callback came; a sweep asked CI and kept the answer",
        "未收到回调；巡检向数据万象查询，并保存了查询结果",
    ),
    "e.submitted": (
        "A sweep submitted it again: attempt {attempt}, {job}",
        "巡检重新提交：第 {attempt} 次尝试，{job}",
    ),
    "e.running": ("Attempt {attempt} is running: {job}", "第 {attempt} 次尝试进行中：{job}"),
    "e.refused": ("CI refused attempt {attempt}", "数据万象拒绝了第 {attempt} 次尝试"),
    "e.submitting": (
        "Attempt {attempt} was claimed; CI's answer is not known",
        "第 {attempt} 次尝试已登记，提交结果未知",
    ),
    "e.not_taken": (
        "CI did not take attempt {attempt}; it is tried again later",
        "数据万象未接受第 {attempt} 次尝试，稍后重试",
    ),
    "e.retry_waits": ("A retry is due", "等待重试"),
    "e.verify_waits": ("CI is asked about it again", "再次向数据万象核实"),
    "e.alert_waits": ("The next sweep sends an alert: {kind}", "将在下次巡检时告警：{kind}"),
    "e.alert_sent": ("Alert sent: {kind}", "已在摘要中告警：{kind}"),
    "e.alert_undelivered": (
        "The alert is in the log only; no channel received it: {kind}",
        "仅写入日志，没有渠道接收：{kind}",
    ),
    "e.deferred": ("Deferred", "已推迟"),
    "e.stopped": ("Not tried again: {kind}", "不再重试：{kind}"),
    "no_time": ("time not known", "时间未知"),
    "now_running": ("now", "现在"),
    "in_s": ("in {n} s", "{n} 秒后"),
    "in_min": ("in {n} min", "{n} 分钟后"),
    "in_h": ("in {n} h", "{n} 小时后"),
    "due_now": ("due now", "已到期"),
    "see_delivery": ("delivery {n}", "回调 {n}"),
    "see_sweep": ("sweep {n}", "巡检 {n}"),
    "no_story": ("No job was identified, so nothing follows.", "未识别出任务，没有后续。"),
    # Sweeps
    "run_sweep": ("Run a sweep", "运行巡检"),
    "sweeping": ("Sweeping …", "正在巡检……"),
    "run_waiting": ("Sweep without waiting", "立即重试并巡检"),
    "run_waiting_why": (
        "Makes the retries that wait due now, then sweeps.",
        "将等待中的重试设为立即到期，然后巡检。",
    ),
    "retry_now": ("Retry now", "立即重试"),
    "sweep_n": ("Sweep {n}", "巡检 {n}"),
    "when": ("Time", "时间"),
    "chore": ("Chore", "操作类型"),
    "c.sweep": ("sweep", "巡检"),
    "c.reconcile": ("reconcile", "对账"),
    "c.replay": ("a dead letter run again", "死信重新处理"),
    "c.run_now": ("retries made due", "提前重试"),
    "did": ("Did", "处理结果"),
    "every": ("A sweep runs every {n} s.", "每 {n} 秒巡检一次。"),
    "never": (
        "The timer is off: sweeps run by the button alone.",
        "定时触发器已关闭：只能通过按钮运行巡检。",
    ),
    "last_idle": (
        "At {time} a sweep found nothing to do.",
        "{time} 巡检，没有待办事项。",
    ),
    "no_sweeps": ("No sweep has had anything to do yet.", "尚无巡检处理过事项。"),
    "sweeps_note": (
        "Sweeps that found nothing to do are left out.",
        "没有待办事项的巡检不列出。",
    ),
    "did_line": (
        "{due} due, {done} done, {submitted} submitted again, {failed} failed, "
        "alerts sent: {alerts_sent}",
        "到期 {due}，完成 {done}，告警 {alerts_sent}，重新提交 {submitted}，失败 {failed}",
    ),
    # Outbox
    "tickets": ("Tickets", "待办事项"),
    "digests": ("Digests", "告警摘要"),
    "action": ("Action", "动作"),
    "due": ("Due", "到期时间"),
    "note": ("Note", "备注"),
    "at_once": ("at the next sweep", "下次巡检"),
    "no_tickets": ("Nothing waits.", "没有待办事项。"),
    "no_digests": ("No digest is kept.", "没有保留的摘要。"),
    "digests_note": (
        "Digests that are on their way, and those that no channel took.",
        "正在发送的摘要，以及没有渠道接收的摘要。",
    ),
    "on_its_way": ("on its way", "发送中"),
    "undelivered": ("no channel took it", "没有渠道接收"),
    "a.retry": ("retry", "重试"),
    "a.watch": ("watch", "跟踪"),
    "a.verify": ("verify", "核实"),
    "a.alert": ("alert: {kind}", "告警：{kind}"),
    "more_tickets": ("{n} more are not shown.", "另有 {n} 项未显示。"),
    # Dead letters
    "why": ("Why", "原因"),
    "replayed": ("run again at {time}", "已于 {time} 重新处理"),
    "replay": ("Replay", "重新处理"),
    "replaying": ("Replaying …", "正在处理……"),
    "no_letters": ("There are no dead letters.", "没有死信。"),
    "letter": ("Dead letter {name}", "死信 {name}"),
    "sha256": ("SHA-256", "SHA-256"),
    # Samples
    "send_lead": (
        "A callback of a job that ends now, sent to the function as CI would send it.",
        "生成一个刚结束的任务的回调，按数据万象的方式发送给函数。",
    ),
    "what": ("What", "回调类型"),
    "k.job": ("Jobs, by tag", "任务（按 Tag）"),
    "k.review": ("Moderation", "内容审核"),
    "k.workflow": ("Workflows", "工作流"),
    "code_hint": ("Only for Failed", "仅用于 Failed"),
    "format_hint": ("As CI sends it", "与数据万象发送的格式一致"),
    "user_data": ("UserData", "UserData"),
    "message": ("Message", "错误信息"),
    "retry_ends": ("Its retry", "重试结果"),
    "r.0": ("succeeds", "成功"),
    "r.1": ("fails once more, then succeeds", "再失败一次，然后成功"),
    "r.99": ("fails until it is given up", "一直失败，直到重试次数用尽"),
    "do_send": ("Send", "发送"),
    "sending": ("Sending …", "正在发送……"),
    "optional": ("optional", "可选"),
    "really": (
        "I know that this writes a made-up job to {ledger}",
        "我已知晓：此操作会将虚构的任务写入 {ledger}",
    ),
    # What was done
    "m.sent": ("The sample was sent: {status}.", "示例已发送：{status}。"),
    "m.again": ("Delivered again: {status}.", "已重新投递：{status}。"),
    "m.swept": (
        "The sweep is done: {due} due, {submitted} submitted again, alerts sent: {alerts_sent}.",
        "巡检完成：到期 {due}，重新提交 {submitted}，告警 {alerts_sent}。",
    ),
    "m.idle": ("The sweep found nothing to do.", "巡检没有待办事项。"),
    "m.lease_held": (
        "Another sweep holds the lease, so this one withdrew.",
        "另一次巡检正在进行，本次已退出。",
    ),
    "m.swept_badly": (
        "The sweep broke off; its log says why.",
        "巡检中断，原因见日志。",
    ),
    "m.replayed": ("Replayed: {status}.", "已重新处理：{status}。"),
    "m.not_replayed": ("Not replayed: {why}", "未能重新处理：{why}"),
    "m.sample_refused": ("Not sent: {why}", "未发送：{why}"),
    "m.really": (
        "Not sent: tick the box that says where it is written.",
        "未发送：请勾选确认写入位置。",
    ),
    # Errors
    "error": ("That did not work", "操作未成功"),
    "error_403": ("RefusedError", "已拒绝"),
    "error_404": ("Nothing is here", "页面不存在"),
    "error_503": ("The ledger can't be reached", "无法访问账本"),
    "back": ("Back to the deliveries", "返回回调记录"),
    "days": ("Period", "时间范围"),
    "days_n": ("{n} days", "{n} 天"),
    "no_charts": ("There are no records to draw yet.", "尚无可绘制的记录。"),
}


def word(lang: Lang, key: str, **values: object) -> str:
    """A text in a language, with its values put in.

    Raises:
        KeyError: there is no such text.
    """
    text = WORDS[key][LANGS.index(lang)]
    return text.format(**values) if values else text


def outcome(lang: Lang, name: str) -> str:
    """The text of an outcome or a status; of one that has none, the name as it is. Never raises:
    what the function answers must not decide whether a page can be shown."""
    return word(lang, f"o.{name}") if f"o.{name}" in WORDS else name


def kind(lang: Lang, name: str) -> str:
    """The name of a kind of alert; one that is not known, as it is."""
    return KINDS[name].told(lang)[0] if name in KINDS else name
