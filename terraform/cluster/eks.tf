module "eks" {
  # checkov:skip=CKV_TF_1: a registry module is pinned by its version; a commit hash would need git in place of the registry
  source  = "terraform-aws-modules/eks/aws"
  version = "~> 21.0"

  name               = var.name
  kubernetes_version = var.kubernetes_version

  vpc_id     = module.vpc.vpc_id
  subnet_ids = module.vpc.private_subnets

  endpoint_public_access       = true
  endpoint_public_access_cidrs = var.api_allowed_cidrs

  # Whoever applies this can use kubectl.
  enable_cluster_creator_admin_permissions = true

  # Pods get their identities from the agent below, not from an OpenID provider.
  enable_irsa = false

  enabled_log_types                      = var.control_plane_logs
  create_cloudwatch_log_group            = length(var.control_plane_logs) > 0
  cloudwatch_log_group_retention_in_days = 7
  kms_key_deletion_window_in_days        = 7

  addons = {
    coredns    = {}
    kube-proxy = {}
    # Before the nodes: they are ready only with a network, and pods have identities from their first start.
    vpc-cni = {
      before_compute = true
      # Off unless asked for, and then the policies of k8s/components/network-policies would hold back nothing.
      configuration_values = jsonencode({ enableNetworkPolicy = "true" })
    }
    eks-pod-identity-agent = {
      before_compute = true
    }
  }

  eks_managed_node_groups = {
    shop = {
      ami_type       = "AL2023_x86_64_STANDARD"
      instance_types = [var.instance_type]

      # The newest image when the nodes are made. The module would ask for it in each plan, and put new nodes in the
      # place of all whenever AWS has a newer one.
      use_latest_ami_release_version = false

      min_size     = var.node_count
      max_size     = var.node_count
      desired_size = var.node_count

      # One hop, which is the module's default, written down because the Agent depends on it: no pod reaches the
      # metadata service, so none can borrow the node's credentials. The Agent then cannot ask it for the host's name
      # either and would count each node twice; modules/datadog has it read the name from a file.
      metadata_options = {
        http_endpoint               = "enabled"
        http_tokens                 = "required"
        http_put_response_hop_limit = 1
      }
    }
  }
}
