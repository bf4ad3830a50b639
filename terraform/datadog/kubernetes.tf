# "Kubernetes with SLO": one screen, five bands. The bands stand in band_*.tf.

module "kubernetes" {
  source = "./modules/dashboard"

  title       = "Bookwatch: Kubernetes with SLO"
  description = "From the promise to the container: objectives, overview, nodes, pods, containers with events and logs. Managed by Terraform."
  tags        = ["team:${var.team}"]

  template_variables = {
    cloud_provider = { tag = "cloud_provider" }
    host           = { tag = "host" }
    cluster        = { tag = "kube_cluster_name", defaults = [var.cluster_name] }
  }

  bands = [local.band_alerts, local.band_overview, local.band_nodes, local.band_pods, local.band_containers]
}
