# The operator, and the Agent that it runs on each node. Both by Helm: the Agent is a custom resource, and a chart of one
# template lets one apply install the definition and then the resource.

resource "kubernetes_namespace_v1" "datadog" {
  # checkov:skip=CKV2_K8S_6: k8s/components/network-policies fences the shop in; the Agent has to reach every pod of the cluster
  metadata {
    name = "datadog"
    labels = {
      # The Agent reads the host's processes, cgroups and logs.
      "pod-security.kubernetes.io/enforce" = "privileged"
    }
  }
}

# Read while applying, handed on, and never written down: neither in the plan nor in the state.
ephemeral "aws_secretsmanager_secret_version" "datadog" {
  secret_id = var.secret_name
}

resource "kubernetes_secret_v1" "datadog" {
  metadata {
    name      = "datadog-secret"
    namespace = kubernetes_namespace_v1.datadog.metadata[0].name
  }

  data_wo = {
    "api-key" = jsondecode(ephemeral.aws_secretsmanager_secret_version.datadog.secret_string)["api-key"]
  }
  data_wo_revision = var.secret_revision
}

resource "helm_release" "operator" {
  name       = "datadog-operator"
  namespace  = kubernetes_namespace_v1.datadog.metadata[0].name
  repository = "https://helm.datadoghq.com"
  chart      = "datadog-operator"
  version    = var.operator_chart

  # Dashboards, monitors and SLOs are terraform/datadog's, so the operator needs no application key.
  set = [
    { name = "datadogMonitor.enabled", value = "false" },
    { name = "datadogSLO.enabled", value = "false" },
    { name = "datadogDashboard.enabled", value = "false" },
  ]
}

resource "helm_release" "agent" {
  name      = "datadog-agent"
  namespace = kubernetes_namespace_v1.datadog.metadata[0].name
  chart     = "${path.module}/chart"

  values = [yamlencode({
    clusterName = var.cluster_name
    site        = var.site
    env         = var.env
    secretName  = kubernetes_secret_v1.datadog.metadata[0].name
  })]

  # The operator has to outlive the Agent: it removes what it made for it.
  depends_on = [helm_release.operator]
}
