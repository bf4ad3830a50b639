locals {
  columns = 12

  # Where each row begins inside its band, from the heights of those above it.
  layout = [
    for band in var.bands : {
      title  = band.title
      color  = band.color
      height = sum(band.rows[*].height) + 1 # one for the title
      widgets = flatten([
        for index, row in band.rows : [
          for position, widget in row.widgets : merge(widget, {
            x      = position * local.columns / length(row.widgets)
            y      = sum(concat([0], slice(band.rows[*].height, 0, index)))
            width  = local.columns / length(row.widgets)
            height = row.height
            formulas = length(widget.formulas) > 0 ? widget.formulas : [
              for name in keys(widget.queries) : { expression = name, alias = null }
            ]
          })
        ]
      ])
    }
  ]
}

resource "datadog_dashboard" "this" {
  title       = var.title
  description = var.description
  layout_type = "ordered"
  reflow_type = "fixed"
  tags        = var.tags

  dynamic "template_variable" {
    for_each = var.template_variables
    content {
      name     = template_variable.key
      prefix   = template_variable.value.tag
      defaults = template_variable.value.defaults
    }
  }

  dynamic "widget" {
    for_each = local.layout
    iterator = band

    content {
      widget_layout {
        x      = 0
        y      = sum(concat([0], slice(local.layout[*].height, 0, band.key)))
        width  = local.columns
        height = band.value.height
      }

      group_definition {
        title            = band.value.title
        background_color = band.value.color
        layout_type      = "ordered"
        show_title       = true

        dynamic "widget" {
          for_each = band.value.widgets

          content {
            widget_layout {
              x      = widget.value.x
              y      = widget.value.y
              width  = widget.value.width
              height = widget.value.height
            }

            dynamic "timeseries_definition" {
              for_each = widget.value.kind == "timeseries" ? [widget.value] : []

              content {
                title         = widget.value.title
                show_legend   = true
                legend_layout = "auto"
                live_span     = widget.value.span

                request {
                  display_type = widget.value.display

                  dynamic "query" {
                    for_each = widget.value.queries
                    content {
                      metric_query {
                        name  = query.key
                        query = query.value
                      }
                    }
                  }

                  dynamic "formula" {
                    for_each = widget.value.formulas
                    content {
                      formula_expression = formula.value.expression
                      alias              = formula.value.alias
                    }
                  }

                  style {
                    palette = widget.value.palette
                  }
                }

                dynamic "marker" {
                  for_each = widget.value.markers
                  content {
                    value        = marker.value.value
                    label        = marker.value.label
                    display_type = marker.value.style
                  }
                }
              }
            }

            dynamic "query_value_definition" {
              for_each = widget.value.kind == "value" ? [widget.value] : []

              content {
                title       = widget.value.title
                autoscale   = widget.value.unit == null
                custom_unit = widget.value.unit
                precision   = widget.value.precision
                live_span   = widget.value.span

                request {
                  dynamic "query" {
                    for_each = widget.value.queries
                    content {
                      metric_query {
                        name       = query.key
                        query      = query.value
                        aggregator = widget.value.aggregator
                      }
                    }
                  }

                  dynamic "formula" {
                    for_each = widget.value.formulas
                    content {
                      formula_expression = formula.value.expression
                      alias              = formula.value.alias
                    }
                  }
                }
              }
            }

            dynamic "toplist_definition" {
              for_each = widget.value.kind == "toplist" ? [widget.value] : []

              content {
                title     = widget.value.title
                live_span = widget.value.span

                request {
                  dynamic "query" {
                    for_each = widget.value.queries
                    content {
                      metric_query {
                        name       = query.key
                        query      = query.value
                        aggregator = widget.value.aggregator
                      }
                    }
                  }

                  dynamic "formula" {
                    for_each = widget.value.formulas
                    content {
                      formula_expression = formula.value.expression
                      alias              = formula.value.alias

                      limit {
                        count = 10
                        order = "desc"
                      }
                    }
                  }
                }
              }
            }

            dynamic "hostmap_definition" {
              for_each = widget.value.kind == "hostmap" ? [widget.value] : []

              content {
                title           = widget.value.title
                node_type       = "host"
                no_metric_hosts = true
                no_group_hosts  = true

                request {
                  fill {
                    q = widget.value.queries.fill
                  }
                }

                style {
                  palette = "green_to_orange"
                }
              }
            }

            dynamic "service_level_objective_definition" {
              for_each = widget.value.kind == "slo" ? [widget.value] : []

              content {
                title             = widget.value.title
                slo_id            = widget.value.slo_id
                view_type         = "detail"
                view_mode         = "overall"
                time_windows      = [widget.value.window]
                show_error_budget = true
              }
            }

            dynamic "manage_status_definition" {
              for_each = widget.value.kind == "monitors" ? [widget.value] : []

              content {
                title               = widget.value.title
                query               = widget.value.search
                summary_type        = "monitors"
                display_format      = "countsAndList"
                color_preference    = "background"
                hide_zero_counts    = true
                show_last_triggered = true
                sort                = "status,asc"
              }
            }

            dynamic "event_timeline_definition" {
              for_each = widget.value.kind == "event_timeline" ? [widget.value] : []

              content {
                title          = widget.value.title
                query          = widget.value.search
                tags_execution = "and"
              }
            }

            dynamic "list_stream_definition" {
              for_each = contains(["events", "logs"], widget.value.kind) ? [widget.value] : []

              content {
                title = widget.value.title

                request {
                  response_format = "event_list"

                  query {
                    data_source  = widget.value.kind == "events" ? "event_stream" : "logs_stream"
                    query_string = widget.value.search
                    event_size   = widget.value.kind == "events" ? "s" : null
                  }

                  dynamic "columns" {
                    for_each = widget.value.columns
                    content {
                      field = columns.value
                      width = "auto"
                    }
                  }
                }
              }
            }

            dynamic "note_definition" {
              for_each = widget.value.kind == "note" ? [widget.value] : []

              content {
                content          = "**${widget.value.title}**\n\n${widget.value.text}"
                background_color = "white"
                font_size        = "14"
                text_align       = "left"
                show_tick        = false
              }
            }
          }
        }
      }
    }
  }
}
