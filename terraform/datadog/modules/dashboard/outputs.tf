output "id" {
  description = "Id of the dashboard."
  value       = datadog_dashboard.this.id
}

output "path" {
  description = "Path of the dashboard on the site."
  value       = datadog_dashboard.this.url
}
