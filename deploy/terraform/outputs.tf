output "callback_address" {
  description = "What CI calls; ?token=… goes behind it. Only https: the token is in the address."
  value       = jsondecode(tencentcloud_scf_trigger.url.trigger_attribute).NetConfig.ExtranetUrl
}

output "role" {
  description = "The role that the function with the address runs as."
  value       = tencentcloud_cam_role.function["callbacks"].name
}
