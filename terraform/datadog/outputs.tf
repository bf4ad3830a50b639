locals {
  # Where people log in: the US1 and EU sites have app. before them, the others stand for themselves.
  site = contains(["datadoghq.com", "datadoghq.eu", "ddog-gov.com"], var.datadog_site) ? "https://app.${var.datadog_site}" : "https://${var.datadog_site}"
}

output "dashboards" {
  description = "Addresses of the dashboards, to open in this order."
  value = {
    timeboard      = "${local.site}${module.my_metric.path}"
    kubernetes     = "${local.site}${module.kubernetes.path}"
    golden_signals = "${local.site}${module.golden_signals.path}"
  }
}

output "slos" {
  description = "Ids of the objectives by name, as alerts and widgets name them."
  value       = local.slo_ids
}

output "monitors" {
  description = "Addresses of the monitors."
  value = merge(
    { my_metric = "${local.site}/monitors/${datadog_monitor.my_metric.id}" },
    { for name, monitor in datadog_monitor.burn : "burn-${name}" => "${local.site}/monitors/${monitor.id}" },
  )
}

output "next" {
  description = "What to do now."
  value = compact([
    "open ${local.site}${module.kubernetes.path}",
    var.percentiles ? "" : "once the shop, the load generator and the prober have sent for some minutes: terraform apply -var percentiles=true",
    var.shop_url == null ? "the synthetic tests are paused: terraform apply -var shop_url=http://<address of the shop>" : "",
    "when you are done: terraform destroy",
  ])
}
