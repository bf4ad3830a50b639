# The services and how they hang together, for the service catalogue and its map. An empty list is left out: the catalogue
# answers without it, and the provider, which compares the two documents word for word, would then fail the apply.

locals {
  # A job that runs once is no service.
  catalogued = { for name, service in local.services : name => service if service.kind != "job" }

  links = var.repository_url == null ? {} : {
    links = [{ name = "Source", type = "repo", provider = "git", url = var.repository_url }]
  }
}

resource "datadog_software_catalog" "service" {
  for_each = local.catalogued

  entity = yamlencode({
    apiVersion = "v3"
    kind       = "service"
    metadata = merge(local.links, {
      name        = each.key
      displayName = each.value.title
      description = each.value.description
      owner       = var.team
      tags        = ["env:${var.env}", "project:bookwatch", "managed_by:terraform"]
    })
    spec = merge(
      {
        type        = each.value.type
        tier        = each.value.kind == "shop" ? "high" : "low"
        lifecycle   = "production"
        languages   = ["rust"]
        componentOf = ["system:bookwatch"]
      },
      can(each.value.calls) ? { dependsOn = [for name in each.value.calls : "service:${name}"] } : {},
    )
  })
}

resource "datadog_software_catalog" "system" {
  entity = yamlencode({
    apiVersion = "v3"
    kind       = "system"
    metadata = merge(local.links, {
      name        = "bookwatch"
      displayName = "Bookwatch"
      description = "A bookshop that is watched, and what watches it."
      owner       = var.team
      tags        = ["project:bookwatch", "managed_by:terraform"]
    })
    spec = {
      components = [for name in keys(local.catalogued) : "service:${name}"]
    }
  })

  depends_on = [datadog_software_catalog.service]
}
