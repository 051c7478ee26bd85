# One function with a URL for CI's callbacks and its timers, as serverless.yml describes it. With
# var.split three: one for callbacks, one that sweeps, and one for the other timers.

data "tencentcloud_user_info" "current" {}

locals {
  media_bucket = var.media_bucket == "" ? var.bucket : var.media_bucket
  account      = data.tencentcloud_user_info.current

  # docs/cam-policy.json without the statement about SPILL_URL, and with the names filled in. A
  # name between two slashes would be a regular expression for replace().
  template   = jsondecode(file("${path.module}/../../docs/cam-policy.json"))
  statements = [for part in local.template.statement : part if !strcontains(jsonencode(part), "SPILL_")]
  filled = {
    "LEDGER_BUCKET-APPID" = var.bucket
    "MEDIA_BUCKET-APPID"  = local.media_bucket
    "/PREFIX"             = "/${var.prefix}"
    ":REGION:"            = ":${var.region}:"
    "uid/APPID"           = "uid/${local.account.app_id}"
    "uin/UIN:"            = "uin/${local.account.owner_uin}:"
  }
  names  = keys(local.filled)
  step_1 = replace(jsonencode(local.statements), local.names[0], local.filled[local.names[0]])
  step_2 = replace(local.step_1, local.names[1], local.filled[local.names[1]])
  step_3 = replace(local.step_2, local.names[2], local.filled[local.names[2]])
  step_4 = replace(local.step_3, local.names[3], local.filled[local.names[3]])
  step_5 = replace(local.step_4, local.names[4], local.filled[local.names[4]])
  step_6 = replace(local.step_5, local.names[5], local.filled[local.names[5]])
  policy = jsonencode({ version = "2.0", statement = jsondecode(local.step_6) })

  # What a callback needs of it, as `deploy --split` leaves it.
  public_actions = ["name/cos:GetObject", "name/cos:PutObject"]
  is_verifying   = lookup(var.settings, "VERIFY_CALLBACKS", "") == "always"
  narrowed = [
    for part in jsondecode(local.step_6) : merge(part, {
      action = [
        for action in part.action : action
        if contains(local.public_actions, action) || (local.is_verifying && can(regex("^ci:Describe.*Job$", action)))
      ]
    })
  ]
  public_policy = jsonencode({
    version   = "2.0"
    statement = [for part in local.narrowed : part if length(part.action) > 0]
  })

  suffixes = { callbacks = "", sweep = "-sweep", tasks = "-tasks" }
  # Function → whose role it acts as.
  functions = var.split ? { callbacks = "callbacks", sweep = "sweep", tasks = "sweep" } : { callbacks = "callbacks" }
  policies  = var.split ? { callbacks = local.public_policy, sweep = local.policy } : { callbacks = local.policy }
  # Trigger → the function that has it.
  whole_home = { url = "callbacks", sweep = "callbacks", reconcile = "callbacks", forward = "callbacks" }
  split_home = { url = "callbacks", sweep = "sweep", reconcile = "tasks", forward = "tasks" }
  home       = var.split ? local.split_home : local.whole_home

  alerts = var.alert_urls == "" ? {} : { ALERT_URLS = var.alert_urls }
  events = var.forward_urls == "" ? {} : { FORWARD_URLS = var.forward_urls }
}

resource "tencentcloud_cos_bucket" "ledger" {
  count             = var.create_bucket ? 1 : 0
  bucket            = var.bucket
  acl               = "private"
  versioning_enable = false
}

resource "tencentcloud_cam_role" "function" {
  for_each    = local.policies
  name        = "${var.name}${local.suffixes[each.key]}-role"
  description = "SCF acts as it for ${var.name}"
  document = jsonencode({
    version = "2.0"
    statement = [{
      action    = ["name/sts:AssumeRole"]
      effect    = "allow"
      principal = { service = ["scf.qcloud.com"] }
    }]
  })
}

resource "tencentcloud_cam_policy" "function" {
  for_each    = local.policies
  name        = "${var.name}${local.suffixes[each.key]}-policy"
  description = "docs/cam-policy.json for ${var.name}"
  document    = each.value
}

resource "tencentcloud_cam_role_policy_attachment_by_name" "function" {
  for_each    = local.policies
  role_name   = tencentcloud_cam_role.function[each.key].name
  policy_name = tencentcloud_cam_policy.function[each.key].name
}

# The provider uploads code only where the path of the zip changes: the copy is named by its hash.
resource "local_file" "bundle" {
  content_base64 = filebase64(var.bundle)
  filename       = "${path.root}/.bundle/function-${filesha256(var.bundle)}.zip"
}

resource "tencentcloud_scf_function" "function" {
  for_each          = local.functions
  name              = "${var.name}${local.suffixes[each.key]}"
  description       = "bundle ${filesha256(var.bundle)}"
  func_type         = "Event"
  runtime           = "Python3.10"
  handler           = "index.main_handler"
  zip_file          = local_file.bundle.filename
  mem_size          = 256
  timeout           = 55
  enable_public_net = true
  role              = tencentcloud_cam_role.function[each.value].name
  cls_logset_id     = var.logs ? tencentcloud_cls_logset.log[0].id : null
  cls_topic_id      = var.logs ? tencentcloud_cls_topic.log[0].id : null

  environment = merge(
    {
      LEDGER_URL      = "cos://${var.bucket}/${var.prefix}"
      CALLBACK_TOKENS = var.callback_tokens
    },
    local.alerts,
    local.events,
    var.settings,
  )

  depends_on = [
    tencentcloud_cam_role_policy_attachment_by_name.function,
    tencentcloud_cos_bucket.ledger,
  ]
}

# A timer's event is not run again, and waits a minute at most: the next tick is a minute away.
resource "tencentcloud_scf_function_event_invoke_config" "function" {
  for_each      = local.functions
  function_name = tencentcloud_scf_function.function[each.key].name
  namespace     = "default"

  async_trigger_config {
    msg_ttl = 60
    retry_config {
      retry_num = 0
    }
  }
}

# One instance at a time: the platform itself keeps two sweeps apart.
resource "tencentcloud_scf_reserved_concurrency_config" "sweep" {
  count                    = var.split ? 1 : 0
  function_name            = tencentcloud_scf_function.function["sweep"].name
  namespace                = "default"
  reserved_concurrency_mem = 256
}

# CI can't sign requests for the platform. The platform names a URL itself.
resource "tencentcloud_scf_trigger" "url" {
  function_name = tencentcloud_scf_function.function[local.home["url"]].name
  namespace     = "default"
  type          = "http"
  qualifier     = "$DEFAULT"
  enable        = "OPEN"
  trigger_desc = jsonencode({
    AuthType  = "NONE"
    NetConfig = { EnableIntranet = false, EnableExtranet = true }
  })
}

resource "tencentcloud_scf_trigger" "sweep" {
  function_name   = tencentcloud_scf_function.function[local.home["sweep"]].name
  namespace       = "default"
  trigger_name    = "sweep"
  type            = "timer"
  qualifier       = "$DEFAULT"
  enable          = "OPEN"
  trigger_desc    = "0 * * * * * *"
  custom_argument = "sweep"
}

resource "tencentcloud_scf_trigger" "reconcile" {
  function_name   = tencentcloud_scf_function.function[local.home["reconcile"]].name
  namespace       = "default"
  trigger_name    = "reconcile"
  type            = "timer"
  qualifier       = "$DEFAULT"
  enable          = "OPEN"
  trigger_desc    = "0 */30 * * * * *"
  custom_argument = "reconcile"
}

resource "tencentcloud_scf_trigger" "forward" {
  function_name   = tencentcloud_scf_function.function[local.home["forward"]].name
  namespace       = "default"
  trigger_name    = "forward"
  type            = "timer"
  qualifier       = "$DEFAULT"
  enable          = "OPEN"
  trigger_desc    = "30 * * * * * *"
  custom_argument = "forward"
}
