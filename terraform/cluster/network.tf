data "aws_availability_zones" "available" {
  # checkov:skip=CKV_AWS_394: only asked where var.zones leaves the choice open, and then two are taken
  state = "available"

  # Local zones have no EKS.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  zones = length(var.zones) > 0 ? var.zones : slice(data.aws_availability_zones.available.names, 0, 2)
}

module "vpc" {
  # checkov:skip=CKV_TF_1: a registry module is pinned by its version; a commit hash would need git in place of the registry
  source  = "terraform-aws-modules/vpc/aws"
  version = "~> 6.0"

  name = var.name
  cidr = var.vpc_cidr
  azs  = local.zones

  private_subnets = [for index, zone in local.zones : cidrsubnet(var.vpc_cidr, 2, index)]
  public_subnets  = [for index, zone in local.zones : cidrsubnet(var.vpc_cidr, 6, 32 + index)]

  # One gateway for both zones: a demo may lose the internet with a zone, and a second one costs as much as a node.
  enable_nat_gateway = true
  single_nat_gateway = true

  # How load balancers find where they belong.
  public_subnet_tags  = { "kubernetes.io/role/elb" = 1 }
  private_subnet_tags = { "kubernetes.io/role/internal-elb" = 1 }
}

# Calls to the tables stay inside AWS, and cost no traffic through the NAT gateway.
resource "aws_vpc_endpoint" "dynamodb" {
  vpc_id            = module.vpc.vpc_id
  service_name      = "com.amazonaws.${var.region}.dynamodb"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = module.vpc.private_route_table_ids
  policy            = data.aws_iam_policy_document.dynamodb_endpoint.json

  tags = { Name = "${var.name}-dynamodb" }
}

# Only our own tables, whoever asks.
data "aws_iam_policy_document" "dynamodb_endpoint" {
  statement {
    actions   = ["dynamodb:*"]
    resources = [for table in aws_dynamodb_table.this : table.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}
