locals {
  # What the cluster agent reports of the cluster as a whole has no host, so $host does not narrow it.
  band_overview = {
    title = "Overview"
    color = "vivid_purple"
    rows = [
      {
        widgets = [
          {
            title   = "Containers running"
            kind    = "value"
            queries = { running = "sum:kubernetes_state.container.running{$cluster}" }
          },
          {
            title   = "Containers stopped"
            kind    = "value"
            queries = { stopped = "sum:kubernetes_state.container.terminated{$cluster}" }
          },
          {
            title   = "Pods running"
            kind    = "value"
            queries = { running = "sum:kubernetes.pods.running{$cluster,$host,$cloud_provider}" }
          },
          {
            title = "DaemonSets, nodes"
            kind  = "timeseries"
            queries = {
              desired = "sum:kubernetes_state.daemonset.desired{$cluster}"
              ready   = "sum:kubernetes_state.daemonset.ready{$cluster}"
            }
          },
          {
            title = "Deployments, pods"
            kind  = "timeseries"
            queries = {
              desired   = "sum:kubernetes_state.deployment.replicas_desired{$cluster}"
              available = "sum:kubernetes_state.deployment.replicas_available{$cluster}"
            }
          },
          {
            title   = "Nodes"
            kind    = "value"
            queries = { nodes = "sum:kubernetes_state.node.count{$cluster}" }
          },
        ]
      },
    ]
  }
}
