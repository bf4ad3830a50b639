# The operator, and the Agent that it runs on each node. Both by Helm: the Agent is a custom resource, and a chart of one
# template lets one apply install the definition and then the resource.

resource "kubernetes_namespace_v1" "datadog" {
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

locals {
  # The same Agent as k8s/components/datadog-operator describes, and what is different on EKS.
  described      = yamldecode(file("${path.module}/../../../../k8s/components/datadog-operator/datadog-agent.yaml")).spec
  instance_id    = "/var/lib/cloud/data/instance-id"
  node_container = ["agent", "process-agent", "system-probe", "trace-agent"]

  agent = merge(local.described, {
    global = merge(local.described.global, {
      clusterName = var.cluster_name
      site        = var.site
      tags        = concat(try(local.described.global.tags, []), ["env:${var.env}"])
      credentials = {
        apiSecret = { secretName = kubernetes_secret_v1.datadog.metadata[0].name, keyName = "api-key" }
      }
    })

    features = merge(local.described.features, {
      # Asks Datadog for metrics to scale by, which takes an application key; k8s/overlays/eks has nothing that scales.
      externalMetricsServer = { enabled = false }
    })

    override = merge(local.described.override, {
      # The metadata service is out of reach for pods (one hop), so the host's name, which is the id of the instance,
      # comes from where cloud-init left it. Without this a node is counted twice: by its id and by its DNS name.
      nodeAgent = merge(local.described.override.nodeAgent, {
        env     = concat(try(local.described.override.nodeAgent.env, []), [{ name = "DD_HOSTNAME_FILE", value = local.instance_id }])
        volumes = concat(try(local.described.override.nodeAgent.volumes, []), [{ name = "instance-id", hostPath = { path = local.instance_id, type = "File" } }])
        containers = {
          for name in local.node_container : name => merge(try(local.described.override.nodeAgent.containers[name], {}), {
            volumeMounts = concat(
              try(local.described.override.nodeAgent.containers[name].volumeMounts, []),
              [{ name = "instance-id", mountPath = local.instance_id, readOnly = true }],
            )
          })
        }
      })
    })
  })
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

  values = [yamlencode({ spec = local.agent })]

  # The operator has to outlive the Agent: it removes what it made for it.
  depends_on = [helm_release.operator]
}
