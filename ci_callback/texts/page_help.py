"""The purpose of each page of the console, how to read it, and the next step of an empty one."""

from __future__ import annotations

from ci_callback.texts.row import rows

TEXTS = rows(
    {
        "help": ("What is this page?", "本页说明"),
        "help.deliveries": (
            "Each callback that reached this server, and every record that the ledger held "
            "before, the newest first.\n"
            "The search looks through ids, codes, messages, objects and UserData of all records; "
            "of this server's deliveries, through their bodies too. The address of the page "
            "holds filter, order and page: pass it on.\n"
            "“What followed” says what became of a failure: a retry that is due, its result, or "
            "an alert.",
            "本次服务收到的每个回调，以及台账中此前的全部记录，最新的在前。\n"
            "搜索范围包括全部记录的 ID、错误码、错误信息、对象和 UserData；本次服务收到的回调还包"
            "括正文。筛选条件、排序和页码都在页面地址中，可直接转发。\n"
            "“后续”显示失败任务的处理情况：等待重试、重试结果或告警。",
        ),
        "help.delivery": (
            "One request, the function's answer, and what it wrote and logged. The time line "
            "goes on while the job is retried.\n"
            "Secrets are replaced by [redacted], in downloads too.",
            "一次请求、函数的应答，以及写入台账的内容和日志。任务重试期间，时间线会继续更新。\n"
            "敏感内容以 [redacted] 代替，下载的文件也是如此。",
        ),
        "help.job": (
            "A record of the ledger and the story of its job: from its creation over each "
            "attempt to the last alert or event.",
            "台账中的一条记录及其任务的完整经过：从创建、每次尝试，到最后的告警或事件。",
        ),
        "help.compare": (
            "The fields in which the records of two attempts differ. CI's own fields, details.…, "
            "come last.",
            "两次尝试的记录中不同的字段。数据万象的原始字段（details.…）排在最后。",
        ),
        "help.edit": (
            "Change anything and send: for the function it is a callback like any other, and its "
            "record goes into the ledger. To see the same job again, change its JobId.",
            "可修改任意内容后发送：对函数来说，这与其他回调无异，其记录会写入台账。如需作为新任务"
            "处理，请修改 JobId。",
        ),
        "help.retry": (
            "A bulk retry moves no job that is not waiting for one, and makes no attempt more "
            "than the settings allow.",
            "批量重试只作用于正在等待重试的任务，不会超出设置允许的尝试次数。",
        ),
        "help.send": (
            "A made-up callback shows what the function does, without a job of CI's. A failure "
            "is retried by the next sweep.",
            "用虚构的回调查看函数的处理过程，无需真实任务。失败会由下一次巡检重试。",
        ),
        "help.sweeps": (
            "A sweep submits failed jobs again when their time has come, asks CI about what is "
            "not certain, and sends alerts. A timer runs one each minute in production.\n"
            "Open one for its log and all that it wrote.",
            "巡检会在到期时重新提交失败的任务，向数据万象核实不确定的结果，并发送告警。生产环境中"
            "由定时触发器每分钟运行一次。\n"
            "点击可查看其日志和写入的全部内容。",
        ),
        "help.sweep": (
            "The log of one run, line by line, and each object that it wrote or deleted.",
            "一次运行的逐行日志，以及写入或删除的每个对象。",
        ),
        "help.outbox": (
            "Tickets are what the function still has to do; each is an object in the ledger, so "
            "none is lost when it is stopped. Retries wait for their time, alerts for the next "
            "sweep.\n"
            "Digests are alerts on their way to a channel.",
            "待办是函数尚需完成的事项，每一项都是台账中的一个对象，函数中断也不会丢失。重试等待到"
            "期，告警等待下一次巡检。\n"
            "摘要是正在发送到渠道的告警。",
        ),
        "help.dead": (
            "Bodies that the function could not process, kept whole. Replay one after the cause "
            "is mended: it is then processed like a callback that just came.",
            "函数无法处理的正文，完整保留。原因排除后可重新处理，效果与刚收到回调相同。",
        ),
        "help.dead_letter": (
            "Why the body could not be processed, and the body itself, without secrets. A replay "
            "leaves the dead letter where it is.",
            "正文无法处理的原因，以及去除敏感内容后的正文。重新处理后，死信仍会保留。",
        ),
        "help.charts": (
            "Jobs by the UTC day of their creation. Each mark leads to its records; the tables "
            "hold the same numbers and links. Patterns tell the outcomes apart without colour, "
            "also in print.",
            "按任务创建日（UTC）统计。点击图形可查看对应记录，数据表中有相同的数值和链接。不同结"
            "果以图案区分，不依赖颜色，打印时同样适用。",
        ),
        "help.events": (
            "What the function sent to the addresses in FORWARD_URLS, destination by "
            "destination, with each answer. A final event says that nothing more will become of "
            "a job.",
            "函数发送到 FORWARD_URLS 中各地址的事件，按目标列出，并附每次的应答。最终事件表示该任"
            "务不会再有变化。",
        ),
        # Empty pages, and the next step
        "no_tickets_how": (
            "A callback of a failure makes one. Try it:",
            "失败的回调会产生待办，可以试一试：",
        ),
        "no_sweeps_how": (
            "The button above runs one. What it would do, as a command:",
            "可点击上方按钮运行。用命令查看将要执行的操作：",
        ),
        "no_dead_how": (
            "Each body was understood. The same list as a command:",
            "所有正文均已识别。用命令查看同一列表：",
        ),
        "no_charts_how": (
            "Choose other days above. The same as a page of its own:",
            "可在上方选择其他日期。用命令生成独立的报告页面：",
        ),
    }
)
