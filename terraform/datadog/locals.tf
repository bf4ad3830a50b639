locals {
  # The one list of services. terraform/cluster reads the same file.
  services = jsondecode(file("${path.module}/../services.json"))
  shop     = { for name, service in local.services : name => service if service.kind == "shop" }

  # Targets, windows and burn factors. The prober's own objectives are tested against the same file.
  objectives = jsondecode(file("${path.module}/../slos.json"))

  # On every monitor, SLO, test and dashboard that can have tags.
  tags = ["env:${var.env}", "project:bookwatch", "team:${var.team}", "managed_by:terraform"]

  notify = join(" ", var.notify)
}
