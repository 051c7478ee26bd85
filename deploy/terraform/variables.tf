variable "name" {
  description = "Name of the function; role and policy are named after it."
  type        = string
  default     = "ci-callback"
}

variable "region" {
  description = "Region of the bucket, the function and CI, such as ap-guangzhou."
  type        = string
}

variable "bucket" {
  description = "The ledger's bucket with its appid, such as records-1250000000. Without versioning."
  type        = string
}

variable "create_bucket" {
  description = "Whether the bucket is made here."
  type        = bool
  default     = false
}

variable "prefix" {
  description = "Where in the bucket the ledger is, without slashes at its ends."
  type        = string
  default     = "ci"
}

variable "media_bucket" {
  description = "The bucket that CI works on, with its appid; empty where it is the ledger's."
  type        = string
  default     = ""
}

variable "bundle" {
  description = "The zip that `make bundle` built."
  type        = string
  default     = "../../dist/function.zip"
}

variable "callback_tokens" {
  description = "Tokens that open the function, separated by commas."
  type        = string
  sensitive   = true
}

variable "alert_urls" {
  description = "Addresses of alert channels, separated by blanks; empty for none."
  type        = string
  default     = ""
  sensitive   = true
}

variable "forward_urls" {
  description = "Addresses that events are sent to, separated by blanks; empty for none."
  type        = string
  default     = ""
  sensitive   = true
}

variable "split" {
  description = "Whether callbacks have a function of their own, whose role can only put and get."
  type        = bool
  default     = false
}

variable "settings" {
  description = "Further settings of the function, by variable."
  type        = map(string)
  default     = {}
}

variable "logs" {
  description = "Whether the function gets a log topic of its own, with alarms and a dashboard."
  type        = bool
  default     = false
}
