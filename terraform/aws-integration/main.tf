# Datadog's view of the DynamoDB tables: how many items they hold, which no program of ours reports. One role that
# Datadog may assume, for the metrics of one service in one region.

terraform {
  required_version = "~> 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.28"
    }
    datadog = {
      source  = "DataDog/datadog"
      version = "~> 4.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "bookwatch", managed_by = "terraform" }
  }
}

provider "datadog" {
  api_key = var.datadog_api_key
  app_key = var.datadog_app_key
  api_url = coalesce(var.datadog_api_url, "https://api.${var.datadog_site}/")
}

locals {
  role_name = "${var.name}-datadog-integration"
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

resource "datadog_integration_aws_account" "this" {
  aws_account_id = data.aws_caller_identity.current.account_id
  aws_partition  = data.aws_partition.current.partition
  account_tags   = ["project:bookwatch"]

  auth_config {
    aws_auth_config_role {
      role_name = local.role_name
    }
  }

  aws_regions {
    include_only = [var.region]
  }

  metrics_config {
    enabled                   = true
    automute_enabled          = false
    collect_cloudwatch_alarms = false
    collect_custom_metrics    = false

    namespace_filters {
      include_only = ["AWS/DynamoDB"]
    }
  }

  # Nothing else of the account.
  logs_config {
    lambda_forwarder {}
  }
  resources_config {
    extended_collection                          = false
    cloud_security_posture_management_collection = false
  }
  traces_config {
    xray_services {
      include_only = []
    }
  }
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${var.datadog_aws_account}:root"]
    }

    # Only on behalf of this Datadog account.
    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = [datadog_integration_aws_account.this.auth_config.aws_auth_config_role.external_id]
    }
  }
}

data "aws_iam_policy_document" "read" {
  statement {
    # None of these takes a resource, and all of them only read.
    sid = "Metrics"
    actions = [
      "cloudwatch:GetMetricData",
      "cloudwatch:ListMetrics",
      "dynamodb:ListTables",
      "tag:GetResources",
    ]
    resources = ["*"]
  }

  statement {
    sid = "Tables"
    actions = [
      "dynamodb:DescribeTable",
      "dynamodb:ListTagsOfResource",
    ]
    resources = ["arn:${data.aws_partition.current.partition}:dynamodb:${var.region}:${data.aws_caller_identity.current.account_id}:table/${var.table_prefix}*"]
  }
}

resource "aws_iam_role" "datadog" {
  name               = local.role_name
  description        = "Datadog reads the metrics of the shop's tables"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy" "read" {
  name   = "read"
  role   = aws_iam_role.datadog.name
  policy = data.aws_iam_policy_document.read.json
}

output "role_arn" {
  description = "Role that Datadog assumes."
  value       = aws_iam_role.datadog.arn
}

output "next" {
  description = "What to do now."
  value       = "wait: AWS counts the items of a table about every six hours, and Datadog asks every ten minutes"
}
