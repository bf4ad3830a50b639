variable "title" {
  description = "Title of the dashboard."
  type        = string
  nullable    = false
}

variable "description" {
  description = "What it shows and to whom, in Markdown."
  type        = string
  nullable    = false
}

variable "template_variables" {
  description = "What a viewer can choose, by name: the tag that it stands for and what is chosen at first. Queries use it as $name."
  type = map(object({
    tag      = string
    defaults = optional(list(string), ["*"])
  }))
  default  = {}
  nullable = false
}

variable "bands" {
  description = <<-EOT
    Bands from top to bottom; each has rows, and the widgets of a row share its width equally.

    `kind` of a widget, and what it takes:
    - timeseries, value, toplist: `queries` (name -> metric query) and `formulas` over these names; without formulas, each query is shown as it is
    - hostmap: `queries.fill`
    - slo: `slo_id` and the `window` it is shown over
    - monitors, event_timeline, events, logs: `search`
    - note: `text`
  EOT
  type = list(object({
    title = string
    color = optional(string, "vivid_blue")
    rows = list(object({
      height = optional(number, 2)
      widgets = list(object({
        title      = string
        kind       = string
        queries    = optional(map(string), {})
        formulas   = optional(list(object({ expression = string, alias = optional(string) })), [])
        display    = optional(string, "line")
        aggregator = optional(string, "last")
        unit       = optional(string)
        precision  = optional(number, 0)
        palette    = optional(string, "dog_classic")
        span       = optional(string)
        markers    = optional(list(object({ value = string, label = string, style = string })), [])
        slo_id     = optional(string)
        window     = optional(string, "7d")
        search     = optional(string)
        columns    = optional(list(string), [])
        text       = optional(string)
      }))
    }))
  }))
  nullable = false

  validation {
    condition     = alltrue([for row in flatten(var.bands[*].rows) : contains([1, 2, 3, 4, 6, 12], length(row.widgets))])
    error_message = "A row takes 1, 2, 3, 4, 6 or 12 widgets: the width is 12 columns."
  }

  validation {
    condition = alltrue([
      for widget in flatten(flatten(var.bands[*].rows)[*].widgets) : contains([
        "timeseries", "value", "toplist", "hostmap", "slo", "monitors", "event_timeline", "events", "logs", "note",
      ], widget.kind)
    ])
    error_message = "A widget's kind must be timeseries, value, toplist, hostmap, slo, monitors, event_timeline, events, logs or note."
  }

  validation {
    condition = alltrue([
      for widget in flatten(flatten(var.bands[*].rows)[*].widgets) : length(widget.queries) > 0
      if contains(["timeseries", "value", "toplist", "hostmap"], widget.kind)
    ])
    error_message = "A timeseries, value, toplist or hostmap needs at least one query."
  }
}

variable "tags" {
  description = "Tags of the dashboard. Datadog allows the key team only."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.tags) <= 5 && alltrue([for tag in var.tags : startswith(tag, "team:")])
    error_message = "Tags of a dashboard must be team:<name>, at most 5."
  }
}
