variable "cluster_name" {
  description = "Name that the Agent tags everything with."
  type        = string
  nullable    = false
}

variable "env" {
  description = "Environment of what has none of its own."
  type        = string
  nullable    = false
}

variable "site" {
  description = "Datadog site of the account."
  type        = string
  nullable    = false
}

variable "secret_name" {
  description = "Secret in AWS Secrets Manager: JSON with the key api-key."
  type        = string
  nullable    = false
}

variable "secret_revision" {
  description = "Raised after the secret has changed."
  type        = number
  nullable    = false
}

variable "operator_chart" {
  description = "Exact version of the chart datadog-operator."
  type        = string
  nullable    = false
}
