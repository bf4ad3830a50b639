locals {
  band_alerts = {
    title = "Alerts"
    color = "vivid_pink"
    rows = [
      {
        height = 4
        widgets = concat(
          [{ title = "Monitors", kind = "monitors", search = "tag:\"project:bookwatch\" tag:\"env:${var.env}\"" }],
          [for name in ["availability", "latency-100ms", "success"] : {
            title  = local.objectives.slos[name].title
            kind   = "slo"
            slo_id = local.slo_ids[name]
            window = local.objectives.timeframe
          }],
        )
      },
    ]
  }
}
