# Percentiles of our own distributions, which Datadog computes only where it is told to. The tags are those that can be
# asked for: what the programs send, and what the Agent adds that a dashboard here uses.

locals {
  distributions = {
    "http.server.request.duration" = ["http.request.method", "http.response.status_code", "http.route"]
    "loadgen.request.duration"     = ["http.request.method", "http.route", "outcome"]
    "synthetics.probe.duration"    = ["check", "location", "outcome"]
  }
}

resource "datadog_metric_tag_configuration" "distribution" {
  for_each = var.percentiles ? local.distributions : {}

  metric_name         = each.key
  metric_type         = "distribution"
  include_percentiles = true
  tags                = concat(["env", "host", "kube_cluster_name", "kube_namespace", "pod_name", "service", "version"], each.value)
}
