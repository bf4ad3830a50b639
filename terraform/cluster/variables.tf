variable "region" {
  description = "AWS region of everything. k8s/base expects this one in AWS_REGION."
  type        = string
  default     = "ap-northeast-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the name of an AWS region, such as ap-northeast-1."
  }
}

variable "name" {
  description = "Name of the cluster and of its network, and the beginning of the names of repositories and roles. The Agent tags everything with it."
  type        = string
  default     = "bookwatch"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}[a-z0-9]$", var.name))
    error_message = "name must be 2 to 32 lower-case letters, digits and -, begin with a letter and not end with -."
  }
}

variable "env" {
  description = "Environment: the tag of all resources, and of what the Agent sends. It must be that of the workloads: k8s/overlays/eks sets tags.datadoghq.com/env to eks."
  type        = string
  default     = "eks"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_./-]{0,199}$", var.env))
    error_message = "env must be a tag value: lower case, begins with a letter, letters, digits and _ . / - after that."
  }
}

variable "kubernetes_version" {
  description = "Version of the control plane. Versions out of EKS's standard support cost six times as much."
  type        = string
  default     = "1.35"

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "kubernetes_version must be a minor version such as 1.35."
  }
}

variable "instance_type" {
  description = "Type of the nodes. The shop, its tools and the Agent need about 1.5 cores and 4 GiB in all."
  type        = string
  default     = "t3.large"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9]+$", var.instance_type))
    error_message = "instance_type must be an EC2 type such as t3.large."
  }
}

variable "node_count" {
  description = "Number of nodes. The walkthrough shows two."
  type        = number
  default     = 2

  validation {
    condition     = var.node_count >= 1 && var.node_count <= 10 && floor(var.node_count) == var.node_count
    error_message = "node_count must be a whole number from 1 to 10."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the network. Pods have addresses of it too, so it must not be small."
  type        = string
  default     = "10.42.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]), 0) >= 16 && try(tonumber(split("/", var.vpc_cidr)[1]), 99) <= 20
    error_message = "vpc_cidr must be an IPv4 block from /16 to /20, such as 10.42.0.0/16."
  }
}

variable "zones" {
  description = "The two availability zones. None means the first two that the account has. Name them for a cluster that is to live long: a zone that AWS adds could move the choice, and the network with it."
  type        = list(string)
  default     = []

  validation {
    condition     = contains([0, 2], length(var.zones)) && alltrue([for zone in var.zones : startswith(zone, var.region)])
    error_message = "zones takes two zones of the region, or none."
  }
}

variable "api_allowed_cidrs" {
  description = "Who may reach the API server from outside of the network: your own address, as 203.0.113.7/32."
  type        = list(string)

  validation {
    condition     = length(var.api_allowed_cidrs) > 0 && alltrue([for cidr in var.api_allowed_cidrs : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "api_allowed_cidrs needs at least one block such as 203.0.113.7/32, and the whole world (/0) is none."
  }
}

variable "control_plane_logs" {
  description = "Logs of the control plane to keep in CloudWatch, for a week: of api, audit, authenticator, controllerManager, scheduler. They cost by volume."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.control_plane_logs, ["api", "audit", "authenticator", "controllerManager", "scheduler"])) == 0
    error_message = "control_plane_logs takes api, audit, authenticator, controllerManager and scheduler."
  }
}

variable "namespace" {
  description = "Namespace of the workloads in k8s/. Pod identities are bound to it."
  type        = string
  default     = "bookwatch"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "namespace must be a valid Kubernetes name."
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

variable "datadog" {
  description = <<-EOT
    The Datadog Agent, by its operator. Null leaves it out.

    - secret_name: secret in AWS Secrets Manager, JSON with the key api-key. It is made by hand, so that the key is in no state: see the README.
    - secret_revision: raise it after the secret has changed.
    - site: site of the account, as in DD_SITE.
    - operator_chart: exact version of the chart datadog-operator; 2.25.0 has operator 1.29.0, whose fields k8s/ uses.
  EOT
  type = object({
    secret_name     = optional(string, "bookwatch/datadog")
    secret_revision = optional(number, 1)
    site            = optional(string, "datadoghq.com")
    operator_chart  = optional(string, "2.25.0")
  })
  default = {}

  validation {
    condition = var.datadog == null || contains([
      "datadoghq.com", "us3.datadoghq.com", "us5.datadoghq.com", "datadoghq.eu",
      "ap1.datadoghq.com", "ap2.datadoghq.com", "ddog-gov.com",
    ], try(var.datadog.site, ""))
    error_message = "datadog.site must be one of datadoghq.com, us3.datadoghq.com, us5.datadoghq.com, datadoghq.eu, ap1.datadoghq.com, ap2.datadoghq.com, ddog-gov.com."
  }
}
