module "datadog" {
  source = "./modules/datadog"
  count  = var.datadog == null ? 0 : 1

  cluster_name    = module.eks.cluster_name
  env             = var.env
  site            = var.datadog.site
  secret_name     = var.datadog.secret_name
  secret_revision = var.datadog.secret_revision
  operator_chart  = var.datadog.operator_chart

  # Nodes and access first, and last when all goes.
  depends_on = [module.eks]
}
