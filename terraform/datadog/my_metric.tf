# The emitter's timeboard, its monitor, and when the monitor keeps quiet.

locals {
  my_metric = {
    warning  = 500
    critical = 800
  }
}

module "my_metric" {
  source = "./modules/dashboard"

  title       = "Bookwatch: my_metric"
  description = "The gauge of the metric emitter, and how many items the shop's tables hold. Managed by Terraform."
  tags        = ["team:${var.team}"]

  template_variables = {
    env  = { tag = "env", defaults = [var.env] }
    host = { tag = "host" }
  }

  bands = [
    {
      title = "my_metric"
      rows = [
        {
          height = 4
          widgets = [
            {
              title   = "my_metric by host"
              kind    = "timeseries"
              queries = { value = "avg:my_metric{$env,$host} by {host}" }
              markers = [
                { value = "y = ${local.my_metric.warning}", label = "warning", style = "warning dashed" },
                { value = "y = ${local.my_metric.critical}", label = "alert", style = "error dashed" },
              ]
            },
            {
              # By the minute: hourly sums begin on the hour, and two of them would be more than the past one.
              title      = "Sum of all points of the past hour"
              kind       = "value"
              queries    = { total = "sum:my_metric{$env,$host}.rollup(sum, 60)" }
              aggregator = "sum"
              span       = "1h"
            },
          ]
        },
      ]
    },
    {
      title = "Store"
      color = "vivid_green"
      rows = [
        {
          height = 4
          widgets = [
            {
              title    = "Items in the tables, and what is not as usual"
              kind     = "timeseries"
              queries  = { items = "max:aws.dynamodb.item_count{tablename:${var.table_prefix}*} by {tablename}" }
              formulas = [{ expression = "anomalies(items, 'basic', 2)" }]
            },
          ]
        },
      ]
    },
  ]
}

resource "datadog_monitor" "my_metric" {
  name     = "[Bookwatch] my_metric of {{host.name}} is high"
  type     = "metric alert"
  query    = "avg(last_1m):avg:my_metric{env:${var.env}} by {host} > ${local.my_metric.critical}"
  priority = 3
  tags     = concat(local.tags, ["service:mymetric"])

  message = trimspace(<<-EOT
    {{#is_alert}}my_metric of {{host.name}} is {{value}}: above {{threshold}}, the limit for an alert.{{/is_alert}}
    {{#is_warning}}my_metric of {{host.name}} is {{value}}: above {{warn_threshold}}, the limit for a warning.{{/is_warning}}
    {{#is_no_data}}{{host.name}} has sent no my_metric for 10 minutes; the last value was {{value}}. Look whether its emitter and its Agent run.{{/is_no_data}}
    {{#is_recovery}}my_metric of {{host.name}} is {{value}} again.{{/is_recovery}}
    ${local.notify}
  EOT
  )

  monitor_thresholds {
    warning  = local.my_metric.warning
    critical = local.my_metric.critical
  }

  # In minutes; the message says it too.
  notify_no_data    = true
  no_data_timeframe = 10

  # One point each 45 seconds: a minute is never full.
  require_full_window = false
  # The first minutes of a new node say nothing yet.
  new_group_delay = 120
}

locals {
  # Working hours are 09:00 to 19:00. The week-end lasts until they begin, so no hour is in neither downtime.
  downtimes = {
    nights = {
      about    = "nights of working days, 19:00 to 09:00"
      first    = 0
      at       = "19:00:00"
      duration = "14h"
      rrule    = "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU,WE,TH,FR"
    }
    weekends = {
      about    = "week-ends, Saturday 00:00 to Monday 09:00"
      first    = 5
      at       = "00:00:00"
      duration = "57h"
      rrule    = "FREQ=WEEKLY;INTERVAL=1;BYDAY=SA"
    }
  }

  # Days from today to the next Monday that is not today.
  days_to_monday = { Mon = 7, Tue = 6, Wed = 5, Thu = 4, Fri = 3, Sat = 2, Sun = 1 }
  next_monday    = timeadd(plantimestamp(), "${24 * local.days_to_monday[formatdate("EEE", plantimestamp())]}h")
}

# Datadog refuses a schedule that begins in the past, and a date in this file would soon be past. So the first Monday
# is taken from the clock once, stays in the state, and is taken anew with each change of a downtime, which sends the
# beginning again.
resource "terraform_data" "first_monday" {
  input            = local.next_monday
  triggers_replace = [var.time_zone, var.env, datadog_monitor.my_metric.id, local.downtimes]

  lifecycle {
    ignore_changes = [input]
  }
}

resource "datadog_downtime_schedule" "my_metric" {
  for_each = local.downtimes

  scope   = "env:${var.env}"
  message = "my_metric is not looked at: ${each.value.about} (${var.time_zone})."

  display_timezone                 = var.time_zone
  mute_first_recovery_notification = true

  monitor_identifier {
    monitor_id = tonumber(datadog_monitor.my_metric.id)
  }

  recurring_schedule {
    timezone = var.time_zone

    recurrence {
      start    = "${formatdate("YYYY-MM-DD", timeadd(terraform_data.first_monday.output, "${24 * each.value.first}h"))}T${each.value.at}"
      duration = each.value.duration
      rrule    = each.value.rrule
    }
  }
}
