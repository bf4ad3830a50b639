terraform {
  # 1.11 has ephemeral variables, which keep the keys out of plan and state.
  required_version = "~> 1.11"

  required_providers {
    datadog = {
      source  = "DataDog/datadog"
      version = "~> 4.0"
    }
  }
}

provider "datadog" {
  api_key = var.datadog_api_key
  app_key = var.datadog_app_key
  api_url = coalesce(var.datadog_api_url, "https://api.${var.datadog_site}/")
}
