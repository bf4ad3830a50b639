variable "datadog_api_key" {
  description = "API key. Leave it out to have the provider read DD_API_KEY. Never stored."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "datadog_app_key" {
  description = "Application key with the right to manage AWS integrations. Leave it out to have the provider read DD_APP_KEY. Never stored."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "datadog_api_url" {
  description = "Address of Datadog's API, for one that is recorded or behind a gateway: http://127.0.0.1:8126/. Null means that of datadog_site."
  type        = string
  default     = null

  validation {
    condition     = var.datadog_api_url == null || can(regex("^https?://[^/ ]+(/[^ ]*)?$", var.datadog_api_url))
    error_message = "datadog_api_url must be http:// or https:// with a host."
  }
}

variable "datadog_site" {
  description = "Datadog site that the account is on, as in DD_SITE."
  type        = string
  default     = "datadoghq.com"

  validation {
    condition = contains([
      "datadoghq.com", "us3.datadoghq.com", "us5.datadoghq.com", "datadoghq.eu",
      "ap1.datadoghq.com", "ap2.datadoghq.com", "ddog-gov.com",
    ], var.datadog_site)
    error_message = "datadog_site must be one of datadoghq.com, us3.datadoghq.com, us5.datadoghq.com, datadoghq.eu, ap1.datadoghq.com, ap2.datadoghq.com, ddog-gov.com."
  }
}

variable "datadog_aws_account" {
  description = "AWS account that Datadog's crawler runs in, as the AWS integration page of your site names it. The default is that of US1 and EU1."
  type        = string
  default     = "464622532012"

  validation {
    condition     = can(regex("^[0-9]{12}$", var.datadog_aws_account))
    error_message = "datadog_aws_account must have twelve digits."
  }
}

variable "region" {
  description = "AWS region of the tables."
  type        = string
  default     = "ap-northeast-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the name of an AWS region, such as ap-northeast-1."
  }
}

variable "name" {
  description = "Beginning of the role's name: name of terraform/cluster."
  type        = string
  default     = "bookwatch"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}[a-z0-9]$", var.name))
    error_message = "name must be 2 to 32 lower-case letters, digits and -, begin with a letter and not end with -."
  }
}

variable "table_prefix" {
  description = "What the names of the tables begin with, as in TABLE_PREFIX."
  type        = string
  default     = "bookwatch-"

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{0,200}$", var.table_prefix))
    error_message = "table_prefix takes letters, digits, _ - and ., at most 200."
  }
}
