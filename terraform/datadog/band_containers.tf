locals {
  band_containers = {
    title = "Containers"
    color = "vivid_orange"
    rows = [
      {
        widgets = [
          {
            title = "States"
            kind  = "timeseries"
            queries = {
              running    = "sum:kubernetes_state.container.running{$cluster}"
              waiting    = "sum:kubernetes_state.container.waiting{$cluster}"
              terminated = "sum:kubernetes_state.container.terminated{$cluster}"
            }
            display = "area"
          },
          {
            title   = "Restarts by pod"
            kind    = "timeseries"
            queries = { restarts = "sum:kubernetes.containers.restarts{$cluster,$host,$cloud_provider} by {pod_name}" }
          },
          {
            title   = "CrashLoopBackOff by pod"
            kind    = "timeseries"
            queries = { containers = "sum:kubernetes_state.container.status_report.count.waiting{$cluster,reason:crashloopbackoff} by {pod_name}" }
            display = "bars"
          },
          {
            title   = "OOMKilled by pod"
            kind    = "timeseries"
            queries = { containers = "sum:kubernetes_state.container.status_report.count.terminated{$cluster,reason:oomkilled} by {pod_name}" }
            display = "bars"
          },
        ]
      },
      {
        widgets = [
          {
            title   = "CPU by container"
            kind    = "timeseries"
            queries = { cpu = "sum:container.cpu.usage{$cluster,$host,$cloud_provider} by {container_name}" }
          },
          {
            title   = "Memory by container"
            kind    = "timeseries"
            queries = { memory = "sum:container.memory.usage{$cluster,$host,$cloud_provider} by {container_name}" }
          },
          {
            title  = "Events by node"
            kind   = "event_timeline"
            search = "source:kubernetes $cluster $host"
          },
        ]
      },
      {
        height = 4
        widgets = [
          {
            title   = "Events"
            kind    = "events"
            search  = "source:kubernetes $cluster $host"
            columns = ["timestamp", "host", "message"]
          },
          {
            title   = "Logs"
            kind    = "logs"
            search  = "$cluster $host"
            columns = ["status_line", "timestamp", "host", "service", "content"]
          },
        ]
      },
    ]
  }
}
