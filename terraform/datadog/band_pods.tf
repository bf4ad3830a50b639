locals {
  band_pods = {
    title = "Pods"
    color = "vivid_green"
    rows = [
      {
        widgets = [
          {
            title   = "CPU by pod"
            kind    = "timeseries"
            queries = { cpu = "sum:kubernetes.cpu.usage.total{$cluster,$host,$cloud_provider} by {pod_name}" }
          },
          {
            title   = "CPU, the ten busiest"
            kind    = "toplist"
            queries = { cpu = "sum:kubernetes.cpu.usage.total{$cluster,$host,$cloud_provider} by {pod_name}" }
          },
          {
            title   = "Memory by pod"
            kind    = "timeseries"
            queries = { memory = "sum:kubernetes.memory.usage{$cluster,$host,$cloud_provider} by {pod_name}" }
          },
          {
            title   = "Memory, the ten largest"
            kind    = "toplist"
            queries = { memory = "sum:kubernetes.memory.usage{$cluster,$host,$cloud_provider} by {pod_name}" }
          },
        ]
      },
      {
        widgets = [
          {
            title   = "Phase"
            kind    = "timeseries"
            queries = { pods = "sum:kubernetes_state.pod.status_phase{$cluster} by {pod_phase}" }
            display = "area"
          },
          {
            title   = "Running by namespace"
            kind    = "timeseries"
            queries = { pods = "sum:kubernetes_state.pod.status_phase{$cluster,pod_phase:running} by {kube_namespace}" }
            display = "area"
          },
          {
            title   = "Ready by node"
            kind    = "timeseries"
            queries = { pods = "sum:kubernetes_state.pod.ready{$cluster,condition:true} by {node}" }
          },
          {
            title   = "Not ready by namespace"
            kind    = "timeseries"
            queries = { pods = "sum:kubernetes_state.pod.ready{$cluster,condition:false} by {kube_namespace}" }
            display = "bars"
          },
        ]
      },
      {
        widgets = [
          {
            title = "Network by pod, in and out"
            kind  = "timeseries"
            queries = {
              received = "sum:kubernetes.network.rx_bytes{$cluster,$host,$cloud_provider} by {pod_name}"
              sent     = "sum:kubernetes.network.tx_bytes{$cluster,$host,$cloud_provider} by {pod_name}"
            }
            formulas = [
              { expression = "received", alias = "in" },
              { expression = "-sent", alias = "out" },
            ]
          },
          {
            title = "Network errors by pod"
            kind  = "timeseries"
            queries = {
              received = "sum:kubernetes.network.rx_errors{$cluster,$host,$cloud_provider} by {pod_name}"
              sent     = "sum:kubernetes.network.tx_errors{$cluster,$host,$cloud_provider} by {pod_name}"
            }
            formulas = [{ expression = "received + sent", alias = "errors a second" }]
            display  = "bars"
          },
        ]
      },
    ]
  }
}
