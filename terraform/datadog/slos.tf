# The promises. Their targets, limits and windows stand in ../slos.json, which the prober is tested against.
#
# Three of Datadog's rules differ from the prober's, and cannot be set:
# - a time slice without data counts as up; the prober leaves it out and gives no verdict below 90 % of the slices;
# - a count of values below a limit comes from a sketch, exact to about 1 % of the limit; the prober counts each event;
# - an alert fires at or above the factor of its query's operator; ours is >, as the prober's.

locals {
  slos_slices  = { for name, slo in local.objectives.slos : name => slo if slo.kind == "slices" }
  slos_latency = { for name, slo in local.objectives.slos : name => slo if slo.kind == "latency" }
  slos_success = { for name, slo in local.objectives.slos : name => slo if slo.kind == "success" }

  slo_ids = merge(
    { for name, slo in datadog_service_level_objective.slices : name => slo.id },
    { for name, slo in datadog_service_level_objective.latency : name => slo.id },
    { for name, slo in datadog_service_level_objective.success : name => slo.id },
  )
}

# A slice is up when no probe of its checks was bad, at any location: the rule "all-up". The bad ones are counted, since
# a ratio would have no value in a slice where nothing at all was good.
resource "datadog_service_level_objective" "slices" {
  for_each = local.slos_slices

  name        = "Bookwatch: ${each.value.title}"
  description = "Share of the time in which every probe of ${join(" and ", each.value.checks)} was good at every location. Probes that our own side missed count as neither."
  type        = "time_slice"
  tags        = concat(local.tags, ["slo:${each.key}"])

  thresholds {
    timeframe = local.objectives.timeframe
    target    = tonumber(each.value.target)
  }
  timeframe        = local.objectives.timeframe
  target_threshold = tonumber(each.value.target)

  sli_specification {
    time_slice {
      query {
        formula {
          formula_expression = "default_zero(bad)"
        }
        query {
          metric_query {
            name  = "bad"
            query = "sum:synthetics.probe.count{env:${var.env} AND check IN (${join(",", each.value.checks)}) AND outcome NOT IN (good,gap)}.as_count()"
          }
        }
      }
      comparator             = "<"
      threshold              = 1
      query_interval_seconds = each.value.slice_seconds
    }
  }
}

# A request is good when its whole answer came within the limit, be it right or wrong. No answer is bad. `answered` has the
# outcomes of probes that a whole answer came for.
resource "datadog_service_level_objective" "latency" {
  for_each = local.slos_latency

  name        = "Bookwatch: ${each.value.title}"
  description = "Share of the API's requests, from all locations, whose whole answer came within ${each.value.within_seconds} s."
  type        = "metric"
  tags        = concat(local.tags, ["slo:${each.key}"])

  thresholds {
    timeframe = local.objectives.timeframe
    target    = tonumber(each.value.target)
  }
  timeframe        = local.objectives.timeframe
  target_threshold = tonumber(each.value.target)

  query {
    numerator   = "count(v: v<=${each.value.within_seconds}):synthetics.probe.duration{env:${var.env} AND check IN (${join(",", each.value.checks)}) AND outcome IN (${join(",", local.objectives.answered)})}.as_count()"
    denominator = "sum:synthetics.probe.count{env:${var.env} AND check IN (${join(",", each.value.checks)}) AND outcome NOT IN (gap)}.as_count()"
  }
}

resource "datadog_service_level_objective" "success" {
  for_each = local.slos_success

  name        = "Bookwatch: ${each.value.title}"
  description = "Share of requests, from all locations, that had a correct answer: status and content."
  type        = "metric"
  tags        = concat(local.tags, ["slo:${each.key}"])

  thresholds {
    timeframe = local.objectives.timeframe
    target    = tonumber(each.value.target)
  }
  timeframe        = local.objectives.timeframe
  target_threshold = tonumber(each.value.target)

  query {
    numerator   = "sum:synthetics.probe.count{env:${var.env} AND check IN (${join(",", each.value.checks)}) AND outcome IN (good)}.as_count()"
    denominator = "sum:synthetics.probe.count{env:${var.env} AND check IN (${join(",", each.value.checks)}) AND outcome NOT IN (gap)}.as_count()"
  }
}

# The same limits told the other way: p95 within the limit in this share of the five-minute slices. It is no restatement
# of the counts above, since a slice with one request weighs as much as one with a thousand. Shown to compare.
resource "datadog_service_level_objective" "latency_slices" {
  for_each = local.slos_latency

  name        = "Bookwatch: ${each.value.title}, by time"
  description = "Share of the time in which p95 of the API's answers was within ${each.value.within_seconds} s. Not the same statement as the share of requests, and requests without an answer are not in it."
  type        = "time_slice"
  tags        = concat(local.tags, ["slo:${each.key}-by-time"])

  thresholds {
    timeframe = local.objectives.timeframe
    target    = tonumber(each.value.target)
  }
  timeframe        = local.objectives.timeframe
  target_threshold = tonumber(each.value.target)

  sli_specification {
    time_slice {
      query {
        formula {
          formula_expression = "p95"
        }
        query {
          metric_query {
            name  = "p95"
            query = "p95:synthetics.probe.duration{env:${var.env} AND check IN (${join(",", each.value.checks)}) AND outcome IN (${join(",", local.objectives.answered)})}"
          }
        }
      }
      comparator             = "<="
      threshold              = tonumber(each.value.within_seconds)
      query_interval_seconds = 300
    }
  }
}

# Availability once more, judged by Datadog's own tests from outside the cluster. Datadog has no burn alerts for
# objectives on synthetic tests, so the alerts are on the prober's.
resource "datadog_service_level_objective" "outside" {
  for_each = local.slos_slices

  name        = "Bookwatch: ${each.value.title}, from outside"
  description = "Share of the time in which the synthetic tests ${join(" and ", each.value.checks)} were up at all locations."
  type        = "monitor"
  tags        = concat(local.tags, ["slo:${each.key}-outside"])
  monitor_ids = [for check in each.value.checks : datadog_synthetics_test.check[check].monitor_id]

  thresholds {
    timeframe = local.objectives.timeframe
    target    = tonumber(each.value.target)
  }
  timeframe        = local.objectives.timeframe
  target_threshold = tonumber(each.value.target)
}
