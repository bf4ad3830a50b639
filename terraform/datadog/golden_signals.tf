# Latency, traffic, errors and saturation of each service of the shop: one band a service, from the one list.

module "golden_signals" {
  source = "./modules/dashboard"

  title       = "Bookwatch: golden signals by service"
  description = "Latency, traffic, errors and saturation of each service, what the store does for them, and what load and probes see from outside. Managed by Terraform."
  tags        = ["team:${var.team}"]

  template_variables = {
    env = { tag = "env", defaults = [var.env] }
  }

  bands = concat([local.band_promises], local.bands_services, [local.band_store, local.band_outside])
}

locals {
  band_promises = {
    title = "Objectives, ${local.objectives.timeframe}"
    color = "vivid_pink"
    rows = [
      for kinds in [["slices", "success"], ["latency"]] : {
        height = 3
        widgets = [for name, slo in local.objectives.slos : {
          title  = slo.title
          kind   = "slo"
          slo_id = local.slo_ids[name]
          window = local.objectives.timeframe
        } if contains(kinds, slo.kind)]
      }
    ]
  }

  bands_services = [
    for name, service in local.shop : {
      title = service.title
      color = "vivid_blue"
      rows = [
        {
          height = 3
          widgets = [
            {
              title = "Latency by resource: p50, p95, p99"
              kind  = "timeseries"
              queries = {
                p50 = "p50:trace.http.server.request{$env,service:${name}} by {resource_name}"
                p95 = "p95:trace.http.server.request{$env,service:${name}} by {resource_name}"
                p99 = "p99:trace.http.server.request{$env,service:${name}} by {resource_name}"
              }
            },
            {
              title   = "Traffic by resource, requests a second"
              kind    = "timeseries"
              queries = { requests = "sum:trace.http.server.request.hits{$env,service:${name}} by {resource_name}.as_rate()" }
              display = "bars"
            },
            {
              title = "Errors, % of requests"
              kind  = "timeseries"
              queries = {
                errors = "sum:trace.http.server.request.errors{$env,service:${name}}.as_count()"
                hits   = "sum:trace.http.server.request.hits{$env,service:${name}}.as_count()"
              }
              formulas = [{ expression = "default_zero(errors) / hits * 100", alias = "errors, %" }]
              display  = "bars"
            },
            {
              # Usage comes in billionths of a core, the limit in cores.
              title = "Saturation, % of the limits"
              kind  = "timeseries"
              queries = {
                cpu          = "sum:kubernetes.cpu.usage.total{$env,service:${name}}"
                cpu_limit    = "sum:kubernetes.cpu.limits{$env,service:${name}}"
                memory       = "sum:kubernetes.memory.usage{$env,service:${name}}"
                memory_limit = "sum:kubernetes.memory.limits{$env,service:${name}}"
              }
              formulas = [
                { expression = "cpu / 1000000000 / cpu_limit * 100", alias = "CPU, %" },
                { expression = "memory / memory_limit * 100", alias = "memory, %" },
              ]
            },
          ]
        },
      ]
    }
  ]

  band_store = {
    title = "Store and outbound calls"
    color = "vivid_green"
    rows = [
      {
        height = 3
        widgets = [
          {
            title   = "DynamoDB, p95 by call"
            kind    = "timeseries"
            queries = { p95 = "p95:trace.dynamodb.query{$env} by {service,resource_name}" }
          },
          {
            title = "DynamoDB, calls a second and those that failed"
            kind  = "timeseries"
            queries = {
              calls  = "sum:trace.dynamodb.query.hits{$env} by {service}.as_rate()"
              failed = "sum:trace.dynamodb.query.errors{$env} by {service}.as_rate()"
            }
            display = "bars"
          },
          {
            title   = "Cache of the store, lookups by outcome"
            kind    = "timeseries"
            queries = { lookups = "sum:store.cache.lookup.count{$env} by {service,outcome}.as_count()" }
            display = "bars"
          },
          {
            title   = "Calls to other services, p95 by caller"
            kind    = "timeseries"
            queries = { p95 = "p95:trace.http.client.request{$env} by {service}" }
          },
        ]
      },
      {
        height = 3
        widgets = [
          {
            title   = "Requests that services counted themselves, by status"
            kind    = "timeseries"
            queries = { requests = "sum:http.server.request.count{$env} by {service,http.response.status_code}.as_count()" }
            display = "bars"
          },
          {
            title   = "Time to answer that services measured themselves, p95 by route"
            kind    = "timeseries"
            queries = { p95 = "p95:http.server.request.duration{$env} by {service,http.route}" }
          },
        ]
      },
    ]
  }

  band_outside = {
    title = "Seen from outside: load and probes"
    color = "vivid_purple"
    rows = [
      {
        height = 3
        widgets = [
          {
            title   = "Load, requests by outcome"
            kind    = "timeseries"
            queries = { requests = "sum:loadgen.request.count{$env} by {outcome}.as_count()" }
            display = "bars"
          },
          {
            title   = "Load, p95 by route"
            kind    = "timeseries"
            queries = { p95 = "p95:loadgen.request.duration{$env} by {http.route}" }
          },
          {
            title   = "Probes by outcome"
            kind    = "timeseries"
            queries = { probes = "sum:synthetics.probe.count{$env} by {outcome}.as_count()" }
            display = "bars"
          },
          {
            title   = "Probes, p95 by location"
            kind    = "timeseries"
            queries = { p95 = "p95:synthetics.probe.duration{$env} by {location}" }
          },
        ]
      },
      {
        height = 3
        widgets = [
          {
            title = "Level of each objective as the prober sees it, %"
            kind  = "timeseries"
            queries = {
              sli    = "avg:synthetics.slo.sli{$env} by {slo}"
              target = "avg:synthetics.slo.target{$env} by {slo}"
            }
          },
          {
            title   = "Budget left, %"
            kind    = "timeseries"
            queries = { left = "avg:synthetics.slo.budget_remaining{$env} by {slo}" }
            markers = [{ value = "y = 0", label = "spent", style = "error dashed" }]
          },
          {
            title   = "Burn rate"
            kind    = "timeseries"
            queries = { burn = "max:synthetics.slo.burn_rate{$env} by {slo}" }
            markers = [for alert in local.objectives.burn_alerts : {
              value = "y = ${alert.factor}", label = "alert over ${alert.long_window}", style = "warning dashed"
            }]
          },
        ]
      },
      {
        height = 3
        widgets = [
          {
            title   = "Burn alerts of the prober that fire"
            kind    = "timeseries"
            queries = { firing = "max:synthetics.alert.firing{$env} by {slo,alert}" }
            display = "bars"
          },
          {
            title   = "Burn rate over the windows of each alert"
            kind    = "timeseries"
            queries = { burn = "max:synthetics.alert.burn_rate{$env} by {slo,alert,window}" }
          },
          {
            title   = "Measured slices of those expected, %"
            kind    = "timeseries"
            queries = { coverage = "avg:synthetics.slo.coverage{$env} by {slo}" }
            markers = [{ value = "y = 90", label = "no verdict below", style = "warning dashed" }]
          },
          {
            title   = "Probes that were not sent in time"
            kind    = "timeseries"
            queries = { gaps = "max:synthetics.slo.gaps{$env} by {slo}" }
          },
        ]
      },
      {
        height = 3
        widgets = [
          {
            title   = "Attempts of probes by outcome, retries included"
            kind    = "timeseries"
            queries = { attempts = "sum:synthetics.probe.attempt.count{$env} by {check,outcome}.as_count()" }
            display = "bars"
          },
          {
            title   = "Messages of alerts by webhook and outcome"
            kind    = "timeseries"
            queries = { messages = "sum:synthetics.webhook.message.count{$env} by {webhook,outcome}.as_count()" }
            display = "bars"
          },
        ]
      },
    ]
  }
}
