# Each objective has each burn alert: over the long window AND the short one the budget burns faster than the factor.

locals {
  burn_alerts = {
    for pair in setproduct(keys(local.objectives.slos), local.objectives.burn_alerts) :
    "${pair[0]}-${pair[1].long_window}" => merge(pair[1], { slo = pair[0], title = local.objectives.slos[pair[0]].title })
  }
}

resource "datadog_monitor" "burn" {
  for_each = local.burn_alerts

  name     = "[Bookwatch] ${each.value.title}: budget burns ${each.value.factor} times too fast over ${each.value.long_window}"
  type     = "slo alert"
  query    = "burn_rate(\"${local.slo_ids[each.value.slo]}\").over(\"${local.objectives.timeframe}\").long_window(\"${each.value.long_window}\").short_window(\"${each.value.short_window}\") > ${each.value.factor}"
  priority = each.value.priority
  tags     = concat(local.tags, ["service:productpage", "slo:${each.value.slo}"])

  message = trimspace(<<-EOT
    {{#is_alert}}${each.value.title}: at this rate ${each.value.budget_percent} % of the budget of ${local.objectives.timeframe} is spent in ${each.value.long_window}. It burned faster than ${each.value.factor} times over the past ${each.value.long_window} and over the past ${each.value.short_window}.{{/is_alert}}
    {{#is_recovery}}${each.value.title}: the budget burns slower than ${each.value.factor} times again.{{/is_recovery}}
    ${local.notify}
  EOT
  )

  monitor_thresholds {
    critical = tonumber(each.value.factor)
  }

  lifecycle {
    precondition {
      condition     = tonumber(each.value.factor) >= 1 && tonumber(each.value.factor) <= 100 / (100 - tonumber(local.objectives.slos[each.value.slo].target))
      error_message = "A factor below 1 alerts inside the budget; one above 1 / (1 - target) can never fire."
    }
  }
}
