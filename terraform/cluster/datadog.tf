# Only whether it is there, and its name: a missing one ends the plan, and not an apply after a quarter of an hour. What
# is in it is read while applying, by modules/datadog.
data "aws_secretsmanager_secret" "datadog" {
  count = var.datadog == null ? 0 : 1

  name = var.datadog.secret_name
}

module "datadog" {
  source = "./modules/datadog"
  count  = var.datadog == null ? 0 : 1

  cluster_name    = module.eks.cluster_name
  env             = var.env
  site            = var.datadog.site
  secret_name     = data.aws_secretsmanager_secret.datadog[0].name
  secret_revision = var.datadog.secret_revision
  operator_chart  = var.datadog.operator_chart

  # Nodes and access first, and last when all goes.
  depends_on = [module.eks]
}
