# With var.logs: a log topic of the function's own, alarms that notify the robots of alert_urls, and a
# dashboard, as `deploy --logs` makes them.

locals {
  log_count = var.logs ? 1 : 0

  log_tokenizer = "@&?|#()='\",;:<>[]{}/ \n\t\r\\"
  log_fields = {
    "level"              = "text"
    "event"              = "text"
    "status"             = "text"
    "reason"             = "text"
    "job_id"             = "text"
    "tag"                = "text"
    "outcome"            = "text"
    "key"                = "text"
    "action"             = "text"
    "faas.trigger"       = "text"
    "faas.invocation_id" = "text"
    "SCF_FunctionName"   = "text"
    "SCF_RequestId"      = "text"
    "SCF_Type"           = "text"
    "SCF_Message"        = "text"
    "due"                = "double"
    "done"               = "double"
    "failed"             = "double"
    "remaining"          = "double"
    "submitted"          = "double"
    "alerts_sent"        = "double"
    "duration_ms"        = "double"
    "SCF_StatusCode"     = "double"
    "SCF_Duration"       = "double"
  }

  # Robots that CLS can notify: those whose messages need no signature. The others have none.
  robot_types = {
    "qyapi.weixin.qq.com" = "WeCom"
    "oapi.dingtalk.com"   = "DingTalk"
    "open.feishu.cn"      = "Lark"
    "open.larksuite.com"  = "Lark"
  }
  robot_urls = [
    for url in sort(compact(split(" ", var.alert_urls))) : url
    if can(regex("^https?://", url)) && !strcontains(url, "#") && !strcontains(url, "//hooks.slack.com/")
  ]
  robots = [
    for url in local.robot_urls : {
      url  = url
      type = lookup(local.robot_types, regex("^https?://([^/?#]+)", url)[0], "Http")
    }
  ]
  robot_count = var.logs ? nonsensitive(length(local.robots)) : 0

  watch_name = "ci callback handler ${var.name}"
  alarms = {
    "errors" = {
      search    = "level:\"ERROR\""
      condition = "$1.lines > 0"
      periods   = 1
      message   = "[Cloud Infinite] The function wrote errors: read its log, `ci-callback logs --level ERROR`"
    }
    "no sweep" = {
      search    = "event:\"sweep\""
      condition = "$1.lines < 1"
      periods   = 2
      message   = "[Cloud Infinite] No sweep for ten minutes: failures are not retried. Is the timer on? `ci-callback doctor`"
    }
    "refused" = {
      search    = "event:\"request_refused\" AND status:\"401\""
      condition = "$1.lines > 20"
      periods   = 1
      message   = "[Cloud Infinite] Many requests without a valid token: does a queue call with an old address?"
    }
  }

  # The ids that CLS gives to regions (DescribeDashboards).
  region_ids = {
    "ap-guangzhou"     = 1
    "ap-shanghai"      = 4
    "ap-hongkong"      = 5
    "ap-shanghai-fsi"  = 7
    "ap-beijing"       = 8
    "ap-singapore"     = 9
    "ap-shenzhen-fsi"  = 11
    "na-siliconvalley" = 15
    "ap-chengdu"       = 16
    "eu-frankfurt"     = 17
    "ap-seoul"         = 18
    "ap-chongqing"     = 19
    "na-ashburn"       = 22
    "ap-bangkok"       = 23
    "ap-tokyo"         = 25
    "ap-nanjing"       = 33
    "ap-beijing-fsi"   = 46
    "ap-jakarta"       = 72
    "sa-saopaulo"      = 74
  }
  charts = [
    {
      key   = "callbacks"
      title = "Callbacks by outcome"
      query = "event:\"callback\" | select histogram(cast(__TIMESTAMP__ as timestamp), interval 5 minute) as time, outcome, count(*) as value group by time, outcome order by time limit 10000"
      by    = "outcome"
    },
    {
      key   = "retries"
      title = "Jobs submitted again"
      query = "event:\"sweep\" | select histogram(cast(__TIMESTAMP__ as timestamp), interval 5 minute) as time, sum(submitted) as value group by time order by time limit 10000"
      by    = ""
    },
    {
      key   = "sweeps"
      title = "Longest sweep, ms"
      query = "event:\"sweep\" | select histogram(cast(__TIMESTAMP__ as timestamp), interval 5 minute) as time, max(duration_ms) as value group by time order by time limit 10000"
      by    = ""
    },
    {
      key   = "refused"
      title = "Requests without a valid token"
      query = "event:\"request_refused\" AND status:\"401\" | select histogram(cast(__TIMESTAMP__ as timestamp), interval 5 minute) as time, count(*) as value group by time order by time limit 10000"
      by    = ""
    },
  ]
}

resource "tencentcloud_cls_logset" "log" {
  count       = local.log_count
  logset_name = var.name
}

resource "tencentcloud_cls_topic" "log" {
  count      = local.log_count
  logset_id  = tencentcloud_cls_logset.log[0].id
  topic_name = var.name
  period     = 30
  describes  = local.watch_name
}

resource "tencentcloud_cls_index" "log" {
  count    = local.log_count
  topic_id = tencentcloud_cls_topic.log[0].id

  rule {
    full_text {
      case_sensitive = false
      tokenizer      = local.log_tokenizer
      contain_z_h    = false
    }

    key_value {
      case_sensitive = false

      dynamic "key_values" {
        for_each = local.log_fields

        content {
          key = key_values.key

          value {
            type        = key_values.value
            tokenizer   = key_values.value == "text" ? local.log_tokenizer : ""
            sql_flag    = true
            contain_z_h = false
          }
        }
      }
    }
  }
}

resource "tencentcloud_cls_alarm_notice" "log" {
  count = local.robot_count > 0 ? 1 : 0
  name  = local.watch_name
  type  = "All"

  dynamic "web_callbacks" {
    for_each = range(local.robot_count)

    content {
      callback_type = local.robots[web_callbacks.value].type
      url           = local.robots[web_callbacks.value].url
      method        = local.robots[web_callbacks.value].type == "Http" ? "POST" : null
    }
  }
}

# Without sweeps an alarm would be raised: the timer comes first.
resource "tencentcloud_cls_alarm" "log" {
  for_each         = local.robot_count > 0 ? local.alarms : {}
  name             = "${local.watch_name}: ${each.key}"
  condition        = each.value.condition
  trigger_count    = each.value.periods
  alarm_period     = 60
  alarm_notice_ids = [tencentcloud_cls_alarm_notice.log[0].id]
  message_template = "${each.value.message} (${var.name})"
  status           = true

  alarm_targets {
    logset_id         = tencentcloud_cls_logset.log[0].id
    topic_id          = tencentcloud_cls_topic.log[0].id
    query             = "${each.value.search} | select count(*) as lines"
    number            = 1
    start_time_offset = -5
    end_time_offset   = 0
    syntax_rule       = 1
  }

  monitor_time {
    type = "Period"
    time = 5
  }

  depends_on = [
    tencentcloud_cls_index.log,
    tencentcloud_scf_trigger.sweep,
  ]
}

resource "tencentcloud_cls_dashboard" "log" {
  count          = var.logs && contains(keys(local.region_ids), var.region) ? 1 : 0
  dashboard_name = local.watch_name

  data = jsonencode({
    panels = [for at, chart in local.charts : {
      id      = "chart-${uuidv5("5d1d3c6e-8a53-4f0b-9c55-3c1c1f0f7a10", chart.key)}"
      title   = chart.title
      gridPos = { x = at % 2 * 12, y = floor(at / 2) * 8, w = 12, h = 8 }
      type    = "graph"
      target = {
        RegionId  = local.region_ids[var.region]
        LogsetId  = tencentcloud_cls_logset.log[0].id
        TopicId   = tencentcloud_cls_topic.log[0].id
        Query     = chart.query
        ChartAxis = { xAxisKey = "time", yAxisKey = "value", aggregateKey = chart.by }
      }
    }]
  })
}
