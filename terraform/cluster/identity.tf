# One role for each service that has tables. It can be assumed by that service's pods alone, and allows the calls that
# its store makes on its own tables, no more.

locals {
  with_tables = { for name, service in local.services : name => service if length(try(service.tables, {})) > 0 }

  # Service accounts of k8s/, by the service whose role they get. The probers have one for each location.
  service_accounts = merge([
    for name, service in local.with_tables : {
      for account in try(service.service_accounts, [name]) : account => name
    }
  ]...)
}

data "aws_iam_policy_document" "assume" {
  for_each = local.with_tables

  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }

    # EKS puts these tags on the session itself, so a role cannot be lent to another cluster, namespace or account.
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/eks-cluster-name"
      values   = [var.name]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-namespace"
      values   = [var.namespace]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-service-account"
      values   = try(each.value.service_accounts, [each.key])
    }
  }
}

data "aws_iam_policy_document" "tables" {
  for_each = local.with_tables

  dynamic "statement" {
    for_each = each.value.tables
    content {
      sid       = title(statement.key)
      actions   = statement.value
      resources = [aws_dynamodb_table.this[statement.key].arn]
    }
  }
}

resource "aws_iam_role" "service" {
  for_each = local.with_tables

  name               = "${var.name}-${each.key}"
  description        = "Pods of ${each.key}: ${join(", ", keys(each.value.tables))}"
  assume_role_policy = data.aws_iam_policy_document.assume[each.key].json
}

resource "aws_iam_role_policy" "tables" {
  for_each = local.with_tables

  name   = "tables"
  role   = aws_iam_role.service[each.key].name
  policy = data.aws_iam_policy_document.tables[each.key].json
}

resource "aws_eks_pod_identity_association" "service" {
  for_each = local.service_accounts

  cluster_name    = module.eks.cluster_name
  namespace       = var.namespace
  service_account = each.key
  role_arn        = aws_iam_role.service[each.value].arn
}
