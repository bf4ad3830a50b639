# The layout of modules/dashboard, and what it refuses.

mock_provider "datadog" {}

variables {
  datadog_api_key = "not a key"
  datadog_app_key = "not a key"
}

run "rows_and_bands_follow_each_other" {
  module {
    source = "./modules/dashboard"
  }

  variables {
    title       = "test"
    description = "test"
    bands = [
      {
        title = "first"
        rows = [
          { height = 3, widgets = [{ title = "a", kind = "note", text = "a" }, { title = "b", kind = "note", text = "b" }] },
          { height = 2, widgets = [{ title = "c", kind = "value", queries = { x = "sum:x{*}" } }] },
        ]
      },
      {
        title = "second"
        rows  = [{ widgets = [{ title = "d", kind = "note", text = "d" }] }]
      },
    ]
  }

  assert {
    condition = [for band in datadog_dashboard.this.widget : [band.widget_layout[0].y, band.widget_layout[0].height]] == [
      [0, 6], # 3 + 2, and 1 for the title
      [6, 3],
    ]
    error_message = "a band begins where the one above ends"
  }

  assert {
    condition = [
      for widget in datadog_dashboard.this.widget[0].group_definition[0].widget :
      [widget.widget_layout[0].x, widget.widget_layout[0].y, widget.widget_layout[0].width, widget.widget_layout[0].height]
    ] == [[0, 0, 6, 3], [6, 0, 6, 3], [0, 3, 12, 2]]
    error_message = "the widgets of a row share its width, and a row begins where the one above ends"
  }

  assert {
    condition     = datadog_dashboard.this.widget[0].group_definition[0].widget[2].query_value_definition[0].request[0].formula[0].formula_expression == "x"
    error_message = "without formulas a query is shown as it is"
  }
}

run "refuses_a_widget_without_a_query" {
  command = plan

  module {
    source = "./modules/dashboard"
  }

  variables {
    title       = "test"
    description = "test"
    bands       = [{ title = "band", rows = [{ widgets = [{ title = "empty", kind = "timeseries" }] }] }]
  }

  expect_failures = [var.bands]
}

run "refuses_an_unknown_kind" {
  command = plan

  module {
    source = "./modules/dashboard"
  }

  variables {
    title       = "test"
    description = "test"
    bands       = [{ title = "band", rows = [{ widgets = [{ title = "pie", kind = "pie", queries = { x = "sum:x{*}" } }] }] }]
  }

  expect_failures = [var.bands]
}

run "refuses_a_row_that_does_not_divide_the_width" {
  command = plan

  module {
    source = "./modules/dashboard"
  }

  variables {
    title       = "test"
    description = "test"
    bands       = [{ title = "band", rows = [{ widgets = [for name in ["a", "b", "c", "d", "e"] : { title = name, kind = "note", text = name }] }] }]
  }

  expect_failures = [var.bands]
}
