# JSON lines of our services. The Agent and Datadog's preprocessing find time, status, service and trace by themselves;
# the processors say it once more, so that lines that came another way read the same, and add the standard attributes
# that facets and the request view stand on.

resource "datadog_logs_custom_pipeline" "services" {
  name       = "Bookwatch (${var.env})"
  is_enabled = true

  filter {
    query = "env:${var.env} service:(${join(" OR ", keys(local.services))})"
  }

  processor {
    date_remapper {
      name       = "timestamp is the time of the line"
      sources    = ["timestamp"]
      is_enabled = true
    }
  }

  processor {
    status_remapper {
      name       = "status is the status"
      sources    = ["status"]
      is_enabled = true
    }
  }

  processor {
    service_remapper {
      name       = "service is the service"
      sources    = ["service"]
      is_enabled = true
    }
  }

  processor {
    message_remapper {
      name       = "message is the message"
      sources    = ["message"]
      is_enabled = true
    }
  }

  processor {
    trace_id_remapper {
      name       = "the trace of a request"
      sources    = ["dd.trace_id", "trace_id"]
      is_enabled = true
    }
  }

  processor {
    span_id_remapper {
      name       = "the span of a request"
      sources    = ["dd.span_id", "span_id"]
      is_enabled = true
    }
  }

  dynamic "processor" {
    # From OpenTelemetry's names, which we write, to those of Datadog's standard attributes.
    for_each = {
      "http.request.method"       = { target = "http.method", format = "string" }
      "http.response.status_code" = { target = "http.status_code", format = "integer" }
      "url.path"                  = { target = "http.url_details.path", format = "string" }
      "error"                     = { target = "error.message", format = "string" }
    }
    content {
      attribute_remapper {
        name                 = "${processor.key} as ${processor.value.target}"
        sources              = [processor.key]
        source_type          = "attribute"
        target               = processor.value.target
        target_type          = "attribute"
        target_format        = processor.value.format
        preserve_source      = false
        override_on_conflict = false
        is_enabled           = true
      }
    }
  }

  processor {
    arithmetic_processor {
      name               = "duration in nanoseconds, from milliseconds"
      expression         = "duration_ms * 1000000"
      target             = "duration"
      is_replace_missing = false
      is_enabled         = true
    }
  }

  processor {
    category_processor {
      name       = "class of the answer"
      target     = "http.status_category"
      is_enabled = true

      dynamic "category" {
        for_each = [
          { name = "OK", from = 200, to = 299 },
          { name = "notice", from = 300, to = 399 },
          { name = "warning", from = 400, to = 499 },
          { name = "error", from = 500, to = 599 },
        ]
        content {
          name = category.value.name
          filter {
            query = "@http.status_code:[${category.value.from} TO ${category.value.to}]"
          }
        }
      }
    }
  }
}
