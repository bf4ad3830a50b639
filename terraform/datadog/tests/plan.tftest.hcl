# What `terraform test` proves without an account: every expression is evaluated against the provider's schema, and
# the values that matter are looked at. Nothing is created; a mock stands in for Datadog.

mock_provider "datadog" {
  mock_resource "datadog_monitor" {
    defaults = { id = "1001" }
  }
  mock_resource "datadog_synthetics_test" {
    defaults = { monitor_id = 1002 }
  }
  mock_resource "datadog_dashboard" {
    defaults = { id = "abc-def-ghi", url = "/dashboard/abc-def-ghi/bookwatch" }
  }
}

variables {
  datadog_api_key = "not a key"
  datadog_app_key = "not a key"
}

run "defaults" {
  assert {
    condition = alltrue([
      for slo in concat(
        values(datadog_service_level_objective.slices),
        values(datadog_service_level_objective.latency),
        values(datadog_service_level_objective.success),
      ) : slo.thresholds[0].timeframe == slo.timeframe && slo.thresholds[0].target == slo.target_threshold
    ])
    error_message = "the primary timeframe and target of an SLO must be one of its thresholds"
  }

  assert {
    condition     = toset(keys(local.slo_ids)) == toset(keys(local.objectives.slos))
    error_message = "each objective of slos.json is one SLO, by its name"
  }

  assert {
    condition     = length(datadog_monitor.burn) == length(local.objectives.slos) * length(local.objectives.burn_alerts)
    error_message = "each objective has each burn alert"
  }

  assert {
    condition = alltrue([
      for alert in local.objectives.burn_alerts :
      alert.factor == format("%.1f", alert.budget_percent / 100 * 24 * tonumber(trimsuffix(local.objectives.timeframe, "d")) / tonumber(trimsuffix(alert.long_window, "h")))
    ])
    error_message = "factor = budget share x period / long window"
  }

  assert {
    condition = alltrue([
      for alert in local.objectives.burn_alerts :
      tonumber(trimsuffix(alert.short_window, "m")) * 12 == tonumber(trimsuffix(alert.long_window, "h")) * 60
    ])
    error_message = "the short window is a twelfth of the long one"
  }

  assert {
    condition     = datadog_monitor.my_metric.monitor_thresholds[0].warning == "500" && datadog_monitor.my_metric.monitor_thresholds[0].critical == "800" && endswith(datadog_monitor.my_metric.query, "> 800")
    error_message = "my_metric warns above 500 and alerts above 800"
  }

  assert {
    condition     = datadog_monitor.my_metric.notify_no_data && datadog_monitor.my_metric.no_data_timeframe == 10
    error_message = "my_metric tells of 10 minutes without data"
  }

  assert {
    condition     = alltrue([for state in ["is_alert", "is_warning", "is_no_data"] : can(regex("{{#${state}}}[^{]*{{[^}]+}}.*{{/${state}}}", datadog_monitor.my_metric.message))])
    error_message = "my_metric has a message for each state, with host or value"
  }

  assert {
    condition     = alltrue([for downtime in datadog_downtime_schedule.my_metric : downtime.recurring_schedule.timezone == var.time_zone])
    error_message = "each downtime has the time zone"
  }

  assert {
    condition     = alltrue([for downtime in datadog_downtime_schedule.my_metric : timecmp("${downtime.recurring_schedule.recurrence[0].start}Z", plantimestamp()) > 0])
    error_message = "each downtime begins in the future: Datadog refuses one that does not"
  }

  assert {
    condition     = formatdate("EEE", "${datadog_downtime_schedule.my_metric["nights"].recurring_schedule.recurrence[0].start}Z") == "Mon" && formatdate("EEE", "${datadog_downtime_schedule.my_metric["weekends"].recurring_schedule.recurrence[0].start}Z") == "Sat"
    error_message = "nights begin on a Monday, week-ends on a Saturday"
  }

  assert {
    condition     = alltrue([for test in datadog_synthetics_test.check : test.status == "paused" && length(test.locations) == 4])
    error_message = "without an address the tests are paused; with the defaults they run from four places"
  }

  assert {
    condition     = alltrue([for test in datadog_synthetics_test.check : anytrue([for assertion in test.assertion : assertion.type == "body"])])
    error_message = "every test judges the content: the page answers 200 while a backend is down"
  }

  assert {
    condition     = length(setsubtract(toset(flatten(values(local.objectives.slos)[*].checks)), keys(local.checks))) == 0
    error_message = "every check that an objective names is a synthetic test too"
  }

  assert {
    condition     = alltrue([for entity in concat(values(datadog_software_catalog.service), [datadog_software_catalog.system]) : !strcontains(entity.entity, "[]")])
    error_message = "the catalogue answers without empty lists, and the provider refuses an answer that differs"
  }

  assert {
    condition     = yamldecode(datadog_software_catalog.service["reviews"].entity).spec.dependsOn == ["service:ratings"]
    error_message = "the catalogue has what a service calls"
  }

  assert {
    condition     = output.dashboards.kubernetes == "https://app.datadoghq.com/dashboard/abc-def-ghi/bookwatch"
    error_message = "the address of a dashboard is that of the site"
  }
}

run "europe_and_live" {
  variables {
    datadog_site = "datadoghq.eu"
    shop_url     = "https://shop.example.com"
    env          = "prod"
    notify       = ["@slack-a", "@b@example.com"]
    percentiles  = false

    datadog_api_url = "http://127.0.0.1:8080/"
    repository_url  = "https://git.example.com/bookwatch"
  }

  assert {
    condition     = startswith(output.dashboards.timeboard, "https://app.datadoghq.eu/")
    error_message = "the site is a variable"
  }

  assert {
    condition     = datadog_synthetics_test.check["productpage"].status == "live" && datadog_synthetics_test.check["productpage"].request_definition[0].url == "https://shop.example.com/productpage"
    error_message = "with an address the tests run against it"
  }

  assert {
    condition     = strcontains(datadog_monitor.my_metric.query, "{env:prod}") && endswith(datadog_monitor.my_metric.message, "@slack-a @b@example.com")
    error_message = "environment and handles reach the monitors"
  }

  assert {
    condition     = yamldecode(datadog_software_catalog.system.entity).metadata.links[0].url == "https://git.example.com/bookwatch"
    error_message = "the catalogue leads to the source"
  }

  assert {
    condition     = length(datadog_metric_tag_configuration.distribution) == 0
    error_message = "percentiles can be left for later"
  }
}

run "refuses_what_cannot_be_meant" {
  command = plan

  variables {
    datadog_site = "datadog.com"
    env          = "Demo Env"
    time_zone    = "JST"
    notify       = ["slack-a"]
    shop_url     = "shop.example.com/path"
    locations    = { tokyo = "ap-northeast-1" }
    tick_seconds = 10
    table_prefix = "book/watch"

    datadog_api_url = "api.datadoghq.com"
  }

  expect_failures = [
    var.datadog_site, var.env, var.time_zone, var.notify, var.shop_url, var.locations, var.tick_seconds, var.table_prefix,
    var.datadog_api_url,
  ]
}
