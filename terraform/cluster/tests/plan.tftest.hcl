# What `terraform test` proves without an account. The modules of the registry are replaced by what they give back, and
# so is every resource of AWS; its provider runs, but has nobody to ask. (A mock of the whole provider would not do:
# Terraform refuses one where a configuration has ephemeral resources.)

provider "aws" {
  region                      = "ap-northeast-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_availability_zones.available
  values = { names = ["ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d"] }
}
override_data {
  target = data.aws_secretsmanager_secret.datadog
}
override_resource {
  target = aws_dynamodb_table.this
  values = { arn = "arn:aws:dynamodb:ap-northeast-1:111122223333:table/bookwatch-x" }
}
override_resource {
  target = aws_ecr_repository.image
  values = { repository_url = "111122223333.dkr.ecr.ap-northeast-1.amazonaws.com/bookwatch/x" }
}
override_resource {
  target = aws_ecr_lifecycle_policy.image
}
override_resource {
  target = aws_eks_pod_identity_association.service
}
override_resource {
  target = aws_iam_role.service
  values = { arn = "arn:aws:iam::111122223333:role/bookwatch-x" }
}
override_resource {
  target = aws_iam_role_policy.tables
}
override_resource {
  target = aws_vpc_endpoint.dynamodb
}

mock_provider "helm" {}
mock_provider "kubernetes" {}

override_module {
  target = module.vpc
  outputs = {
    vpc_id                  = "vpc-0123456789abcdef0"
    private_subnets         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
    private_route_table_ids = ["rtb-0123456789abcdef0"]
  }
}

override_module {
  target = module.eks
  outputs = {
    cluster_name                       = "bookwatch"
    cluster_endpoint                   = "https://example.eks.amazonaws.com"
    cluster_certificate_authority_data = "Y2VydGlmaWNhdGU="
  }
}

override_module {
  target = module.datadog
}

variables {
  api_allowed_cidrs = ["203.0.113.7/32"]
}

run "defaults" {
  assert {
    condition     = length(setsubtract(flatten([for service in local.with_tables : keys(service.tables)]), keys(local.tables))) == 0
    error_message = "a service may only use a table that is made"
  }

  assert {
    condition     = length(setsubtract(keys(local.tables), flatten([for service in local.with_tables : keys(service.tables)]))) == 0
    error_message = "a table that no service uses should not be made"
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : table.billing_mode == "PAY_PER_REQUEST" && !table.deletion_protection_enabled])
    error_message = "tables cost nothing while nobody asks, and destroy can take them"
  }

  assert {
    condition     = alltrue([for name, table in aws_dynamodb_table.this : table.name == "bookwatch-${name}"])
    error_message = "the names are those of TABLE_PREFIX's default"
  }

  assert {
    condition     = alltrue([for document in data.aws_iam_policy_document.tables : alltrue([for statement in document.statement : !contains(statement.resources, "*") && alltrue([for action in statement.actions : !strcontains(action, "*")])])])
    error_message = "every role names its tables and its calls, one by one"
  }

  assert {
    condition     = toset(keys(aws_eks_pod_identity_association.service)) == toset(["details", "ratings", "reviews", "seed", "synthetics-seoul", "synthetics-singapore", "synthetics-sydney", "synthetics-tokyo"])
    error_message = "the service accounts with an identity are those that use tables"
  }

  assert {
    condition     = alltrue([for repository in aws_ecr_repository.image : repository.image_tag_mutability == "IMMUTABLE" && repository.image_scanning_configuration[0].scan_on_push && repository.force_delete])
    error_message = "tags are immutable, images are scanned, and destroy can take them"
  }

  assert {
    condition     = output.next["3-images"] == "REGISTRY=111122223333.dkr.ecr.ap-northeast-1.amazonaws.com/bookwatch docker buildx bake --set *.platform=linux/amd64 --push"
    error_message = "the next commands are exact"
  }

  assert {
    condition     = endswith(output.next["7-datadog"], "-var cluster_name=bookwatch -var env=eks -var table_prefix=bookwatch- -var percentiles=false")
    error_message = "the first apply of Datadog's side asks for no percentiles: a new account knows no metric of ours yet"
  }

  assert {
    condition     = length(module.datadog) == 1
    error_message = "the Agent is part of the cluster"
  }

  assert {
    condition     = endswith(output.end["5-secret"], "--secret-id bookwatch/datadog --force-delete-without-recovery")
    error_message = "the secret goes too"
  }
}

run "without_an_account" {
  command = plan

  variables {
    datadog = null
  }

  assert {
    condition     = length(module.datadog) == 0 && !contains(keys(output.end), "5-secret")
    error_message = "null leaves the Agent out, and the secret that it would read"
  }
}

run "refuses_what_cannot_be_meant" {
  command = plan

  variables {
    region             = "Tokyo"
    name               = "Bookwatch"
    env                = "Demo Env"
    kubernetes_version = "v1.35"
    instance_type      = "large"
    node_count         = 0
    vpc_cidr           = "10.42.0.0/24"
    api_allowed_cidrs  = ["0.0.0.0/0"]
    control_plane_logs = ["everything"]
    namespace          = "Bookwatch"
    table_prefix       = "book/watch"
    datadog            = { site = "datadog.com" }
  }

  expect_failures = [
    var.region, var.name, var.env, var.kubernetes_version, var.instance_type, var.node_count, var.vpc_cidr,
    var.api_allowed_cidrs, var.control_plane_logs, var.namespace, var.table_prefix, var.datadog,
  ]
}

run "refuses_zones_of_another_region" {
  command = plan

  variables {
    zones = ["us-east-1a", "us-east-1b"]
  }

  expect_failures = [var.zones]
}
