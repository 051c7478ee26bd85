terraform {
  required_version = ">= 1.5"

  required_providers {
    tencentcloud = {
      source = "tencentcloudstack/tencentcloud"
      # From here on tencentcloud_scf_trigger lets the name of a URL be absent.
      version = ">= 1.83.25"
    }
    local = {
      source  = "hashicorp/local"
      version = ">= 2.5"
    }
  }
}

provider "tencentcloud" {
  region = var.region
}
