# One function with a URL for CI's callbacks and its timers, as serverless.yml describes it.

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
  name        = "${var.name}-role"
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
  name        = "${var.name}-policy"
  description = "docs/cam-policy.json for ${var.name}"
  document    = local.policy
}

resource "tencentcloud_cam_role_policy_attachment_by_name" "function" {
  role_name   = tencentcloud_cam_role.function.name
  policy_name = tencentcloud_cam_policy.function.name
}

# The provider uploads code only where the path of the zip changes: the copy is named by its hash.
resource "local_file" "bundle" {
  content_base64 = filebase64(var.bundle)
  filename       = "${path.root}/.bundle/function-${filesha256(var.bundle)}.zip"
}

resource "tencentcloud_scf_function" "function" {
  name              = var.name
  description       = "bundle ${filesha256(var.bundle)}"
  func_type         = "Event"
  runtime           = "Python3.10"
  handler           = "index.main_handler"
  zip_file          = local_file.bundle.filename
  mem_size          = 256
  timeout           = 55
  enable_public_net = true
  role              = tencentcloud_cam_role.function.name
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
  function_name = tencentcloud_scf_function.function.name
  namespace     = "default"

  async_trigger_config {
    msg_ttl = 60
    retry_config {
      retry_num = 0
    }
  }
}

# CI can't sign requests for the platform. The platform names a URL itself.
resource "tencentcloud_scf_trigger" "url" {
  function_name = tencentcloud_scf_function.function.name
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
  function_name   = tencentcloud_scf_function.function.name
  namespace       = "default"
  trigger_name    = "sweep"
  type            = "timer"
  qualifier       = "$DEFAULT"
  enable          = "OPEN"
  trigger_desc    = "0 * * * * * *"
  custom_argument = "sweep"
}

resource "tencentcloud_scf_trigger" "reconcile" {
  function_name   = tencentcloud_scf_function.function.name
  namespace       = "default"
  trigger_name    = "reconcile"
  type            = "timer"
  qualifier       = "$DEFAULT"
  enable          = "OPEN"
  trigger_desc    = "0 */30 * * * * *"
  custom_argument = "reconcile"
}

resource "tencentcloud_scf_trigger" "forward" {
  function_name   = tencentcloud_scf_function.function.name
  namespace       = "default"
  trigger_name    = "forward"
  type            = "timer"
  qualifier       = "$DEFAULT"
  enable          = "OPEN"
  trigger_desc    = "30 * * * * * *"
  custom_argument = "forward"
}
