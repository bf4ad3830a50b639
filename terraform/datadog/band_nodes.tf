locals {
  band_nodes = {
    title = "Worker nodes"
    color = "vivid_blue"
    rows = [
      {
        widgets = [
          {
            title = "CPU, system and user"
            kind  = "timeseries"
            queries = {
              system = "avg:system.cpu.system{$cluster,$host,$cloud_provider} by {host}"
              user   = "avg:system.cpu.user{$cluster,$host,$cloud_provider} by {host}"
            }
            formulas = [{ expression = "system + user", alias = "busy, %" }]
          },
          {
            title   = "Memory available"
            kind    = "timeseries"
            queries = { usable = "avg:system.mem.usable{$cluster,$host,$cloud_provider} by {host}" }
          },
          {
            title   = "Disk available"
            kind    = "timeseries"
            queries = { free = "sum:system.disk.free{$cluster,$host,$cloud_provider} by {host}" }
          },
          {
            title = "Network, in and out"
            kind  = "timeseries"
            queries = {
              received = "sum:system.net.bytes_rcvd{$cluster,$host,$cloud_provider} by {host}"
              sent     = "sum:system.net.bytes_sent{$cluster,$host,$cloud_provider} by {host}"
            }
            formulas = [
              { expression = "received", alias = "in" },
              { expression = "-sent", alias = "out" },
            ]
          },
        ]
      },
      {
        widgets = [
          {
            title   = "CPU, system and user"
            kind    = "hostmap"
            queries = { fill = "avg:system.cpu.system{$cluster,$host,$cloud_provider} by {host} + avg:system.cpu.user{$cluster,$host,$cloud_provider} by {host}" }
          },
          {
            title   = "Memory usable"
            kind    = "hostmap"
            queries = { fill = "avg:system.mem.pct_usable{$cluster,$host,$cloud_provider} by {host}" }
          },
          {
            title   = "Disk I/O"
            kind    = "hostmap"
            queries = { fill = "max:system.io.util{$cluster,$host,$cloud_provider} by {host}" }
          },
          {
            title   = "Network, in and out"
            kind    = "hostmap"
            queries = { fill = "sum:system.net.bytes_rcvd{$cluster,$host,$cloud_provider} by {host} + sum:system.net.bytes_sent{$cluster,$host,$cloud_provider} by {host}" }
          },
        ]
      },
    ]
  }
}
