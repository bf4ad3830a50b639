# The shop as its customers see it, from four cities. The page answers 200 even while a backend is down, so every test
# judges what the answer says. These are the checks of our own prober, by the same names.

locals {
  checks = {
    productpage = {
      path     = "/productpage"
      contains = ["The Comedy of Errors"]
      lacks    = ["data-unavailable=\"details\"", "data-unavailable=\"reviews\"", "Error fetching product"]
      json     = []
    }
    health = {
      path     = "/health"
      contains = ["Product page is healthy"]
      lacks    = []
      json     = []
    }
    api-products = {
      path     = "/api/v1/products"
      contains = []
      lacks    = []
      json = [
        { path = "$[0].id", operator = "matches", value = "^[0-9]+$" },
        { path = "$[0].title", operator = "matches", value = ".+" },
      ]
    }
    api-product = {
      path     = "/api/v1/products/0"
      contains = []
      lacks    = ["\"error\""]
      json = [
        { path = "$.id", operator = "is", value = "0" },
        { path = "$.author", operator = "matches", value = ".+" },
      ]
    }
    api-reviews = {
      # Answers 200 with an error in place of the stars while ratings are down.
      path     = "/api/v1/products/0/reviews"
      contains = []
      lacks    = ["\"error\""]
      json = [
        { path = "$.id", operator = "is", value = "0" },
        { path = "$.reviews[0].reviewer", operator = "matches", value = ".+" },
      ]
    }
    api-ratings = {
      path     = "/api/v1/products/0/ratings"
      contains = ["\"ratings\""]
      lacks    = ["\"error\""]
      json     = [{ path = "$.id", operator = "is", value = "0" }]
    }
  }
}

resource "datadog_synthetics_test" "check" {
  for_each = local.checks

  name      = "Bookwatch: ${each.key}"
  type      = "api"
  subtype   = "http"
  status    = var.shop_url == null ? "paused" : "live"
  locations = values(var.locations)
  tags      = concat(local.tags, ["service:productpage", "check:${each.key}"])

  message = trimspace(<<-EOT
    {{#is_alert}}${each.key} of the shop fails from outside: look at the assertion that failed, and at the trace of the request.{{/is_alert}}
    {{#is_recovery}}${each.key} of the shop answers as it must again.{{/is_recovery}}
    ${local.notify}
  EOT
  )

  request_definition {
    method  = "GET"
    url     = "${coalesce(var.shop_url, "https://shop.invalid")}${each.value.path}"
    timeout = 10
  }

  assertion {
    type     = "statusCode"
    operator = "is"
    target   = "200"
  }

  assertion {
    type     = "responseTime"
    operator = "lessThan"
    target   = "10000"
  }

  dynamic "assertion" {
    for_each = each.value.contains
    content {
      type     = "body"
      operator = "contains"
      target   = assertion.value
    }
  }

  dynamic "assertion" {
    for_each = each.value.lacks
    content {
      type     = "body"
      operator = "doesNotContain"
      target   = assertion.value
    }
  }

  dynamic "assertion" {
    for_each = each.value.json
    content {
      type     = "body"
      operator = "validatesJSONPath"

      targetjsonpath {
        jsonpath    = assertion.value.path
        operator    = assertion.value.operator
        targetvalue = assertion.value.value
      }
    }
  }

  options_list {
    tick_every       = var.tick_seconds
    follow_redirects = false
    # One location down is down, as for our own prober.
    min_location_failed = 1
    monitor_priority    = 2

    retry {
      count    = 1
      interval = 300
    }

    monitor_options {
      renotify_interval = 0
    }
  }
}
