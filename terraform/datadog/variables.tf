variable "datadog_api_key" {
  description = "API key. Leave it out to have the provider read DD_API_KEY. Never stored: neither in the plan nor in the state."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "datadog_app_key" {
  description = "Application key, with the right to write dashboards, monitors, downtimes, SLOs, synthetic tests, log pipelines, metric tags and the catalogue. Leave it out to have the provider read DD_APP_KEY. Never stored."
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
  description = "Datadog site that the account is on, as in DD_SITE: datadoghq.com is US1, datadoghq.eu is EU1."
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

variable "env" {
  description = "Environment that everything looks at: tags.datadoghq.com/env of the workloads, which is eks in k8s/overlays/eks and demo in the others."
  type        = string
  default     = "eks"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_./-]{0,199}$", var.env))
    error_message = "env must be a tag value: lower case, begins with a letter, letters, digits and _ . / - after that."
  }
}

variable "cluster_name" {
  description = "Name of the cluster, as the Agent tags it with kube_cluster_name. The dashboards begin with it."
  type        = string
  default     = "bookwatch"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,99}$", var.cluster_name))
    error_message = "cluster_name must be lower-case letters, digits and -, begin with a letter, and have at most 100 characters."
  }
}

variable "team" {
  description = "Team that owns the services: a tag of everything, and the owner in the catalogue."
  type        = string
  default     = "bookwatch"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.team))
    error_message = "team must be lower-case letters, digits and -, and begin with a letter."
  }
}

variable "repository_url" {
  description = "Where the source is, for the links of the catalogue. Null leaves them out."
  type        = string
  default     = null

  validation {
    condition     = var.repository_url == null || can(regex("^https://[^ ]+$", var.repository_url))
    error_message = "repository_url must begin with https://."
  }
}

variable "notify" {
  description = "Whom monitors tell: handles such as \"@slack-demo\" or \"@someone@example.com\". None means that alerts are only seen in Datadog."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for handle in var.notify : can(regex("^@[^ ]+$", handle))])
    error_message = "Each handle in notify must begin with @ and have no space."
  }
}

variable "time_zone" {
  description = "Time zone of the people who are not to be woken, by its IANA name. The downtimes follow it through summer time."
  type        = string
  default     = "Asia/Tokyo"

  validation {
    condition     = var.time_zone == "UTC" || can(regex("^[A-Z][A-Za-z]+/[A-Za-z0-9_+/-]+$", var.time_zone))
    error_message = "time_zone must be UTC or an IANA name such as Asia/Tokyo or Europe/Berlin."
  }
}

variable "shop_url" {
  description = "Public address of the shop that the synthetic tests ask, without a path. Null creates the tests paused, on an address that can never answer."
  type        = string
  default     = null

  validation {
    condition     = var.shop_url == null || can(regex("^https?://[^/ ]+$", var.shop_url))
    error_message = "shop_url must be http:// or https:// with a host and perhaps a port, and no path."
  }
}

variable "locations" {
  description = "Where the synthetic tests run from: a name for people, and Datadog's id of the location."
  type        = map(string)
  default = {
    tokyo     = "aws:ap-northeast-1"
    singapore = "aws:ap-southeast-1"
    sydney    = "aws:ap-southeast-2"
    seoul     = "aws:ap-northeast-2"
  }

  validation {
    condition     = length(var.locations) > 0 && alltrue([for id in values(var.locations) : can(regex("^(aws|gcp|azure|pl):[a-z0-9-]+$", id))])
    error_message = "locations needs at least one entry, and each value must be an id such as aws:ap-northeast-1, or pl:... for a private location."
  }
}

variable "tick_seconds" {
  description = "Seconds between two runs of a synthetic test at one location. Every run costs: see the README."
  type        = number
  default     = 300

  validation {
    condition     = var.tick_seconds >= 30 && var.tick_seconds <= 604800 && floor(var.tick_seconds) == var.tick_seconds
    error_message = "tick_seconds must be a whole number from 30 to 604800."
  }
}

variable "table_prefix" {
  description = "What the names of the DynamoDB tables begin with, as in TABLE_PREFIX."
  type        = string
  default     = "bookwatch-"

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{0,200}$", var.table_prefix))
    error_message = "table_prefix takes letters, digits, _ - and ., at most 200."
  }
}

variable "percentiles" {
  description = "Whether to switch on percentiles for our own distributions. Datadog refuses that for a metric that it has never received: leave it false until the shop, the load generator and the prober have been sending for some minutes."
  type        = bool
  default     = true
}
